/* ESP's transforms by OpenSSL. Contexts are made once per key: setting the key again costs a third more, a new context
 * double. */
#include "datapath/engine/cipher_impl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>

static enum err cipher_context(struct cipher_key *k, struct span key)
{
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, k->alg->openssl, NULL);
	bool ok = false;

	k->ctx = EVP_CIPHER_CTX_new();
	if (c && k->ctx && EVP_CipherInit_ex2(k->ctx, c, key.data, NULL, k->seal, NULL) == 1)
		ok = EVP_CIPHER_CTX_set_padding(k->ctx, 0) == 1;
	EVP_CIPHER_free(c);
	return ok ? ERR_OK : ERR_CRYPTO;
}

static enum err mac_context(struct cipher_key *k, struct span auth)
{
	bool hmac = k->hash->mac && strcmp(k->hash->mac, "HMAC") == 0;
	EVP_MAC *mac = k->hash->mac ? EVP_MAC_fetch(NULL, k->hash->mac, NULL) : NULL;
	OSSL_PARAM p[] = { OSSL_PARAM_construct_utf8_string(
				   hmac ? OSSL_MAC_PARAM_DIGEST : OSSL_MAC_PARAM_CIPHER, (char *)k->hash->openssl, 0),
		OSSL_PARAM_construct_end() };
	bool ok = false;

	if (!k->hash->mac) {
		k->xcbc = xcbc_new(auth);
		return k->xcbc ? ERR_OK : ERR_CRYPTO;
	}
	k->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
	if (k->mac)
		ok = EVP_MAC_init(k->mac, auth.data, auth.len, p) == 1;
	EVP_MAC_free(mac);
	return ok ? ERR_OK : ERR_CRYPTO;
}

enum err openssl_key(struct cipher_key *k, struct span key, struct span auth)
{
	enum err e = ERR_OK;

	if (k->alg && k->alg->id != CIPHER_NULL)
		e = cipher_context(k, key);
	if (e == ERR_OK && k->hash)
		e = mac_context(k, auth);
	return e;
}

void openssl_key_free(struct cipher_key *k)
{
	EVP_CIPHER_CTX_free(k->ctx);
	EVP_MAC_CTX_free(k->mac);
	xcbc_free(k->xcbc);
}

static bool aead_start(struct cipher_job *j)
{
	struct cipher_key *k = j->key;
	uint8_t nonce[12], high[4] = { (uint8_t)(j->seq_high >> 24), (uint8_t)(j->seq_high >> 16), (uint8_t)(j->seq_high >> 8),
		(uint8_t)j->seq_high };
	int n;

	cipher_nonce(j, nonce);
	if (EVP_CipherInit_ex2(k->ctx, NULL, NULL, nonce, -1, NULL) != 1)
		return false;
	if (!k->esn)
		return EVP_CipherUpdate(k->ctx, NULL, &n, j->esp, 8) == 1;
	return EVP_CipherUpdate(k->ctx, NULL, &n, j->esp, 4) == 1 && EVP_CipherUpdate(k->ctx, NULL, &n, high, 4) == 1 &&
	       EVP_CipherUpdate(k->ctx, NULL, &n, j->esp + 4, 4) == 1;
}

/* GMAC authenticates IV and payload as further associated data and encrypts nothing: RFC 4543, 3. */
static bool aead_body(struct cipher_job *j)
{
	struct cipher_key *k = j->key;
	uint8_t *body = j->esp + 16;
	int n, len = (int)j->len - 16;

	if (k->alg->gmac)
		return EVP_CipherUpdate(k->ctx, NULL, &n, j->esp + 8, len + 8) == 1;
	return EVP_CipherUpdate(k->ctx, body, &n, body, len) == 1;
}

