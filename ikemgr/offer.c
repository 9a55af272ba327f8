/* Phase 1 proposals: one proposal, a transform per policy (RFC 2408 4.2, RFC 2409 5 and appendix A).
 *
 * Comparison as IOS does it: the responder walks its own policies in order of priority and takes the first that equals an
 * offered transform in encryption, key length, hash, authentication and group, with a lifetime not shorter than the offered
 * one. Only if there is none, a policy with a shorter lifetime will do; the peer is then told (RESPONDER-LIFETIME).
 */
#include "ikemgr/identity.h"
#include "ikemgr/signature.h"

#include <stdio.h>
#include <string.h>

#define TRANSFORMS_MAX     255
#define LIFETIME_DEFAULT_S 86400

/* A transform as offered. */
struct offer {
	uint16_t enc, key_bits, hash, auth, group;
	uint32_t lifetime_s;
	bool xauth; /* the method is that of `auth` with XAUTH */
	bool odd;   /* has something that we do not understand */
};

static uint32_t clamp32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

/* draft-ietf-ipsec-isakmp-xauth-06 7.2: the methods with XAUTH that we have, where the initiator is the client. */
static void method_take(struct offer *o, uint16_t auth)
{
	o->xauth = auth == AUTH_XAUTH_PRE_SHARED || auth == AUTH_XAUTH_RSA_SIG;
	o->auth = !o->xauth ? auth : auth == AUTH_XAUTH_RSA_SIG ? AUTH_RSA_SIG : AUTH_PRE_SHARED;
}

static void offer_take(struct offer *o, const struct attribute *a, uint64_t *life_type)
{
	uint16_t n = a->number > UINT16_MAX ? 0 : (uint16_t)a->number;

	switch (a->type) {
	case ATTR1_ENCRYPTION:
		o->enc = n;
		break;
	case ATTR1_HASH:
		o->hash = n;
		break;
	case ATTR1_AUTH:
		method_take(o, n);
		break;
	case ATTR1_GROUP:
		o->group = n;
		break;
	case ATTR1_KEY_LENGTH:
		o->key_bits = n;
		break;
	case ATTR1_GROUP_TYPE: /* says again what the number says */
		break;
	case ATTR1_LIFE_TYPE:
		*life_type = a->number;
		break;
	case ATTR1_LIFE_DURATION:
		if (*life_type == LIFE_SECONDS)
			o->lifetime_s = clamp32(a->number);
		break;
	default:
		o->odd = true;
	}
}

static struct offer offer_read(const struct payload_transform *t)
{
	struct offer o = { .lifetime_s = LIFETIME_DEFAULT_S };
	struct reader r = reader_of(t->attributes);
	struct attribute a;
	uint64_t life_type = 0;

	while (attribute_next(&r, &a))
		offer_take(&o, &a, &life_type);
	/* Some say 0 for a lifetime that they do not limit. */
	if (o.lifetime_s == 0)
		o.lifetime_s = LIFETIME_DEFAULT_S;
	if (t->id != TRANSFORM_KEY_IKE || r.failed)
		o.odd = true;
	return o;
}

static void offer_print(char *out, size_t size, const struct offer *o)
{
	const struct cipher_alg *c = cipher_by_ikev1(o->enc, o->key_bits);
	const struct hash_alg *h = hash_by_ikev1(o->hash);
	char name[NAME_TEXT], hash[NAME_TEXT];

	snprintf(out, size, "%s%s%s/%s/group%u%s", c != NULL ? c->ios_isakmp : name_of(names_cipher1, o->enc, name),
		c == NULL && o->key_bits ? " " : "", "", h != NULL ? h->ios_isakmp : name_of(names_hash1, o->hash, hash), o->group,
		o->xauth                     ? " (with XAUTH)"
		: o->auth == AUTH_PRE_SHARED ? ""
					     : " (not pre-share)");
}

static void policy_print(char *out, size_t size, const struct cfg_isakmp_policy *p)
{
	struct ike_terms t = { .cipher = p->encryption, .hash = p->hash, .group = p->group };

	terms_print(out, size, &t);
}

/* A pre-shared key must be there, or a certificate of ours. Aggressive mode's responder looks for the key afterwards, and only
 * where its hash may be shown. */
static bool method_usable(const struct ike *k, const struct sa_state *s, uint16_t auth)
{
	if (auth_is_signature(auth))
		return credential(k, s, auth) != NULL;
	if (s->exchange == EXCH_AGGRESSIVE && !s->initiator)
		return auth == AUTH_PRE_SHARED && aggressive_psk_answered(k);
	return auth == AUTH_PRE_SHARED && s->secret_id != 0;
}

