/* Packets that the filter reports by the kernel's log: the netlink reader, and IOS's lines.
 *
 * A line with `log` is reported at its first packet, and then every five minutes with the number of packets since, a flow at a
 * time, as IOS does. Clear text that should have been encrypted is reported once in 30 s for each pair of addresses; how many
 * there were says the counter.
 */
#ifndef POSTERN_DATAPATH_FILTER_REPORT_H
#define POSTERN_DATAPATH_FILTER_REPORT_H

#include "platform/base/bytes.h"
#include "platform/base/env.h"
#include "platform/base/loop.h"

struct report;

/* The interface's IOS name, or NULL. */
typedef const char *(*report_name_fn)(void *ctx, unsigned ifindex);

/* Opens the reader; NULL when the kernel or memory refuses: then nothing is reported, and the filter works all the same. */
struct report *report_open(struct loop *l, const struct env *env, report_name_fn name, void *ctx);
void report_close(struct report *r);

/* One message of the kernel (nfnetlink_log), parsed and reported. Outside bytes: anything malformed is ignored. */
void report_message(struct report *r, struct span message);
/* For tests and fuzzing: without a socket and timer. */
struct report *report_new(const struct env *env, report_name_fn name, void *ctx);
/* Reports what has gathered in five minutes. */
void report_summaries(struct report *r);

#endif
