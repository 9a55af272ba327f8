/* The responder's choice in phase 2: it tries its own transform-sets in their order, and takes the first that an offer equals; and
 * what is said when there is none.
 */
#include "ikemgr/quick_offer.h"

#include <stdio.h>
#include <string.h>

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
	const struct group_alg *g = group_find((unsigned)o->group);
	bool ke = message_find(st->in, PAYLOAD_KE, 0) != NULL;

	if (o->group == 0 ? ke || entry->pfs != GROUP_NONE : !ke || g == NULL || !g->ikev1)
		return false;
	return entry->pfs == GROUP_NONE || group_strength((enum alg_group)o->group) >= group_strength(entry->pfs);
}

/* A transform of a part of the bundle that fits; `like`: the one found for the other part, whose mode and group it must have. */
static bool part_match(struct step *st, const struct cfg_map_entry *entry, const struct protection *p, const struct bundle *b,
	enum part part, const struct offer2 *like, struct offer2 *found)
{
	struct chain tc = chain_of(b->transforms[part], PAYLOAD_TRANSFORM);
	struct chosen *c = &st->q->chosen[part];
	union payload_value t;
	bool transport;

	while (chain_next(&tc, &t)) {
		struct offer2 o = offer_read(&t.transform);

		if (!offer_equals(&o, p, part) || !natt_encaps_read(st->s, o.encaps, &transport) || transport != p->transport ||
			!pfs_fits(st, entry, &o) || t.transform.attributes.len > sizeof(c->attributes) ||
			(like != NULL && like->group != o.group))
			continue;
		*found = o;
		c->transform = t.transform.number;
		c->transform_id = t.transform.id;
		c->attributes_len = (uint16_t)t.transform.attributes.len;
		memcpy(c->attributes, t.transform.attributes.data, c->attributes_len);
		return true;
	}
	return false;
}

/* Both parts' lifetimes: the shorter counts. */
static void terms_take(struct step *st, const struct cfg_map_entry *entry, const struct protection *p, const struct bundle *b,
	struct offer2 o[PARTS])
{
	struct child_terms *t = &st->q->terms;
	struct offer2 *one = part_used(p, PART_ESP) ? &o[PART_ESP] : &o[PART_AH], *other = &o[PART_AH];
	uint32_t s, kb;

	if (other->lifetime_s != 0 && other->lifetime_s < one->lifetime_s)
		one->lifetime_s = other->lifetime_s;
	if (other->lifetime_kb != 0 && (one->lifetime_kb == 0 || other->lifetime_kb < one->lifetime_kb))
		one->lifetime_kb = other->lifetime_kb;
	t->is = *p;
	t->group = (enum alg_group)one->group;
	memcpy(t->spi_out, b->spi, sizeof(t->spi_out));
	policy_lifetimes(st->k, entry, &s, &kb);
	lifetimes_agree(t, one, s, kb);
	st->q->proposal = b->number;
	st->q->ah_first = b->ah_first;
}

static bool bundle_match(struct step *st, const struct cfg_map_entry *entry, const struct protection *p, const struct bundle *b)
{
	struct offer2 o[PARTS] = { 0 };
	const struct offer2 *like = NULL;

	if (!bundle_is(b, p))
		return false;
	for (enum part i = PART_ESP; i < PARTS; i++) {
		if (!part_used(p, i))
			continue;
		if (!part_match(st, entry, p, b, i, like, &o[i]))
			return false;
		like = &o[i];
	}
	terms_take(st, entry, p, b, o);
	return true;
}

/* Is it the first proposal of its number? */
static bool first_of(struct span proposals, size_t place, uint8_t number)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL);
	union payload_value v;

	while (place-- > 0 && chain_next(&c, &v))
		if (v.proposal.number == number)
			return false;
	return true;
}

/* Tries one protection against everything offered. */
static bool protection_match(struct step *st, const struct cfg_map_entry *entry, const struct protection *p, struct span proposals)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL);
	union payload_value v;
	struct bundle b;

	for (size_t place = 0; chain_next(&c, &v); place++)
		if (first_of(proposals, place, v.proposal.number) && bundle_read(proposals, v.proposal.number, &b) &&
			bundle_match(st, entry, p, &b))
			return true;
	return false;
}

