/* The policy set of a snapshot. */
#include "datapath/plan.h"

#include "platform/base/mem.h"

#include <string.h>

#define ANY_WILD 0xffffffffu

/* A wildcard is the complement of a mask: ones from the right. */
static bool wild_is_mask(uint32_t wild)
{
	return (wild & (wild + 1)) == 0;
}

/* The range from the first to the last address that matches. */
static bool side_addr(struct dp_selector *s, uint32_t addr, uint32_t wild)
{
	s->from = addr_v4(addr & ~wild);
	s->to = addr_v4(addr | wild);
	return wild_is_mask(wild);
}

static bool side_port(struct dp_selector *s, const struct cfg_port *p)
{
	s->port_from = 0;
	s->port_to = 65535;
	switch (p->op) {
	case PORT_ANY:
		return true;
	case PORT_EQ:
		if (p->nvalues != 1)
			return false;
		s->port_from = s->port_to = p->values[0];
		return true;
	case PORT_LT:
		s->port_to = p->values[0] ? (uint16_t)(p->values[0] - 1) : 0;
		return p->values[0] > 0;
	case PORT_GT:
		s->port_from = p->values[0] < 65535 ? (uint16_t)(p->values[0] + 1) : 65535;
		return p->values[0] < 65535;
	case PORT_RANGE:
		s->port_from = p->values[0];
		s->port_to = p->values[1];
		return true;
	case PORT_NEQ:
		break;
	}
	return false;
}

enum err plan_selectors(const struct cfg_ace *ace, struct dp_selectors *sel, const char **why)
{
	bool addr_ok, port_ok;

	memset(sel, 0, sizeof(*sel));
	sel->protocol = ace->protocol > 0 ? (uint8_t)ace->protocol : 0;
	addr_ok = side_addr(&sel->local, ace->src, ace->src_wild);
	addr_ok &= side_addr(&sel->remote, ace->dst, ace->dst_wild);
	port_ok = side_port(&sel->local, &ace->src_port);
	port_ok &= side_port(&sel->remote, &ace->dst_port);
	*why = !addr_ok ? "a wildcard is not a mask" : !port_ok ? "its ports are neither one port nor one range" : NULL;
	return *why ? ERR_UNSUPPORTED : ERR_OK;
}

/* The lines that count of a crypto-map entry's list. */
static size_t count_lines(const struct cfg_acl *acl)
{
	size_t n = 0;

	for (size_t i = 0; acl && i < acl->nentries; i++)
		n += !acl->entries[i].remark;
	return n;
}

/* The lines of an entry's list that count: of a manual one those up to the first permit. */
static size_t lines_end(const struct cfg_acl *acl, const struct cfg_map_entry *e)
{
	for (size_t i = 0; acl && i < acl->nentries; i++)
		if (e->kind == MAP_MANUAL && acl->entries[i].permit && !acl->entries[i].remark)
			return i + 1;
	return acl ? acl->nentries : 0;
}

static size_t count_entries(const struct cfg *c, const struct cfg_interface *i, size_t ndynamics)
{
	size_t n = 0;

	for (const struct cfg_map_entry *e = cfg_map_first(c, i->crypto_map); e; e = cfg_map_next(c, e))
		if (!cfg_map_entry_fault(c, e))
			n += e->kind == MAP_DYNAMIC ? ndynamics : count_lines(cfg_acl(c, e->acl));
	return n;
}

struct room {
	size_t interfaces, entries, in_entries;
};

static struct room measure(const struct cfg *c, size_t ndynamics)
{
	struct room r = { 0 };

	for (size_t k = 0; k < c->ninterfaces; k++) {
		const struct cfg_interface *i = &c->interfaces[k];

		if (!i->crypto_map[0])
			continue;
		r.interfaces++;
		r.entries += count_entries(c, i, ndynamics);
		r.in_entries += count_lines(cfg_acl(c, i->acl_in));
	}
	return r;
}

static bool allocate(struct plan *s, struct room r)
{
	s->interfaces = mem_calloc(r.interfaces + 1, sizeof(*s->interfaces));
	s->entries = mem_calloc(r.entries + 1, sizeof(*s->entries));
	s->negotiable = mem_calloc(r.entries + 1, sizeof(*s->negotiable));
	s->in_entries = mem_calloc(r.in_entries + 1, sizeof(*s->in_entries));
	return s->interfaces && s->entries && s->negotiable && s->in_entries;
}

/* Copies the lines of an inbound list. A standard list looks at the source only. */
static size_t copy_lines(struct cfg_ace *to, const struct cfg_acl *acl)
{
	size_t n = 0;

	for (size_t i = 0; i < acl->nentries; i++) {
		if (acl->entries[i].remark)
			continue;
		to[n] = acl->entries[i];
		if (!acl->extended) {
			to[n].protocol = -1;
			to[n].dst = 0;
			to[n].dst_wild = ANY_WILD;
		}
		n++;
	}
	return n;
}

static struct backend_policy *policy_add(
	struct plan *s, const struct cfg *c, const struct cfg_interface *i, const struct cfg_map_entry *e, uint32_t ace_seq)
{
	struct backend_policy *p = &s->entries[s->view.nentries++];

	memcpy(p->id.interface, cfg_map_owner(c, i)->name, CFG_NAME);
	memcpy(p->interface, i->name, CFG_NAME);
	memcpy(p->id.map, e->map, CFG_NAME);
	p->id.map_seq = e->seq;
	p->id.ace_seq = ace_seq;
	p->kind = (uint8_t)e->kind;
	p->df = (uint8_t)c->ipsec.df_bit;
	return p;
}

