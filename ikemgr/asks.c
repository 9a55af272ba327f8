/* What the core asks of its host, and the answers.
 *
 * A question carries a serial number: | IKE SA 40 | quick mode 16 | kind 8 |. Serials of SAs and numbers of quick modes are
 * never used twice, so an answer that comes late finds nothing and is dropped. IKE SAs count from 1: 0 is for what is none's
 * (crl.c).
 */
#include "ikemgr/core.h"
#include "ikemgr/revocation.h"

#include <stdio.h>
#include <string.h>

enum {
	KIND_DH = 1,
	KIND_SKEYID,
	KIND_SPI,
	KIND_PUT_IN,
	KIND_PUT_OUT,
	KIND_SPI_AH,
	KIND_PUT_IN_AH,
	KIND_PUT_OUT_AH,
	KIND_USER,
	KIND_SIGN,
	KIND_REVOCATION
};

static const struct {
	enum ask ask;
	uint8_t kind;
	const char *failed;
} kinds[] = {
	{ ASK_GENERATE, KIND_DH, "Diffie-Hellman key pair could not be made" },
	{ ASK_DERIVE, KIND_DH, "the peer's Diffie-Hellman value is not valid" },
	{ ASK_SKEYID, KIND_SKEYID, "the pre-shared key could not be used" },
	{ ASK_SPI, KIND_SPI, "no SPI from the data path" },
	{ ASK_PUT_IN, KIND_PUT_IN, "the data path refused the SA" },
	{ ASK_PUT_OUT, KIND_PUT_OUT, "the data path refused the SA" },
	{ ASK_SPI_AH, KIND_SPI_AH, "no SPI from the data path" },
	{ ASK_PUT_IN_AH, KIND_PUT_IN_AH, "the data path refused the AH SA" },
	{ ASK_PUT_OUT_AH, KIND_PUT_OUT_AH, "the data path refused the AH SA" },
	{ ASK_SIGN, KIND_SIGN, "the router's key could not sign" },
	{ ASK_REVOCATION, KIND_REVOCATION, "revocation could not be checked" },
	{ ASK_USER, KIND_USER, "the user could not be checked" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

uint64_t ask_serial(const struct ike_sa *sa, const struct quick *q, enum ask ask)
{
	uint64_t kind = 0;

	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].ask == ask)
			kind = kinds[i].kind;
	return sa->serial << 24 | (uint64_t)(q == NULL ? 0 : q->number) << 8 | kind;
}

void ask_drop(struct ike *k, const struct ike_sa *sa, const struct quick *q)
{
	k->host.dh_drop(k->host.ctx, ask_serial(sa, q, ASK_GENERATE));
}

static void ask_generate(struct ike *k, struct ike_sa *sa, struct quick *q)
{
	if (q != NULL)
		q->dh_held = true;
	else
		sa->dh_held = true;
	k->host.dh_generate(k->host.ctx, ask_serial(sa, q, ASK_GENERATE), q != NULL ? q->st->terms.group : sa->st.terms.group);
}

static void ask_derive(struct ike *k, struct ike_sa *sa, struct quick *q)
{
	struct span theirs = dh_span(q != NULL ? &q->st->theirs : &sa->h->theirs);

	if (q != NULL)
		q->dh_held = false;
	else
		sa->dh_held = false;
	k->host.dh_derive(k->host.ctx, ask_serial(sa, q, ASK_DERIVE), theirs);
}

static void ask_skeyid(struct ike *k, struct ike_sa *sa)
{
	struct ike_skeyid_request r = { .secret_id = sa->st.secret_id, .prf = sa->st.terms.hash };

	r.ni_len = sa->h->ni.len;
	r.nr_len = sa->h->nr.len;
	memcpy(r.ni, sa->h->ni.bytes, r.ni_len);
	memcpy(r.nr, sa->h->nr.bytes, r.nr_len);
	k->host.skeyid(k->host.ctx, ask_serial(sa, NULL, ASK_SKEYID), &r);
}

static void ask_spi(struct ike *k, struct ike_sa *sa, struct quick *q, enum part part)
{
	struct dpm_spi want = { .local = sa->st.path.local, .remote = sa->st.path.remote, .protocol = part_ip(part) };

	k->host.spi_alloc(k->host.ctx, ask_serial(sa, q, part == PART_AH ? ASK_SPI_AH : ASK_SPI), &want);
}

