/* Exchanges: the runner of the rows, what it asks the host, the handlers, the outcomes. */
#ifndef POSTERN_IKEMGR_EXCHANGE_H
#define POSTERN_IKEMGR_EXCHANGE_H

#include "ikemgr/rule.h"

struct flow;

/* runner.c: outcomes are final; `sa` may be gone afterwards when false is returned. */
void exchange_start(struct ike *k, struct ike_sa *sa, struct quick *q);
void run_ready(struct ike *k, struct ike_sa *sa, struct quick *q);
/* `in` is k->in; `digest` of the datagram. */
struct arrival {
	const struct ike_path *path;
	uint8_t digest[32];
	bool encrypted;
	uint8_t iv[CIPHER_BLOCK_MAX]; /* of the chain after this message */
};
void run_message(struct ike *k, struct ike_sa *sa, struct quick *q, const struct arrival *a);
uint32_t step_message_id(const struct step *st);
struct rule_query rule_query_of(const struct sa_state *s, const struct quick_state *q, uint8_t exchange, enum rule_on on);

/* asks.c: what the host is asked for, and its answers. */
uint64_t ask_serial(const struct ike_sa *sa, const struct quick *q, enum ask ask);
void ask_all(struct ike *k, struct ike_sa *sa, struct quick *q, uint16_t asks);
void ask_drop(struct ike *k, const struct ike_sa *sa, const struct quick *q);

/* main_mode.c, aggressive.c, quick_mode.c, info.c: handlers of the rows */
enum err mm_offer(struct step *st), mm_choose(struct step *st), mm_chosen(struct step *st), mm_send_ke(struct step *st),
	mm_take_ke(struct step *st), mm_answer_ke(struct step *st), mm_send_id(struct step *st), mm_answer_id(struct step *st),
	mm_finish(struct step *st);
enum err mm_sig_begin(struct step *st), mm_sig_send(struct step *st), mm_sig_answer_ke(struct step *st),
	mm_sig_take(struct step *st), mm_sig_finish(struct step *st);
enum err ag_begin(struct step *st), ag_offer(struct step *st), ag_choose(struct step *st), ag_answer(struct step *st),
	ag_take(struct step *st), ag_finish(struct step *st), ag_confirm(struct step *st);
enum err ag_sig_begin(struct step *st), ag_sig_answer(struct step *st), ag_sig_take(struct step *st), ag_sig_prove(struct step *st),
	ag_sig_finish(struct step *st), ag_sig_confirm(struct step *st), ag_sig_done(struct step *st);
enum err qm_begin(struct step *st), qm_offer(struct step *st), qm_answer(struct step *st), qm_accept(struct step *st),
	qm_keys(struct step *st), qm_send_2(struct step *st), qm_send_3(struct step *st), qm_finish(struct step *st);
enum err info_protected(struct step *st), info_plain(struct step *st);
/* Messages that begin with a HASH over what stands behind it (quick_mode.c): quick mode's, and transactions'. */
struct span hashed_begin(struct step *st);
enum err hashed_end(struct step *st, struct span hash, struct span before) MUST_CHECK;
enum err message_hash_check(struct step *st, struct span before) MUST_CHECK;

/* outcome.c. Committed: what follows from a state that was reached. */
void phase1_done(struct ike_sa *sa);
void phase2_done(struct quick *q);
struct flow *quick_flow(const struct quick *q); /* the one that waits for it; NULL: none */
/* Ends it with a failure that is told. `notify` 0: the peer is not told. `sa`, `q` are gone afterwards. */
void phase1_fail(struct ike_sa *sa, uint16_t notify, const char *why);
void quick_fail(struct quick *q, uint16_t notify, const char *why, bool silent_peer);

#endif
