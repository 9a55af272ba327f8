/* The filter as it is loaded in the kernel, and its counts.
 *
 * Two pairs of tables take turns: a load makes the new pair and empties the old one of rules in one transaction, reads the old
 * sets a last time and deletes them. So a packet meets the old filter or the new one, never none, and every match is counted once.
 */
#ifndef POSTERN_DATAPATH_FILTER_LIVE_H
#define POSTERN_DATAPATH_FILTER_LIVE_H

#include "datapath/filter/count.h"
#include "datapath/filter/filter.h"

struct filter_live;

/* NULL when out of memory. Loads nothing. */
struct filter_live *filter_live_new(void);
/* Leaves the filter in the kernel: while no program runs, traffic is dropped rather than sent in clear. */
void filter_live_free(struct filter_live *f);

/* At start. Where no filter is left by a predecessor, nothing may leave until the first one is loaded. */
void filter_live_start(struct filter_live *f);
/* Loads the filter of `c` if it differs from the loaded one: verified first; when it is refused, the old one stays in force and
 * the reason is logged. */
enum err filter_live_apply(struct filter_live *f, const struct cfg *c, const struct filter_env *env) MUST_CHECK;
/* Reads the counters. Borrowed until the next call. */
const struct counts *filter_live_counts(struct filter_live *f);
void filter_live_zero(struct filter_live *f, const char *acl); /* "*": all lists */
void filter_live_zero_clear_text(struct filter_live *f);

#endif
