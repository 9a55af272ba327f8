/* Handlers of quick mode (RFC 2409 5.5); the rows are in rules.c. */
#include "ikemgr/core.h"

#include "platform/base/log.h"

#include <stdio.h>
#include <string.h>

/* A message begins with an empty HASH; hashed_end fills it over what stands behind it. */
struct span hashed_begin(struct step *st)
{
	static const uint8_t zero[PRF_MAX];
	struct build *b = step_reply(st);
	const struct hash_alg *h = hash_find(st->s->terms.hash);

	return build_data(b, PAYLOAD_HASH, span_of(zero, h == NULL ? 0 : h->digest_len));
}

enum err hashed_end(struct step *st, struct span hash, struct span before)
{
	struct span all = writer_span(&st->out.w);
	struct secret digest;
	uint8_t *rest = hash.data + hash.len;
	enum err e;

	if (all.len == 0 || hash.len <= ISAKMP_GENERIC_LEN)
		return ERR_RANGE;
	e = keys_hash_phase2(
		st->s, step_message_id(st), SPANS(before, span_of(rest, (size_t)(all.data + all.len - rest))), &digest);
	if (e == ERR_OK)
		memcpy(hash.data + ISAKMP_GENERIC_LEN, digest.bytes, digest.len);
	return e;
}

/* HASH(1) (`before` empty) or HASH(2) (`before` Ni_b): the HASH payload comes first, all behind it is hashed. */
enum err message_hash_check(struct step *st, struct span before)
{
	struct secret want;
	enum err e = message_hash(st->s, step_message_id(st), st->in, before, &want);

	if (e != ERR_OK || !span_equal_ct(secret_span(&want), st->in->payloads[0].v.data.data)) {
		count(st->k, STAT_BAD_HASH);
		return step_ignore(st, "hash of message %08x did not verify", step_message_id(st));
	}
	return ERR_OK;
}

enum err message_hash(const struct sa_state *s, uint32_t id, const struct message *m, struct span before, struct secret *out)
{
	const struct payload *first = &m->payloads[0], *last = &m->payloads[m->npayloads - 1];
	uint8_t *rest = first->whole.data + first->whole.len;

	if (first->kind != PAYLOAD_HASH)
		return ERR_INVALID;
	return keys_hash_phase2(s, id, SPANS(before, span_of(rest, (size_t)(last->whole.data + last->whole.len - rest))), out);
}

static void nonce_make(struct step *st, struct nonce *n)
{
	n->len = NONCE_LEN;
	random_bytes(st->k, n->bytes, n->len);
}

static enum err nonce_take(struct step *st, struct nonce *n)
{
	struct span s = message_find(st->in, PAYLOAD_NONCE, 0)->v.data.data;

	if (s.len < NONCE_MIN || s.len > sizeof(n->bytes))
		return step_refuse(st, NOTIFY_PAYLOAD_MALFORMED, "nonce of %zu bytes", s.len);
	n->len = (uint16_t)s.len;
	memcpy(n->bytes, s.data, s.len);
	return ERR_OK;
}

static enum err ke_take(struct step *st)
{
	const struct payload *ke = message_find(st->in, PAYLOAD_KE, 0);
	const struct group_alg *g = group_find(st->q->terms.group);

	if (st->q->terms.group == GROUP_NONE)
		return ke == NULL ? ERR_OK : step_refuse(st, NOTIFY_INVALID_KEY_INFORMATION, "key exchange without a group");
	if (ke == NULL || g == NULL || ke->v.data.data.len != g->public_len || g->public_len > sizeof(st->q->theirs.bytes))
		return step_refuse(
			st, NOTIFY_INVALID_KEY_INFORMATION, "the public value does not fit group %u", st->q->terms.group);
	st->q->theirs.len = g->public_len;
	memcpy(st->q->theirs.bytes, ke->v.data.data.data, g->public_len);
	return ERR_OK;
}

