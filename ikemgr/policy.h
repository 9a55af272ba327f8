/* What the configuration says of traffic and peers (policy.c). */
#ifndef POSTERN_IKEMGR_POLICY_H
#define POSTERN_IKEMGR_POLICY_H

#include "ikemgr/state.h"

bool ace_selectors(const struct cfg_ace *ace, struct dp_selectors *out); /* as it goes into ID payloads; false: cannot */
struct policy {
	const struct cfg_interface *interface;
	const struct cfg_map_entry *entry;
	const struct cfg_ace *ace;
	struct dp_selectors sel;
	/* Under a dynamic map: the map's entry, and the peer; `entry` is the dynamic map's, and `ace` NULL. Else NULL. */
	const struct cfg_map_entry *place;
	struct addr peer;
};
/* Is the peer one of the policy's? */
bool policy_takes_peer(const struct policy *p, struct addr peer);
/* `set isakmp-profile`: as responder the entry serves only peers whose phase 1 was matched to it. */
bool policy_takes_profile(const struct cfg_map_entry *e, const char *profile);
/* The line of the entry's list that permits the traffic; NULL: none. */
const struct cfg_ace *policy_line(const struct ike *k, const struct cfg_map_entry *e, const struct dp_selectors *sel);
bool policy_find(const struct ike *k, const struct dp_policy_id *id, struct policy *out);
/* The responder's choice, in sequence order over all interfaces with that local address. */
bool policy_match(
	const struct ike *k, const struct sa_state *s, const struct dp_selectors *sel, struct policy *out, char *why, size_t size);
void policy_id_of(struct dp_policy_id *id, const struct policy *p);
bool policy_id_equal(const struct dp_policy_id *a, const struct dp_policy_id *b);
/* Has the interface a map that is in force: is neither it shut down, nor the interface whose address the map uses? */
bool policy_interface_up(const struct ike *k, const struct cfg_interface *i);
/* The local end: the address of the map's `local-address`, else of the interface, else by the kernel's route. */
struct addr ike_policy_local(const struct ike *k, const struct cfg_interface *i, struct addr remote);
bool policy_has_peer(const struct cfg_map_entry *e, struct addr peer);
/* The first complete entry for the peer on an interface with that address; NULL: none. */
const struct cfg_map_entry *peer_entry(const struct ike *k, struct addr local, struct addr peer);
bool peer_configured(const struct ike *k, struct addr local, struct addr peer);
void policy_lifetimes(const struct ike *k, const struct cfg_map_entry *e, uint32_t *s, uint32_t *kb);
uint32_t policy_idle(const struct ike *k, const struct cfg_map_entry *e); /* 0: never */
unsigned group_strength(enum alg_group g);
bool crypto_on(const struct ike *k);

#endif
