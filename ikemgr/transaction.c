/* See transaction.h. */
#include "ikemgr/transaction.h"

#include <string.h>

enum err transaction_take(struct step *st, enum isakmp_config type, const struct payload_config **out)
{
	const struct payload *p = message_find(st->in, PAYLOAD_CONFIG, 0);
	enum err e;

	/* Only now is it known that the peer has sent it. */
	st->s->client.message_id = st->in->head.message_id;
	e = message_hash_check(st, (struct span){ 0 });
	if (e != ERR_OK)
		return e;
	if (p->v.config.type != type)
		return step_ignore(st, "transaction message of type %u where %u was expected", p->v.config.type, type);
	/* The message id ties an answer to its question already, and strongSwan's answers have identifier 0. */
	if (type == CONFIG_REQUEST)
		st->s->client.identifier = p->v.config.id;
	*out = &p->v.config;
	return ERR_OK;
}

enum err transaction_begin(struct step *st)
{
	struct client_state *c = &st->s->client;
	struct ike_sa *sa = sa_by_cookies(st->k, st->s->cookie_i, st->s->cookie_r);

	if (sa == NULL)
		return ERR_NOT_FOUND;
	c->message_id = message_id_new(sa);
	random_bytes(st->k, &c->identifier, sizeof(c->identifier));
	return message_iv(st->s, c->message_id, c->iv);
}

enum err transaction_put(struct step *st, enum isakmp_config type, const struct writer *attributes)
{
	struct span hash = hashed_begin(st);
	union payload_value v = {
		.config = { .type = (uint8_t)type, .id = st->s->client.identifier, .attributes = writer_span(attributes) }
	};

	if (attributes->failed)
		return ERR_RANGE;
	build_payload(&st->out, PAYLOAD_CONFIG, &v);
	return hashed_end(st, hash, (struct span){ 0 });
}

bool attribute_find(struct span attributes, uint16_t type, struct attribute *out)
{
	struct reader r = reader_of(attributes);

	while (attribute_next(&r, out))
		if (out->type == type)
			return true;
	return false;
}
