/* What is protected: the ordered policy set of a snapshot, as pure functions.
 *
 *   interface --crypto map--> complete entries by sequence --match address--> lines by sequence, permit and deny
 *
 * At the place of a dynamic map stand the policies that were negotiated. Incomplete entries are ignored, as IOS does. Of an
 * ipsec-manual entry's list the lines up to the first permit count, as on IOS: it has one pair of SAs. A permit line whose
 * addresses or ports no ID payload can say (a wildcard that is not a mask, `neq`, several ports) stays in the set, so that its
 * traffic is never sent in clear, but is not negotiable.
 */
#ifndef POSTERN_DATAPATH_PLAN_H
#define POSTERN_DATAPATH_PLAN_H

#include "configdb/cfg.h"
#include "datapath/backend.h"
#include "datapath/dynamic.h"

struct plan {
	struct backend_policies view; /* what the backend gets; points into the arrays below */
	struct backend_interface *interfaces;
	struct backend_policy *entries;
	bool *negotiable;           /* one per entry; true for deny lines */
	struct cfg_ace *in_entries; /* lines of inbound access-groups, remarks left out */
};

/* The selectors that a permit line is negotiated with. ERR_UNSUPPORTED when they cannot be expressed: `*why` (static) says
 * what is wrong, and `sel` is what encloses the line. */
enum err plan_selectors(const struct cfg_ace *ace, struct dp_selectors *sel, const char **why) MUST_CHECK;

/* Kernel index of an interface, 0 if it is not there. */
typedef int (*plan_ifindex_fn)(void *ctx, const char *ifname);

/* `dynamics`: those that fit the snapshot, in the order in which they came. The caller frees with plan_free. Only ERR_NOMEM. */
enum err plan_derive(
	struct plan *out, const struct cfg *c, const struct dynamics *dynamics, plan_ifindex_fn ifindex, void *ctx) MUST_CHECK;
void plan_free(struct plan *s);

bool plan_same_id(const struct dp_policy_id *a, const struct dp_policy_id *b);
/* The entry of that name; NULL: none. */
const struct backend_policy *plan_find(const struct plan *s, const struct dp_policy_id *id);
/* Does the set still permit what an SA of that policy carries? */
bool plan_permits(const struct plan *s, const struct dp_policy_id *id, const struct dp_selectors *sel);
/* May its SAs be asked for? Not those of a line that no ID payload can say. */
bool plan_negotiable(const struct plan *s, const struct dp_policy_id *id);

#endif