static void id_put(struct build *b, enum payload_kind kind, const struct id_body *id)
{
	union payload_value v;

	if (id->len != 0 && payload_decode(&v, payload_def(kind), id_span(id)) == ERR_OK)
		build_payload(b, kind, &v);
}

/* `transport`: what is proposed or chosen is transport mode, for which the peer needs to know our addresses. */
static enum err body_put(
	struct step *st, const struct nonce *n, bool transport, enum err (*proposals)(struct step *st, struct writer *w))
{
	uint8_t buf[4096];
	struct writer w = writer_of(buf, sizeof(buf));
	union payload_value v = { .sa = { .doi = DOI_IPSEC, .situation = SIT_IDENTITY_ONLY } };
	enum err e = proposals(st, &w);

	if (e != ERR_OK)
		return e;
	v.sa.proposals = writer_span(&w);
	build_payload(&st->out, PAYLOAD_SA, &v);
	build_data(&st->out, PAYLOAD_NONCE, nonce_span(n));
	if (st->q->terms.group != GROUP_NONE)
		build_data(&st->out, PAYLOAD_KE, dh_span(&st->q->ours));
	id_put(&st->out, PAYLOAD_ID, &st->q->id_i);
	id_put(&st->out, PAYLOAD_ID_SECOND, &st->q->id_r);
	if (transport)
		natt_originals_put(st, &st->out);
	return ERR_OK;
}

enum err qm_begin(struct step *st)
{
	nonce_make(st, &st->q->ni);
	st->asks = ASK_SPI | (st->q->terms.group != GROUP_NONE ? ASK_GENERATE : 0);
	return ERR_OK;
}

static bool transport_offered(const struct quick_state *q)
{
	for (uint8_t i = 0; i < q->noffered; i++)
		if (q->offered[i].transport)
			return true;
	return false;
}

enum err qm_offer(struct step *st)
{
	struct span hash = hashed_begin(st);
	enum err e = body_put(st, &st->q->ni, transport_offered(st->q), offer_phase2);

	return e == ERR_OK ? hashed_end(st, hash, (struct span){ 0 }) : e;
}

static enum err sa_take(struct step *st, struct span *proposals)
{
	const struct payload *sa = message_find(st->in, PAYLOAD_SA, 0);

	if (sa->v.sa.doi != DOI_IPSEC || sa->v.sa.situation != SIT_IDENTITY_ONLY)
		return step_refuse(st, NOTIFY_SITUATION_NOT_SUPPORTED, "DOI or situation is not IPsec's");
	*proposals = sa->v.sa.proposals;
	return ERR_OK;
}

/* The answer must speak of the same traffic (RFC 2409 5.5). */
static bool ids_echoed(const struct step *st)
{
	const struct payload *i = message_find(st->in, PAYLOAD_ID, 0), *r = message_find(st->in, PAYLOAD_ID_SECOND, 0);

	if (i == NULL && r == NULL)
		return true;
	return i != NULL && r != NULL && span_equal(i->body, id_span(&st->q->id_i)) && span_equal(r->body, id_span(&st->q->id_r));
}

/* RFC 2407 4.6.3.1: the responder uses a shorter lifetime than was offered. */
static void lifetime_told(struct step *st)
{
	const struct payload *p;
	struct child_terms *t = &st->q->terms;

	for (size_t n = 0; (p = message_find(st->in, PAYLOAD_NOTIFY, n)) != NULL; n++) {
		struct reader r = reader_of(p->v.notify.data);
		struct attribute a;
		uint64_t type = 0;

		count(st->k, STAT_NOTIFIES_IN);
		while (p->v.notify.type == NOTIFY_RESPONDER_LIFETIME && attribute_next(&r, &a)) {
			if (a.type == ATTR2_LIFE_TYPE)
				type = a.number;
			else if (a.type == ATTR2_LIFE_DURATION && type == LIFE_SECONDS && a.number >= 10 &&
				 a.number < t->lifetime_s)
				t->lifetime_s = (uint32_t)a.number;
			else if (a.type == ATTR2_LIFE_DURATION && type == LIFE_KILOBYTES && a.number >= 1024 &&
				 (t->lifetime_kb == 0 || a.number < t->lifetime_kb))
				t->lifetime_kb = (uint32_t)a.number;
		}
	}
}

