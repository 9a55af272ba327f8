/* A quick mode below an IKE SA (quick.c). */
#ifndef POSTERN_IKEMGR_QUICK_H
#define POSTERN_IKEMGR_QUICK_H

#include "ikemgr/link.h"
#include "ikemgr/send.h"

#define QUICKS_MAX   2048 /* quick modes at a time under one IKE SA */
#define QUICK_KEPT_S 60   /* a finished quick mode answers repetitions so long */

struct ike_sa;
struct flow;

struct quick {
	struct ike_sa *sa;
	struct link link, by_policy;
	uint32_t number; /* in the SA, from 1 */
	uint32_t message_id;
	struct quick_state *st; /* NULL once done: only repetitions are answered */
	uint16_t pending;
	bool dh_held;
	struct tx tx;
	struct timer life;
	bool put[PARTS][2];         /* [inbound]: our SA stands in the data path */
	uint32_t conn_id[PARTS][2]; /* [inbound]: of `show crypto ipsec sa` */
};
#define QUICK_TIMERS 2

struct quick *quick_new(struct ike_sa *sa, bool initiator, uint32_t message_id);
/* Gives it its number: ours at once, the peer's when its first message was authentic. */
void quick_number(struct quick *q);
struct quick *quick_find(struct ike_sa *sa, uint32_t message_id);
struct quick *quick_by_number(struct ike_sa *sa, uint32_t number);
void quick_free(struct quick *q); /* takes back what it had put into the data path unless done */
void quick_settled(struct quick *q);
void quick_policy_known(struct quick *q); /* its state has a policy: from now on it is found by it */
void quick_put_forget(struct quick *q);   /* its SAs are gone from the data path, or belong to the pair */
void quick_sa(const struct quick *q, enum part part, bool inbound, struct dpm_sa *out); /* caller wipes */
/* flow.c. For that policy. */
enum err quick_begin(struct ike_sa *sa, struct flow *f) MUST_CHECK;

#endif
