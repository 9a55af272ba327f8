/* The one runner of all exchanges: find the row, demand payloads and evidence, run the handler on scratch, commit, send, ask.
 */
#include "ikemgr/core.h"
#include "ikemgr/signature.h"

#include "platform/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

uint32_t step_message_id(const struct step *st)
{
	if (st->q != NULL)
		return st->q->message_id;
	return st->rule->exchange == EXCH_TRANSACTION ? st->s->client.message_id : 0;
}

/* The chain of IVs that the step's messages belong to. */
static uint8_t *step_iv(struct step *st)
{
	if (st->q != NULL)
		return st->q->iv;
	return st->rule->exchange == EXCH_TRANSACTION ? st->s->client.iv : st->s->iv;
}

struct build *step_reply(struct step *st)
{
	struct isakmp_header h = { .cookie_i = st->s->cookie_i,
		.cookie_r = st->s->cookie_r,
		.version = st->s->version == 2 ? 0x20 : 0x10,
		.exchange = st->rule->exchange,
		.message_id = step_message_id(st) };

	build_start(&st->out, st->k->out, sizeof(st->k->out), &h);
	st->reply = true;
	return &st->out;
}

enum err step_refuse(struct step *st, uint16_t notify, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(st->why, sizeof(st->why), fmt, args);
	va_end(args);
	st->notify = notify;
	st->fatal = true;
	return ERR_INVALID;
}

enum err step_ignore(struct step *st, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(st->why, sizeof(st->why), fmt, args);
	va_end(args);
	st->fatal = false;
	return ERR_INVALID;
}

/* Why no row took it: the nearest miss is what the engineer wants to read. */
enum miss { MISS_EXCHANGE, MISS_STATE, MISS_EVIDENCE, MISS_CLEAR, MISS_MISSING, MISS_EXTRA, MISS_NONE };
static const char *const miss_text[] = {
	[MISS_EXCHANGE] = "exchange not supported",
	[MISS_STATE] = "exchange not expected in this state",
	[MISS_EVIDENCE] = "message not expected yet",
	[MISS_CLEAR] = "message in clear or encrypted where the other was expected",
	[MISS_MISSING] = "a required payload is missing",
	[MISS_EXTRA] = "a payload that has no place in this message",
};

static enum miss rule_miss(const struct rule *r, const struct rule_query *q)
{
	if (r->version != q->version || r->exchange != q->exchange || r->on != q->on)
		return MISS_EXCHANGE;
	if ((r->role != ROLE_EITHER && r->role != q->role) || (r->from != RULE_ANY && r->from != q->state))
		return MISS_STATE;
	if ((r->needs & q->evidence) != r->needs || (r->lacks & q->evidence) != 0 ||
		(r->auth != RULE_AUTH_ANY && r->auth != q->auth))
		return MISS_EVIDENCE;
	if (r->on != ON_MESSAGE)
		return MISS_NONE;
	if (r->encrypted != q->encrypted)
		return MISS_CLEAR;
	if ((q->kinds & r->must) != r->must)
		return MISS_MISSING;
	return q->kinds & ~(r->must | r->may) ? MISS_EXTRA : MISS_NONE;
}

const struct rule *rule_find(const struct rule_query *query, const char **why)
{
	enum miss best = MISS_EXCHANGE, m;
	size_t n;

	for (size_t t = 0;; t++) {
		const struct rule *rows = rules_table(t, &n);

		if (rows == NULL)
			break;
		for (size_t i = 0; i < n; i++) {
			m = rule_miss(&rows[i], query);
			if (m == MISS_NONE)
				return &rows[i];
			if (m > best)
				best = m;
		}
	}
	*why = miss_text[best];
	return NULL;
}

struct rule_query rule_query_of(const struct sa_state *s, const struct quick_state *q, uint8_t exchange, enum rule_on on)
{
	return (struct rule_query){ .version = s->version,
		.exchange = exchange,
		.on = (uint8_t)on,
		.role = (q != NULL ? q->initiator : s->initiator) ? ROLE_INITIATOR : ROLE_RESPONDER,
		.state = q != NULL                      ? (uint8_t)q->stage
			 : exchange == EXCH_TRANSACTION ? (uint8_t)s->client.stage
							: (uint8_t)s->state,
		.auth = s->terms.auth == 0                 ? RULE_AUTH_ANY
			: auth_is_signature(s->terms.auth) ? RULE_AUTH_SIG
							   : RULE_AUTH_PSK,
		/* Below an IKE SA its proof counts too: the peer's, and its user's where one is asked for. */
		.evidence = q == NULL ? s->evidence : (uint16_t)(q->evidence | (client_settled(s) ? s->evidence & EV_AUTHED : 0)) };
}

static void step_begin(struct step *st, struct ike *k, struct ike_sa *sa, struct quick *q, const struct rule *r)
{
	memset(st, 0, sizeof(*st));
	st->k = k;
	st->rule = r;
	k->scratch_sa = sa->st;
	st->s = &k->scratch_sa;
	if (sa->h != NULL) {
		k->scratch_hs = *sa->h;
		st->h = &k->scratch_hs;
	}
	if (q != NULL) {
		k->scratch_quick = *q->st;
		st->q = &k->scratch_quick;
	}
}

