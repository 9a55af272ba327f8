/* From a datagram to the exchange it belongs to: header, SA, repetition, decryption, payloads. Everything that is wrong
 * ends here with a counter; the rows see only well-formed messages.
 */
#include "ikemgr/core.h"
#include "ikemgr/identity.h"

#include "platform/base/log.h"

#include <string.h>

/* Answers a second to messages that belong to nothing. */
#define NOTIFY_RATE 20

bool token_take(struct ike *k, uint64_t *at, uint64_t *tokens, uint64_t per_second)
{
	uint64_t now = now_us(k), add = (now - *at) * per_second / SECOND;

	if (add > 0) {
		*tokens = *tokens + add > per_second ? per_second : *tokens + add;
		*at = now;
	}
	if (*tokens == 0)
		return false;
	(*tokens)--;
	return true;
}

static void digest_of(uint8_t out[32], struct span packet)
{
	struct secret d;

	memset(out, 0, 32);
	if (prf_hash(HASH_SHA256, &packet, 1, &d) == ERR_OK)
		memcpy(out, d.bytes, 32);
}

/* A repetition gets the answer once more, a bounded number of times (the sender's clock, not ours, drives it). */
static bool repetition(struct ike *k, struct tx *tx, const struct sa_state *s, const uint8_t digest[32])
{
	if (!tx->have_seen || memcmp(tx->seen, digest, sizeof(tx->seen)) != 0)
		return false;
	count(k, STAT_REPEATED_IN);
	if (tx->answered < TX_ANSWERS_MAX) {
		tx->answered++;
		tx_repeat(k, tx, s);
	}
	return true;
}

static void no_sa(struct ike *k, const struct ike_path *path, const struct isakmp_header *h, size_t len)
{
	char from[ADDR_TEXT];

	count(k, STAT_NO_SA);
	if (say_allowed(k))
		log_msg("CRYPTO", LOG_SEV_WARNING, "IKMP_NO_SA", "IKE message from %s has no SA and is not an initialization offer",
			addr_print(from, path->remote));
	if (h->exchange == EXCH_INFORMATIONAL || !token_take(k, &k->notify_us, &k->notify_tokens, NOTIFY_RATE))
		return;
	info_send_plain(k, path, h->cookie_i, h->cookie_r, NOTIFY_INVALID_COOKIE, len);
	if (h->exchange == EXCH_QUICK)
		recover_unknown(k, path->local, path->remote);
}

/* Room for one more half-open SA: beyond the limit the oldest that has not returned our cookie goes. */
static bool admit(struct ike *k, const struct ike_path *path)
{
	struct ike_sa *oldest;

	if (sa_half_open_of(k, path->remote) >= HALF_OPEN_PEER_MAX) {
		count(k, STAT_HALF_OPEN_LIMIT);
		return false;
	}
	if (!admission_in(k, path))
		return false;
	if (k->half_open < HALF_OPEN_MAX)
		return true;
	count(k, STAT_HALF_OPEN_LIMIT);
	oldest = sa_oldest_unproved(k);
	if (oldest == NULL)
		return false;
	sa_free(oldest);
	return true;
}

static bool decode(struct ike *k, struct span body, bool padded, const char **why)
{
	if (message_decode(&k->in, 1, k->in.head.next, body, padded, why) == ERR_OK)
		return true;
	count(k, STAT_MALFORMED);
	return false;
}

/* A refusal has no answer: nobody learns from it what is configured. */
static bool aggressive_may(struct ike *k, const struct ike_path *path)
{
	char from[ADDR_TEXT];

	if (aggressive_answered(k))
		return true;
	addr_print(from, path->remote);
	if (say_allowed(k))
		say_failure(k, path->remote, 0, "aggressive mode asked for by %s, but %s", from,
			k->cfg->isakmp.aggressive_disable
				? "it is disabled"
				: "no ISAKMP profile, ISAKMP peer, key by host name or certificate is there to answer it with");
	return false;
}

