/* Policies: building sets from what the daemon gives, and keeping what outlives them. */
#include "datapath/engine/policy.h"

#include "datapath/engine/sa.h"
#include "platform/base/mem.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool same_id(const struct dp_policy_id *a, const struct dp_policy_id *b)
{
	return a->map_seq == b->map_seq && a->ace_seq == b->ace_seq && strncmp(a->map, b->map, sizeof(a->map)) == 0 &&
	       strncmp(a->interface, b->interface, sizeof(a->interface)) == 0;
}

struct policy *ipsec_policy_find(const struct policy_table *t, const struct dp_policy_id *id)
{
	struct policy *p = t->all;

	while (p && !same_id(&p->id, id))
		p = p->next;
	return p;
}

struct policy *ipsec_policy_get(struct policy_table *t, const struct dp_policy_id *id)
{
	struct policy *p = ipsec_policy_find(t, id);

	if (p)
		return p;
	p = mem_zalloc(sizeof(*p));
	if (!p)
		return NULL;
	p->id = *id;
	p->hold.last = &p->hold.first;
	p->next = t->all;
	t->all = p;
	return p;
}

static struct line *line_get(struct policy_table *t, const char *acl, uint32_t ace_seq)
{
	struct line *l = t->lines;

	while (l && (l->ace_seq != ace_seq || strncmp(l->acl, acl, sizeof(l->acl)) != 0))
		l = l->next;
	if (l)
		return l;
	l = mem_zalloc(sizeof(*l));
	if (!l)
		return NULL;
	memcpy(l->acl, acl, sizeof(l->acl));
	l->ace_seq = ace_seq;
	l->next = t->lines;
	t->lines = l;
	return l;
}

static void read_mac(uint8_t mac[6], const char *ifname)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(r.ifr_name, ifname, strnlen(ifname, sizeof(r.ifr_name) - 1));
	if (fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &r) == 0)
		memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	if (fd >= 0)
		close(fd);
}

static bool may_match_ipsec(const struct cfg_ace *a)
{
	return !a->remark && !a->fragments && (a->protocol < 0 || a->protocol == 50 || a->protocol == 51);
}

static enum err add_interfaces(struct policy_set *s, const struct backend_policies *from)
{
	size_t lines = 0;

	for (size_t i = 0; i < from->ninterfaces; i++)
		lines += from->interfaces[i].nacl_in_entries;
	s->interfaces = mem_calloc(from->ninterfaces + 1, sizeof(*s->interfaces));
	s->acl = mem_calloc(lines + 1, sizeof(*s->acl));
	if (!s->interfaces || !s->acl)
		return ERR_NOMEM;
	lines = 0;
	for (size_t i = 0; i < from->ninterfaces; i++) {
		const struct backend_interface *f = &from->interfaces[i];
		struct policy_interface *to = &s->interfaces[s->ninterfaces];

		if (f->ifindex == 0)
			continue;
		*to = (struct policy_interface){
			.ifindex = f->ifindex, .addr = f->addr, .acl_in = f->acl_in, .acl_first = (uint32_t)lines
		};
		read_mac(to->mac, f->ifname);
		for (size_t k = 0; k < f->nacl_in_entries; k++)
			if (may_match_ipsec(&f->acl_in_entries[k]))
				s->acl[lines++] = f->acl_in_entries[k];
		to->acl_count = (uint32_t)lines - to->acl_first;
		s->ninterfaces++;
	}
	return ERR_OK;
}

static int ifindex_of(const struct backend_policies *from, const char *name)
{
	for (size_t i = 0; i < from->ninterfaces; i++)
		if (strncmp(from->interfaces[i].name, name, CFG_NAME) == 0)
			return from->interfaces[i].ifindex;
	return 0;
}

static bool same_sequence(const struct backend_policy *a, const struct backend_policy *b)
{
	return a->id.map_seq == b->id.map_seq && strncmp(a->id.map, b->id.map, CFG_NAME) == 0 &&
	       strncmp(a->interface, b->interface, CFG_NAME) == 0;
}

static enum err add_entry(struct policy_set *s, struct policy_table *t, const struct backend_policy *b, int ifindex)
{
	struct entry *e = &s->entries[s->nentries];

	*e = (struct entry){ .ifindex = ifindex, .ace = b->ace, .sel = selector_of(&b->sel), .dynamic = b->kind == MAP_DYNAMIC };
	if (!e->dynamic)
		e->line = line_get(t, b->acl, b->id.ace_seq);
	if (!e->dynamic && !e->line)
		return ERR_NOMEM;
	if (b->ace.permit) {
		e->policy = ipsec_policy_get(t, &b->id);
		if (!e->policy)
			return ERR_NOMEM;
		e->policy->sel = b->sel;
		e->policy->df = b->df;
	}
	s->by_tos |= b->ace.dscp >= 0 || b->ace.precedence >= 0 || b->ace.tos >= 0;
	s->by_flags |= b->ace.established || b->ace.tcp_flags_set || b->ace.tcp_flags_clear;
	s->nentries++;
	return ERR_OK;
}

static enum err add_entries(struct policy_set *s, struct policy_table *t, const struct backend_policies *from)
{
	uint32_t start = 0;
	const struct backend_policy *group = NULL;
	enum err e = ERR_OK;

	s->entries = mem_calloc(from->nentries + 1, sizeof(*s->entries));
	if (!s->entries)
		return ERR_NOMEM;
	for (size_t i = 0; e == ERR_OK && i < from->nentries; i++) {
		const struct backend_policy *b = &from->entries[i];
		int ifindex = ifindex_of(from, b->interface);

		if (ifindex == 0 || b->ace.remark)
			continue;
		if (!group || !same_sequence(group, b)) {
			for (uint32_t k = start; k < s->nentries; k++)
				s->entries[k].after = s->nentries;
			start = s->nentries;
			group = b;
		}
		e = add_entry(s, t, b, ifindex);
	}
	for (uint32_t k = start; k < s->nentries; k++)
		s->entries[k].after = s->nentries;
	return e;
}

enum err policy_set_new(struct policy_set **out, struct policy_table *t, const struct backend_policies *from)
{
	struct policy_set *s = mem_zalloc(sizeof(*s));
	enum err e;

	if (!s)
		return ERR_NOMEM;
	s->generation = ++t->generation;
	e = add_interfaces(s, from);
	if (e == ERR_OK)
		e = add_entries(s, t, from);
	if (e != ERR_OK) {
		policy_set_free(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void policy_set_free(struct policy_set *s)
{
	if (!s)
		return;
	mem_free(s->entries);
	mem_free(s->interfaces);
	mem_free(s->acl);
	mem_free(s);
}

void policy_sweep(struct policy_table *t, const struct policy_set *s)
{
	for (struct policy *p = t->all; p; p = p->next)
		p->live = false;
	for (uint32_t i = 0; s && i < s->nentries; i++)
		if (s->entries[i].policy)
			s->entries[i].policy->live = true;
	for (struct policy **at = &t->all; *at;) {
		struct policy *p = *at;

		if (p->live || p->refs > 0 || p->out || FLAG_GET(p->hold.listed)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		mem_free(p);
	}
}

static void hold_free(struct hold *h)
{
	while (h->first) {
		struct held *f = h->first;

		h->first = f->next;
		mem_free(f);
	}
}

void policy_table_free(struct policy_table *t)
{
	while (t->all) {
		struct policy *p = t->all;

		t->all = p->next;
		hold_free(&p->hold);
		mem_free(p);
	}
	while (t->lines) {
		struct line *l = t->lines;

		t->lines = l->next;
		mem_free(l);
	}
}
