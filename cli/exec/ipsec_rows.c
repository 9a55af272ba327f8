/* What `show crypto ipsec sa` and `show crypto session` are made of: policies and SAs of datapathd, names of the snapshot. */
#include "cli/exec.h"
#include "cli/exec/ipsec.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

bool flow_id_equal(const struct dp_policy_id *a, const struct dp_policy_id *b)
{
	return a->map_seq == b->map_seq && a->ace_seq == b->ace_seq && strcmp(a->map, b->map) == 0 &&
	       strcmp(a->interface, b->interface) == 0;
}

/* The netmask when the range is a subnet. */
static bool range_mask(uint32_t from, uint32_t to, uint32_t *mask)
{
	uint32_t host = from ^ to;

	*mask = ~host;
	return ip4_mask_valid(*mask) && (from & host) == 0 && (to & host) == host;
}

char *selector_print(char out[128], const struct dp_selector *s, uint8_t protocol)
{
	uint32_t from = addr_to_v4(s->from), to = addr_to_v4(s->to), mask;
	unsigned port = s->port_from == 0 && s->port_to == UINT16_MAX ? 0 : s->port_from;
	char a[16], b[16];

	if (range_mask(from, to, &mask))
		snprintf(out, 128, "%s/%s/%u/%u", ip4_print(a, from), ip4_print(b, mask), protocol, port);
	else
		snprintf(out, 128, "%s-%s/%u/%u", ip4_print(a, from), ip4_print(b, to), protocol, port);
	return out;
}

uint32_t sa_kb_left(const struct dpm_sa_info *sa)
{
	uint64_t used = sa->count.bytes / 1024;

	return used >= sa->lifetime_kb ? 0 : sa->lifetime_kb - (uint32_t)used;
}

uint32_t sa_s_left(const struct dpm_sa_info *sa)
{
	return sa->age_s >= sa->lifetime_s ? 0 : sa->lifetime_s - (uint32_t)sa->age_s;
}

static const struct dpm_sa_info *any_sa(const struct ipsec_rows *r, const struct dpm_policy_info *p)
{
	const struct dpm_sa_info *found = NULL;

	for (size_t i = 0; i < r->nsas; i++)
		if (flow_id_equal(&r->sas[i].policy, &p->id) && (found == NULL || r->sas[i].preferred))
			found = &r->sas[i];
	return found;
}

struct addr policy_peer(const struct ipsec_rows *r, const struct dpm_policy_info *p, uint16_t *port)
{
	const struct dpm_sa_info *sa = any_sa(r, p);

	*port = 500;
	if (sa != NULL) {
		if (sa->udp_encap)
			*port = sa->remote_port;
		return sa->remote;
	}
	for (const struct cfg_map_entry *e = cfg_map_first(r->cfg, p->id.map); e != NULL; e = cfg_map_next(r->cfg, e))
		if (e->seq == p->id.map_seq && e->npeers > 0)
			return addr_v4(e->peers[0].addr);
	return (struct addr){ 0 };
}

struct addr policy_local(const struct ipsec_rows *r, const struct dpm_policy_info *p)
{
	const struct dpm_sa_info *sa = any_sa(r, p);
	const struct cfg_interface *i = cfg_interface(r->cfg, p->id.interface);

	i = i == NULL ? NULL : cfg_map_local(r->cfg, i);
	return sa != NULL ? sa->local : i != NULL ? addr_v4(i->ip.addr) : (struct addr){ 0 };
}

bool ipsec_gather(struct exec_call *c, struct ipsec_rows *r)
{
	struct dpm_dump_filter all = { 0 };

	*r = (struct ipsec_rows){ .cfg = exec_cfg(c) };
	if (r->cfg != NULL &&
		exec_rows_of(c, DAEMON_DATAPATH, DPM_POLICY_DUMP, span_of(NULL, 0), sizeof(*r->policies), (void **)&r->policies,
			&r->npolicies) &&
		exec_rows_of(
			c, DAEMON_DATAPATH, DPM_SA_DUMP, span_of(&all, sizeof(all)), sizeof(*r->sas), (void **)&r->sas, &r->nsas))
		return true;
	ipsec_rows_free(r);
	return false;
}

void ipsec_rows_free(struct ipsec_rows *r)
{
	cfg_free((struct cfg *)r->cfg);
	mem_free(r->policies);
	mem_free(r->sas);
	*r = (struct ipsec_rows){ 0 };
}
