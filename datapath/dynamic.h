/* Policies of dynamic maps: what negotiations made, until they end or the configuration has no place for them any more.
 *
 * They are the data path's, so that they outlive ikemgrd: what was protected once stays protected while nobody negotiates. A new
 * ikemgrd reads them back (DPM_DYNAMIC_DUMP), and takes away what it has no use for.
 */
#ifndef POSTERN_DATAPATH_DYNAMIC_H
#define POSTERN_DATAPATH_DYNAMIC_H

#include "configdb/cfg.h"
#include "datapath/dp_api.h"
#include "platform/base/err.h"

#define DYNAMICS_MAX      2000
#define DYNAMIC_LINES_MAX 512

struct dynamics { /* in the order in which they came */
	struct dpm_dynamic *list;
	size_t n, room;
};

/* Has the configuration a place for it: the interface has the map, and the map at that sequence number the dynamic map, which has
 * an entry of that sequence number? */
bool dynamic_fits(const struct cfg *c, const struct dpm_dynamic *d);
/* How many lines of addresses and masks say the same: ranges are made of prefixes. */
size_t dynamic_lines_of(const struct dpm_dynamic *d);
/* Adds or (same id) replaces. ERR_INVALID: no id of a dynamic policy, or no IPv4 ranges.
 * ERR_LIMIT: too many policies, or ranges of too many pieces. ERR_NOMEM.  */
enum err dynamics_put(struct dynamics *s, const struct dpm_dynamic *d) MUST_CHECK;
bool dynamics_del(struct dynamics *s, const struct dp_policy_id *id); /* false: there was none */
/* Forgets what no longer fits. Returns how many. */
size_t dynamics_prune(struct dynamics *s, const struct cfg *c);
void dynamics_free(struct dynamics *s);

#endif