static void ask_put(struct ike *k, struct quick *q, enum part part, bool inbound)
{
	enum ask ask = inbound ? (part == PART_AH ? ASK_PUT_IN_AH : ASK_PUT_IN) : part == PART_AH ? ASK_PUT_OUT_AH : ASK_PUT_OUT;
	struct dpm_sa sa;

	if (q->conn_id[part][inbound] == 0)
		q->conn_id[part][inbound] = k->next_child_id++;
	dynamic_put(k, q);
	quick_sa(q, part, inbound, &sa);
	q->put[part][inbound] = true;
	k->host.sa_put(k->host.ctx, ask_serial(q->sa, q, ask), &sa);
	wipe(&sa, sizeof(sa));
}

/* The password leaves the SA with the question. */
static void ask_user(struct ike *k, struct ike_sa *sa)
{
	struct client_state *c = &sa->st.client;

	if (k->host.user_check != NULL)
		k->host.user_check(k->host.ctx, ask_serial(sa, NULL, ASK_USER), c->user, c->password);
	wipe(c->password, sizeof(c->password));
}

/* A handler asks for an SPI, for SAs: of which protocols, the terms say; while nothing is chosen, all that are offered. */
static uint16_t parts_asked(const struct quick_state *s, uint16_t asks)
{
	static const enum ask pairs[][PARTS] = { { ASK_SPI, ASK_SPI_AH }, { ASK_PUT_IN, ASK_PUT_IN_AH },
		{ ASK_PUT_OUT, ASK_PUT_OUT_AH } };
	bool used[PARTS] = { false };

	for (enum part p = PART_ESP; p < PARTS; p++) {
		used[p] = part_used(&s->terms.is, p);
		for (uint8_t i = 0; i < s->noffered && s->stage == QUICK_ASKED; i++)
			used[p] = used[p] || part_used(&s->offered[i], p);
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (!(asks & pairs[i][PART_ESP]))
			continue;
		asks &= (uint16_t)~pairs[i][PART_ESP];
		for (enum part p = PART_ESP; p < PARTS; p++)
			asks |= used[p] ? pairs[i][p] : 0;
	}
	return asks;
}

void ask_all(struct ike *k, struct ike_sa *sa, struct quick *q, uint16_t asks)
{
	if (q != NULL) {
		quick_number(q);
		asks = parts_asked(q->st, asks);
		q->pending = asks;
	} else {
		sa->pending = asks;
	}
	if (asks & ASK_GENERATE)
		ask_generate(k, sa, q);
	/* With both, the derivation follows when the pair is there. */
	if ((asks & (ASK_GENERATE | ASK_DERIVE)) == ASK_DERIVE)
		ask_derive(k, sa, q);
	if (asks & ASK_SKEYID)
		ask_skeyid(k, sa);
	if (asks & ASK_SPI)
		ask_spi(k, sa, q, PART_ESP);
	if (asks & ASK_SPI_AH)
		ask_spi(k, sa, q, PART_AH);
	/* Of two, AH first: dp_api.h. */
	if (asks & ASK_PUT_IN_AH)
		ask_put(k, q, PART_AH, true);
	if (asks & ASK_PUT_IN)
		ask_put(k, q, PART_ESP, true);
	if (asks & ASK_PUT_OUT_AH)
		ask_put(k, q, PART_AH, false);
	if (asks & ASK_PUT_OUT)
		ask_put(k, q, PART_ESP, false);
	if (asks & ASK_USER)
		ask_user(k, sa);
	if (asks & ASK_SIGN)
		k->host.sign(k->host.ctx, ask_serial(sa, NULL, ASK_SIGN), &sa->h->sign);
	if ((asks & ASK_REVOCATION) && revocation_ask(k, sa, ask_serial(sa, NULL, ASK_REVOCATION)))
		sa->pending &= (uint16_t)~ASK_REVOCATION;
}

/* Who asked; false if it is gone or did not ask. */
static bool asker(struct ike *k, uint64_t serial, enum ask ask, struct ike_sa **sa, struct quick **q)
{
	uint32_t number = serial >> 8 & 0xffff;

	*sa = sa_by_serial(k, serial >> 24);
	*q = NULL;
	if (*sa != NULL && number != 0)
		*q = quick_by_number(*sa, number);
	if (*sa == NULL || (number != 0 && (*q == NULL || (*q)->st == NULL)) || (number == 0 && (*sa)->h == NULL) ||
		!((*q != NULL ? (*q)->pending : (*sa)->pending) & ask)) {
		count(k, STAT_LATE_ANSWERS);
		return false;
	}
	return true;
}

static const char *ask_text(enum ask ask)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].ask == ask)
			return kinds[i].failed;
	return "";
}

/* The question that a serial number of these was. */
static enum ask ask_of(uint64_t serial)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == (serial & 0xff))
			return kinds[i].ask;
	return 0;
}