static void step_end(struct step *st)
{
	wipe(st->s, sizeof(*st->s));
	if (st->h != NULL)
		wipe(st->h, sizeof(*st->h));
	if (st->q != NULL)
		wipe(st->q, sizeof(*st->q));
}

/* What the handler wrote, sealed and copied to be kept. */
static enum err reply_make(struct step *st, uint8_t **packet, size_t *len)
{
	uint8_t *iv = !st->rule->seal ? NULL : step_iv(st);
	struct span s;
	enum err e;

	*packet = NULL;
	if (!st->reply)
		return ERR_OK;
	e = message_seal(&st->out, st->s, iv, &s);
	if (e != ERR_OK)
		return e;
	*packet = mem_dup(s.data, s.len);
	*len = s.len;
	return *packet == NULL ? ERR_NOMEM : ERR_OK;
}

static void state_move(struct step *st)
{
	const struct rule *r = st->rule;

	if (st->q != NULL) {
		st->q->evidence |= r->gains;
		if (r->to != RULE_STAY)
			st->q->stage = (enum quick_stage)r->to;
		return;
	}
	st->s->evidence |= r->gains;
	if (r->exchange == EXCH_TRANSACTION)
		st->s->client.stage = r->to != RULE_STAY ? (enum client_stage)r->to : st->s->client.stage;
	else if (r->to != RULE_STAY)
		st->s->state = (enum ike_state)r->to;
	client_state_set(st->s);
}

static void step_trace(const struct step *st, const struct ike_sa *sa, const struct quick *q)
{
	if (q != NULL)
		trace(st->k, sa->conn_id, "QM %08x: %s", q->message_id, st->rule->story);
	else
		trace(st->k, sa->conn_id, "Old State = %s  New State = %s, %s", ike_state_name(sa->st.state),
			ike_state_name(st->s->state), st->rule->story);
}

/* Commit by assignment; nothing behind this line can fail. */
static void step_commit(struct step *st, struct ike_sa *sa, struct quick *q)
{
	bool moved = sa->st.cookie_r != st->s->cookie_r || !addr_equal(sa->st.path.remote, st->s->path.remote);
	bool keyed = !(sa->st.evidence & EV_KEYS) && (st->s->evidence & EV_KEYS);
	bool named = q != NULL && !policy_id_equal(&q->st->policy, &st->q->policy);

	step_trace(st, sa, q);
	if (st->s->client.message_id != sa->st.client.message_id)
		message_id_use(sa, st->s->client.message_id);
	sa->st = *st->s;
	if (st->h != NULL)
		*sa->h = *st->h;
	if (q != NULL)
		*q->st = *st->q;
	if (named)
		quick_policy_known(q);
	if (moved)
		sa_moved(sa);
	if (keyed && st->k->key_export)
		st->k->host.key_export(st->k->host.ctx, sa->st.cookie_i, secret_span(&sa->st.key));
}

/* Runs a found row to its end. Returns false if it was refused (st->why, st->fatal). */
static bool step_run(struct step *st, struct ike_sa *sa, struct quick *q, const struct arrival *a)
{
	struct ike *k = st->k;
	struct tx *tx = q != NULL ? &q->tx : st->rule->exchange == EXCH_TRANSACTION ? &sa->client_tx : &sa->tx;
	uint8_t *packet = NULL;
	size_t len = 0;
	enum err e = st->rule->run(st);

	/* However the peer has proved itself: what is asked of a client is asked of it. */
	if (e == ERR_OK && (st->rule->gains & EV_AUTHED) && !st->s->initiator && q == NULL)
		e = client_decide(st);
	if (e == ERR_OK) {
		state_move(st);
		e = reply_make(st, &packet, &len);
		if (e != ERR_OK) {
			snprintf(st->why, sizeof(st->why), "message could not be made: %s", err_text(e));
			count(k, STAT_NOMEM);
			st->fatal = st->rule->on != ON_MESSAGE;
		}
	} else if (st->why[0] == '\0') {
		snprintf(st->why, sizeof(st->why), "%s", err_text(e));
		st->fatal = st->rule->on != ON_MESSAGE || e == ERR_CRYPTO;
	}
	if (e != ERR_OK)
		return false;
	step_commit(st, sa, q);
	if (a != NULL) {
		memcpy(tx->seen, a->digest, sizeof(tx->seen));
		tx->have_seen = true;
	}
	tx_stop(k, tx);
	if (packet != NULL)
		tx_send(k, tx, &sa->st.path, packet, len, st->rule->repeat);
	ask_all(k, sa, q, st->asks);
	return true;
}