bool policy_usable(const struct ike *k, const struct sa_state *s, const struct cfg_isakmp_policy *p)
{
	const struct cipher_alg *c = cipher_find(p->encryption);

	return method_usable(k, s, p->auth) && c != NULL && c->ikev1_enc != 0 && hash_find(p->hash) != NULL &&
	       group_find(p->group) != NULL;
}

/* A policy takes its method with XAUTH, too, where users are asked for. */
static bool auth_equals(const struct step *st, const struct cfg_isakmp_policy *p, const struct offer *o)
{
	if (o->auth == p->auth && (!o->xauth || (!st->s->initiator && client_xauth_wanted(st->k, st->s, o->auth))))
		return true;
	if (o->xauth)
		trace(st->k, 0, "Xauth authentication by %s offered but does not match policy!",
			o->auth == AUTH_PRE_SHARED ? "pre-shared key" : "RSA signature");
	return false;
}

static bool policy_equals(const struct step *st, const struct cfg_isakmp_policy *p, const struct offer *o)
{
	const struct cipher_alg *c = cipher_find(p->encryption);
	const struct hash_alg *h = hash_find(p->hash);

	return !o->odd && policy_usable(st->k, st->s, p) && o->enc == c->ikev1_enc && o->key_bits == c->key_bits_attr &&
	       o->hash == h->ikev1_hash && o->group == p->group && auth_equals(st, p, o);
}

static void transform_put(struct writer *w, const struct cfg_isakmp_policy *p, uint8_t number, bool more)
{
	uint8_t attrs[64];
	struct writer a = writer_of(attrs, sizeof(attrs));
	const struct cipher_alg *c = cipher_find(p->encryption);
	union payload_value v = { .transform = { .number = number, .id = TRANSFORM_KEY_IKE } };

	attribute_encode(&a, ATTR1_ENCRYPTION, c->ikev1_enc);
	if (c->key_bits_attr != 0)
		attribute_encode(&a, ATTR1_KEY_LENGTH, c->key_bits_attr);
	attribute_encode(&a, ATTR1_HASH, hash_find(p->hash)->ikev1_hash);
	attribute_encode(&a, ATTR1_GROUP, p->group);
	attribute_encode(&a, ATTR1_AUTH, p->auth);
	attribute_encode(&a, ATTR1_LIFE_TYPE, LIFE_SECONDS);
	attribute_encode(&a, ATTR1_LIFE_DURATION, p->lifetime_s);
	v.transform.attributes = writer_span(&a);
	chain_put(w, PAYLOAD_TRANSFORM, more, &v);
}

/* Of an aggressive mode the group and the method are fixed before: public value and identity go with the offer. */
static bool policy_offered(const struct step *st, const struct cfg_isakmp_policy *p, enum alg_group only)
{
	return policy_usable(st->k, st->s, p) && (only == GROUP_NONE || (p->group == only && p->auth == st->s->terms.auth));
}

enum err offer_phase1(const struct step *st, enum alg_group only, struct writer *w)
{
	const struct ike *k = st->k;
	static uint8_t buf[SA_BODY_MAX]; /* single-threaded, as the whole core */
	struct writer t = writer_of(buf, sizeof(buf));
	union payload_value v = { .proposal = { .number = 1, .protocol = PROTO_ISAKMP } };
	uint8_t n = 0, total = 0;

	for (size_t i = 0; i < k->cfg->npolicies && total < TRANSFORMS_MAX; i++)
		total += policy_offered(st, &k->cfg->policies[i], only);
	for (size_t i = 0; i < k->cfg->npolicies && n < total; i++)
		if (policy_offered(st, &k->cfg->policies[i], only)) {
			n++;
			transform_put(&t, &k->cfg->policies[i], n, n < total);
		}
	if (n == 0)
		return ERR_NOT_FOUND;
	v.proposal.ntransforms = n;
	v.proposal.transforms = writer_span(&t);
	chain_put(w, PAYLOAD_PROPOSAL, false, &v);
	return t.failed || w->failed ? ERR_RANGE : ERR_OK;
}

/* The one proposal of phase 1. An SA payload of phase 1 has no other protocol than ISAKMP. */
static bool proposal_read(struct span proposals, struct payload_proposal *p)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL);
	union payload_value v;

	if (!chain_next(&c, &v) || v.proposal.protocol != PROTO_ISAKMP)
		return false;
	*p = v.proposal;
	return true;
}

static bool transform_match(struct step *st, const struct payload_proposal *p, const struct cfg_isakmp_policy *policy, bool strict,
	union payload_value *found, struct offer *o)
{
	struct chain c = chain_of(p->transforms, PAYLOAD_TRANSFORM);

