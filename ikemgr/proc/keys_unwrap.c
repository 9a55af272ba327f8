/* The key of an enveloped answer (RFC 8894 3.2.2, RFC 2315 10.3): RSA with PKCS #1 v1.5 padding, and nothing but a symmetric key
 * ever comes out. The asker has checked the CA's signature over it, so nobody else can use this as an oracle. */
#include "ikemgr/proc/keys.h"

#include "configdb/keypairs.h"
#include "platform/base/secret.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

static enum err decrypt(EVP_PKEY *key, struct span wrapped, uint8_t out[KEYS_CONTENT_MAX], uint8_t *len)
{
	uint8_t plain[KEYS_WRAPPED_MAX];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t n = sizeof(plain);
	bool ok = ctx != NULL && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_size(key) <= KEYS_WRAPPED_MAX &&
		  EVP_PKEY_decrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		  EVP_PKEY_decrypt(ctx, plain, &n, wrapped.data, wrapped.len) == 1 && n >= 8 && n <= KEYS_CONTENT_MAX;

	if (ok) {
		memcpy(out, plain, n);
		*len = (uint8_t)n;
	}
	wipe(plain, sizeof(plain));
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok ? ERR_OK : ERR_CRYPTO;
}

enum err keys_unwrap(struct secrets *db, const struct keys_unwrap_question *q, uint8_t out[KEYS_CONTENT_MAX], uint8_t *len)
{
	EVP_PKEY *key = NULL;
	enum err e;

	if (q->len == 0 || q->len > sizeof(q->wrapped))
		return ERR_INVALID;
	e = keypair_private(db, q->key_id, &key);
	if (e == ERR_OK)
		e = decrypt(key, span_of(q->wrapped, q->len), out, len);
	EVP_PKEY_free(key);
	return e;
}
