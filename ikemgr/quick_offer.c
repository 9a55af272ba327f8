/* Phase 2 proposals: one proposal per transform-set, each with one transform (RFC 2408 4.2, RFC 2407 4.4.4 and 4.5).
 *
 * The responder tries its own sets in their order and takes the first that an offered transform equals. A proposal whose
 * number occurs twice asks for two protocols at once (AH and ESP), which is not ours.
 */
#include "ikemgr/core.h"

#include <stdio.h>
#include <string.h>

/* RFC 2407 4.5: where no lifetime is given. */
#define LIFETIME_DEFAULT_S 28800
/* Never keep an SA for less than IOS would. */
#define LIFETIME_MIN_S 10

struct offer2 {
	uint8_t transform_id;
	uint64_t key_bits, auth, group, encaps;
	uint32_t lifetime_s, lifetime_kb;
	bool odd;
};

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

static struct offer2 offer_read(const struct payload_transform *t)
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

/* Does the transform stand for this cipher and authentication? */
static bool offer_equals(const struct offer2 *o, enum alg_cipher cipher, enum alg_hash auth)
{
	const struct cipher_alg *c = cipher_find(cipher);
	const struct hash_alg *h = hash_find(auth);
	struct child_terms t = { .cipher = cipher, .auth = auth };

	if (c == NULL || c->ikev1_esp == 0 || (auth != HASH_NONE && (h == NULL || h->ikev1_auth == 0)) || keymat_len(&t) == 0)
		return false;
	if (auth == HASH_NONE && cipher_needs_auth(c))
		return false;
	return !o->odd && o->transform_id == c->ikev1_esp && o->key_bits == c->key_bits_attr &&
	       o->auth == (h == NULL ? 0 : h->ikev1_auth);
}

static void offer_print(char *out, size_t size, const struct offer2 *o)
{
	const struct cipher_alg *c = cipher_by_ikev1_esp(o->transform_id, (unsigned)o->key_bits);
	const struct hash_alg *h = hash_by_ikev1_auth((uint16_t)o->auth);
	char name[NAME_TEXT], auth[NAME_TEXT];

	snprintf(out, size, "%s%s%s%s", c != NULL ? c->ios_show : name_of(names_esp, o->transform_id, name),
		o->auth != 0 ? " " : "",
		h != NULL      ? h->ios_esp
		: o->auth != 0 ? name_of(names_auth2, (uint32_t)o->auth, auth)
			       : "",
		o->odd ? " (odd)" : "");
}

static void attributes_put(struct writer *w, const struct child_terms *t, enum alg_cipher cipher, enum alg_hash auth)
{
	attribute_encode(w, ATTR2_ENCAPS, t->encaps);
	attribute_encode(w, ATTR2_LIFE_TYPE, LIFE_SECONDS);
	attribute_encode(w, ATTR2_LIFE_DURATION, t->lifetime_s);
	if (t->lifetime_kb != 0) {
		attribute_encode(w, ATTR2_LIFE_TYPE, LIFE_KILOBYTES);
		attribute_encode(w, ATTR2_LIFE_DURATION, t->lifetime_kb);
	}
	if (auth != HASH_NONE)
		attribute_encode(w, ATTR2_AUTH, hash_find(auth)->ikev1_auth);
	if (cipher_find(cipher)->key_bits_attr != 0)
		attribute_encode(w, ATTR2_KEY_LENGTH, cipher_find(cipher)->key_bits_attr);
	if (t->group != GROUP_NONE)
		attribute_encode(w, ATTR2_GROUP, t->group);
}

static void proposal_put(
	struct writer *w, bool more, uint8_t number, uint32_t spi, uint8_t transform, uint8_t transform_id, struct span attributes)
{
	uint8_t buf[QUICK_ATTRIBUTES_MAX + 16], spi_bytes[4];
	struct writer tw = writer_of(buf, sizeof(buf)), sw = writer_of(spi_bytes, sizeof(spi_bytes));
	union payload_value t = { .transform = { .number = transform, .id = transform_id, .attributes = attributes } };
	union payload_value p = { .proposal = { .number = number, .protocol = PROTO_ESP, .spi_size = 4, .ntransforms = 1 } };

	chain_put(&tw, PAYLOAD_TRANSFORM, false, &t);
	writer_u32(&sw, spi);
	p.proposal.spi = writer_span(&sw);
	p.proposal.transforms = writer_span(&tw);
	chain_put(w, PAYLOAD_PROPOSAL, more, &p);
	if (tw.failed)
		w->failed = true;
}