static void receive_first(struct ike *k, const struct ike_path *path, struct span packet)
{
	struct arrival a = { .path = path };
	const struct isakmp_header *h = &k->in.head;
	const char *why;
	struct ike_sa *sa = sa_by_initiator(k, h->cookie_i, path->remote);

	digest_of(a.digest, packet);
	if (sa != NULL) {
		/* Our own cookie sent back, or another first message under a cookie in use. */
		if (sa->st.initiator || !repetition(k, &sa->tx, &sa->st, a.digest))
			count(k, STAT_REFUSED);
		return;
	}
	if (!crypto_on(k) || (h->exchange == EXCH_AGGRESSIVE && !aggressive_may(k, path))) {
		count(k, STAT_IGNORED);
		return;
	}
	if (!decode(k, span_of(packet.data + ISAKMP_HEADER_LEN, packet.len - ISAKMP_HEADER_LEN), false, &why)) {
		trace_error(k, 0, "first message refused: %s", why);
		return;
	}
	if (k->in.set == 0 || !(k->in.set & P(SA)) || !admit(k, path))
		return;
	sa = sa_new(k, false, h->exchange, path, h->cookie_i);
	if (sa == NULL)
		return;
	trace_message(k, sa->conn_id, &k->in);
	timer_set(&k->timers, &sa->life, now_us(k) + HALF_OPEN_S * SECOND);
	run_message(k, sa, NULL, &a);
	sa = sa_by_initiator(k, h->cookie_i, path->remote);
	if (sa != NULL && sa->st.evidence == 0)
		sa_free(sa);
}

/* The key that decrypts to nonsense is not the peer's key. Nothing is ended: anybody can send nonsense. */
static void garbled(struct ike_sa *sa, const char *why)
{
	struct ike *k = sa->k;
	char from[ADDR_TEXT];

	count(k, STAT_NOT_DECRYPTED);
	if (sa->told_garbled)
		return;
	sa->told_garbled = true;
	addr_print(from, sa->st.path.remote);
	log_msg("CRYPTO", LOG_SEV_WARNING, "IKMP_BAD_MESSAGE", "IKE message from %s failed its sanity check or is malformed", from);
	say_failure(k, sa->st.path.remote, sa->conn_id, "an encrypted message from %s could not be read (%s): %s", from, why,
		sa->st.evidence & EV_AUTHED ? "it was damaged or forged" : "most likely the pre-shared keys differ");
}

/* Which quick mode; NULL with `a` refused when there can be none. */
static struct quick *quick_for(struct ike_sa *sa, uint32_t id, const char **why)
{
	struct quick *q = quick_find(sa, id);

	if (q != NULL)
		return q;
	*why = "message id used before";
	if (message_id_used(sa, id))
		return NULL;
	*why = "too many quick modes";
	sa->k->admission.phase2_in++;
	if (sa->nactive < QUICKS_MAX)
		return quick_new(sa, false, id);
	sa->k->admission.phase2_in_rejected++;
	return NULL;
}

static bool decrypt(struct ike_sa *sa, struct quick *q, struct span packet, struct arrival *a)
{
	struct ike *k = sa->k;
	struct span plain;
	const char *why = "not whole blocks";
	uint32_t id = k->in.head.message_id;
	enum err e = ERR_OK;

	if (q != NULL)
		memcpy(a->iv, q->st->iv, sizeof(a->iv));
	else if (id == 0)
		memcpy(a->iv, sa->st.iv, sizeof(a->iv));
	else if (k->in.head.exchange == EXCH_TRANSACTION && id == sa->st.client.message_id)
		memcpy(a->iv, sa->st.client.iv, sizeof(a->iv));
	else
		e = message_iv(&sa->st, id, a->iv);
	if (e == ERR_OK)
		e = message_open(k, &sa->st, a->iv, packet, &plain);
	if (e == ERR_OK && decode(k, plain, true, &why))
		return true;
	garbled(sa, why);
	return false;
}

