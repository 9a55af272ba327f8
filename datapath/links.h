/* Devices that come and go. */
#ifndef POSTERN_DATAPATH_LINKS_H
#define POSTERN_DATAPATH_LINKS_H

#include "platform/base/loop.h"

struct links;
/* Calls `changed` when a device was made, renamed or removed; NULL when the kernel refuses. */
struct links *links_open(struct loop *l, void (*changed)(void *ctx), void *ctx);
void links_close(struct links *k);
/* The kernel's index, 0 if the device is not there. `ctx` is ignored: fits the plan's and the filter's questions. */
int links_index(void *ctx, const char *ifname);

#endif
