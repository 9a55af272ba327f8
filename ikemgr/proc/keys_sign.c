/* Signatures of phase 1 (RFC 2409 5.1, RFC 4754), in the process that has the private keys. */
#include "ikemgr/proc/keys.h"

#include "configdb/keypairs.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

/* r | s, each as long as the curve's order. */
static enum err ecdsa_raw(const EVP_PKEY *key, struct span der, uint8_t *out, uint16_t *len)
{
	const uint8_t *at = der.data;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
	int half = (EVP_PKEY_get_bits(key) + 7) / 8;
	bool ok = sig != NULL && 2 * half <= IKE_SIGNATURE_MAX && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, half) == half &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + half, half) == half;

	ECDSA_SIG_free(sig);
	if (!ok)
		return ERR_CRYPTO;
	*len = (uint16_t)(2 * half);
	return ERR_OK;
}

static enum err sign(EVP_PKEY *key, struct span hash, uint8_t out[IKE_SIGNATURE_MAX], uint16_t *len)
{
	uint8_t raw[IKE_SIGNATURE_MAX];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool rsa = EVP_PKEY_is_a(key, "RSA");
	size_t n = sizeof(raw);
	enum err e = ERR_OK;

	if (ctx == NULL || EVP_PKEY_get_size(key) > IKE_SIGNATURE_MAX || EVP_PKEY_sign_init(ctx) != 1 ||
		(rsa && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1) ||
		EVP_PKEY_sign(ctx, raw, &n, hash.data, hash.len) != 1)
		e = ERR_CRYPTO;
	if (e == ERR_OK && rsa) {
		memcpy(out, raw, n);
		*len = (uint16_t)n;
	} else if (e == ERR_OK) {
		e = ecdsa_raw(key, span_of(raw, n), out, len);
	}
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return e;
}

enum err keys_sign(struct secrets *db, const struct ike_sign_request *q, uint8_t out[IKE_SIGNATURE_MAX], uint16_t *len)
{
	EVP_PKEY *key = NULL;
	enum err e;

	/* A bare hash of 16 to 64 bytes, and nothing else is ever signed. */
	if (q->hash_len < 16 || q->hash_len > sizeof(q->hash))
		return ERR_INVALID;
	e = keypair_private(db, q->key_id, &key);
	if (e == ERR_OK)
		e = sign(key, span_of(q->hash, q->hash_len), out, len);
	EVP_PKEY_free(key);
	return e;
}
