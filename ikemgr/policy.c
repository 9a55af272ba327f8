/* What the configuration says: selectors of an access-list entry, the policy by its name, the policy for a peer's request.
 *
 * A map's entries are tried in order of their numbers; within an entry the lines of its list. A deny line that covers the
 * traffic means: not this entry, try the next.
 */
#include "ikemgr/core.h"

#include <stdio.h>
#include <string.h>

/* `low`..`high`, in host order, of an address with wildcard bits; only runs of trailing ones can be said in an ID payload. */
static bool range_of(uint32_t addr, uint32_t wild, struct dp_selector *s)
{
	if ((wild & (wild + 1)) != 0)
		return false;
	s->from = addr_v4(addr & ~wild);
	s->to = addr_v4(addr | wild);
	return true;
}

/* One port can be said, everything else is any port (RFC 2407 4.6.2 has no ranges). */
static void port_of(const struct cfg_port *p, struct dp_selector *s)
{
	bool one = p->op == PORT_EQ && p->nvalues == 1;

	s->port_from = one ? p->values[0] : 0;
	s->port_to = one ? p->values[0] : 65535;
}

bool ace_selectors(const struct cfg_ace *ace, struct dp_selectors *out)
{
	bool ports = ace->protocol == 6 || ace->protocol == 17;

	memset(out, 0, sizeof(*out));
	if (ace->remark || !range_of(ace->src, ace->src_wild, &out->local) || !range_of(ace->dst, ace->dst_wild, &out->remote))
		return false;
	out->protocol = ace->protocol < 0 ? 0 : (uint8_t)ace->protocol;
	out->local.port_to = out->remote.port_to = 65535;
	if (ports) {
		port_of(&ace->src_port, &out->local);
		port_of(&ace->dst_port, &out->remote);
	}
	return true;
}

bool policy_find(const struct ike *k, const struct dp_policy_id *id, struct policy *out)
{
	const struct cfg_acl *acl;

	if (k->cfg == NULL || !k->cfg->isakmp_enabled)
		return false;
	out->interface = cfg_interface(k->cfg, id->interface);
	if (out->interface == NULL || strcmp(out->interface->crypto_map, id->map) != 0 || !policy_interface_up(k, out->interface))
		return false;
	for (out->entry = cfg_map_first(k->cfg, id->map); out->entry != NULL; out->entry = cfg_map_next(k->cfg, out->entry))
		if (out->entry->seq == id->map_seq)
			break;
	out->place = NULL;
	if (out->entry != NULL && (id->ace_seq & DP_ACE_DYNAMIC))
		return dynamic_policy(k, id, out->entry, out);
	if (out->entry == NULL || out->entry->kind != MAP_ISAKMP || cfg_map_entry_fault(k->cfg, out->entry) != NULL)
		return false;
	acl = cfg_acl(k->cfg, out->entry->acl);
	for (size_t i = 0; acl != NULL && i < acl->nentries; i++) {
		out->ace = &acl->entries[i];
		if (out->ace->seq == id->ace_seq && out->ace->permit)
			return ace_selectors(out->ace, &out->sel);
	}
	return false;
}

void policy_id_of(struct dp_policy_id *id, const struct policy *p)
{
	memset(id, 0, sizeof(*id));
	snprintf(id->interface, sizeof(id->interface), "%s", p->interface->name);
	snprintf(id->map, sizeof(id->map), "%s", p->entry->map);
	id->map_seq = p->entry->seq;
	id->ace_seq = p->ace->seq;
}

bool policy_id_equal(const struct dp_policy_id *a, const struct dp_policy_id *b)
{
	return a->map_seq == b->map_seq && a->ace_seq == b->ace_seq && strcmp(a->map, b->map) == 0 &&
	       strcmp(a->interface, b->interface) == 0;
}

