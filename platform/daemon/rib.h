/* Which static routes are in force now: reachability, administrative distance, equal paths. Pure.
 *
 * A route by interface is usable while the interface's line is up (Null0 always), a route by next hop while the next hop is
 * found in a connected network, or through another usable route. Of one prefix the usable routes of the lowest distance are
 * taken, all of them (up to BOX_HOPS); a connected network has distance 0 and beats them.
 */
#ifndef POSTERN_PLATFORM_RIB_H
#define POSTERN_PLATFORM_RIB_H

#include "platform/daemon/box.h"

struct rib {
	struct box_route *routes; /* for plan_routes: by length, then prefix */
	size_t n;
};

void rib_free(struct rib *r);
enum err rib_select(struct rib *out, const struct cfg *want, const struct box *have) MUST_CHECK;

#endif