/* What follows from having reached the end of an exchange. */
static void step_after(struct ike_sa *sa, struct quick *q)
{
	if (q != NULL && q->st != NULL && q->st->stage == QUICK_DONE && q->pending == 0)
		phase2_done(q);
	else if (q == NULL && client_begins(&sa->st))
		exchange_start(sa->k, sa, NULL);
	else if (q == NULL && sa->st.state == QM_IDLE && sa->h != NULL)
		phase1_done(sa);
}

static void step_failed(const struct step *st, struct ike_sa *sa, struct quick *q)
{
	char why[STEP_TEXT];

	snprintf(why, sizeof(why), "%s", st->why);
	if (!st->fatal) {
		count(sa->k, STAT_IGNORED);
		trace_error(sa->k, sa->conn_id, "message ignored: %s", why);
	} else if (q != NULL) {
		quick_fail(q, st->notify, why, false);
	} else {
		phase1_fail(sa, st->notify, why);
	}
}

static void run_event(struct ike *k, struct ike_sa *sa, struct quick *q, enum rule_on on)
{
	uint8_t exchange = q != NULL ? EXCH_QUICK : sa->st.client.stage != CLIENT_OFF ? EXCH_TRANSACTION : sa->st.exchange;
	struct rule_query query = rule_query_of(&sa->st, q != NULL ? q->st : NULL, exchange, on);
	const struct rule *r;
	const char *why;
	struct step st;
	bool ok;

	r = rule_find(&query, &why);
	if (r == NULL) {
		/* Nothing left to do here: the exchange has reached its end. */
		step_after(sa, q);
		return;
	}
	step_begin(&st, k, sa, q, r);
	ok = step_run(&st, sa, q, NULL);
	step_end(&st);
	/* What was asked for may have been there already. */
	if (ok && q == NULL && st.asks != 0 && sa->pending == 0)
		run_event(k, sa, q, ON_READY);
	else if (ok)
		step_after(sa, q);
	else
		step_failed(&st, sa, q);
}

void exchange_start(struct ike *k, struct ike_sa *sa, struct quick *q)
{
	run_event(k, sa, q, ON_START);
}

void run_ready(struct ike *k, struct ike_sa *sa, struct quick *q)
{
	run_event(k, sa, q, ON_READY);
}

/* An encrypted message moves the chain of IVs; that or one that proves its sender, from a new port of the same peer, the SA (RFC
 * 3947 4). Both count only if the handler finds the message authentic. */
static void step_follow(struct step *st, const struct arrival *a)
{
	if (!a->encrypted && !(st->rule->gains & (EV_AUTHED | EV_PROOF)))
		return;
	if (a->encrypted && st->q != NULL)
		memcpy(st->q->iv, a->iv, sizeof(a->iv));
	else if (a->encrypted && st->rule->exchange == st->s->exchange)
		memcpy(st->s->iv, a->iv, sizeof(a->iv));
	else if (st->rule->exchange == EXCH_TRANSACTION)
		memcpy(st->s->client.iv, a->iv, sizeof(a->iv));
	st->s->path.remote_port = a->path->remote_port;
	st->s->path.local_port = a->path->local_port;
}

/* The peer can read why it was refused only if that goes where it is now, under an IV that follows its message. */
static void step_follow_failed(struct ike_sa *sa, const struct rule *r, const struct arrival *a)
{
	if (!a->encrypted || r->exchange != sa->st.exchange)
		return;
	memcpy(sa->st.iv, a->iv, sizeof(a->iv));
	sa->st.path.remote_port = a->path->remote_port;
	sa->st.path.local_port = a->path->local_port;
}

void run_message(struct ike *k, struct ike_sa *sa, struct quick *q, const struct arrival *a)
{
	struct rule_query query = rule_query_of(&sa->st, q != NULL ? q->st : NULL, k->in.head.exchange, ON_MESSAGE);
	const struct rule *r;
	const char *why = "";
	struct step st;
	bool ok;

	query.kinds = k->in.set;
	query.encrypted = a->encrypted;
	r = rule_find(&query, &why);
	if (r == NULL) {
		count(k, strstr(why, "payload") != NULL ? STAT_BAD_SET : STAT_BAD_EXCHANGE);
		trace_error(k, sa->conn_id, "%s in %s refused: %s", "message", ike_state_name(sa->st.state), why);
		return;
	}
	step_begin(&st, k, sa, q, r);
	st.in = &k->in;
	step_follow(&st, a);
	ok = step_run(&st, sa, q, r->exchange == EXCH_INFORMATIONAL ? NULL : a);
	step_end(&st);
	if (ok) {
		/* An informational message can be an old one: what it proves is judged where it is read. */
		if (a->encrypted && (sa->st.evidence & EV_AUTHED) && r->exchange != EXCH_INFORMATIONAL)
			sa->heard_us = now_us(k);
		if (r->exchange == EXCH_INFORMATIONAL)
			info_done(sa, &k->in, a->encrypted);
		else if ((q != NULL ? q->pending : sa->pending) == 0)
			run_ready(k, sa, q);
	} else {
		if (st.fatal && q == NULL)
			step_follow_failed(sa, r, a);
		step_failed(&st, sa, q);
	}
}
