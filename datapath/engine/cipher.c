/* Keys, IVs, and the choice between OpenSSL and libipsec-mb. */
#include "datapath/engine/cipher_impl.h"

#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A lone packet costs several times OpenSSL's time in the multi-buffer pipeline; from four on it pays. */
#define CHAIN_MIN 4
#define CHAIN_MAX 64

static enum err check_lengths(const struct cipher_key *k, enum alg_hash auth, struct span key, struct span auth_key)
{
	if (key.len != (k->alg ? (size_t)k->alg->key_len + k->alg->salt_len : 0))
		return ERR_RANGE;
	if (k->alg && k->alg->aead)
		return auth == HASH_NONE && auth_key.len == 0 ? ERR_OK : ERR_UNSUPPORTED;
	if (!k->hash)
		return auth == HASH_NONE && k->alg && !cipher_needs_auth(k->alg) ? ERR_OK : ERR_UNSUPPORTED;
	return auth_key.len == k->hash->key_len ? ERR_OK : ERR_RANGE;
}

static void take_sizes(struct cipher_key *k)
{
	k->size.icv = (uint8_t)(k->hash ? k->hash->icv_len : 0);
	k->size.block = 4;
	if (!k->alg)
		return;
	k->size.iv = (uint8_t)k->alg->iv_len;
	if (k->alg->aead)
		k->size.icv = (uint8_t)k->alg->icv_len;
	if (k->alg->block_len > 4)
		k->size.block = (uint8_t)k->alg->block_len;
}

enum err cipher_key_new(struct cipher_key **out, enum alg_cipher cipher, enum alg_hash auth, struct span cipher_key,
	struct span auth_key, bool esn, bool seal)
{
	struct cipher_key *k = mem_zalloc(sizeof(*k));
	enum err e;

	if (!k)
		return ERR_NOMEM;
	k->alg = cipher == CIPHER_NONE ? NULL : cipher_find(cipher);
	k->hash = auth == HASH_NONE ? NULL : hash_find(auth);
	k->esn = esn;
	k->seal = seal;
	e = k->alg || cipher == CIPHER_NONE ? check_lengths(k, auth, cipher_key, auth_key) : ERR_UNSUPPORTED;
	if (e != ERR_OK)
		goto out;
	take_sizes(k);
	if (k->alg && k->alg->salt_len > 0)
		memcpy(k->salt, cipher_key.data + k->alg->key_len, sizeof(k->salt));
	e = openssl_key(k, cipher_key, auth_key);
#ifdef HAVE_IPSEC_MB
	if (e == ERR_OK && k->alg)
		k->mb = mb_key(k, cipher_key, auth_key);
#endif
out:
	if (e != ERR_OK)
		cipher_key_free(k);
	else
		*out = k;
	return e;
}

void cipher_key_free(struct cipher_key *k)
{
	if (!k)
		return;
	openssl_key_free(k);
#ifdef HAVE_IPSEC_MB
	mb_key_free(k->mb);
#endif
	mem_free_secret(k, sizeof(*k));
}

const struct cipher_sizes *cipher_key_sizes(const struct cipher_key *k)
{
	return &k->size;
}

struct cipher_batch *cipher_batch_new(bool mb)
{
	struct cipher_batch *b = mem_zalloc(sizeof(*b));

	if (!b)
		return NULL;
	b->pool_at = sizeof(b->pool);
#ifdef HAVE_IPSEC_MB
	if (mb)
		b->mb = mb_new();
	if (b->mb)
		snprintf(b->name, sizeof(b->name), "OpenSSL %s + %s", OpenSSL_version(OPENSSL_VERSION_STRING), mb_name(b->mb));
#endif
	(void)mb;
	if (!b->mb)
		snprintf(b->name, sizeof(b->name), "OpenSSL %s", OpenSSL_version(OPENSSL_VERSION_STRING));
	return b;
}

void cipher_batch_free(struct cipher_batch *b)
{
	if (!b)
		return;
#ifdef HAVE_IPSEC_MB
	mb_free(b->mb);
#endif
	mem_free_secret(b, sizeof(*b));
}

const char *cipher_batch_name(const struct cipher_batch *b)
{
	return b->name;
}

void cipher_iv(struct cipher_batch *b, const struct cipher_key *k, uint8_t *iv, uint64_t seq)
{
	if (k->alg->salt_len > 0) {
		for (int i = 0; i < 8; i++)
			iv[i] = (uint8_t)(seq >> (56 - 8 * i));
		return;
	}
	if (sizeof(b->pool) - b->pool_at < k->size.iv) {
		if (RAND_bytes(b->pool, sizeof(b->pool)) != 1)
			abort();
		b->pool_at = 0;
	}
	memcpy(iv, b->pool + b->pool_at, k->size.iv);
	b->pool_at += k->size.iv;
}

static void one(struct cipher_job *j)
{
	if (j->key->seal)
		openssl_seal(j);
	else
		openssl_open(j);
}

#ifdef HAVE_IPSEC_MB
static void chain_flush(struct cipher_batch *b, struct cipher_job **chain, size_t *n)
{
	if (*n >= CHAIN_MIN)
		mb_chain(b->mb, chain, *n);
	else
		for (size_t i = 0; i < *n; i++)
			one(chain[i]);
	*n = 0;
}

static void run_mb(struct cipher_batch *b, struct cipher_job *jobs, size_t n)
{
	struct cipher_job *chain[CHAIN_MAX];
	size_t waiting = 0;

	for (size_t i = 0; i < n; i++) {
		struct cipher_job *j = &jobs[i];

		if (!j->key->mb) {
			one(j);
		} else if (j->key->alg->aead) {
			if (!mb_aead(b->mb, j))
				one(j);
		} else {
			chain[waiting++] = j;
			if (waiting == CHAIN_MAX)
				chain_flush(b, chain, &waiting);
		}
	}
	chain_flush(b, chain, &waiting);
}
#endif

static void run(struct cipher_batch *b, struct cipher_job *jobs, size_t n)
{
#ifdef HAVE_IPSEC_MB
	if (b->mb) {
		run_mb(b, jobs, n);
		return;
	}
#endif
	(void)b;
	for (size_t i = 0; i < n; i++)
		one(&jobs[i]);
}

void cipher_seal(struct cipher_batch *b, struct cipher_job *jobs, size_t n)
{
	run(b, jobs, n);
}

void cipher_open(struct cipher_batch *b, struct cipher_job *jobs, size_t n)
{
	run(b, jobs, n);
}
