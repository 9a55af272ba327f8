/* Phase 2 proposals: one proposal per transform-set, or two of one number where it asks for AH and ESP, each with one transform
 * (RFC 2408 4.2, RFC 2407 4.4.3, 4.4.4 and 4.5). What the responder chooses is quick_choose.c's.
 */
#include "ikemgr/quick_offer.h"

#include <stdio.h>
#include <string.h>

/* RFC 2407 4.5: where no lifetime is given. */
#define LIFETIME_DEFAULT_S 28800
/* Never keep an SA for less than IOS would. */
#define LIFETIME_MIN_S 10

static uint32_t clamp32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void life_take(struct offer2 *o, uint64_t type, uint64_t n)
{
	if (type == LIFE_SECONDS)
		o->lifetime_s = clamp32(n);
	else if (type == LIFE_KILOBYTES)
		o->lifetime_kb = clamp32(n);
}

struct offer2 offer_read(const struct payload_transform *t)
{
	struct offer2 o = { .transform_id = t->id, .encaps = ENCAPS_TUNNEL, .lifetime_s = LIFETIME_DEFAULT_S };
	struct reader r = reader_of(t->attributes);
	struct attribute a;
	uint64_t type = 0;

	while (attribute_next(&r, &a)) {
		switch (a.type) {
		case ATTR2_LIFE_TYPE:
			type = a.number;
			break;
		case ATTR2_LIFE_DURATION:
			life_take(&o, type, a.number);
			break;
		case ATTR2_GROUP:
			o.group = a.number;
			break;
		case ATTR2_ENCAPS:
			o.encaps = a.number;
			break;
		case ATTR2_AUTH:
			o.auth = a.number;
			break;
		case ATTR2_KEY_LENGTH:
			o.key_bits = a.number;
			break;
		case ATTR2_ESN:
			o.esn = a.number == ESN_64;
			o.odd = o.odd || a.number != ESN_64;
			break;
		default:
			o.odd = true;
		}
	}
	if (o.lifetime_s == 0)
		o.lifetime_s = LIFETIME_DEFAULT_S;
	if (r.failed || o.lifetime_s < LIFETIME_MIN_S || o.key_bits > UINT16_MAX || o.auth > UINT16_MAX || o.group > UINT16_MAX)
		o.odd = true;
	return o;
}

bool offer_equals(const struct offer2 *o, const struct protection *p, enum part part)
{
	const struct cipher_alg *c = cipher_find(p->cipher);
	const struct hash_alg *h = hash_find(part == PART_AH ? p->ah : p->auth);

	if (keymat_len(p, part) == 0 || o->odd || o->esn != p->esn || o->auth != (h == NULL ? 0 : h->ikev1_auth))
		return false;
	if (part == PART_AH)
		return h->ikev1_ah != 0 && o->transform_id == h->ikev1_ah && o->key_bits == 0;
	return c != NULL && c->ikev1_esp != 0 && o->transform_id == c->ikev1_esp && o->key_bits == c->key_bits_attr;
}

bool bundle_read(struct span proposals, uint8_t number, struct bundle *b)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL);
	union payload_value v;

	memset(b, 0, sizeof(*b));
	b->number = number;
	while (chain_next(&c, &v)) {
		enum part p = part_of(v.proposal.protocol);
		struct reader r = reader_of(v.proposal.spi);

		if (v.proposal.number != number)
			continue;
		/* Compression, twice the same, or no SPI that can be one: together they are not what anybody here wants. */
		if (p == PARTS || b->has[p] || v.proposal.spi_size != 4)
			return false;
		b->has[p] = true;
		b->ah_first = b->ah_first || (p == PART_AH && !b->has[PART_ESP]);
		b->transforms[p] = v.proposal.transforms;
		b->ntransforms[p] = v.proposal.ntransforms;
		b->spi[p] = reader_u32(&r);
		if (r.failed || b->spi[p] < 256)
			return false;
	}
	return b->has[PART_ESP] || b->has[PART_AH];
}

bool bundle_is(const struct bundle *b, const struct protection *p)
{
	return b->has[PART_ESP] == part_used(p, PART_ESP) && b->has[PART_AH] == part_used(p, PART_AH);
}

static void attributes_put(
	struct writer *w, const struct child_terms *t, uint16_t encaps, const struct protection *p, enum part part)
{
	const struct cipher_alg *c = cipher_find(p->cipher);
	const struct hash_alg *h = hash_find(part == PART_AH ? p->ah : p->auth);

	attribute_encode(w, ATTR2_ENCAPS, encaps);
	attribute_encode(w, ATTR2_LIFE_TYPE, LIFE_SECONDS);
	attribute_encode(w, ATTR2_LIFE_DURATION, t->lifetime_s);
	if (t->lifetime_kb != 0) {
		attribute_encode(w, ATTR2_LIFE_TYPE, LIFE_KILOBYTES);
		attribute_encode(w, ATTR2_LIFE_DURATION, t->lifetime_kb);
	}
	if (h != NULL)
		attribute_encode(w, ATTR2_AUTH, h->ikev1_auth);
	if (part == PART_ESP && c->key_bits_attr != 0)
		attribute_encode(w, ATTR2_KEY_LENGTH, c->key_bits_attr);
	if (p->esn)
		attribute_encode(w, ATTR2_ESN, ESN_64);
	if (t->group != GROUP_NONE)
		attribute_encode(w, ATTR2_GROUP, t->group);
}

