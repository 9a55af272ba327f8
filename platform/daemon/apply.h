/* Making the box what the configuration says, again and again: after each revision, and after each change that others made. */
#ifndef POSTERN_PLATFORM_APPLY_H
#define POSTERN_PLATFORM_APPLY_H

#include "configdb/cfg.h"
#include "platform/base/loop.h"
#include "platform/daemon/box.h"
#include "platform/daemon/kernel.h"
#include "platform/daemon/rib.h"

struct apply;

/* `k` is borrowed. `fresh`: the router starts, so the states of its links are news. NULL: out of memory. */
struct apply *apply_new(struct loop *l, struct kernel *k, bool fresh);
void apply_free(struct apply *a);
/* The configuration in force from now on (borrowed until the next call). With `changed` it is applied: at once, or a moment later
 * when line follows upon line. */
void apply_config(struct apply *a, const struct cfg *c, bool changed);
/* Something changed in the kernel: looks soon. */
void apply_soon(struct apply *a);
/* Does at once what was to be done soon. */
void apply_flush(struct apply *a);
/* Why interface `ifname` is not as configured; empty: it is. */
const char *apply_fault(const struct apply *a, const char *ifname);
/* The static routes in force. */
const struct rib *apply_rib(const struct apply *a);

#endif
