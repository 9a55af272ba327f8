/* Key pairs as EVP_PKEYs. IKE's encoding differs from OpenSSL's in two places only: MODP values are padded to the length of
 * p, and a point has no leading 04. XDH keys have no parameters: they are raw.
 */
#include "ikemgr/crypto/dh.h"

#include "ikemgr/crypto/groups.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

struct dh {
	const struct group_alg *alg;
	EVP_PKEY *key;
};

#define POINT_UNCOMPRESSED 0x04

void dh_value_wipe(struct dh_value *v)
{
	wipe(v, sizeof(*v));
}

enum alg_group dh_group(const struct dh *d)
{
	return d->alg->id;
}

void dh_free(struct dh *d)
{
	if (!d)
		return;
	EVP_PKEY_free(d->key); /* clears the private number */
	mem_free(d);
}

/* OpenSSL calls the groups with a q of their own DHX. */
static const char *key_type(const struct group_alg *alg)
{
	return alg->kind == GROUP_ECP ? "EC" : alg->id == GROUP_24 ? "DHX" : "DH";
}

static bool push_group(OSSL_PARAM_BLD *b, const struct group_alg *alg, const struct modp *m)
{
	const char *name = alg->kind == GROUP_ECP ? ecp_name(alg->id) : modp_name(alg->id);

	if (name)
		return OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, name, 0) == 1;
	return m->p && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_FFC_P, m->p) == 1 &&
	       OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_FFC_G, m->g) == 1;
}

/* An EVP_PKEY of the group's parameters, with what there is of public value (wire form) and private number. */
static EVP_PKEY *build(const struct group_alg *alg, struct span public_value, const BIGNUM *private_number)
{
	uint8_t point[1 + DH_MAX] = { POINT_UNCOMPRESSED };
	struct modp m = { 0 };
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = NULL;
	BIGNUM *y = NULL;
	int selection = private_number ? EVP_PKEY_KEYPAIR : public_value.len ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEY_PARAMETERS;
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, key_type(alg), NULL);
	bool ok = b && ctx && public_value.len <= DH_MAX && (alg->kind == GROUP_ECP || modp_params(&m, alg)) &&
		  push_group(b, alg, &m);

	if (ok && public_value.len && alg->kind == GROUP_ECP) {
		memcpy(point + 1, public_value.data, public_value.len);
		ok = OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + public_value.len) == 1;
	} else if (ok && public_value.len) {
		y = BN_bin2bn(public_value.data, (int)public_value.len, NULL);
		ok = y && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PUB_KEY, y) == 1;
	}
	if (ok && private_number)
		ok = OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, private_number) == 1;
	params = ok ? OSSL_PARAM_BLD_to_param(b) : NULL;
	if (params && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &key, selection, params); /* leaves key NULL when it fails */
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	BN_free(y);
	modp_free(&m);
	return key;
}

static enum err wrap(struct dh **out, const struct group_alg *alg, EVP_PKEY *key)
{
	struct dh *d = key ? mem_zalloc(sizeof(*d)) : NULL;

	if (!d) {
		EVP_PKEY_free(key);
		return key ? ERR_NOMEM : ERR_CRYPTO;
	}
	d->alg = alg;
	d->key = key;
	*out = d;
	return ERR_OK;
}

enum err dh_new(struct dh **out, enum alg_group group)
{
	const struct group_alg *alg = group_find(group);
	EVP_PKEY *key = NULL;

	if (!alg)
		return ERR_UNSUPPORTED;
	EVP_PKEY *params = alg->kind == GROUP_XDH ? NULL : build(alg, (struct span){ 0 }, NULL);
	EVP_PKEY_CTX *ctx = params                   ? EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL)
			    : alg->kind == GROUP_XDH ? EVP_PKEY_CTX_new_from_name(NULL, alg->openssl, NULL)
						     : NULL;
	if (ctx && EVP_PKEY_keygen_init(ctx) == 1)
		(void)EVP_PKEY_generate(ctx, &key); /* leaves key NULL when it fails */
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(params);
	return wrap(out, alg, key);
}

