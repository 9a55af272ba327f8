/* A flow: a policy that traffic asked for, and where it stands (flow.c). */
#ifndef POSTERN_IKEMGR_FLOW_H
#define POSTERN_IKEMGR_FLOW_H

#include "ikemgr/link.h"
#include "ikemgr/quick.h"
#include "ikemgr/timer.h"

struct ike;
struct ike_sa;

enum flow_stage { FLOW_IDLE, FLOW_IKE, FLOW_QUICK };
struct flow {
	struct ike *k;
	struct link link, by_id, by_peer;
	struct dp_policy_id id;
	enum flow_stage stage;
	struct addr local, peer; /* of the attempt; `peer` of the last success when idle. Set by flow_peer */
	bool peer_good;
	struct addr dead; /* peer that was found dead, not to be the first one tried before */
	uint64_t dead_until_us;
	uint32_t tried_set; /* peers of the entry that this round has tried, a bit each */
	uint8_t fresh;      /* this round has already made a new phase 1 for a silent one */
	uint64_t quick_sa;  /* stage FLOW_QUICK: serial of the IKE SA, number of the quick mode */
	uint32_t quick_number;
	bool wanted; /* traffic asked, and it failed: try again when the configuration changes */
	uint64_t wanted_until_us;
	bool acquire; /* datapathd waits for an answer */
	struct link children;
	unsigned failures;  /* in a row */
	struct timer again; /* wants another try then: rekey that failed */
	/* Level per-host: the pair of hosts that is being negotiated; else the whole line. */
	bool narrowed;
	struct dp_selectors narrow;
};
#define FLOW_TIMERS 1

struct flow *flow_get(struct ike *k, const struct dp_policy_id *id, bool make);
void flow_start(struct flow *f);
void flow_peer(struct flow *f, struct addr peer);
void flow_acquire(struct ike *k, const struct dpm_acquire *a);
bool flow_connect(struct flow *f); /* begins without traffic; false: it has SAs */
void flow_ike_up(struct ike_sa *sa);
void flow_ike_failed(struct ike *k, struct addr local, struct addr peer);
void flow_quick_failed(struct flow *f, struct ike_sa *sa, bool silent);
/* It has a new pair; `q` is the quick mode that made it. */
void flow_up(struct flow *f, const struct quick *q);
void flow_failed(struct flow *f);
void flow_left(struct ike *k, const struct quick *q); /* ends without a pair, and somebody may have waited for it */
void flow_orphans(struct ike *k, struct addr local, struct addr peer); /* wait for phase 1, and there is none */
void flow_renew(struct flow *f, struct addr peer);
/* For an entry of level per-host: what is negotiated next is for these hosts only. */
void flow_narrow(struct flow *f, struct addr local, struct addr remote);
void flow_free(struct flow *f); /* its children are gone already */
void flow_maybe_free(struct flow *f);
void flows_retry(struct ike *k); /* the configuration changed */

#endif
