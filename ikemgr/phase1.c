/* Pieces of phase 1 messages, for both modes; see phase1.h. */
#include "ikemgr/phase1.h"

#include "ikemgr/identity.h"
#include "ikemgr/signature.h"

#include <stdio.h>
#include <string.h>

enum err method_find(struct step *st)
{
	return credential_any(st->k, st->s) ? identity_key_maybe(st) : identity_key(st, NULL);
}

void sa_body_keep(struct handshake *h, struct span body)
{
	h->sa_len = (uint16_t)body.len;
	memcpy(h->sa_body, body.data, body.len);
}

enum err sa_offer(struct step *st, struct build *b, enum alg_group only)
{
	uint8_t proposals[SA_BODY_MAX - 8];
	struct writer w = writer_of(proposals, sizeof(proposals));
	union payload_value v = { .sa = { .doi = DOI_IPSEC, .situation = SIT_IDENTITY_ONLY } };
	struct span whole;

	if (offer_phase1(st, only, &w) != ERR_OK)
		return step_refuse(st, 0, "no policy with pre-shared keys is configured");
	v.sa.proposals = writer_span(&w);
	whole = build_payload(b, PAYLOAD_SA, &v);
	if (whole.len <= ISAKMP_GENERIC_LEN)
		return ERR_RANGE;
	sa_body_keep(st->h, span_of(whole.data + ISAKMP_GENERIC_LEN, whole.len - ISAKMP_GENERIC_LEN));
	return ERR_OK;
}

enum err sa_check(struct step *st, const struct payload *sa)
{
	if (sa->v.sa.doi != DOI_IPSEC)
		return step_refuse(st, NOTIFY_DOI_NOT_SUPPORTED, "DOI %u is not IPsec", sa->v.sa.doi);
	if (sa->v.sa.situation != SIT_IDENTITY_ONLY)
		return step_refuse(st, NOTIFY_SITUATION_NOT_SUPPORTED, "situation 0x%x is not identity only", sa->v.sa.situation);
	if (sa->body.len > SA_BODY_MAX)
		return step_refuse(st, 0, "SA payload of %zu bytes is too long", sa->body.len);
	return ERR_OK;
}

enum err sa_choose(struct step *st, struct writer *echo)
{
	const struct payload *sa = message_find(st->in, PAYLOAD_SA, 0);

	if (!choose_phase1(st, sa->v.sa.proposals, &st->s->terms, echo)) {
		st->notify = NOTIFY_NO_PROPOSAL_CHOSEN;
		st->fatal = true;
		return ERR_INVALID;
	}
	do {
		st->s->cookie_r = random_u64(st->k);
	} while (st->s->cookie_r == 0);
	sa_body_keep(st->h, sa->body);
	return ERR_OK;
}

enum err sa_chosen(struct step *st)
{
	const struct payload *sa = message_find(st->in, PAYLOAD_SA, 0);
	enum err e = sa_check(st, sa);

	if (e != ERR_OK)
		return e;
	if (st->in->head.cookie_r == 0)
		return step_ignore(st, "the responder has no cookie");
	st->s->cookie_r = st->in->head.cookie_r;
	/* Not authentic yet: a forged answer must not end a good negotiation. */
	return accept_phase1(st, sa->v.sa.proposals, &st->s->terms) ? ERR_OK : ERR_INVALID;
}

void vendors_put(struct step *st, struct build *b)
{
	static const enum vendor natt[] = { VENDOR_NATT_RFC, VENDOR_NATT_03, VENDOR_NATT_02N };

	for (size_t i = 0; natt_permitted(st->k) && i < sizeof(natt) / sizeof(natt[0]); i++)
		build_data(b, PAYLOAD_VID, vendor_id(natt[i]));
	build_data(b, PAYLOAD_VID, vendor_id(VENDOR_DPD));
	if (st->k->cfg->isakmp.fragmentation)
		build_data(b, PAYLOAD_VID, vendor_id(VENDOR_FRAGMENTATION));
}

void vendors_take(struct step *st)
{
	const struct payload *p;

	for (size_t n = 0; (p = message_find(st->in, PAYLOAD_VID, n)) != NULL; n++)
		natt_vendor(st->k, st->s, p->v.data.data);
	natt_old_say(st);
}

void vendors_answer(struct step *st, struct build *b)
{
	const struct payload *p;
	bool natt = false;

	for (size_t n = 0; (p = message_find(st->in, PAYLOAD_VID, n)) != NULL; n++) {
		struct sa_state alone = { 0 };

		natt_vendor(st->k, &alone, p->v.data.data);
		if ((alone.natt != NATT_NONE && alone.natt == st->s->natt && !natt) || alone.peer_dpd ||
			fragments_can(st->k, &alone)) {
			natt = natt || alone.natt != NATT_NONE;
			build_data(b, PAYLOAD_VID, p->v.data.data);
		} else if ((alone.peer_xauth || alone.peer_unity) && client_wanted(st->k, st->s)) {
			build_data(b, PAYLOAD_VID, p->v.data.data);
		}
	}
}

