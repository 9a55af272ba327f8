/* CBC in place, through EVP_CIPHER without padding. */
#include "ikemgr/crypto/cipher.h"

#include "platform/base/secret.h"

#include <openssl/evp.h>
#include <string.h>

/* The row of a cipher that phase 1 can use, or NULL. */
static const struct cipher_alg *cbc(enum alg_cipher cipher)
{
	const struct cipher_alg *alg = cipher_find(cipher);

	return alg && alg->ikev1_enc && !alg->aead && alg->block_len > 1 && alg->block_len <= CIPHER_BLOCK_MAX ? alg : NULL;
}

size_t cipher_block(enum alg_cipher cipher)
{
	const struct cipher_alg *alg = cbc(cipher);

	return alg ? alg->block_len : 0;
}

size_t cipher_key_len(enum alg_cipher cipher)
{
	const struct cipher_alg *alg = cbc(cipher);

	return alg ? alg->key_len : 0;
}

static enum err run(enum alg_cipher cipher, bool encrypt, struct span key, uint8_t *iv, struct span data)
{
	const struct cipher_alg *alg = cbc(cipher);
	uint8_t next_iv[CIPHER_BLOCK_MAX];
	int done = 0, tail = 0;

	if (!alg)
		return ERR_UNSUPPORTED;
	if (key.len != alg->key_len || data.len == 0 || data.len % alg->block_len || data.len > INT32_MAX)
		return ERR_INVALID;
	EVP_CIPHER *evp = EVP_CIPHER_fetch(NULL, alg->openssl, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	/* The last ciphertext block is the next IV; decryption in place is about to overwrite it. */
	memcpy(next_iv, data.data + data.len - alg->block_len, alg->block_len);
	bool ok = evp && ctx && EVP_CipherInit_ex2(ctx, evp, key.data, iv, encrypt, NULL) == 1 &&
		  EVP_CIPHER_CTX_set_padding(ctx, 0) == 1;
	ok = ok && EVP_CipherUpdate(ctx, data.data, &done, data.data, (int)data.len) == 1 && (size_t)done == data.len;
	ok = ok && EVP_CipherFinal_ex(ctx, data.data + done, &tail) == 1 && tail == 0;
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(evp);
	if (!ok)
		return ERR_CRYPTO;
	memcpy(iv, encrypt ? data.data + data.len - alg->block_len : next_iv, alg->block_len);
	return ERR_OK;
}

enum err cipher_encrypt(enum alg_cipher cipher, struct span key, uint8_t *iv, struct span data)
{
	return run(cipher, true, key, iv, data);
}

enum err cipher_decrypt(enum alg_cipher cipher, struct span key, uint8_t *iv, struct span data)
{
	return run(cipher, false, key, iv, data);
}