enum err offer_phase2(struct step *st, struct writer *w)
{
	const struct quick_state *q = st->q;
	uint8_t attrs[QUICK_ATTRIBUTES_MAX];

	for (uint8_t i = 0; i < q->noffered; i++) {
		struct writer a = writer_of(attrs, sizeof(attrs));

		attributes_put(&a, &q->terms, q->offered[i].cipher, q->offered[i].auth);
		proposal_put(w, i + 1 < q->noffered, (uint8_t)(i + 1), q->terms.spi_in, 1,
			cipher_find(q->offered[i].cipher)->ikev1_esp, writer_span(&a));
	}
	return w->failed ? ERR_RANGE : ERR_OK;
}

/* A proposal of ESP alone, with an SPI that can be one. */
static bool proposal_usable(struct span all, const struct payload_proposal *p, uint32_t *spi)
{
	struct chain c = chain_of(all, PAYLOAD_PROPOSAL);
	struct reader r = reader_of(p->spi);
	union payload_value v;
	unsigned same = 0;

	while (chain_next(&c, &v))
		same += v.proposal.number == p->number;
	*spi = reader_u32(&r);
	return p->protocol == PROTO_ESP && p->spi_size == 4 && same == 1 && *spi >= 256;
}

static void terms_take(struct child_terms *t, const struct offer2 *o, enum alg_cipher cipher, enum alg_hash auth, uint32_t spi)
{
	t->cipher = cipher;
	t->auth = auth;
	t->group = (enum alg_group)o->group;
	t->encaps = (uint16_t)o->encaps;
	t->spi_out = spi;
}

/* The smaller lifetime of both; what is smaller than the offered one is told (RFC 2407 4.5.4). */
static void lifetimes_agree(struct child_terms *t, const struct offer2 *o, uint32_t own_s, uint32_t own_kb)
{
	t->lifetime_s = own_s < o->lifetime_s ? own_s : o->lifetime_s;
	t->told_lifetime_s = own_s < o->lifetime_s ? own_s : 0;
	t->lifetime_kb = o->lifetime_kb == 0 || (own_kb != 0 && own_kb < o->lifetime_kb) ? own_kb : o->lifetime_kb;
	t->told_lifetime_kb = t->lifetime_kb != o->lifetime_kb ? t->lifetime_kb : 0;
}

/* RFC 2409 5.5 with IOS's rule: an entry with `set pfs` wants at least its group; one without takes what is offered. */
static bool pfs_fits(struct step *st, const struct cfg_map_entry *entry, const struct offer2 *o)
{
	bool ke = message_find(st->in, PAYLOAD_KE, 0) != NULL;

	if (o->group == 0 ? ke || entry->pfs != GROUP_NONE : !ke || group_find((unsigned)o->group) == NULL)
		return false;
	return entry->pfs == GROUP_NONE || group_strength((enum alg_group)o->group) >= group_strength(entry->pfs);
}

/* Tries one of our sets against everything offered. */
static bool set_match(
	struct step *st, const struct cfg_map_entry *entry, const struct cfg_transform_set *set, struct span proposals)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL);
	union payload_value p, t;
	struct quick_state *q = st->q;
	uint32_t spi, s, kb;

	while (chain_next(&c, &p)) {
		struct chain tc = chain_of(p.proposal.transforms, PAYLOAD_TRANSFORM);

		if (!proposal_usable(proposals, &p.proposal, &spi))
			continue;
		while (chain_next(&tc, &t)) {
			struct offer2 o = offer_read(&t.transform);

			if (!offer_equals(&o, set->cipher, set->auth) || !natt_encaps_fits(st->s, o.encaps) ||
				!pfs_fits(st, entry, &o) || t.transform.attributes.len > sizeof(q->attributes))
				continue;
			terms_take(&q->terms, &o, set->cipher, set->auth, spi);
			policy_lifetimes(st->k, entry, &s, &kb);
			lifetimes_agree(&q->terms, &o, s, kb);
			q->proposal = p.proposal.number;
			q->transform = t.transform.number;
			q->transform_id = t.transform.id;
			q->attributes_len = (uint16_t)t.transform.attributes.len;
			memcpy(q->attributes, t.transform.attributes.data, q->attributes_len);
			return true;
		}
	}
	return false;
}

