/* Sealing and opening ESP packets in batches, and ICVs of AH: encryption and ICV, nothing else of either.
 *
 *   esp                                            esp + len
 *   | SPI 4 | sequence 4 | IV | ciphertext ....... | ICV |
 *   |<-------- under the ICV --------------------->|
 *              (with ESN the upper half of the sequence number is under it too: RFC 4303, 2.2.1; RFC 4106, 5)
 *
 * Two workings of the same interface: OpenSSL with contexts that live as long as the key, and libipsec-mb where it was built
 * in and the processor has what it wants. A batch may mix keys. All contexts belong to one thread.
 */
#ifndef POSTERN_ENGINE_CIPHER_H
#define POSTERN_ENGINE_CIPHER_H

#include "configdb/alg.h"
#include "platform/base/bytes.h"
#include "platform/base/err.h"

struct cipher_key;

struct cipher_job {
	struct cipher_key *key;
	uint8_t *esp;
	uint32_t len;      /* SPI to the end of the ciphertext, ICV apart */
	uint32_t seq_high; /* used with ESN */
	uint8_t *icv;      /* AH: where the ICV stands in [esp, esp + len), which is the whole packet without mutable fields */
	bool ok;           /* result */
};

struct cipher_sizes {
	uint8_t iv, icv;
	uint8_t block; /* what payload and trailer are padded to */
};

/* `cipher_key` has the salt at its end. CIPHER_NONE: AH, authentication alone. ERR_UNSUPPORTED: an algorithm that is not there, or
 * neither encryption nor authentication; ERR_RANGE: a key of the wrong length. The keys are copied into schedules; the caller wipes
 * its own. */
enum err cipher_key_new(struct cipher_key **out, enum alg_cipher cipher, enum alg_hash auth, struct span cipher_key,
	struct span auth_key, bool esn, bool seal) MUST_CHECK;
void cipher_key_free(struct cipher_key *k); /* wipes; NULL is fine */
const struct cipher_sizes *cipher_key_sizes(const struct cipher_key *k);

struct cipher_batch; /* one thread's working memory */
/* `mb`: use libipsec-mb where it can be used. NULL when out of memory. */
struct cipher_batch *cipher_batch_new(bool mb);
void cipher_batch_free(struct cipher_batch *b);
/* "OpenSSL 3.0.x", "OpenSSL 3.0.x + ipsec-mb 1.3.0 (AVX512)" */
const char *cipher_batch_name(const struct cipher_batch *b);

/* Fills the IV of a packet: a counter for the AEADs and counter mode (never twice with one key, so `seq` is never used twice),
 * unpredictable bytes for CBC. */
void cipher_iv(struct cipher_batch *b, const struct cipher_key *k, uint8_t *iv, uint64_t seq);
/* Encrypts in place and writes the ICV behind. */
void cipher_seal(struct cipher_batch *b, struct cipher_job *jobs, size_t n);
/* Verifies and decrypts in place; where the ICV is wrong `ok` is false and the bytes are of no use. */
void cipher_open(struct cipher_batch *b, struct cipher_job *jobs, size_t n);

#endif
