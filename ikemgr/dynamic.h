/* Policies that negotiations under a dynamic map make (dynamic.c). */
#ifndef POSTERN_IKEMGR_DYNAMIC_H
#define POSTERN_IKEMGR_DYNAMIC_H

#include "ikemgr/policy.h"

struct ike_sa;
struct quick;

bool dynamic_policy(const struct ike *k, const struct dp_policy_id *id, const struct cfg_map_entry *place, struct policy *out);
bool dynamic_match(const struct ike *k, const struct cfg_map_entry *place, struct addr remote, const char *profile,
	const struct dp_selectors *sel, struct policy *out);
void dynamic_id(struct ike *k, const struct policy *p, struct dp_policy_id *id);
void dynamic_put(struct ike *k, const struct quick *q); /* before its first SA */
/* Takes it away unless a flow, or a quick mode other than `but`, has it. */
void dynamic_unused(struct ike *k, const struct dp_policy_id *id, const struct quick *but);
void dynamic_adopt(struct ike *k, const struct dpm_dynamic *d);
void dynamics_adopted(struct ike *k); /* the SAs are known, too: what has none goes */
void dynamics_resume(struct ike *k);  /* the data path has lost them and their SAs */
void dynamics_forget(struct ike *k);
struct ike_sa *dynamic_sa(struct ike *k, struct addr local, const struct policy *p);

#endif