/* A set in transport mode takes either mode, and transport only for the two ends themselves (IOS: `mode transport`). */
static bool set_match(
	struct step *st, const struct cfg_map_entry *entry, const struct cfg_transform_set *set, struct span proposals)
{
	struct protection p = protection_of(set);

	if (protection_fault(st->k, st->s, &p) != NULL)
		return false;
	if (p.transport && selectors_are_ends(&st->q->sel, &st->s->path) && protection_match(st, entry, &p, proposals))
		return true;
	p.transport = false;
	return protection_match(st, entry, &p, proposals);
}

static void list_add(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);

	if (strstr(out, text) == NULL)
		snprintf(out + n, size - n, "%s%s", n == 0 ? "" : ", ", text);
}

static void offer_print(char *out, size_t size, const struct offer2 *o, enum part part)
{
	const struct cipher_alg *c = cipher_by_ikev1_esp(o->transform_id, (unsigned)o->key_bits);
	const struct hash_alg *h = hash_by_ikev1_auth((uint16_t)o->auth), *ah = hash_by_ikev1_ah(o->transform_id);
	char name[NAME_TEXT], auth[NAME_TEXT];

	if (part == PART_AH)
		snprintf(out, size, "%s%s%s", ah != NULL ? ah->ios_ah : name_of(names_ah, o->transform_id, name),
			ah != NULL && ah == h ? "" : " with another authenticator", o->odd ? " (odd)" : "");
	else
		snprintf(out, size, "%s%s%s%s", c != NULL ? c->ios_show : name_of(names_esp, o->transform_id, name),
			o->auth != 0 ? " " : "",
			h != NULL      ? h->ios_esp
			: o->auth != 0 ? name_of(names_auth2, (uint32_t)o->auth, auth)
				       : "",
			o->odd ? " (odd)" : "");
}

static void transform_say(
	const struct step *st, const struct payload_transform *t, enum part part, bool and, char *out, size_t size)
{
	struct offer2 o = offer_read(t);
	char one[96], text[160], mode[NAME_TEXT];
	bool transport;

	offer_print(one, sizeof(one), &o, part);
	snprintf(text, sizeof(text), "%s%s%s%s%.0u", and? "and " : "", one, o.esn ? " esn" : "", o.group ? " pfs group" : "",
		(unsigned)o.group);
	if (!natt_encaps_read(st->s, o.encaps, &transport) || transport)
		snprintf(text, sizeof(text), "%s%s%s mode %s", and? "and " : "", one, o.esn ? " esn" : "",
			name_of(names_encaps, (uint32_t)o.encaps, mode));
	list_add(out, size, text);
}

static void offered_say(const struct step *st, struct span proposals, char *out, size_t size)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL);
	union payload_value p, t;

	out[0] = '\0';
	for (size_t place = 0; chain_next(&c, &p); place++) {
		struct chain tc = chain_of(p.proposal.transforms, PAYLOAD_TRANSFORM);
		enum part part = part_of(p.proposal.protocol);
		bool and = !first_of(proposals, place, p.proposal.number);

		if (part == PARTS)
			list_add(out, size, "another protocol than ESP and AH");
		else
			while (chain_next(&tc, &t))
				transform_say(st, &t.transform, part, and, out, size);
	}
}

static void wanted_say(const struct step *st, const struct cfg_map_entry *e, char *out, size_t size)
{
	char one[120], text[256];

	out[0] = '\0';
	for (size_t i = 0; i < e->nsets; i++) {
		const struct cfg_transform_set *s = cfg_transform_set(st->k->cfg, e->sets[i]);
		struct protection p = s == NULL ? (struct protection){ 0 } : protection_of(s);
		const char *fault = s == NULL ? "there is no such transform set" : protection_fault(st->k, st->s, &p);

		protection_print(one, sizeof(one), &p);
		if (fault != NULL)
			snprintf(text, sizeof(text), "not %s: %s", one[0] == '\0' ? e->sets[i] : one, fault);
		else
			snprintf(text, sizeof(text), "%s", one);
		list_add(out, size, text);
	}
	if (e->pfs != GROUP_NONE)
		snprintf(out + strlen(out), size - strlen(out), " with pfs group%u", (unsigned)e->pfs);
}

static void mismatch_say(struct step *st, const struct cfg_map_entry *e, struct span proposals)
{
	char offered[160], wanted[200];

	offered_say(st, proposals, offered, sizeof(offered));
	wanted_say(st, e, wanted, sizeof(wanted));
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