	while (chain_next(&c, found)) {
		*o = offer_read(&found->transform);
		trace(st->k, 0, "Checking ISAKMP transform %u against priority %u policy", found->transform.number,
			policy->priority);
		if (policy_equals(st, policy, o) && (!strict || o->lifetime_s <= policy->lifetime_s)) {
			trace(st->k, 0, "atts are acceptable. Next payload is %u", 0);
			return true;
		}
		trace(st->k, 0, "atts are not acceptable. Next payload is %u", c.last ? 0 : 3);
	}
	return false;
}

static void echo_put(struct writer *w, const struct payload_proposal *p, const union payload_value *t)
{
	uint8_t buf[512];
	struct writer tw = writer_of(buf, sizeof(buf));
	union payload_value v = { .proposal = *p };

	chain_put(&tw, PAYLOAD_TRANSFORM, false, t);
	v.proposal.ntransforms = 1;
	v.proposal.transforms = writer_span(&tw);
	chain_put(w, PAYLOAD_PROPOSAL, false, &v);
	if (tw.failed)
		w->failed = true;
}

static void terms_set(struct ike_terms *t, const struct cfg_isakmp_policy *p, const struct offer *o)
{
	bool shorter = p->lifetime_s < o->lifetime_s;

	*t = (struct ike_terms){ .cipher = p->encryption,
		.hash = p->hash,
		.group = p->group,
		.auth = o->auth,
		.xauth = o->xauth,
		.lifetime_s = shorter ? p->lifetime_s : o->lifetime_s,
		.told_lifetime_s = shorter ? p->lifetime_s : 0 };
}

static void list_add(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);

	if (strstr(out, text) == NULL)
		snprintf(out + n, size - n, "%s%s", n == 0 ? "" : ", ", text);
}

static void mismatch_say(struct step *st, const struct payload_proposal *p)
{
	struct chain c = chain_of(p->transforms, PAYLOAD_TRANSFORM);
	union payload_value v;
	char offered[160] = "", wanted[160] = "", one[64];
	const struct cfg *cfg = st->k->cfg;

	while (chain_next(&c, &v)) {
		struct offer o = offer_read(&v.transform);

		offer_print(one, sizeof(one), &o);
		list_add(offered, sizeof(offered), one);
	}
	for (size_t i = 0; i < cfg->npolicies; i++) {
		char text[64];

		if (!policy_usable(st->k, st->s, &cfg->policies[i]))
			continue;
		policy_print(one, sizeof(one), &cfg->policies[i]);
		snprintf(text, sizeof(text), "%s (policy %u)", one, cfg->policies[i].priority);
		list_add(wanted, sizeof(wanted), text);
	}
	trace(st->k, 0, "no offers accepted!");
	trace(st->k, 0, "phase 1 SA policy not acceptable!");
	snprintf(st->why, sizeof(st->why), "no proposal matched (they offered %s; we want %s)",
		offered[0] ? offered : "nothing usable", wanted[0] ? wanted : "nothing: no policy with pre-shared keys");
}

bool choose_phase1(struct step *st, struct span proposals, struct ike_terms *terms, struct writer *echo)
{
	struct payload_proposal p;
	union payload_value t;
	struct offer o;

	if (!proposal_read(proposals, &p)) {
		snprintf(st->why, sizeof(st->why), "the offer is not for ISAKMP");
		return false;
	}
	for (int strict = 1; strict >= 0; strict--)
		for (size_t i = 0; i < st->k->cfg->npolicies; i++)
			if (transform_match(st, &p, &st->k->cfg->policies[i], strict != 0, &t, &o)) {
				terms_set(terms, &st->k->cfg->policies[i], &o);
				echo_put(echo, &p, &t);
				trace(st->k, 0, "Returning Actual lifetime: %u", terms->lifetime_s);
				return !echo->failed;
			}
	mismatch_say(st, &p);
	return false;
}

/* The responder must have chosen one of ours, unchanged but for the lifetime. */
bool accept_phase1(struct step *st, struct span proposals, struct ike_terms *terms)
{
	struct payload_proposal p;
	union payload_value t;
	struct offer o;

	if (!proposal_read(proposals, &p) || p.ntransforms != 1) {
		snprintf(st->why, sizeof(st->why), "the answer has not exactly one transform");
		return false;
	}
	for (size_t i = 0; i < st->k->cfg->npolicies; i++)
		if (transform_match(st, &p, &st->k->cfg->policies[i], false, &t, &o)) {
			terms_set(terms, &st->k->cfg->policies[i], &o);
			terms->told_lifetime_s = 0;
			return true;
		}
	mismatch_say(st, &p);
	return false;
}