static void list_add(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);

	if (strstr(out, text) == NULL)
		snprintf(out + n, size - n, "%s%s", n == 0 ? "" : ", ", text);
}

static void offered_say(const struct step *st, struct span proposals, char *out, size_t size)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL);
	union payload_value p, t;
	char one[96], text[128], mode[NAME_TEXT];

	out[0] = '\0';
	while (chain_next(&c, &p)) {
		struct chain tc = chain_of(p.proposal.transforms, PAYLOAD_TRANSFORM);

		while (chain_next(&tc, &t)) {
			struct offer2 o = offer_read(&t.transform);

			if (p.proposal.protocol != PROTO_ESP) {
				list_add(out, size, "another protocol than ESP");
				continue;
			}
			offer_print(one, sizeof(one), &o);
			snprintf(text, sizeof(text), "%s%s%.0u", one, o.group ? " pfs group" : "", (unsigned)o.group);
			if (!natt_encaps_fits(st->s, o.encaps))
				snprintf(text, sizeof(text), "%s mode %s", one, name_of(names_encaps, (uint32_t)o.encaps, mode));
			list_add(out, size, text);
		}
	}
}

static void mismatch_say(struct step *st, const struct cfg_map_entry *e, struct span proposals)
{
	char offered[160], wanted[160] = "", text[96];

	offered_say(st, proposals, offered, sizeof(offered));
	for (size_t i = 0; i < e->nsets; i++) {
		const struct cfg_transform_set *s = cfg_transform_set(st->k->cfg, e->sets[i]);
		const struct cipher_alg *c = s == NULL ? NULL : cipher_find(s->cipher);
		const struct hash_alg *h = s == NULL ? NULL : hash_find(s->auth);

		snprintf(text, sizeof(text), "%s%s%s", c == NULL ? "?" : c->ios_show, h == NULL ? "" : " ",
			h == NULL ? "" : h->ios_esp);
		list_add(wanted, sizeof(wanted), text);
	}
	if (e->pfs != GROUP_NONE) {
		snprintf(text, sizeof(text), " with pfs group%u", (unsigned)e->pfs);
		strncat(wanted, text, sizeof(wanted) - strlen(wanted) - 1);
	}
	snprintf(st->why, sizeof(st->why), "no proposal matched (they offered %s; crypto map %s %u wants %s)", offered, e->map,
		e->seq, wanted);
}

bool choose_phase2(struct step *st, const struct cfg_map_entry *entry, struct span proposals)
{
	for (size_t i = 0; i < entry->nsets; i++) {
		const struct cfg_transform_set *set = cfg_transform_set(st->k->cfg, entry->sets[i]);

		if (set != NULL && set_match(st, entry, set, proposals))
			return true;
	}
	mismatch_say(st, entry, proposals);
	return false;
}

enum err echo_phase2(struct step *st, struct writer *w)
{
	const struct quick_state *q = st->q;

	proposal_put(
		w, false, q->proposal, q->terms.spi_in, q->transform, q->transform_id, span_of(q->attributes, q->attributes_len));
	return w->failed ? ERR_RANGE : ERR_OK;
}

/* Exactly one proposal and one transform, one of those that we offered, unchanged but for the SPI. */
bool accept_phase2(struct step *st, struct span proposals)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL), tc;
	struct quick_state *q = st->q;
	union payload_value p, t, more;
	struct offer2 o;
	uint32_t spi;

	snprintf(st->why, sizeof(st->why), "the answer is not one of our proposals");
	if (!chain_next(&c, &p) || chain_next(&c, &more) || p.proposal.ntransforms != 1 ||
		!proposal_usable(proposals, &p.proposal, &spi))
		return false;
	tc = chain_of(p.proposal.transforms, PAYLOAD_TRANSFORM);
	if (!chain_next(&tc, &t))
		return false;
	o = offer_read(&t.transform);
	if (o.group != (uint64_t)q->terms.group || !natt_encaps_fits(st->s, o.encaps))
		return false;
	for (uint8_t i = 0; i < q->noffered; i++)
		if (offer_equals(&o, q->offered[i].cipher, q->offered[i].auth)) {
			terms_take(&q->terms, &o, q->offered[i].cipher, q->offered[i].auth, spi);
			if (o.lifetime_s < q->terms.lifetime_s)
				q->terms.lifetime_s = o.lifetime_s;
			st->why[0] = '\0';
			return true;
		}
	return false;
}
