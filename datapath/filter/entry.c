/* See entry.h. */
#include "datapath/filter/entry.h"

#include "datapath/prefixes.h"
#include "platform/base/mem.h"

#include <netinet/in.h>
#include <string.h>

static void manual_lines(struct entry_list *out)
{
	for (size_t k = 0; k < out->acl.nentries; k++)
		if (out->acl.entries[k].permit && !out->acl.entries[k].remark)
			out->acl.nentries = k + 1;
}

static struct cfg_port port_of(const struct dp_selector *s, uint8_t protocol)
{
	struct cfg_port p = { .op = PORT_ANY };

	if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) || (s->port_from == 0 && s->port_to == 65535))
		return p;
	p.op = s->port_from == s->port_to ? PORT_EQ : PORT_RANGE;
	p.values[0] = s->port_from;
	p.values[1] = s->port_to;
	p.nvalues = p.op == PORT_EQ ? 1 : 2;
	return p;
}

static void lines_add(struct entry_list *out, const struct dpm_dynamic *d)
{
	struct prefix local[PREFIXES_MAX], remote[PREFIXES_MAX];
	size_t nlocal = prefixes_of(local, addr_to_v4(d->sel.local.from), addr_to_v4(d->sel.local.to));
	size_t nremote = prefixes_of(remote, addr_to_v4(d->sel.remote.from), addr_to_v4(d->sel.remote.to));

	for (size_t a = 0; a < nlocal; a++)
		for (size_t b = 0; b < nremote; b++) {
			out->made[out->acl.nentries] = (struct cfg_ace){ .seq = (uint32_t)out->acl.nentries + 1,
				.permit = true,
				.protocol = d->sel.protocol ? d->sel.protocol : -1,
				.src = local[a].addr,
				.src_wild = ~local[a].mask,
				.dst = remote[b].addr,
				.dst_wild = ~remote[b].mask,
				.src_port = port_of(&d->sel.local, d->sel.protocol),
				.dst_port = port_of(&d->sel.remote, d->sel.protocol),
				.icmp_type = -1,
				.icmp_code = -1,
				.dscp = -1,
				.precedence = -1,
				.tos = -1 };
			out->acl.nentries++;
		}
}

static bool is_at(const struct dpm_dynamic *d, const struct cfg_interface *owner, const struct cfg_map_entry *e,
	const struct cfg_map_entry *settings)
{
	return d->id.map_seq == e->seq && d->dynamic_seq == settings->seq && strcmp(d->id.map, e->map) == 0 &&
	       strcmp(d->id.interface, owner->name) == 0;
}

static enum err dynamic_lines(struct entry_list *out, const struct cfg_interface *owner, const struct cfg_map_entry *e,
	const struct cfg_map_entry *settings, const struct dynamics *dynamics)
{
	size_t room = 0;

	for (size_t k = 0; dynamics && k < dynamics->n; k++)
		if (is_at(&dynamics->list[k], owner, e, settings))
			room += dynamic_lines_of(&dynamics->list[k]);
	out->made = room ? mem_calloc(room, sizeof(*out->made)) : NULL;
	if (room && !out->made)
		return ERR_NOMEM;
	out->acl = (struct cfg_acl){ .extended = true, .entries = out->made };
	for (size_t k = 0; dynamics && k < dynamics->n; k++)
		if (is_at(&dynamics->list[k], owner, e, settings))
			lines_add(out, &dynamics->list[k]);
	return ERR_OK;
}

enum err entry_list_make(struct entry_list *out, const struct cfg *c, const struct cfg_interface *i, const struct cfg_map_entry *e,
	const struct cfg_map_entry *settings, const struct dynamics *dynamics)
{
	const struct cfg_acl *acl = cfg_acl(c, e->acl);

	*out = (struct entry_list){ .acl = { .extended = true } };
	if (cfg_map_entry_fault(c, e))
		return ERR_OK;
	if (e->kind == MAP_DYNAMIC)
		return dynamic_lines(out, cfg_map_owner(c, i), e, settings, dynamics);
	out->acl = *acl;
	if (e->kind == MAP_MANUAL)
		manual_lines(out);
	out->whole = out->acl.nentries == acl->nentries ? acl : NULL;
	return ERR_OK;
}

void entry_list_free(struct entry_list *l)
{
	mem_free(l->made);
	*l = (struct entry_list){ 0 };
}