/* IOS's lines for a quick mode that comes too early, or in clear. */
static void phase2_early_say(struct ike_sa *sa, const struct arrival *a)
{
	char from[ADDR_TEXT];

	addr_print(from, sa->st.path.remote);
	if (!a->encrypted && say_allowed(sa->k))
		log_msg("CRYPTO", LOG_SEV_INFO, "IKMP_NOT_ENCRYPTED", "IKE packet from %s was not encrypted and it should've been.",
			from);
	else if (!(sa->st.evidence & EV_AUTHED) && say_allowed(sa->k))
		log_msg("CRYPTO", LOG_SEV_INFO, "IKMP_SA_NOT_AUTH",
			"Cannot accept Quick Mode exchange from %s if SA is not authenticated!", from);
}

/* The initiator of an aggressive mode is through and begins a quick mode: its third message was lost. Our second one makes it
 * come again. */
static void third_missing(struct ike_sa *sa, const struct arrival *a)
{
	if (sa->st.initiator || sa->st.state != AG_INIT_EXCH || !a->encrypted || sa->tx.answered >= TX_ANSWERS_MAX)
		return;
	sa->tx.answered++;
	tx_repeat(sa->k, &sa->tx, &sa->st);
}

static void receive_phase2(struct ike_sa *sa, struct span packet, struct arrival *a)
{
	struct ike *k = sa->k;
	uint32_t id = k->in.head.message_id;
	const char *why = "";
	struct quick *q = quick_find(sa, id);

	if (q != NULL && repetition(k, &q->tx, &sa->st, a->digest))
		return;
	if (id == 0 || !(sa->st.evidence & EV_AUTHED) || !a->encrypted || (q != NULL && q->st == NULL)) {
		count(k, id == 0 ? STAT_BAD_MESSAGE_ID : STAT_BAD_EXCHANGE);
		phase2_early_say(sa, a);
		third_missing(sa, a);
		return;
	}
	q = quick_for(sa, id, &why);
	if (q == NULL) {
		count(k, STAT_BAD_MESSAGE_ID);
		trace_error(k, sa->conn_id, "quick mode %08x refused: %s", id, why);
		return;
	}
	if (decrypt(sa, q, packet, a)) {
		trace_message(k, sa->conn_id, &k->in);
		if (q->pending == 0)
			run_message(k, sa, q, a);
	}
	/* One that did not get beyond its first message leaves nothing behind. */
	sa = sa_by_cookies(k, k->in.head.cookie_i, k->in.head.cookie_r);
	q = sa == NULL ? NULL : quick_find(sa, id);
	if (q != NULL && q->st != NULL && q->st->stage == QUICK_NEW)
		quick_free(q);
}

/* Remote access: the client's answer to the transaction that we have begun, or one that it begins. */
static void receive_transaction(struct ike_sa *sa, struct span packet, struct arrival *a)
{
	struct ike *k = sa->k;
	uint32_t id = k->in.head.message_id;

	if (sa->pending != 0 || repetition(k, &sa->client_tx, &sa->st, a->digest))
		return;
	if (!a->encrypted || !(sa->st.evidence & EV_AUTHED) || !client_takes(sa, id)) {
		count(k, a->encrypted && (sa->st.evidence & EV_AUTHED) ? STAT_BAD_MESSAGE_ID : STAT_BAD_EXCHANGE);
		return;
	}
	if (decrypt(sa, NULL, packet, a)) {
		trace_message(k, sa->conn_id, &k->in);
		run_message(k, sa, NULL, a);
	}
	wipe(k->plain, sizeof(k->plain) < packet.len ? sizeof(k->plain) : packet.len);
}

