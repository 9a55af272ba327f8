/* Handlers of aggressive mode with pre-shared keys (RFC 2409 5.4), and its first message with any method; the rows are in rules.c.
 *
 * The identity goes in clear and finds the key. The responder's second message carries a hash over the key that whoever asked
 * can test guesses against, without ever having been here (CVE-2002-1623, CVE-2018-5389): so a responder takes part only where
 * something is configured that main mode cannot serve, and it answers an identity that it does not know just as one that it
 * knows, with a hash over a key that nobody has.
 */
#include "ikemgr/identity.h"
#include "ikemgr/phase1.h"
#include "ikemgr/signature.h"

#include <stdio.h>
#include <string.h>

/* One group for the whole offer, for the public value goes with it, and one method, for the identity does: those of the first
 * policy. */
static void terms_first(const struct ike *k, struct sa_state *s)
{
	for (size_t i = 0; i < k->cfg->npolicies; i++)
		if (policy_usable(k, s, &k->cfg->policies[i])) {
			s->terms.group = k->cfg->policies[i].group;
			s->terms.auth = k->cfg->policies[i].auth;
			return;
		}
}

enum err ag_begin(struct step *st)
{
	enum err e = method_find(st);

	if (e != ERR_OK)
		return e;
	terms_first(st->k, st->s);
	if (st->s->terms.group == GROUP_NONE)
		return step_refuse(st, 0, "no policy with pre-shared keys is configured");
	st->asks = ASK_GENERATE;
	return ERR_OK;
}

enum err ag_offer(struct step *st)
{
	struct build *b = step_reply(st);
	enum err e = sa_offer(st, b, st->s->terms.group);

	if (e != ERR_OK)
		return e;
	nonce_make(st, &st->h->ni);
	ke_put(st, b, &st->h->ni);
	if (auth_is_signature(st->s->terms.auth))
		e = sig_identity(st);
	else
		identity_own(st, &st->h->id_i);
	id_put(b, &st->h->id_i);
	if (auth_is_signature(st->s->terms.auth))
		cert_requests_put(st, b);
	vendors_put(st, b);
	return e;
}

enum err ag_choose(struct step *st)
{
	uint8_t proposals[1024];
	struct writer w = writer_of(proposals, sizeof(proposals));
	enum err e = sa_check(st, message_find(st->in, PAYLOAD_SA, 0));

	if (e == ERR_OK)
		e = id_take(st, &st->h->id_i);
	if (e == ERR_OK)
		e = sa_choose(st, &w);
	if (e == ERR_OK)
		e = ke_take(st, &st->h->ni);
	if (e == ERR_OK && !auth_is_signature(st->s->terms.auth))
		e = identity_key(st, &message_find(st->in, PAYLOAD_ID, 0)->v.id);
	if (e != ERR_OK)
		return e;
	vendors_take(st);
	/* Kept until the keys are there: what goes out is made of it. */
	st->h->echo_len = (uint16_t)writer_len(&w);
	memcpy(st->h->echo, proposals, st->h->echo_len);
	nonce_make(st, &st->h->nr);
	st->asks = ASK_GENERATE | ASK_DERIVE;
	if (!auth_is_signature(st->s->terms.auth))
		st->asks |= ASK_SKEYID;
	return ERR_OK;
}

struct build *ag_reply(struct step *st)
{
	union payload_value v = { .sa = { .doi = DOI_IPSEC, .situation = SIT_IDENTITY_ONLY } };
	struct build *b = step_reply(st);

	v.sa.proposals = span_of(st->h->echo, st->h->echo_len);
	build_payload(b, PAYLOAD_SA, &v);
	ke_put(st, b, &st->h->nr);
	id_put(b, &st->h->id_r);
	return b;
}

enum err ag_answer(struct step *st)
{
	enum err e = keys_phase1(st->s, st->h);
	struct build *b;

	if (e != ERR_OK)
		return step_refuse(st, 0, "keys could not be derived: %s", err_text(e));
	identity_own(st, &st->h->id_r);
	b = ag_reply(st);
	e = hash_put(st, b);
	natt_put(st, b);
	vendors_repeat(st, b);
	return e;
}

enum err ag_answer_take(struct step *st)
{
	enum alg_group group = st->s->terms.group;
	uint16_t auth = st->s->terms.auth;
	enum err e = sa_chosen(st);

	if (e != ERR_OK)
		return e;
	if (st->s->terms.group != group || st->s->terms.auth != auth)
		return step_ignore(st, "the responder chose another group or method");
	return ke_take(st, &st->h->nr);
}

/* The peer's proof comes with the values that it is made of: kept until they have been computed. */
enum err ag_take(struct step *st)
{
	struct span hash = message_find(st->in, PAYLOAD_HASH, 0)->v.data.data;
	enum err e = ag_answer_take(st);

	if (e == ERR_OK)
		e = id_take(st, &st->h->id_r);
	if (e != ERR_OK)
		return e;
	if (hash.len == 0 || hash.len > sizeof(st->h->hash))
		return step_ignore(st, "hash of %zu bytes", hash.len);
	st->h->hash_len = (uint8_t)hash.len;
	memcpy(st->h->hash, hash.data, hash.len);
	vendors_take(st);
	natt_check(st);
	st->asks = ASK_DERIVE | ASK_SKEYID;
	return ERR_OK;
}

enum err ag_finish(struct step *st)
{
	struct build *b;
	enum err e = keys_phase1(st->s, st->h);

	if (e != ERR_OK)
		return step_refuse(st, 0, "keys could not be derived: %s", err_text(e));
	e = hash_check(st, span_of(st->h->hash, st->h->hash_len));
	if (e != ERR_OK)
		return e;
	natt_float(st->s);
	b = step_reply(st);
	e = hash_put(st, b);
	natt_put(st, b);
	if (first_contact(st))
		notify_put(st, NOTIFY_INITIAL_CONTACT, (struct span){ 0 });
	return e;
}

/* In clear or encrypted, as RFC 2409 5.4 leaves open. In clear anybody can have sent it: a wrong one is as if it had not come. */
enum err ag_confirm(struct step *st)
{
	enum err e = hash_check(st, message_find(st->in, PAYLOAD_HASH, 0)->v.data.data);

	if (e != ERR_OK) {
		st->fatal = st->fatal && st->rule->encrypted;
		return e;
	}
	natt_check(st);
	if (st->rule->encrypted)
		notifies_take(st);
	return ERR_OK;
}
