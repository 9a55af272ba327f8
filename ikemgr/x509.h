/* Trust in certificates: the one place that decides it. OpenSSL parses and builds the chain.
 *
 * Trust anchors are the CA certificates of authenticated trustpoints; a sub-CA may be one. What the peer sent besides its own
 * certificate only helps to build the chain. A trustpoint with `chain-validation continue` has its own CA validated by its parent.
 * Refused are, whatever the chain says: RSA keys below 1024 bits or with a public
 * exponent below 3, curves other than P-256, P-384 and P-521 by name, keys of other kinds, signatures with MD5 or SHA-1.
 */
#ifndef POSTERN_IKEMGR_X509_H
#define POSTERN_IKEMGR_X509_H

#include "configdb/cfg.h"
#include "ikemgr/codec/codec.h"

#include <openssl/x509.h>

#define X509_CERTS_MAX 8 /* of one message */
#define X509_CHAIN_MAX 8 /* from the peer's to the trust anchor */
#define X509_WHY       240

struct x509_trust {
	const struct cfg *cfg;
	/* Which trustpoints may vouch; n 0: all. */
	const char (*names)[CFG_NAME];
	size_t n;
	uint64_t wall_us;
};

/* A certificate of the chain, owned, and the trustpoint whose `revocation-check` it falls under. */
struct x509_link {
	X509 *cert;
	const struct cfg_trustpoint *trustpoint;
};

struct x509_leaf {
	X509 *cert; /* owned */
	const struct cfg_trustpoint *trustpoint;
	struct x509_link chain[X509_CHAIN_MAX]; /* the peer's first, the trust anchor last */
	size_t nchain;
	uint16_t notify; /* what to tell the peer when it failed */
};

/* The first of `certs` (DER) is the peer's. False: refused, with the reason. Whatever came out is freed with x509_leaf_free. */
bool x509_verify(const struct x509_trust *t, const struct span *certs, size_t n, struct x509_leaf *out, char why[X509_WHY]);
void x509_leaf_free(struct x509_leaf *l);

/* Is this a key that we use? */
bool x509_key_good(const EVP_PKEY *key, char why[X509_WHY]);
/* Does the certificate say so: subjectAltName for addresses and names, the subject for a distinguished name (RFC 4945 3.1)? */
bool x509_names(X509 *x, const struct payload_id *id);
/* `crypto pki certificate map` of that name: all rules of one entry hold. */
bool x509_map_matches(const struct cfg *cfg, const char *map, X509 *x);

/* Proofs of IKEv1 (RFC 2409 5.1, RFC 4754): `auth` is the method, the hash is HASH_I or HASH_R as it is. RSA: PKCS #1 block type 1
 * around the bare hash, exactly. ECDSA: r | s, the curve bound to the method. */
bool x509_proof_good(const EVP_PKEY *key, uint16_t auth, struct span hash, struct span signature);
/* Is this key one for the method? */
bool x509_key_fits(const EVP_PKEY *key, uint16_t auth);

#endif