/* The common end: a failure ends the exchange; when nothing is outstanding it goes on. */
static void answered(struct ike *k, struct ike_sa *sa, struct quick *q, enum ask ask, enum err e)
{
	char why[160];
	uint16_t *pending = q != NULL ? &q->pending : &sa->pending;

	*pending &= (uint16_t)~ask;
	if (e != ERR_OK) {
		snprintf(why, sizeof(why), "%s: %s", ask_text(ask), err_text(e));
		if (q != NULL)
			quick_fail(q, ask == ASK_DERIVE ? NOTIFY_INVALID_KEY_INFORMATION : 0, why, false);
		else
			phase1_fail(sa, ask == ASK_DERIVE ? NOTIFY_INVALID_KEY_INFORMATION : 0, why);
		return;
	}
	if (ask == ASK_GENERATE && (*pending & ASK_DERIVE))
		ask_derive(k, sa, q);
	if (*pending == 0)
		run_ready(k, sa, q);
}

static enum err value_take(struct dh_value *v, struct span s)
{
	if (s.len == 0 || s.len > sizeof(v->bytes))
		return ERR_RANGE;
	v->len = (uint16_t)s.len;
	memcpy(v->bytes, s.data, s.len);
	return ERR_OK;
}

void ike_done_generate(struct ike *k, uint64_t serial, enum err e, struct span public_value)
{
	struct ike_sa *sa;
	struct quick *q;

	if (!asker(k, serial, ASK_GENERATE, &sa, &q))
		return;
	if (e == ERR_OK)
		e = value_take(q != NULL ? &q->st->ours : &sa->h->ours, public_value);
	answered(k, sa, q, ASK_GENERATE, e);
}

void ike_done_derive(struct ike *k, uint64_t serial, enum err e, struct span shared)
{
	struct ike_sa *sa;
	struct quick *q;

	if (!asker(k, serial, ASK_DERIVE, &sa, &q))
		return;
	if (e == ERR_OK)
		e = value_take(q != NULL ? &q->st->shared : &sa->h->shared, shared);
	answered(k, sa, q, ASK_DERIVE, e);
}

void ike_done_skeyid(struct ike *k, uint64_t serial, enum err e, struct span skeyid)
{
	struct ike_sa *sa;
	struct quick *q;

	if (!asker(k, serial, ASK_SKEYID, &sa, &q))
		return;
	if (e == ERR_OK)
		e = secret_set(&sa->h->skeyid, skeyid);
	answered(k, sa, q, ASK_SKEYID, e);
}

/* A wrong password is an answer, too: the client is told. */
void ike_done_user(struct ike *k, uint64_t serial, enum err e)
{
	struct ike_sa *sa;
	struct quick *q;

	if (!asker(k, serial, ASK_USER, &sa, &q))
		return;
	if (e == ERR_OK)
		sa->st.evidence |= EV_NAMED;
	answered(k, sa, q, ASK_USER, e == ERR_AUTH ? ERR_OK : e);
}

void ike_done_sign(struct ike *k, uint64_t serial, enum err e, struct span signature)
{
	struct ike_sa *sa;
	struct quick *q;

	if (!asker(k, serial, ASK_SIGN, &sa, &q))
		return;
	if (e == ERR_OK && (signature.len == 0 || signature.len > sizeof(sa->h->signature)))
		e = ERR_RANGE;
	if (e == ERR_OK) {
		sa->h->signature_len = (uint16_t)signature.len;
		memcpy(sa->h->signature, signature.data, signature.len);
	}
	answered(k, sa, q, ASK_SIGN, e);
}

void ike_done_fetch(struct ike *k, uint64_t serial, enum err e, struct span bytes)
{
	struct ike_sa *sa;
	struct quick *q;

	if (!crl_requested(k, serial, e, bytes) && asker(k, serial, ASK_REVOCATION, &sa, &q) &&
		revocation_answer(k, sa, serial, e, bytes))
		answered(k, sa, q, ASK_REVOCATION, ERR_OK);
}

void ike_done_spi(struct ike *k, uint64_t serial, enum err e, uint32_t spi)
{
	enum ask ask = ask_of(serial);
	struct ike_sa *sa;
	struct quick *q;

	if (!asker(k, serial, ask, &sa, &q))
		return;
	if (e == ERR_OK && spi < 256)
		e = ERR_RANGE;
	if (e == ERR_OK)
		q->st->terms.spi_in[ask == ASK_SPI_AH ? PART_AH : PART_ESP] = spi;
	answered(k, sa, q, ask, e);
}

void ike_done_sa_put(struct ike *k, uint64_t serial, enum err e)
{
	enum ask ask = ask_of(serial);
	struct ike_sa *sa;
	struct quick *q;

	if (!manual_put_done(k, serial, e) && asker(k, serial, ask, &sa, &q))
		answered(k, sa, q, ask, e);
}