static void receive_known(struct ike_sa *sa, const struct ike_path *path, struct span packet)
{
	struct ike *k = sa->k;
	struct arrival a = { .path = path, .encrypted = (k->in.head.flags & FLAG_ENCRYPTED) != 0 };
	const char *why;

	if (!addr_equal(path->remote, sa->st.path.remote) || !addr_equal(path->local, sa->st.path.local)) {
		count(k, STAT_WRONG_PEER);
		return;
	}
	digest_of(a.digest, packet);
	if (k->in.head.exchange == EXCH_QUICK) {
		receive_phase2(sa, packet, &a);
		return;
	}
	if (k->in.head.exchange == EXCH_TRANSACTION) {
		receive_transaction(sa, packet, &a);
		return;
	}
	if (k->in.head.exchange == sa->st.exchange && (repetition(k, &sa->tx, &sa->st, a.digest) || sa->pending != 0))
		return;
	if (k->in.head.exchange == sa->st.exchange && k->in.head.message_id != 0) {
		count(k, STAT_BAD_MESSAGE_ID);
		return;
	}
	if (a.encrypted &&
		(!(sa->st.evidence & EV_KEYS) || (k->in.head.exchange == EXCH_INFORMATIONAL && k->in.head.message_id == 0))) {
		count(k, STAT_BAD_EXCHANGE);
		return;
	}
	if (a.encrypted ? !decrypt(sa, NULL, packet, &a)
			: !decode(k, span_of(packet.data + ISAKMP_HEADER_LEN, packet.len - ISAKMP_HEADER_LEN), false, &why))
		return;
	trace_message(k, sa->conn_id, &k->in);
	run_message(k, sa, NULL, &a);
}

static void receive_fragment(struct ike_sa *sa, const struct ike_path *path, struct span packet);

/* A message whose header is in k->in. */
static void dispatch(struct ike *k, const struct ike_path *path, struct span packet, bool joined)
{
	struct isakmp_header *h = &k->in.head;
	struct ike_sa *sa = sa_by_cookies(k, h->cookie_i, h->cookie_r);
	bool first;

	/* The answer to our first message brings the responder's cookie. */
	if (sa == NULL && h->cookie_r != 0) {
		sa = sa_by_cookies(k, h->cookie_i, 0);
		if (sa != NULL && (!sa->st.initiator || !addr_equal(sa->st.path.remote, path->remote)))
			sa = NULL;
	}
	if (h->next == PAYLOAD_FRAGMENT) {
		if (sa == NULL || joined)
			count(k, STAT_FRAGMENTS_DROPPED);
		else
			receive_fragment(sa, path, packet);
		return;
	}
	/* The first message of a phase 1 has no cookie of the responder's. */
	first = h->cookie_r == 0 && (h->exchange == EXCH_MAIN || h->exchange == EXCH_AGGRESSIVE);
	/* A refusal of our first message may come without a cookie of theirs; then sa_by_cookies has found it. */
	if (sa != NULL && !first)
		receive_known(sa, path, packet);
	else if (first && h->message_id == 0 && !(h->flags & FLAG_ENCRYPTED) && !joined)
		receive_first(k, path, packet);
	else if (h->cookie_r == 0 && h->exchange != EXCH_INFORMATIONAL)
		count(k, STAT_BAD_EXCHANGE);
	else
		no_sa(k, path, h, packet.len);
}

/* The pieces are together: their message takes the way of every other, but for being a piece, or the first one, itself. */
static void receive_fragment(struct ike_sa *sa, const struct ike_path *path, struct span packet)
{
	struct ike *k = sa->k;
	struct span whole;

	if (!addr_equal(path->remote, sa->st.path.remote) || !addr_equal(path->local, sa->st.path.local)) {
		count(k, STAT_WRONG_PEER);
		return;
	}
	whole = fragment_take(sa, packet);
	if (whole.len == 0)
		return;
	if (header_decode(&k->in.head, whole) != ERR_OK || k->in.head.cookie_i != sa->st.cookie_i || k->in.head.version >> 4 != 1) {
		count(k, STAT_BAD_HEADER);
		return;
	}
	trace_packet(k, "reassembled packet from", path, whole);
	whole.len = k->in.head.length;
	dispatch(k, path, whole, true);
}

void receive(struct ike *k, const struct ike_path *path, struct span packet)
{
	struct isakmp_header *h = &k->in.head;

	/* One byte 0xff is a NAT keepalive (RFC 3948 4). */
	if (packet.len == 1 && packet.data[0] == 0xff)
		return;
	count(k, STAT_RECEIVED);
	if (header_decode(h, packet) != ERR_OK || h->cookie_i == 0) {
		count(k, STAT_BAD_HEADER);
		return;
	}
	trace_packet(k, "received packet from", path, packet);
	if (h->version >> 4 != 1) {
		count(k, STAT_BAD_VERSION);
		return;
	}
	packet.len = h->length;
	dispatch(k, path, packet, false);
}
