/* Handlers of main mode with pre-shared keys (RFC 2409 5.4), and its beginning with any method; the rows are in rules.c.
 *
 * Each writes into the step's scratch copies and its reply, and says what the host is to compute. None sends.
 */
#include "ikemgr/identity.h"
#include "ikemgr/phase1.h"
#include "ikemgr/signature.h"

enum err mm_offer(struct step *st)
{
	enum err e = method_find(st);
	struct build *b;

	if (e != ERR_OK)
		return e;
	b = step_reply(st);
	e = sa_offer(st, b, GROUP_NONE);
	vendors_put(st, b);
	return e;
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
		e = method_find(st);
	if (e == ERR_OK)
		e = sa_choose(st, &w);
	if (e != ERR_OK)
		return e;
	vendors_take(st);
	v.sa.proposals = writer_span(&w);
	b = step_reply(st);
	build_payload(b, PAYLOAD_SA, &v);
	vendors_answer(st, b);
	return ERR_OK;
}

enum err mm_chosen(struct step *st)
{
	enum err e = sa_chosen(st);

	if (e != ERR_OK)
		return e;
	vendors_take(st);
	st->asks = ASK_GENERATE;
	return ERR_OK;
}

static void ke_send(struct step *st, const struct nonce *nonce)
{
	struct build *b = step_reply(st);

	ke_put(st, b, nonce);
	if (auth_is_signature(st->s->terms.auth))
		cert_requests_put(st, b);
	natt_put(st, b);
}

enum err mm_send_ke(struct step *st)
{
	nonce_make(st, &st->h->ni);
	ke_send(st, &st->h->ni);
	return ERR_OK;
}

enum err mm_take_ke(struct step *st)
{
	bool initiator = st->s->initiator, signature = auth_is_signature(st->s->terms.auth);
	enum err e = ke_take(st, initiator ? &st->h->nr : &st->h->ni);

	if (signature)
		st->s->secret_id = 0;
	else if (e == ERR_OK)
		e = identity_key(st, NULL);
	if (e != ERR_OK)
		return e;
	vendors_take(st);
	natt_check(st);
	if (!initiator)
		nonce_make(st, &st->h->nr);
	st->asks = ASK_DERIVE | (signature ? 0 : ASK_SKEYID) | (initiator ? 0 : ASK_GENERATE);
	return ERR_OK;
}

enum err mm_answer_ke(struct step *st)
{
	enum err e = keys_phase1(st->s, st->h);

	if (e != ERR_OK)
		return step_refuse(st, 0, "keys could not be derived: %s", err_text(e));
	ke_send(st, &st->h->nr);
	return ERR_OK;
}

static enum err auth_put(struct step *st, struct id_body *id)
{
	struct build *b;

	identity_own(st, id);
	b = step_reply(st);
	id_put(b, id);
	return hash_put(st, b);
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

/* The peer's proof and its identity. What is wrong here comes from someone who holds the keys of this exchange, so it ends. */
static enum err auth_check(struct step *st, struct id_body *keep)
{
	enum err e = id_take(st, keep);

	return e == ERR_OK ? hash_check(st, message_find(st->in, PAYLOAD_HASH, 0)->v.data.data) : e;
}

enum err mm_answer_id(struct step *st)
{
	uint8_t life[16];
	enum err e = auth_check(st, &st->h->id_i);

	if (e != ERR_OK)
		return e;
	notifies_take(st);
	e = auth_put(st, &st->h->id_r);
	if (e == ERR_OK && st->s->terms.told_lifetime_s != 0)
		notify_put(st, NOTIFY_RESPONDER_LIFETIME, span_of(life, lifetime_encode(life, st->s->terms.told_lifetime_s)));
	return e;
}

enum err mm_finish(struct step *st)
{
	enum err e = auth_check(st, &st->h->id_r);

	if (e == ERR_OK)
		notifies_take(st);
	return e;
}