static void add_lines(struct plan *s, const struct cfg *c, const struct cfg_interface *i, const struct cfg_map_entry *e)
{
	const struct cfg_acl *acl = cfg_acl(c, e->acl);

	for (size_t k = 0; k < lines_end(acl, e); k++) {
		const struct cfg_ace *a = &acl->entries[k];
		struct backend_policy *p;
		const char *why;

		if (a->remark)
			continue;
		p = policy_add(s, c, i, e, a->seq);
		memcpy(p->acl, acl->name, CFG_NAME);
		p->ace = *a;
		s->negotiable[p - s->entries] = plan_selectors(&p->ace, &p->sel, &why) == ERR_OK || !p->ace.permit;
	}
}

static void add_dynamics(struct plan *s, const struct cfg *c, const struct cfg_interface *i, const struct cfg_map_entry *e,
	uint16_t dynamic_seq, const struct dynamics *dynamics)
{
	for (size_t k = 0; k < dynamics->n; k++) {
		const struct dpm_dynamic *d = &dynamics->list[k];
		struct backend_policy *p;

		if (d->dynamic_seq != dynamic_seq || d->id.map_seq != e->seq || strcmp(d->id.map, e->map) != 0 ||
			strcmp(d->id.interface, cfg_map_owner(c, i)->name) != 0)
			continue;
		p = policy_add(s, c, i, e, d->id.ace_seq);
		p->ace = (struct cfg_ace){ .seq = d->id.ace_seq,
			.permit = true,
			.protocol = -1,
			.icmp_type = -1,
			.icmp_code = -1,
			.dscp = -1,
			.precedence = -1,
			.tos = -1,
			.src_wild = ANY_WILD,
			.dst_wild = ANY_WILD };
		p->sel = d->sel;
		s->negotiable[p - s->entries] = true;
	}
}

static void add_interface(struct plan *s, const struct cfg *c, const struct dynamics *dynamics, const struct cfg_interface *i,
	int ifindex, size_t *in_used)
{
	struct backend_interface *b = &s->interfaces[s->view.ninterfaces++];
	const struct cfg_acl *in = cfg_acl(c, i->acl_in);
	const struct cfg_interface *local = cfg_map_local(c, i);

	memcpy(b->name, i->name, CFG_NAME);
	memcpy(b->ifname, i->ifname, sizeof(b->ifname));
	b->ifindex = ifindex;
	b->addr = local && local->ip.mask ? local->ip.addr : 0;
	/* A list without lines permits all. */
	b->acl_in = count_lines(in) > 0;
	if (b->acl_in) {
		b->acl_in_entries = s->in_entries + *in_used;
		b->nacl_in_entries = copy_lines(s->in_entries + *in_used, in);
		*in_used += b->nacl_in_entries;
	}
	for (const struct cfg_map_entry *e = cfg_map_first(c, i->crypto_map); e; e = cfg_map_next(c, e)) {
		if (cfg_map_entry_fault(c, e))
			continue;
		if (e->kind != MAP_DYNAMIC)
			add_lines(s, c, i, e);
		else
			for (const struct cfg_map_entry *d = cfg_dynamic_first(c, e->dynamic); d; d = cfg_dynamic_next(c, d))
				add_dynamics(s, c, i, e, d->seq, dynamics);
	}
}

enum err plan_derive(struct plan *out, const struct cfg *c, const struct dynamics *dynamics, plan_ifindex_fn ifindex, void *ctx)
{
	struct plan s = { 0 };
	size_t in_used = 0;

	if (!allocate(&s, measure(c, dynamics->n))) {
		plan_free(&s);
		return ERR_NOMEM;
	}
	s.view.interfaces = s.interfaces;
	s.view.entries = s.entries;
	for (size_t k = 0; k < c->ninterfaces; k++) {
		const struct cfg_interface *i = &c->interfaces[k];

		if (i->crypto_map[0])
			add_interface(&s, c, dynamics, i, ifindex(ctx, i->ifname), &in_used);
	}
	*out = s;
	return ERR_OK;
}

void plan_free(struct plan *s)
{
	mem_free(s->interfaces);
	mem_free(s->entries);
	mem_free(s->negotiable);
	mem_free(s->in_entries);
	*s = (struct plan){ 0 };
}

bool plan_same_id(const struct dp_policy_id *a, const struct dp_policy_id *b)
{
	return a->map_seq == b->map_seq && a->ace_seq == b->ace_seq && strncmp(a->interface, b->interface, CFG_NAME) == 0 &&
	       strncmp(a->map, b->map, CFG_NAME) == 0;
}

static size_t find(const struct plan *s, const struct dp_policy_id *id)
{
	size_t i = 0;

	while (i < s->view.nentries && !plan_same_id(&s->entries[i].id, id))
		i++;
	return i;
}

const struct backend_policy *plan_find(const struct plan *s, const struct dp_policy_id *id)
{
	size_t i = find(s, id);

	return i < s->view.nentries ? &s->entries[i] : NULL;
}

static bool side_within(const struct dp_selector *in, const struct dp_selector *out)
{
	return in->from.family == out->from.family && addr_cmp(in->from, out->from) >= 0 && addr_cmp(in->to, out->to) <= 0 &&
	       in->port_from >= out->port_from && in->port_to <= out->port_to;
}

bool plan_permits(const struct plan *s, const struct dp_policy_id *id, const struct dp_selectors *sel)
{
	const struct backend_policy *p = plan_find(s, id);

	return p && p->ace.permit && side_within(&sel->local, &p->sel.local) && side_within(&sel->remote, &p->sel.remote) &&
	       (p->sel.protocol == 0 || p->sel.protocol == sel->protocol);
}

bool plan_negotiable(const struct plan *s, const struct dp_policy_id *id)
{
	size_t i = find(s, id);

	return i < s->view.nentries && s->negotiable[i];
}