enum err qm_accept(struct step *st)
{
	struct span proposals;
	enum err e = message_hash_check(st, nonce_span(&st->q->ni));

	if (e == ERR_OK)
		e = sa_take(st, &proposals);
	if (e != ERR_OK)
		return e;
	if (!accept_phase2(st, proposals)) {
		st->notify = NOTIFY_NO_PROPOSAL_CHOSEN;
		st->fatal = true;
		return ERR_INVALID;
	}
	if (!ids_echoed(st))
		return step_refuse(st, NOTIFY_INVALID_ID_INFORMATION, "the answer is for other traffic than was asked");
	e = nonce_take(st, &st->q->nr);
	if (e == ERR_OK)
		e = ke_take(st);
	if (e != ERR_OK)
		return e;
	lifetime_told(st);
	natt_originals_take(st);
	st->asks = st->q->terms.group != GROUP_NONE ? ASK_DERIVE : 0;
	return ERR_OK;
}

/* What the peer wants to send, seen from here: IDci is its side, IDcr ours. Without IDs: the two gateways themselves. */
static enum err ids_take(struct step *st)
{
	const struct payload *i = message_find(st->in, PAYLOAD_ID, 0), *r = message_find(st->in, PAYLOAD_ID_SECOND, 0);
	struct dp_selectors *s = &st->q->sel;
	uint8_t protocol_i = 0, protocol_r = 0;

	if (i == NULL && r == NULL) {
		s->local = (struct dp_selector){ st->s->path.local, st->s->path.local, 0, 65535 };
		s->remote = (struct dp_selector){ st->s->path.remote, st->s->path.remote, 0, 65535 };
		return ERR_OK;
	}
	if (i == NULL || r == NULL || !selector_from_id(&s->remote, &protocol_i, &i->v.id) ||
		!selector_from_id(&s->local, &protocol_r, &r->v.id) || protocol_i != protocol_r)
		return step_refuse(st, NOTIFY_INVALID_ID_INFORMATION, "identities of type %u and %u are not addresses, or disagree",
			i == NULL ? 0 : i->v.id.type, r == NULL ? 0 : r->v.id.type);
	s->protocol = protocol_i;
	st->q->id_i.len = (uint16_t)i->body.len;
	st->q->id_r.len = (uint16_t)r->body.len;
	memcpy(st->q->id_i.bytes, i->body.data, i->body.len);
	memcpy(st->q->id_r.bytes, r->body.data, r->body.len);
	/* Ends that name themselves as they know themselves, behind a NAT: here they have other addresses. */
	natt_originals_take(st);
	natt_originals_replace(st);
	return ERR_OK;
}

/* The first entry whose list takes the traffic decides; its transform-sets must fit. */
static enum err policy_take(struct step *st, struct span proposals)
{
	struct policy p;

	if (!policy_match(st->k, st->s, &st->q->sel, &p, st->why, sizeof(st->why))) {
		st->notify = NOTIFY_INVALID_ID_INFORMATION;
		st->fatal = true;
		return ERR_INVALID;
	}
	if (!choose_phase2(st, p.entry, proposals)) {
		st->notify = NOTIFY_NO_PROPOSAL_CHOSEN;
		st->fatal = true;
		return ERR_INVALID;
	}
	if (p.place == NULL) {
		policy_id_of(&st->q->policy, &p);
	} else {
		dynamic_id(st->k, &p, &st->q->policy);
		snprintf(st->q->dynamic, sizeof(st->q->dynamic), "%s", p.entry->map);
		st->q->dynamic_seq = p.entry->seq;
	}
	st->q->idle_s = policy_idle(st->k, p.entry);
	return ERR_OK;
}

