/* Handlers of main mode with pre-shared keys (RFC 2409 5.4); the rows are in rules.c.
 *
 * Each writes into the step's scratch copies and its reply, and says what the host is to compute. None sends.
 */
#include "ikemgr/core.h"

#include <stdio.h>
#include <string.h>

static void vendor_put(struct build *b, enum vendor v)
{
	build_data(b, PAYLOAD_VID, vendor_id(v));
}

/* The pre-shared key for the peer; it may be gone since the last message. */
static enum err key_find(struct step *st)
{
	const struct cfg_isakmp_key *key = st->k->cfg == NULL ? NULL : cfg_key_for(st->k->cfg, addr_to_v4(st->s->path.remote));
	char peer[ADDR_TEXT];

	if (key == NULL) {
		count(st->k, STAT_NO_KEY);
		return step_refuse(st, 0, "no pre-shared key for %s is configured", addr_print(peer, st->s->path.remote));
	}
	st->s->secret_id = key->secret_id;
	return ERR_OK;
}

static void sa_body_keep(struct handshake *h, struct span body)
{
	h->sa_len = (uint16_t)body.len;
	memcpy(h->sa_body, body.data, body.len);
}

enum err mm_offer(struct step *st)
{
	uint8_t proposals[SA_BODY_MAX - 8];
	struct writer w = writer_of(proposals, sizeof(proposals));
	union payload_value v = { .sa = { .doi = DOI_IPSEC, .situation = SIT_IDENTITY_ONLY } };
	struct build *b;
	struct span whole;
	enum err e = key_find(st);

	if (e != ERR_OK)
		return e;
	if (offer_phase1(st->k, NULL, &w) != ERR_OK)
		return step_refuse(st, 0, "no policy with pre-shared keys is configured");
	v.sa.proposals = writer_span(&w);
	b = step_reply(st);
	whole = build_payload(b, PAYLOAD_SA, &v);
	vendor_put(b, VENDOR_NATT_RFC);
	vendor_put(b, VENDOR_NATT_03);
	vendor_put(b, VENDOR_NATT_02N);
	vendor_put(b, VENDOR_DPD);
	if (whole.len <= ISAKMP_GENERIC_LEN)
		return ERR_RANGE;
	sa_body_keep(st->h, span_of(whole.data + ISAKMP_GENERIC_LEN, whole.len - ISAKMP_GENERIC_LEN));
	return ERR_OK;
}

static enum err sa_check(struct step *st, const struct payload *sa)
{
	if (sa->v.sa.doi != DOI_IPSEC)
		return step_refuse(st, NOTIFY_DOI_NOT_SUPPORTED, "DOI %u is not IPsec", sa->v.sa.doi);
	if (sa->v.sa.situation != SIT_IDENTITY_ONLY)
		return step_refuse(st, NOTIFY_SITUATION_NOT_SUPPORTED, "situation 0x%x is not identity only", sa->v.sa.situation);
	if (sa->body.len > SA_BODY_MAX)
		return step_refuse(st, 0, "SA payload of %zu bytes is too long", sa->body.len);
	return ERR_OK;
}

static void vendors_take(struct step *st)
{
	const struct payload *p;

	for (size_t n = 0; (p = message_find(st->in, PAYLOAD_VID, n)) != NULL; n++)
		natt_vendor(st->s, p->v.data.data);
}

/* What we say of ourselves was said by the peer before: the answer is never longer than the question. */
static void vendors_answer(struct step *st, struct build *b)
{
	const struct payload *p;
	bool natt = false;

	for (size_t n = 0; (p = message_find(st->in, PAYLOAD_VID, n)) != NULL; n++) {
		struct sa_state alone = { 0 };

		natt_vendor(&alone, p->v.data.data);
		if ((alone.natt != NATT_NONE && alone.natt == st->s->natt && !natt) || alone.peer_dpd) {
			natt = natt || alone.natt != NATT_NONE;
			build_data(b, PAYLOAD_VID, p->v.data.data);
		}
	}
}

enum err mm_choose(struct step *st)
{
	const struct payload *sa = message_find(st->in, PAYLOAD_SA, 0);
	uint8_t proposals[1024];
	struct writer w = writer_of(proposals, sizeof(proposals));
	union payload_value v = { .sa = { .doi = DOI_IPSEC, .situation = SIT_IDENTITY_ONLY } };
	struct build *b;
	enum err e = sa_check(st, sa);

	if (e == ERR_OK)
		e = key_find(st);
	if (e != ERR_OK)
		return e;
	if (!choose_phase1(st, sa->v.sa.proposals, &st->s->terms, &w)) {
		st->notify = NOTIFY_NO_PROPOSAL_CHOSEN;
		st->fatal = true;
		return ERR_INVALID;
	}
	vendors_take(st);
	do {
		st->s->cookie_r = random_u64(st->k);
	} while (st->s->cookie_r == 0);
	sa_body_keep(st->h, sa->body);
	v.sa.proposals = writer_span(&w);
	b = step_reply(st);
	build_payload(b, PAYLOAD_SA, &v);
	vendors_answer(st, b);
	return ERR_OK;
}

