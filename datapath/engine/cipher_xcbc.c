/* AES-XCBC-MAC (RFC 3566, 4), which OpenSSL lacks: CBC with K1 over all blocks, the last one first mixed with K2, or padded
 * and mixed with K3. */
#include "datapath/engine/cipher_impl.h"

#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <string.h>

#define BLOCK 16
#define CHUNK 1024

struct xcbc {
	EVP_CIPHER_CTX *cbc; /* K1, no padding */
	uint8_t k2[BLOCK], k3[BLOCK];
	uint8_t last[BLOCK]; /* kept back until it is known whether more follows */
	size_t fill;
};

static EVP_CIPHER_CTX *context(const char *name, const uint8_t key[BLOCK])
{
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	static const uint8_t zero[BLOCK];

	if (!c || !ctx || EVP_EncryptInit_ex2(ctx, c, key, zero, NULL) != 1 || EVP_CIPHER_CTX_set_padding(ctx, 0) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_CIPHER_free(c);
	return ctx;
}

/* K1, K2, K3: blocks of 0x01, 0x02, 0x03 under the key. */
static bool derive(uint8_t keys[3][BLOCK], struct span key)
{
	EVP_CIPHER_CTX *ecb = context("AES-128-ECB", key.data);
	bool ok = ecb != NULL;
	int n;

	for (int i = 0; ok && i < 3; i++) {
		memset(keys[i], i + 1, BLOCK);
		ok = EVP_EncryptUpdate(ecb, keys[i], &n, keys[i], BLOCK) == 1 && n == BLOCK;
	}
	EVP_CIPHER_CTX_free(ecb);
	return ok;
}

struct xcbc *xcbc_new(struct span key)
{
	struct xcbc *x = mem_zalloc(sizeof(*x));
	uint8_t keys[3][BLOCK];

	if (x && key.len == BLOCK && derive(keys, key)) {
		memcpy(x->k2, keys[1], BLOCK);
		memcpy(x->k3, keys[2], BLOCK);
		x->cbc = context("AES-128-CBC", keys[0]);
	}
	wipe(keys, sizeof(keys));
	if (x && !x->cbc) {
		xcbc_free(x);
		return NULL;
	}
	return x;
}

void xcbc_free(struct xcbc *x)
{
	if (!x)
		return;
	EVP_CIPHER_CTX_free(x->cbc);
	mem_free_secret(x, sizeof(*x));
}

static bool blocks(struct xcbc *x, const uint8_t *data, size_t len)
{
	uint8_t sink[CHUNK];
	int n;

	return EVP_EncryptUpdate(x->cbc, sink, &n, data, (int)len) == 1;
}

static bool update(struct xcbc *x, const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t n;

		if (x->fill == BLOCK) {
			if (!blocks(x, x->last, BLOCK))
				return false;
			x->fill = 0;
		}
		if (x->fill == 0 && len > BLOCK) {
			n = (len - 1) / BLOCK * BLOCK;
			n = n < CHUNK ? n : CHUNK;
			if (!blocks(x, data, n))
				return false;
		} else {
			n = BLOCK - x->fill < len ? BLOCK - x->fill : len;
			memcpy(x->last + x->fill, data, n);
			x->fill += n;
		}
		data += n;
		len -= n;
	}
	return true;
}

bool xcbc_mac(struct xcbc *x, const struct span *parts, size_t nparts, uint8_t out[BLOCK])
{
	static const uint8_t zero[BLOCK];
	const uint8_t *mix;
	int n;

	x->fill = 0;
	if (EVP_EncryptInit_ex2(x->cbc, NULL, NULL, zero, NULL) != 1)
		return false;
	for (size_t i = 0; i < nparts; i++)
		if (!update(x, parts[i].data, parts[i].len))
			return false;
	mix = x->fill == BLOCK ? x->k2 : x->k3;
	if (x->fill < BLOCK) {
		memset(x->last + x->fill, 0, BLOCK - x->fill);
		x->last[x->fill] = 0x80;
	}
	for (int i = 0; i < BLOCK; i++)
		x->last[i] ^= mix[i];
	return EVP_EncryptUpdate(x->cbc, out, &n, x->last, BLOCK) == 1 && n == BLOCK;
}
