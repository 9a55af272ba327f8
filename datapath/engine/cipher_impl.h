/* Inside cipher*.c only. */
#ifndef POSTERN_ENGINE_CIPHER_IMPL_H
#define POSTERN_ENGINE_CIPHER_IMPL_H

#include "datapath/engine/cipher.h"

#include <openssl/evp.h>

#define CIPHER_ICV_MAX 32
#define CIPHER_IV_POOL 4096

struct cipher_mb_key; /* expanded for libipsec-mb; NULL: not for it */
struct cipher_mb;

struct xcbc;

struct cipher_key {
	const struct cipher_alg *alg; /* NULL: AH */
	const struct hash_alg *hash;  /* NULL with an AEAD or without authentication */
	struct cipher_sizes size;
	bool esn, seal;
	uint8_t salt[4];
	EVP_CIPHER_CTX *ctx; /* NULL for NULL encryption and AH */
	EVP_MAC_CTX *mac;
	struct xcbc *xcbc; /* in place of mac where OpenSSL has none */
	struct cipher_mb_key *mb;
};

struct cipher_batch {
	struct cipher_mb *mb; /* NULL: OpenSSL alone */
	char name[96];
	uint8_t pool[CIPHER_IV_POOL]; /* random bytes for IVs */
	size_t pool_at;
};

enum err openssl_key(struct cipher_key *k, struct span key, struct span auth) MUST_CHECK;
void openssl_key_free(struct cipher_key *k);
void openssl_seal(struct cipher_job *j);
void openssl_open(struct cipher_job *j);

static inline void cipher_nonce(const struct cipher_job *j, uint8_t nonce[12])
{
	__builtin_memcpy(nonce, j->key->salt, 4);
	__builtin_memcpy(nonce + 4, j->esp + 8, 8);
}

/* AES-XCBC-MAC (RFC 3566). NULL: OpenSSL failed. */
struct xcbc *xcbc_new(struct span key);
void xcbc_free(struct xcbc *x);
bool xcbc_mac(struct xcbc *x, const struct span *parts, size_t nparts, uint8_t out[16]);

#ifdef HAVE_IPSEC_MB
struct cipher_mb *mb_new(void); /* NULL: the processor lacks it */
void mb_free(struct cipher_mb *m);
const char *mb_name(const struct cipher_mb *m);
/* NULL when this algorithm stays with OpenSSL. */
struct cipher_mb_key *mb_key(const struct cipher_key *k, struct span key, struct span auth);
void mb_key_free(struct cipher_mb_key *k);
/* False: not this one (GMAC with extended sequence numbers); OpenSSL has to. */
bool mb_aead(struct cipher_mb *m, struct cipher_job *j);
/* Jobs of CBC and HMAC, all of them at once; at most 64. */
void mb_chain(struct cipher_mb *m, struct cipher_job *const *jobs, size_t n);
#endif

#endif
