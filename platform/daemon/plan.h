/* What must be done so that the box becomes what the configuration says: pure functions over tables.
 *
 *   plan_interfaces   links, MTU, addresses; carried out, the box is read again, until nothing is left to do
 *   plan_routes       then the routes (rib.h), which depend on the links that are really up
 */
#ifndef POSTERN_PLATFORM_PLAN_H
#define POSTERN_PLATFORM_PLAN_H

#include "platform/daemon/box.h"

enum plan_kind {
	PLAN_LOOPBACK_DEL,
	PLAN_ADDR_DEL,
	PLAN_LOOPBACK_ADD,
	PLAN_MTU,
	PLAN_DOWN,
	PLAN_ADDR_ADD,
	PLAN_UP,
	PLAN_ROUTE_PUT,
	PLAN_ROUTE_DEL
};

struct plan_op {
	enum plan_kind kind;
	char ifname[BOX_IFNAME]; /* empty for routes */
	uint32_t mtu;
	struct box_addr addr;
	struct box_route route;
	bool replaces; /* a route of ours that is there; else somebody else's of the same key is left alone, and the put fails */
};

struct plan {
	struct plan_op *ops; /* in the order in which they are done */
	size_t n, cap;
};

void box_plan_free(struct plan *p);
enum err plan_interfaces(struct plan *p, const struct cfg *want, const struct box *have) MUST_CHECK;
enum err plan_routes(struct plan *p, const struct box_route *want, size_t n, const struct box *have) MUST_CHECK;
/* Why interface `i` cannot be what it should, whatever is tried ("no such device"); NULL: no reason. */
const char *plan_fault(const struct cfg_interface *i, const struct box *have);
/* "address 10.0.0.1/24" and the like: what an operation was about, for a log line. */
void plan_describe(char *out, size_t size, const struct plan_op *op);

#endif
