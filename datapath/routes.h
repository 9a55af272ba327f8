/* The routes of reverse route injection in the kernel: those of our protocol number are made to be what is wanted, and no other
 * route is touched. So whatever a predecessor left goes, too. */
#ifndef POSTERN_DATAPATH_ROUTES_H
#define POSTERN_DATAPATH_ROUTES_H

#include "datapath/rri.h"
#include "platform/base/loop.h"

#define ROUTES_PROTO 181 /* rtm_protocol; platformd's static routes have 180 */

struct routes;

/* `changed` is called when routes, addresses or links change: where a peer is may be elsewhere. NULL: no socket. */
struct routes *routes_open(struct loop *l, void (*changed)(void *ctx), void *ctx);
void routes_close(struct routes *r); /* leaves the routes: SAs do not live longer, but the successor knows better */
/* ERR_SYS: the kernel's table could not be read. A peer that no route leads to has none for its networks either. */
enum err routes_set(struct routes *r, const struct rri_list *want) MUST_CHECK;
/* How many of ours the kernel has, as of the last routes_set. */
size_t routes_count(const struct routes *r);

#endif
