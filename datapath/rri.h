/* Reverse route injection: which routes the SAs and the lists of entries with `reverse-route` want. Pure.
 *
 *   reverse-route          the remote selectors of SAs that live
 *   reverse-route static   the remote side of the list's permit lines, always
 */
#ifndef POSTERN_DATAPATH_RRI_H
#define POSTERN_DATAPATH_RRI_H

#include "configdb/cfg.h"
#include "datapath/dynamic.h"

struct rri_route {
	uint32_t prefix, mask;
	uint32_t peer; /* the route goes where the peer is */
};

struct rri_list {
	struct rri_route *routes; /* one a prefix; the first that wanted it */
	size_t n, room;
};

/* Does any entry ask for routes? */
bool rri_configured(const struct cfg *c);
enum err rri_static(struct rri_list *l, const struct cfg *c) MUST_CHECK;
enum err rri_sa(struct rri_list *l, const struct cfg *c, const struct dynamics *dynamics, const struct dpm_sa_info *sa) MUST_CHECK;
void rri_free(struct rri_list *l);

#endif