static void proposal_put(struct writer *w, bool more, uint8_t number, uint8_t protocol, uint32_t spi, const struct chosen *c)
{
	uint8_t buf[QUICK_ATTRIBUTES_MAX + 16], spi_bytes[4];
	struct writer tw = writer_of(buf, sizeof(buf)), sw = writer_of(spi_bytes, sizeof(spi_bytes));
	union payload_value t = { .transform = { .number = c->transform,
					  .id = c->transform_id,
					  .attributes = span_of((void *)c->attributes, c->attributes_len) } };
	union payload_value p = { .proposal = { .number = number, .protocol = protocol, .spi_size = 4, .ntransforms = 1 } };

	chain_put(&tw, PAYLOAD_TRANSFORM, false, &t);
	writer_u32(&sw, spi);
	p.proposal.spi = writer_span(&sw);
	p.proposal.transforms = writer_span(&tw);
	chain_put(w, PAYLOAD_PROPOSAL, more, &p);
	if (tw.failed)
		w->failed = true;
}

static void offer_part(struct step *st, struct writer *w, uint8_t i, enum part part, bool more)
{
	const struct quick_state *q = st->q;
	const struct protection *p = &q->offered[i];
	struct chosen c = { .transform = 1 };
	struct writer a = writer_of(c.attributes, sizeof(c.attributes));

	c.transform_id = part == PART_AH ? hash_find(p->ah)->ikev1_ah : cipher_find(p->cipher)->ikev1_esp;
	attributes_put(&a, &q->terms, natt_encaps(st->s, p->transport), p, part);
	c.attributes_len = (uint16_t)writer_len(&a);
	proposal_put(w, more, (uint8_t)(i + 1), part_protocol(part), q->terms.spi_in[part], &c);
	if (a.failed)
		w->failed = true;
}

/* AH stands before ESP, as in the example of RFC 2408 4.2 and in the transform-set's text. */
enum err offer_phase2(struct step *st, struct writer *w)
{
	const struct quick_state *q = st->q;

	for (uint8_t i = 0; i < q->noffered; i++) {
		bool last = i + 1 == q->noffered, esp = part_used(&q->offered[i], PART_ESP);

		if (part_used(&q->offered[i], PART_AH))
			offer_part(st, w, i, PART_AH, esp || !last);
		if (esp)
			offer_part(st, w, i, PART_ESP, !last);
	}
	return w->failed ? ERR_RANGE : ERR_OK;
}

enum err echo_phase2(struct step *st, struct writer *w)
{
	const struct quick_state *q = st->q;
	enum part order[PARTS] = { q->ah_first ? PART_AH : PART_ESP, q->ah_first ? PART_ESP : PART_AH };
	bool both = part_used(&q->terms.is, PART_ESP) && part_used(&q->terms.is, PART_AH);

	for (size_t i = 0; i < PARTS; i++)
		if (part_used(&q->terms.is, order[i]))
			proposal_put(w, both && i == 0, q->proposal, part_protocol(order[i]), q->terms.spi_in[order[i]],
				&q->chosen[order[i]]);
	return w->failed ? ERR_RANGE : ERR_OK;
}

/* The one transform of a part of the answer. */
static bool answer_part(struct step *st, const struct bundle *b, const struct protection *p, enum part part)
{
	struct chain tc = chain_of(b->transforms[part], PAYLOAD_TRANSFORM);
	struct child_terms *terms = &st->q->terms;
	union payload_value t;
	struct offer2 o;
	bool transport;

	if (b->ntransforms[part] != 1 || !chain_next(&tc, &t))
		return false;
	o = offer_read(&t.transform);
	if (o.group != (uint64_t)terms->group || !natt_encaps_read(st->s, o.encaps, &transport) || transport != p->transport ||
		!offer_equals(&o, p, part))
		return false;
	if (o.lifetime_s < terms->lifetime_s)
		terms->lifetime_s = o.lifetime_s;
	terms->spi_out[part] = b->spi[part];
	return true;
}

/* Exactly one proposal number with one transform each, one of those that we offered, unchanged but for the SPI. */
bool accept_phase2(struct step *st, struct span proposals)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL);
	struct child_terms before = st->q->terms;
	union payload_value first, v;
	struct bundle b;

	snprintf(st->why, sizeof(st->why), "the answer is not one of our proposals");
	if (!chain_next(&c, &first))
		return false;
	while (chain_next(&c, &v))
		if (v.proposal.number != first.proposal.number)
			return false;
	if (!bundle_read(proposals, first.proposal.number, &b))
		return false;
	for (uint8_t i = 0; i < st->q->noffered; i++) {
		const struct protection *p = &st->q->offered[i];

		st->q->terms = before;
		if (!bundle_is(&b, p) || (part_used(p, PART_ESP) && !answer_part(st, &b, p, PART_ESP)) ||
			(part_used(p, PART_AH) && !answer_part(st, &b, p, PART_AH)))
			continue;
		st->q->terms.is = *p;
		st->why[0] = '\0';
		return true;
	}
	return false;
}
