/* The router's key pairs (`crypto key …`), in keys.db beside the other secrets: the public half in clear, the private half
 * sealed with the machine key. configd makes and removes them, ikemgrd's `keys` process reads them to sign.
 *
 * As on IOS they are no part of the configuration: they come and go with `crypto key generate` and `zeroize`, at once.
 */
#ifndef POSTERN_CONFIGDB_KEYPAIRS_H
#define POSTERN_CONFIGDB_KEYPAIRS_H

#include "configdb/cfg.h"
#include "configdb/secrets.h"

#include <openssl/evp.h>

enum keypair_type { KEYPAIR_RSA = 1, KEYPAIR_EC };

#define KEYPAIR_PUBLIC_MAX  600  /* SubjectPublicKeyInfo of RSA 4096: 550 */
#define KEYPAIR_PRIVATE_MAX 4096 /* DER of RSA 4096: 2,350 */

struct keypair {
	uint64_t id; /* never used again */
	char label[CFG_NAME];
	uint8_t type; /* enum keypair_type */
	bool exportable;
	uint16_t bits;
	uint64_t made_us;
	uint16_t public_len;
	uint8_t public[KEYPAIR_PUBLIC_MAX]; /* DER SubjectPublicKeyInfo */
};

/* A new one: RSA of `bits`, or EC on the curve of 256, 384 or 521. Slow (RSA). NULL: OpenSSL failed. */
EVP_PKEY *keypair_make(enum keypair_type type, unsigned bits);
/* Type and size of a key: ERR_UNSUPPORTED if it is neither RSA of 512..4096 bits nor on one of the three curves. */
enum err keypair_describe(const EVP_PKEY *key, struct keypair *out) MUST_CHECK;

/* Stores; a pair of the same label and type is replaced. `k->id` is set. */
enum err keypair_put(struct secrets *s, struct keypair *k, const EVP_PKEY *key) MUST_CHECK;
/* By label (of any type when `type` is 0), or by id. */
enum err keypair_find(struct secrets *s, unsigned type, const char *label, struct keypair *out) MUST_CHECK;
/* By public half: whose key is this certificate's? */
enum err keypair_of_public(struct secrets *s, const EVP_PKEY *public, struct keypair *out) MUST_CHECK;
/* Oldest first. */
enum err keypair_each(struct secrets *s, void (*each)(void *ctx, const struct keypair *k), void *ctx) MUST_CHECK;
enum err keypair_delete(struct secrets *s, uint64_t id) MUST_CHECK;
/* The caller frees with EVP_PKEY_free (which wipes). */
enum err keypair_private(struct secrets *s, uint64_t id, EVP_PKEY **out) MUST_CHECK;

#endif