static bool aead_seal(struct cipher_job *j)
{
	uint8_t none[16];
	int n;

	return aead_start(j) && aead_body(j) && EVP_CipherFinal_ex(j->key->ctx, none, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(j->key->ctx, EVP_CTRL_AEAD_GET_TAG, j->key->size.icv, j->esp + j->len) == 1;
}

static bool aead_open(struct cipher_job *j)
{
	uint8_t none[16];
	int n;

	/* EVP_CipherFinal_ex compares in constant time. */
	return aead_start(j) && aead_body(j) &&
	       EVP_CIPHER_CTX_ctrl(j->key->ctx, EVP_CTRL_AEAD_SET_TAG, j->key->size.icv, j->esp + j->len) == 1 &&
	       EVP_CipherFinal_ex(j->key->ctx, none, &n) == 1;
}

static bool icv(struct cipher_job *j, uint8_t out[EVP_MAX_MD_SIZE])
{
	struct cipher_key *k = j->key;
	uint8_t high[4] = { (uint8_t)(j->seq_high >> 24), (uint8_t)(j->seq_high >> 16), (uint8_t)(j->seq_high >> 8),
		(uint8_t)j->seq_high };
	const struct span parts[] = { span_of(j->esp, j->len), span_of(high, k->esn ? 4 : 0) };
	size_t n;

	if (k->xcbc)
		return xcbc_mac(k->xcbc, parts, 2, out);
	if (EVP_MAC_init(k->mac, NULL, 0, NULL) != 1 || EVP_MAC_update(k->mac, j->esp, j->len) != 1)
		return false;
	if (k->esn && EVP_MAC_update(k->mac, high, 4) != 1)
		return false;
	return EVP_MAC_final(k->mac, out, &n, EVP_MAX_MD_SIZE) == 1 && n >= k->size.icv;
}

/* CBC, or counter mode: its block is nonce, IV, and a counter from 1 (RFC 3686, 4). */
static bool encrypt(struct cipher_job *j)
{
	struct cipher_key *k = j->key;
	uint8_t *iv = j->esp + 8, *body = iv + k->size.iv, counter[16] = { [15] = 1 };
	int n, len = (int)j->len - 8 - k->size.iv;

	if (!k->ctx)
		return true;
	if (k->alg->salt_len > 0) {
		cipher_nonce(j, counter);
		iv = counter;
	}
	return EVP_CipherInit_ex2(k->ctx, NULL, NULL, iv, -1, NULL) == 1 && EVP_CipherUpdate(k->ctx, body, &n, body, len) == 1 &&
	       n == len;
}

/* AH's ICV stands among the bytes that it covers, and counts as zero there: RFC 4302, 3.3.3.1. */
static void ah(struct cipher_job *j)
{
	uint8_t tag[EVP_MAX_MD_SIZE], came[CIPHER_ICV_MAX];
	uint8_t n = j->key->size.icv;

	memcpy(came, j->icv, n);
	memset(j->icv, 0, n);
	j->ok = icv(j, tag);
	if (j->key->seal)
		memcpy(j->icv, tag, n);
	else
		j->ok = j->ok && CRYPTO_memcmp(tag, came, n) == 0;
}

void openssl_seal(struct cipher_job *j)
{
	uint8_t tag[EVP_MAX_MD_SIZE];

	if (!j->key->alg) {
		ah(j);
		return;
	}
	if (j->key->alg->aead) {
		j->ok = aead_seal(j);
		return;
	}
	j->ok = encrypt(j);
	if (j->ok && j->key->hash) {
		j->ok = icv(j, tag);
		memcpy(j->esp + j->len, tag, j->key->size.icv);
	}
}

void openssl_open(struct cipher_job *j)
{
	uint8_t tag[EVP_MAX_MD_SIZE];

	if (!j->key->alg) {
		ah(j);
		return;
	}
	if (j->key->alg->aead) {
		j->ok = aead_open(j);
		return;
	}
	j->ok = !j->key->hash || (icv(j, tag) && CRYPTO_memcmp(tag, j->esp + j->len, j->key->size.icv) == 0);
	if (j->ok)
		j->ok = encrypt(j);
}