enum err mm_chosen(struct step *st)
{
	const struct payload *sa = message_find(st->in, PAYLOAD_SA, 0);
	enum err e = sa_check(st, sa);

	if (e != ERR_OK)
		return e;
	if (st->in->head.cookie_r == 0)
		return step_ignore(st, "the responder has no cookie");
	st->s->cookie_r = st->in->head.cookie_r;
	/* Not authentic yet: a forged answer must not end a good negotiation. */
	if (!accept_phase1(st, sa->v.sa.proposals, &st->s->terms))
		return ERR_INVALID;
	vendors_take(st);
	st->asks = ASK_GENERATE;
	return ERR_OK;
}

static void ke_put(struct step *st, const struct nonce *nonce)
{
	struct build *b = step_reply(st);

	build_data(b, PAYLOAD_KE, dh_span(&st->h->ours));
	build_data(b, PAYLOAD_NONCE, nonce_span(nonce));
	natt_put(st, b);
}

static void nonce_make(struct step *st, struct nonce *n)
{
	n->len = NONCE_LEN;
	random_bytes(st->k, n->bytes, n->len);
}

enum err mm_send_ke(struct step *st)
{
	nonce_make(st, &st->h->ni);
	ke_put(st, &st->h->ni);
	return ERR_OK;
}

/* RFC 2409 5: nonces of 8 to 256 bytes; the length of a public value is its group's. */
static enum err ke_take(struct step *st, struct nonce *nonce)
{
	struct span ke = message_find(st->in, PAYLOAD_KE, 0)->v.data.data;
	struct span n = message_find(st->in, PAYLOAD_NONCE, 0)->v.data.data;
	const struct group_alg *g = group_find(st->s->terms.group);

	if (g == NULL || ke.len != g->public_len || ke.len > sizeof(st->h->theirs.bytes))
		return step_ignore(st, "public value of %zu bytes does not fit group %u", ke.len, st->s->terms.group);
	if (n.len < NONCE_MIN || n.len > sizeof(nonce->bytes))
		return step_ignore(st, "nonce of %zu bytes", n.len);
	st->h->theirs.len = (uint16_t)ke.len;
	memcpy(st->h->theirs.bytes, ke.data, ke.len);
	nonce->len = (uint16_t)n.len;
	memcpy(nonce->bytes, n.data, n.len);
	return ERR_OK;
}

enum err mm_take_ke(struct step *st)
{
	bool initiator = st->s->initiator;
	enum err e = ke_take(st, initiator ? &st->h->nr : &st->h->ni);

	if (e == ERR_OK)
		e = key_find(st);
	if (e != ERR_OK)
		return e;
	vendors_take(st);
	natt_check(st);
	if (!initiator)
		nonce_make(st, &st->h->nr);
	st->asks = ASK_DERIVE | ASK_SKEYID | (initiator ? 0 : ASK_GENERATE);
	return ERR_OK;
}

enum err mm_answer_ke(struct step *st)
{
	enum err e = keys_phase1(st->s, st->h);

	if (e != ERR_OK)
		return step_refuse(st, 0, "keys could not be derived: %s", err_text(e));
	ke_put(st, &st->h->nr);
	return ERR_OK;
}

/* Our identity is our address, as IOS has it unless told otherwise; UDP port 500 (RFC 2407 4.6.2). */
static void id_ours(const struct sa_state *s, struct id_body *out)
{
	struct writer w = writer_of(out->bytes, sizeof(out->bytes));
	union payload_value v = { .id = { .type = ID_IPV4_ADDR, .protocol = 17, .port = 500 } };

	v.id.data = span_of(s->path.local.bytes, 4);
	payload_encode(&w, payload_def(PAYLOAD_ID), &v);
	out->len = (uint16_t)writer_len(&w);
}

static void id_put(struct build *b, const struct id_body *id)
{
	union payload_value v;

	if (payload_decode(&v, payload_def(PAYLOAD_ID), id_span(id)) == ERR_OK)
		build_payload(b, PAYLOAD_ID, &v);
}

static enum err auth_put(struct step *st, struct id_body *id)
{
	struct secret hash;
	struct build *b;
	enum err e;

	id_ours(st->s, id);
	e = keys_hash_auth(st->s, st->h, st->s->initiator, &hash);
	if (e != ERR_OK)
		return e;
	b = step_reply(st);
	id_put(b, id);
	build_data(b, PAYLOAD_HASH, secret_span(&hash));
	return ERR_OK;
}

