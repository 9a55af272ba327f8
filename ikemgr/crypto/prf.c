/* HMAC and its expansions, through EVP_MAC. The context of the key is made once and duplicated for each round. */
#include "ikemgr/crypto/prf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

_Static_assert(PRF_MAX <= SECRET_MAX, "a prf output fits a secret");

enum err prf_hash(enum alg_hash hash, const struct span *parts, size_t nparts, struct secret *out)
{
	const struct hash_alg *alg = hash_find(hash);
	unsigned len = 0;
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (!alg)
		return ERR_UNSUPPORTED;
	EVP_MD *md = EVP_MD_fetch(NULL, alg->openssl, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = md && ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
	for (size_t i = 0; ok && i < nparts; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	enum err e = ok ? secret_set(out, span_of(digest, len)) : ERR_CRYPTO;
	wipe(digest, sizeof(digest));
	return e;
}

/* A context that holds the key and no data. NULL: the hash is not there, or OpenSSL failed. */
static EVP_MAC_CTX *keyed(const struct hash_alg *alg, struct span key)
{
	static const uint8_t empty[1];
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)alg->openssl, 0),
		OSSL_PARAM_construct_end(),
	};
	/* OpenSSL takes a null key for "none given", which an empty one is not. */
	if (ctx && EVP_MAC_init(ctx, key.len ? key.data : empty, key.len, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_MAC_free(mac);
	return ctx;
}

/* prf(key of `base`, before | parts) */
static enum err round_of(const EVP_MAC_CTX *base, struct span before, const struct span *parts, size_t nparts, struct secret *out)
{
	size_t len = 0;
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(base);
	bool ok = ctx && EVP_MAC_update(ctx, before.data, before.len) == 1;

	for (size_t i = 0; ok && i < nparts; i++)
		ok = EVP_MAC_update(ctx, parts[i].data, parts[i].len) == 1;
	ok = ok && EVP_MAC_final(ctx, out->bytes, &len, sizeof(out->bytes)) == 1;
	EVP_MAC_CTX_free(ctx);
	if (!ok)
		return ERR_CRYPTO;
	out->len = (uint16_t)len;
	return ERR_OK;
}

enum err prf_hmac(enum alg_hash hash, struct span key, const struct span *parts, size_t nparts, struct secret *out)
{
	const struct hash_alg *alg = hash_find(hash);
	const struct span none = { 0 };
	struct secret mac = { 0 };

	if (!alg)
		return ERR_UNSUPPORTED;
	EVP_MAC_CTX *ctx = keyed(alg, key);
	enum err e = ctx ? round_of(ctx, none, parts, nparts, &mac) : ERR_CRYPTO;
	EVP_MAC_CTX_free(ctx);
	if (e == ERR_OK)
		*out = mac;
	secret_wipe(&mac);
	return e;
}

/* The expansions differ in what follows the previous block: the seed, or nothing. */
enum expansion { KEYMAT, APPENDIX_B };

static enum err expand(enum expansion form, enum alg_hash hash, struct span key, const struct span *seed, size_t nseed, size_t len,
	struct secret *out)
{
	const struct hash_alg *alg = hash_find(hash);
	struct secret block = { 0 }, result = { 0 };
	enum err e = ERR_OK;

	if (!alg)
		return ERR_UNSUPPORTED;
	if (len > SECRET_MAX)
		return ERR_RANGE;
	EVP_MAC_CTX *ctx = keyed(alg, key);
	if (!ctx)
		return ERR_CRYPTO;
	while (result.len < len) {
		bool no_seed = form == APPENDIX_B && result.len > 0;
		e = round_of(ctx, secret_span(&block), seed, no_seed ? 0 : nseed, &block);
		if (e != ERR_OK)
			goto out;
		size_t left = len - result.len, take = block.len < left ? block.len : left;
		memcpy(result.bytes + result.len, block.bytes, take);
		result.len += (uint16_t)take;
	}
	*out = result;
out:
	EVP_MAC_CTX_free(ctx);
	secret_wipe(&block);
	secret_wipe(&result);
	return e;
}

enum err prf_keymat(enum alg_hash hash, struct span key, const struct span *seed, size_t nseed, size_t len, struct secret *out)
{
	return expand(KEYMAT, hash, key, seed, nseed, len, out);
}

enum err prf_phase1_key(enum alg_hash hash, struct span skeyid_e, size_t len, struct secret *out)
{
	static const uint8_t zero[1];

	if (len <= skeyid_e.len)
		return secret_set(out, span_of(skeyid_e.data, len));
	const struct span seed = span_of(zero, 1);
	return expand(APPENDIX_B, hash, skeyid_e, &seed, 1, len, out);
}
