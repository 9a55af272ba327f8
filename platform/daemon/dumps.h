/* Rows of the box as the messages show them. Pure. */
#ifndef POSTERN_PLATFORM_DUMPS_H
#define POSTERN_PLATFORM_DUMPS_H

#include "platform/daemon/counters.h"
#include "platform/daemon/platform_api.h"
#include "platform/daemon/rib.h"

/* `i` is NULL for a device that is not configured, `l` for an interface that has no device. */
void dump_interface(struct platm_interface *out, const struct cfg_interface *i, const struct box_link *l, const struct box *b,
	const struct counters_of *n, uint64_t now_us);
/* The routes that packets follow, sorted by prefix: connected, local and static. Returns the number; *out is the caller's to
 * mem_free. SIZE_MAX: no memory. */
size_t dump_routes(struct platm_route **out, const struct box *b, const struct rib *rib);

#endif
