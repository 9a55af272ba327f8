/* What a crypto map entry lacks. Pure functions over struct cfg. */
#include "cfg.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FAULT_TEXT (2 * CFG_NAME + 64)

static const char *fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *fault(const char *fmt, ...)
{
	static _Thread_local char text[FAULT_TEXT];
	char now[FAULT_TEXT]; /* an argument may be the text of before */
	va_list args;

	va_start(args, fmt);
	vsnprintf(now, sizeof(now), fmt, args);
	va_end(args);
	memcpy(text, now, sizeof(text));
	return text;
}

static const char *list_fault(const struct cfg *c, const struct cfg_map_entry *e)
{
	const struct cfg_acl *acl = cfg_acl(c, e->acl);

	if (!acl || !acl->extended)
		return fault("access-list %s %s", e->acl, acl ? "is not an extended one" : "does not exist");
	return NULL;
}

const char *cfg_set_ikev1_fault(const struct cfg_transform_set *s)
{
	const struct cipher_alg *cipher = cipher_find(s->cipher);
	const struct hash_alg *auth = hash_find(s->auth), *ah = hash_find(s->ah);

	/* A row that the library of today lacks is a set that cannot be used at all. */
	if ((s->cipher != CIPHER_NONE && !cipher) || (s->auth != HASH_NONE && !auth) || (s->ah != HASH_NONE && !ah))
		return "its algorithm is not available";
	if (cipher && !cipher->ikev1_esp)
		return fault("it has no number for %s", cipher->ios_esp);
	if (auth && !auth->ikev1_auth)
		return fault("it has no number for %s", auth->ios_esp);
	return ah && !ah->ikev1_ah ? fault("it has no number for %s", ah->ios_ah) : NULL;
}

/* One that can be used will do. */
static const char *sets_fault(const struct cfg *c, const struct cfg_map_entry *e)
{
	const struct cfg_transform_set *s, *there = NULL;

	if (!e->nsets)
		return "no transform-set";
	for (size_t i = 0; i < e->nsets; i++) {
		s = cfg_transform_set(c, e->sets[i]);
		if (s && (e->kind == MAP_MANUAL || !cfg_set_ikev1_fault(s)))
			return NULL;
		there = there ? there : s;
	}
	if (!there)
		return fault("transform-set %s does not exist", e->sets[0]);
	return fault("IKEv1 cannot negotiate transform-set %s: %s", there->name, cfg_set_ikev1_fault(there));
}

static const char *profile_fault(const struct cfg *c, const struct cfg_map_entry *e)
{
	return !e->profile[0] || cfg_isakmp_profile(c, e->profile) ? NULL : fault("isakmp profile %s does not exist", e->profile);
}

static const char *key_fault(const char *direction, const char *what, uint64_t id, unsigned have, unsigned want)
{
	if (!want)
		return NULL;
	if (!id)
		return fault("no %s %s key", direction, what);
	return have < want ? fault("the %s %s key has %u of %u bytes", direction, what, have, want) : NULL;
}

static const char *direction_fault(const struct cfg_transform_set *s, const struct cfg_session_keys *k, const char *direction)
{
	const struct cipher_alg *cipher = cipher_find(s->cipher);
	const struct hash_alg *auth = hash_find(s->auth), *ah = hash_find(s->ah);
	const char *why = NULL;

	if (s->cipher != CIPHER_NONE && !k->esp_spi)
		return fault("no %s esp session key", direction);
	if (s->ah != HASH_NONE && !k->ah_spi)
		return fault("no %s ah session key", direction);
	if (cipher)
		why = key_fault(direction, "cipher", k->cipher_key_id, k->cipher_len, cipher->key_len + cipher->salt_len);
	if (!why && auth && cipher)
		why = key_fault(direction, "authenticator", k->auth_key_id, k->auth_len, auth->key_len);
	if (!why && ah)
		why = key_fault(direction, "ah", k->ah_key_id, k->ah_len, ah->key_len);
	return why;
}

/* One transform-set, and for it the keys of both directions. Counter modes must never see a key twice with the same counter, and
 * manual keys survive what counters do not (RFC 4106 2, RFC 3686 7, RFC 7634 2): they cannot be keyed by hand. */
static const char *keys_fault(const struct cfg *c, const struct cfg_map_entry *e)
{
	const struct cfg_transform_set *s = e->nsets ? cfg_transform_set(c, e->sets[0]) : NULL;
	const struct cipher_alg *cipher = s ? cipher_find(s->cipher) : NULL;
	const char *why = NULL;

	if (!s)
		return NULL;
	if (cipher && cipher->salt_len)
		return fault("%s cannot be keyed by hand: a restart would use its counters again", cipher->ios_esp);
	if (s->esn)
		return fault("extended sequence numbers are negotiated, and cannot be used with keys set by hand");
	why = direction_fault(s, &e->keys_in, "inbound");
	return why ? why : direction_fault(s, &e->keys_out, "outbound");
}

static const char *place_fault(const struct cfg *c, const struct cfg_map_entry *e)
{
	const struct cfg_map_entry *d = cfg_dynamic_first(c, e->dynamic);

	if (!d)
		return fault("dynamic map %s does not exist", e->dynamic);
	for (; d; d = cfg_dynamic_next(c, d))
		if (!cfg_map_entry_fault(c, d))
			return NULL;
	return fault("dynamic map %s has no complete entry", e->dynamic);
}

static bool is_dynamic_entry(const struct cfg *c, const struct cfg_map_entry *e)
{
	return c->ndynamics && e >= c->dynamics && e < c->dynamics + c->ndynamics;
}

const char *cfg_map_entry_fault(const struct cfg *c, const struct cfg_map_entry *e)
{
	bool dynamic = is_dynamic_entry(c, e);
	const char *why = NULL;

	if (e->kind == MAP_DYNAMIC)
		return place_fault(c, e);
	if (!dynamic && !e->npeers)
		return "no peer";
	if (!dynamic && !e->acl[0])
		return "no access-list";
	if (e->acl[0])
		why = list_fault(c, e);
	if (!why)
		why = sets_fault(c, e);
	if (!why)
		why = profile_fault(c, e);
	return why || e->kind != MAP_MANUAL ? why : keys_fault(c, e);
}