void vendors_repeat(struct step *st, struct build *b)
{
	static const enum vendor of[] = {
		[NATT_DRAFT_02] = VENDOR_NATT_02N, [NATT_DRAFT_03] = VENDOR_NATT_03, [NATT_RFC] = VENDOR_NATT_RFC
	};

	if (st->s->natt != NATT_NONE)
		build_data(b, PAYLOAD_VID, vendor_id(of[st->s->natt]));
	if (st->s->peer_dpd)
		build_data(b, PAYLOAD_VID, vendor_id(VENDOR_DPD));
	if (st->s->peer_xauth && client_wanted(st->k, st->s))
		build_data(b, PAYLOAD_VID, vendor_id(VENDOR_XAUTH));
	if (st->s->peer_unity && client_wanted(st->k, st->s))
		build_data(b, PAYLOAD_VID, vendor_id(VENDOR_UNITY));
	if (fragments_can(st->k, st->s))
		build_data(b, PAYLOAD_VID, vendor_id(VENDOR_FRAGMENTATION));
}

void nonce_make(struct step *st, struct nonce *n)
{
	n->len = NONCE_LEN;
	random_bytes(st->k, n->bytes, n->len);
}

void ke_put(struct step *st, struct build *b, const struct nonce *nonce)
{
	build_data(b, PAYLOAD_KE, dh_span(&st->h->ours));
	build_data(b, PAYLOAD_NONCE, nonce_span(nonce));
}

enum err ke_take(struct step *st, struct nonce *nonce)
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

void id_put(struct build *b, const struct id_body *id)
{
	union payload_value v;

	if (payload_decode(&v, payload_def(PAYLOAD_ID), id_span(id)) == ERR_OK)
		build_payload(b, PAYLOAD_ID, &v);
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

enum err id_take(struct step *st, struct id_body *keep)
{
	const struct payload *id = message_find(st->in, PAYLOAD_ID, 0);

	if (id->body.len > sizeof(keep->bytes) || !id_valid(&id->v.id))
		return step_refuse(st, NOTIFY_INVALID_ID_INFORMATION, "identity of type %u is not valid", id->v.id.type);
	keep->len = (uint16_t)id->body.len;
	memcpy(keep->bytes, id->body.data, id->body.len);
	return identity_profile(st, &id->v.id);
}

enum err hash_put(struct step *st, struct build *b)
{
	struct secret hash;
	enum err e = keys_hash_auth(st->s, st->h, st->s->initiator, &hash);

	if (e == ERR_OK)
		build_data(b, PAYLOAD_HASH, secret_span(&hash));
	return e;
}

void identity_keep(struct step *st)
{
	const struct id_body *theirs = st->s->initiator ? &st->h->id_r : &st->h->id_i;
	union payload_value v;

	if (payload_decode(&v, payload_def(PAYLOAD_ID), id_span(theirs)) == ERR_OK)
		id_print(st->s->identity, sizeof(st->s->identity), &v.id);
}

enum err hash_check(struct step *st, struct span hash)
{
	struct secret want;
	enum err e = keys_hash_auth(st->s, st->h, !st->s->initiator, &want);

	if (e != ERR_OK)
		return e;
	identity_keep(st);
	if (!span_equal_ct(secret_span(&want), hash)) {
		count(st->k, STAT_BAD_HASH);
		return step_refuse(
			st, NOTIFY_AUTHENTICATION_FAILED, "%s did not prove that it has the pre-shared key", st->s->identity);
	}
	return ERR_OK;
}

void notify_put(struct step *st, uint16_t type, struct span data)
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

void lifetime_take(struct ike_terms *t, const struct payload_notify *n)
{
	struct reader r = reader_of(n->data);
	struct attribute a;
	uint64_t type = 0;

	while (attribute_next(&r, &a))
		if (a.type == ATTR2_LIFE_TYPE)
			type = a.number;
		else if (a.type == ATTR2_LIFE_DURATION && type == LIFE_SECONDS && a.number > 0 && a.number < t->lifetime_s)
			t->lifetime_s = (uint32_t)a.number;
}

size_t lifetime_encode(uint8_t out[16], uint32_t seconds)
{
	struct writer w = writer_of(out, 16);

	attribute_encode(&w, ATTR2_LIFE_TYPE, LIFE_SECONDS);
	attribute_encode(&w, ATTR2_LIFE_DURATION, seconds);
	return writer_len(&w);
}

void notifies_take(struct step *st)
{
	const struct payload *p;

	for (size_t n = 0; (p = message_find(st->in, PAYLOAD_NOTIFY, n)) != NULL; n++) {
		count(st->k, STAT_NOTIFIES_IN);
		if (p->v.notify.type == NOTIFY_INITIAL_CONTACT)
			st->s->peer_initial_contact = true;
		else if (p->v.notify.type == NOTIFY_RESPONDER_LIFETIME)
			lifetime_take(&st->s->terms, &p->v.notify);
	}
}

bool first_contact(struct step *st)
{
	struct ike_sa *sa = sa_by_cookies(st->k, st->s->cookie_i, st->s->cookie_r);

	return sa != NULL && !sa_other_with_peer(sa) && !child_with_peer(st->k, st->s->path.local, st->s->path.remote);
}