bool policy_interface_up(const struct ike *k, const struct cfg_interface *i)
{
	const struct cfg_interface *local = cfg_map_local(k->cfg, i);

	if (i->crypto_map[0] == '\0' || local == NULL || local->shutdown)
		return false;
	/* One set of SAs for all interfaces of the map: it stands as long as one of them does. */
	for (size_t n = 0; i->shutdown && local != i && n < k->cfg->ninterfaces; n++)
		if (!k->cfg->interfaces[n].shutdown && strcmp(k->cfg->interfaces[n].crypto_map, i->crypto_map) == 0)
			return true;
	return !i->shutdown;
}

struct addr ike_policy_local(const struct ike *k, const struct cfg_interface *i, struct addr remote)
{
	const struct cfg_interface *from = cfg_map_local(k->cfg, i);
	struct addr local = { 0 };

	if (from != NULL && from->ip.mask != 0)
		return addr_v4(from->ip.addr);
	if (from == i && k->host.local_for != NULL && k->host.local_for(k->host.ctx, remote, &local))
		return local;
	return (struct addr){ 0 };
}

bool policy_has_peer(const struct cfg_map_entry *e, struct addr peer)
{
	for (size_t i = 0; i < e->npeers; i++)
		if (e->peers[i].addr != 0 && e->peers[i].addr == addr_to_v4(peer))
			return true;
	return false;
}

static bool interface_has(const struct ike *k, const struct cfg_interface *i, struct addr local, struct addr remote)
{
	return policy_interface_up(k, i) && addr_is_set(local) && addr_equal(ike_policy_local(k, i, remote), local);
}

const struct cfg_map_entry *peer_entry(const struct ike *k, struct addr local, struct addr peer)
{
	if (k->cfg == NULL || !k->cfg->isakmp_enabled)
		return NULL;
	for (size_t n = 0; n < k->cfg->ninterfaces; n++) {
		const struct cfg_interface *i = &k->cfg->interfaces[n];
		const struct cfg_map_entry *e = interface_has(k, i, local, peer) ? cfg_map_first(k->cfg, i->crypto_map) : NULL;

		for (; e != NULL; e = cfg_map_next(k->cfg, e))
			if (e->kind == MAP_ISAKMP && policy_has_peer(e, peer) && cfg_map_entry_fault(k->cfg, e) == NULL)
				return e;
	}
	return NULL;
}

bool peer_configured(const struct ike *k, struct addr local, struct addr peer)
{
	return peer_entry(k, local, peer) != NULL;
}

static bool within(const struct dp_selector *inner, const struct dp_selector *outer)
{
	return addr_to_v4(inner->from) >= addr_to_v4(outer->from) && addr_to_v4(inner->to) <= addr_to_v4(outer->to) &&
	       inner->port_from >= outer->port_from && inner->port_to <= outer->port_to;
}

bool selectors_within(const struct dp_selectors *inner, const struct dp_selectors *outer)
{
	return (outer->protocol == 0 || outer->protocol == inner->protocol) && within(&inner->local, &outer->local) &&
	       within(&inner->remote, &outer->remote);
}

/* The line of the entry's list that takes the selectors, or NULL. */
const struct cfg_ace *policy_line(const struct ike *k, const struct cfg_map_entry *e, const struct dp_selectors *sel)
{
	const struct cfg_acl *acl = cfg_acl(k->cfg, e->acl);
	struct dp_selectors s;

	for (size_t i = 0; acl != NULL && i < acl->nentries; i++)
		if (ace_selectors(&acl->entries[i], &s) && selectors_within(sel, &s))
			return acl->entries[i].permit ? &acl->entries[i] : NULL;
	return NULL;
}

/* What the peer's request was held against. */
struct tried {
	const char *map;
	unsigned entries;
	const struct cfg_map_entry *barred; /* the first that is another profile's */
};