enum err qm_answer(struct step *st)
{
	struct span proposals;
	enum err e = message_hash_check(st, (struct span){ 0 });

	if (e == ERR_OK)
		e = sa_take(st, &proposals);
	if (e == ERR_OK)
		e = ids_take(st);
	if (e == ERR_OK)
		e = client_selectors(st, &st->q->sel);
	if (e == ERR_OK)
		e = policy_take(st, proposals);
	if (e == ERR_OK)
		e = nonce_take(st, &st->q->ni);
	if (e == ERR_OK)
		e = ke_take(st);
	if (e != ERR_OK)
		return e;
	nonce_make(st, &st->q->nr);
	st->asks = ASK_SPI | (st->q->terms.group != GROUP_NONE ? ASK_GENERATE | ASK_DERIVE : 0);
	return ERR_OK;
}

enum err qm_keys(struct step *st)
{
	enum err e = keys_child(st->s, st->q);

	if (e != ERR_OK)
		return step_refuse(st, 0, "keys could not be derived: %s", err_text(e));
	st->asks = ASK_PUT_IN;
	return ERR_OK;
}

/* RESPONDER-LIFETIME of one SA: RFC 2407 4.6.3.1. */
static void told_put_part(struct step *st, enum part part)
{
	const struct child_terms *t = &st->q->terms;
	uint8_t life[32], spi[4];
	struct writer w = writer_of(life, sizeof(life)), sw = writer_of(spi, sizeof(spi));
	union payload_value v = {
		.notify = { .doi = DOI_IPSEC, .protocol = part_protocol(part), .spi_size = 4, .type = NOTIFY_RESPONDER_LIFETIME }
	};

	if (t->told_lifetime_s != 0) {
		attribute_encode(&w, ATTR2_LIFE_TYPE, LIFE_SECONDS);
		attribute_encode(&w, ATTR2_LIFE_DURATION, t->told_lifetime_s);
	}
	if (t->told_lifetime_kb != 0) {
		attribute_encode(&w, ATTR2_LIFE_TYPE, LIFE_KILOBYTES);
		attribute_encode(&w, ATTR2_LIFE_DURATION, t->told_lifetime_kb);
	}
	writer_u32(&sw, t->spi_in[part]);
	v.notify.spi = writer_span(&sw);
	v.notify.data = writer_span(&w);
	build_payload(&st->out, PAYLOAD_NOTIFY, &v);
}

static void told_put(struct step *st)
{
	const struct child_terms *t = &st->q->terms;

	if (t->told_lifetime_s == 0 && t->told_lifetime_kb == 0)
		return;
	for (enum part p = PART_ESP; p < PARTS; p++)
		if (part_used(&t->is, p))
			told_put_part(st, p);
}

enum err qm_send_2(struct step *st)
{
	struct span hash = hashed_begin(st);
	enum err e = body_put(st, &st->q->nr, st->q->terms.is.transport, echo_phase2);

	if (e != ERR_OK)
		return e;
	told_put(st);
	return hashed_end(st, hash, nonce_span(&st->q->ni));
}

enum err qm_send_3(struct step *st)
{
	struct secret hash;
	enum err e = keys_hash_3(st->s, st->q, &hash);

	if (e != ERR_OK)
		return e;
	build_data(step_reply(st), PAYLOAD_HASH, secret_span(&hash));
	st->asks = ASK_PUT_OUT;
	return ERR_OK;
}

enum err qm_finish(struct step *st)
{
	struct secret want;
	enum err e = keys_hash_3(st->s, st->q, &want);

	if (e != ERR_OK)
		return e;
	if (!span_equal_ct(secret_span(&want), message_find(st->in, PAYLOAD_HASH, 0)->v.data.data)) {
		count(st->k, STAT_BAD_HASH);
		return step_ignore(st, "HASH(3) of %08x did not verify", st->q->message_id);
	}
	st->asks = ASK_PUT_OUT;
	return ERR_OK;
}