static void notify_put(struct step *st, uint16_t type, struct span data)
{
	uint8_t spi[16];
	struct writer w = writer_of(spi, sizeof(spi));
	union payload_value v = {
		.notify = { .doi = DOI_IPSEC, .protocol = PROTO_ISAKMP, .spi_size = 16, .type = type, .data = data }
	};

	writer_u64(&w, st->s->cookie_i);
	writer_u64(&w, st->s->cookie_r);
	v.notify.spi = writer_span(&w);
	build_payload(&st->out, PAYLOAD_NOTIFY, &v);
}

/* Nothing else stands between us and the peer: whatever it still has of us is from before our start (RFC 2407 4.6.3.3). */
static bool first_contact(struct step *st)
{
	struct ike_sa *sa = sa_by_cookies(st->k, st->s->cookie_i, st->s->cookie_r);

	return sa != NULL && !sa_other_with_peer(sa) && !child_with_peer(st->k, st->s->path.local, st->s->path.remote);
}

enum err mm_send_id(struct step *st)
{
	enum err e = keys_phase1(st->s, st->h);

	if (e != ERR_OK)
		return step_refuse(st, 0, "keys could not be derived: %s", err_text(e));
	natt_float(st->s);
	e = auth_put(st, &st->h->id_i);
	if (e == ERR_OK && first_contact(st))
		notify_put(st, NOTIFY_INITIAL_CONTACT, (struct span){ 0 });
	return e;
}

/* RFC 2407 4.6.2.1: what an identity must look like. */
static bool id_valid(const struct payload_id *id)
{
	switch (id->type) {
	case ID_IPV4_ADDR:
		return id->data.len == 4;
	case ID_FQDN:
	case ID_USER_FQDN:
		return id->data.len > 0 && id->data.len < 128 && memchr(id->data.data, 0, id->data.len) == NULL;
	case ID_DER_ASN1_DN:
	case ID_KEY_ID:
		return id->data.len > 0;
	default:
		return false;
	}
}

/* The peer's identity and its proof. What is wrong here comes from someone who holds the keys of this exchange, so it ends. */
static enum err auth_check(struct step *st, struct id_body *keep)
{
	const struct payload *id = message_find(st->in, PAYLOAD_ID, 0), *hash = message_find(st->in, PAYLOAD_HASH, 0);
	struct secret want;
	char text[sizeof(st->s->identity)];
	enum err e;

	id_print(text, sizeof(text), &id->v.id);
	if (id->body.len > sizeof(keep->bytes) || !id_valid(&id->v.id))
		return step_refuse(st, NOTIFY_INVALID_ID_INFORMATION, "identity of type %u is not valid", id->v.id.type);
	keep->len = (uint16_t)id->body.len;
	memcpy(keep->bytes, id->body.data, id->body.len);
	e = keys_hash_auth(st->s, st->h, !st->s->initiator, &want);
	if (e != ERR_OK)
		return e;
	if (!span_equal_ct(secret_span(&want), hash->v.data.data)) {
		count(st->k, STAT_BAD_HASH);
		return step_refuse(st, NOTIFY_AUTHENTICATION_FAILED, "%s did not prove that it has the pre-shared key", text);
	}
	snprintf(st->s->identity, sizeof(st->s->identity), "%s", text);
	return ERR_OK;
}

static void notifies_take(struct step *st)
{
	const struct payload *p;
	struct reader r;
	struct attribute a;
	uint64_t type = 0;

	for (size_t n = 0; (p = message_find(st->in, PAYLOAD_NOTIFY, n)) != NULL; n++) {
		count(st->k, STAT_NOTIFIES_IN);
		if (p->v.notify.type == NOTIFY_INITIAL_CONTACT)
			st->s->peer_initial_contact = true;
		if (p->v.notify.type != NOTIFY_RESPONDER_LIFETIME)
			continue;
		for (r = reader_of(p->v.notify.data); attribute_next(&r, &a);)
			if (a.type == ATTR2_LIFE_TYPE)
				type = a.number;
			else if (a.type == ATTR2_LIFE_DURATION && type == LIFE_SECONDS && a.number > 0 &&
				 a.number < st->s->terms.lifetime_s)
				st->s->terms.lifetime_s = (uint32_t)a.number;
	}
}

enum err mm_answer_id(struct step *st)
{
	uint8_t life[16];
	struct writer w = writer_of(life, sizeof(life));
	enum err e = auth_check(st, &st->h->id_i);

	if (e != ERR_OK)
		return e;
	notifies_take(st);
	e = auth_put(st, &st->h->id_r);
	if (e == ERR_OK && st->s->terms.told_lifetime_s != 0) {
		attribute_encode(&w, ATTR2_LIFE_TYPE, LIFE_SECONDS);
		attribute_encode(&w, ATTR2_LIFE_DURATION, st->s->terms.told_lifetime_s);
		notify_put(st, NOTIFY_RESPONDER_LIFETIME, writer_span(&w));
	}
	return e;
}

enum err mm_finish(struct step *st)
{
	enum err e = auth_check(st, &st->h->id_r);

	if (e == ERR_OK)
		notifies_take(st);
	return e;
}
