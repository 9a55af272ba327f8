/* Between the rig's event loop (rig.c) and the hosts of its cores (rig_host.c). */
#ifndef POSTERN_TESTS_PAIR_RIG_HOST_H
#define POSTERN_TESTS_PAIR_RIG_HOST_H

#include "rig.h"

void *rig_must(void *p); /* the hosts are not what is tested, so their own memory never fails */
uint64_t rig_random(struct rig *r);
/* What happens to that node in so long; owned by the rig. */
struct event *rig_event_add(struct rig *r, uint64_t in_us, int node, int kind);
void rig_send(void *ctx, const struct ike_path *path, struct span s); /* onto the wire */
void rig_core_new(struct node *n);                                    /* with its host, without a configuration */

#endif
