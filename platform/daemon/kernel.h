/* The kernel's side of the box, by rtnetlink: reads it into tables, carries out a plan's operations, tells of changes. */
#ifndef POSTERN_PLATFORM_KERNEL_H
#define POSTERN_PLATFORM_KERNEL_H

#include "platform/base/loop.h"
#include "platform/daemon/box.h"
#include "platform/daemon/plan.h"

struct kernel;

enum err kernel_open(struct kernel **k) MUST_CHECK;
void kernel_close(struct kernel *k);

/* Everything of the network namespace; `out` is emptied first. */
enum err kernel_read(struct kernel *k, struct box *out) MUST_CHECK;
/* Only the links, with fresh counters. */
enum err kernel_read_links(struct kernel *k, struct box *out) MUST_CHECK;
/* Carries out one operation. On failure `why` is a static text. */
enum err kernel_do(struct kernel *k, const struct plan_op *op, const char **why) MUST_CHECK;

struct kernel_neighbour {
	char ifname[BOX_IFNAME];
	uint32_t ip;
	uint8_t mac[6];
	uint32_t age_s; /* since it was last confirmed */
};
enum err kernel_neighbours(struct kernel *k, void (*each)(void *ctx, const struct kernel_neighbour *n), void *ctx) MUST_CHECK;

/* Calls `changed` from the loop whenever links, addresses or routes changed, whoever did it. Once. */
enum err kernel_watch(struct kernel *k, struct loop *l, void (*changed)(void *ctx), void *ctx) MUST_CHECK;

#endif