static void fault_say(char *why, size_t size, const struct tried *t, const struct sa_state *s, const struct dp_selectors *sel)
{
	char peer[ADDR_TEXT], text[160];
	const char *map = t->map;
	unsigned entries = t->entries;

	addr_print(peer, s->path.remote);
	selectors_print(text, sizeof(text), sel);
	if (map == NULL && t->barred != NULL)
		snprintf(why, size, "crypto map %s %u is for peers of ISAKMP profile %s, and %s is of %s%s (they want %s)",
			t->barred->map, t->barred->seq, t->barred->profile, peer, s->profile[0] == '\0' ? "none" : "profile ",
			s->profile, text);
	else if (map == NULL)
		snprintf(why, size, "no crypto map has an entry for peer %s (they want %s)", peer, text);
	else
		snprintf(why, size,
			"they want %s, which no access-list of the %u entr%s for peer %s in crypto map %s permits as its mirror",
			text, entries, entries == 1 ? "y" : "ies", peer, map);
}

bool policy_takes_peer(const struct policy *p, struct addr peer)
{
	return (p->place != NULL && p->entry->npeers == 0) || policy_has_peer(p->entry, peer);
}

bool policy_takes_profile(const struct cfg_map_entry *e, const char *profile)
{
	return e->profile[0] == '\0' || strcmp(e->profile, profile) == 0;
}

bool policy_match(
	const struct ike *k, const struct sa_state *s, const struct dp_selectors *sel, struct policy *out, char *why, size_t size)
{
	struct addr local = s->path.local, remote = s->path.remote;
	struct tried tried = { 0 };

	for (size_t n = 0; k->cfg != NULL && n < k->cfg->ninterfaces; n++) {
		const struct cfg_interface *i = &k->cfg->interfaces[n];
		const struct cfg_map_entry *e = interface_has(k, i, local, remote) ? cfg_map_first(k->cfg, i->crypto_map) : NULL;

		for (; e != NULL; e = cfg_map_next(k->cfg, e)) {
			if (e->kind == MAP_DYNAMIC && dynamic_match(k, e, remote, s->profile, sel, out)) {
				out->interface = cfg_map_owner(k->cfg, i);
				return true;
			}
			if (e->kind != MAP_ISAKMP || !policy_has_peer(e, remote) || cfg_map_entry_fault(k->cfg, e) != NULL)
				continue;
			if (!policy_takes_profile(e, s->profile)) {
				tried.barred = tried.barred == NULL ? e : tried.barred;
				continue;
			}
			tried.map = e->map;
			tried.entries++;
			*out = (struct policy){
				.interface = cfg_map_owner(k->cfg, i), .entry = e, .ace = policy_line(k, e, sel), .sel = *sel
			};
			if (out->ace != NULL)
				return true;
		}
	}
	fault_say(why, size, &tried, s, sel);
	return false;
}

void policy_lifetimes(const struct ike *k, const struct cfg_map_entry *e, uint32_t *s, uint32_t *kb)
{
	*s = e->lifetime_s != 0 ? e->lifetime_s : k->cfg->ipsec.lifetime_s;
	*kb = e->lifetime_kb_disabled ? 0 : e->lifetime_kb != 0 ? e->lifetime_kb : k->cfg->ipsec.lifetime_kb;
}

uint32_t policy_idle(const struct ike *k, const struct cfg_map_entry *e)
{
	return e->idle_s != 0 ? e->idle_s : k->cfg->ipsec.idle_s;
}

/* Groups from weak to strong (SP 800-57 strengths; equal ones by size). */
unsigned group_strength(enum alg_group g)
{
	static const enum alg_group order[] = { GROUP_NONE, GROUP_1, GROUP_2, GROUP_5, GROUP_24, GROUP_14, GROUP_15, GROUP_19,
		GROUP_28, GROUP_16, GROUP_18, GROUP_20, GROUP_29, GROUP_30, GROUP_21 };

	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (order[i] == g)
			return i;
	return 0;
}

bool crypto_on(const struct ike *k)
{
	if (k->cfg == NULL || !k->cfg->isakmp_enabled)
		return false;
	for (size_t n = 0; n < k->cfg->ninterfaces; n++)
		if (k->cfg->interfaces[n].crypto_map[0] != '\0' && cfg_map_first(k->cfg, k->cfg->interfaces[n].crypto_map) != NULL)
			return true;
	return false;
}