/* g^x mod p, or x * G, in wire form. */
static bool public_of(const struct group_alg *alg, const BIGNUM *x, uint8_t *out)
{
	BN_CTX *ctx = BN_CTX_new();
	bool ok = false;

	if (alg->kind == GROUP_ECP) {
		EC_GROUP *curve = ecp_curve(alg);
		EC_POINT *point = curve ? EC_POINT_new(curve) : NULL;
		uint8_t buf[1 + DH_MAX];
		ok = ctx && point && BN_cmp(x, EC_GROUP_get0_order(curve)) < 0 &&
		     EC_POINT_mul(curve, point, x, NULL, NULL, ctx) == 1 &&
		     EC_POINT_point2oct(curve, point, POINT_CONVERSION_UNCOMPRESSED, buf, sizeof(buf), ctx) == 1u + alg->public_len;
		if (ok)
			memcpy(out, buf + 1, alg->public_len);
		EC_POINT_free(point);
		EC_GROUP_free(curve);
	} else {
		struct modp m;
		BIGNUM *y = BN_new();
		if (modp_params(&m, alg)) {
			ok = ctx && y && BN_cmp(x, m.q ? m.q : m.p) < 0 && BN_mod_exp(y, m.g, x, m.p, ctx) == 1 &&
			     BN_bn2binpad(y, out, alg->public_len) == alg->public_len;
			modp_free(&m);
		}
		BN_free(y);
	}
	BN_CTX_free(ctx);
	return ok;
}

enum err dh_new_from(struct dh **out, enum alg_group group, struct span private_value)
{
	const struct group_alg *alg = group_find(group);
	uint8_t public_value[DH_MAX];

	if (!alg)
		return ERR_UNSUPPORTED;
	if (private_value.len > DH_MAX || (alg->kind == GROUP_XDH && private_value.len != alg->public_len))
		return ERR_RANGE;
	if (alg->kind == GROUP_XDH)
		return wrap(
			out, alg, EVP_PKEY_new_raw_private_key_ex(NULL, alg->openssl, NULL, private_value.data, private_value.len));
	BIGNUM *x = BN_secure_new();
	if (!x || !BN_bin2bn(private_value.data, (int)private_value.len, x)) {
		BN_clear_free(x);
		return ERR_NOMEM;
	}
	enum err e = ERR_RANGE;
	if (!BN_is_zero(x) && !BN_is_one(x) && public_of(alg, x, public_value))
		e = wrap(out, alg, build(alg, span_of(public_value, alg->public_len), x));
	BN_clear_free(x);
	return e;
}

enum err dh_public(const struct dh *d, struct dh_value *out)
{
	uint16_t len = d->alg->public_len;

	if (d->alg->kind == GROUP_XDH) {
		size_t n = len;
		if (EVP_PKEY_get_raw_public_key(d->key, out->bytes, &n) != 1 || n != len)
			return ERR_CRYPTO;
	} else if (d->alg->kind == GROUP_ECP) {
		uint8_t point[1 + DH_MAX];
		size_t n = 0;
		if (EVP_PKEY_get_octet_string_param(d->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &n) != 1 ||
			n != 1u + len || point[0] != POINT_UNCOMPRESSED)
			return ERR_CRYPTO;
		memcpy(out->bytes, point + 1, len);
	} else {
		BIGNUM *y = NULL;
		bool ok =
			EVP_PKEY_get_bn_param(d->key, OSSL_PKEY_PARAM_PUB_KEY, &y) == 1 && BN_bn2binpad(y, out->bytes, len) == len;
		BN_free(y);
		if (!ok)
			return ERR_CRYPTO;
	}
	out->len = len;
	return ERR_OK;
}

/* A MODP secret of 0 or 1 is known to everybody (RFC 2412, appendix A). OpenSSL refuses an XDH secret of zero itself. */
static bool trivial(const struct dh_value *v)
{
	uint8_t rest = 0;

	for (size_t i = 0; i + 1 < v->len; i++)
		rest |= v->bytes[i];
	return rest == 0 && v->bytes[v->len - 1] <= 1;
}

enum err dh_derive(const struct dh *d, struct span peer, struct dh_value *shared)
{
	struct dh_value v = { 0 };
	size_t n = sizeof(v.bytes);
	enum err e = dh_check(d->alg->id, peer);

	if (e != ERR_OK)
		return e;
	EVP_PKEY *theirs = d->alg->kind == GROUP_XDH
				   ? EVP_PKEY_new_raw_public_key_ex(NULL, d->alg->openssl, NULL, peer.data, peer.len)
				   : build(d->alg, peer, NULL);
	EVP_PKEY_CTX *ctx = theirs ? EVP_PKEY_CTX_new_from_pkey(NULL, d->key, NULL) : NULL;
	unsigned pad = 1;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &pad),
		OSSL_PARAM_construct_end(),
	};
	bool ok = ctx && EVP_PKEY_derive_init_ex(ctx, d->alg->kind == GROUP_MODP ? params : NULL) == 1 &&
		  EVP_PKEY_derive_set_peer(ctx, theirs) == 1 && EVP_PKEY_derive(ctx, v.bytes, &n) == 1 && n == d->alg->shared_len;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(theirs);
	ERR_clear_error();
	v.len = (uint16_t)n;
	if (ok && !trivial(&v))
		*shared = v;
	else
		e = ERR_CRYPTO;
	dh_value_wipe(&v);
	return e;
}
