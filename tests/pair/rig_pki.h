/* A certification authority in memory, and nodes that have its certificates. */
#ifndef POSTERN_TESTS_PAIR_RIG_PKI_H
#define POSTERN_TESTS_PAIR_RIG_PKI_H

#include "rig.h"

#include <openssl/x509.h>

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

struct cert_want {
	const char *subject; /* "/CN=A" */
	const char *alt;     /* "IP:203.0.113.1", or NULL */
	const char *usage;   /* "digitalSignature", or NULL */
	const char *crl;     /* URL, or NULL */
	long from_s, to_s;   /* by the wall clock; to_s 0: far away */
	int rsa_bits;        /* 0: EC on P-256 */
	const EVP_MD *md;    /* NULL: SHA-256 */
};

struct authority *authority_new(const char *name);
void authority_free(struct authority *a);
X509 *authority_sign(struct authority *a, const struct cert_want *w, EVP_PKEY *key);
/* A CRL that has these certificates' serials; DER into `out`. */
size_t authority_crl(struct authority *a, X509 *const *revoked, size_t n, uint8_t *out, size_t size);

/* Gives the node a trustpoint with the CA's certificate and one of its own; a policy of that method in place of the pre-shared
 * keys. */
struct cfg_trustpoint *rig_enroll(struct node *n, struct authority *a, const struct cert_want *w);
/* Another trustpoint that trusts `a`. */
struct cfg_trustpoint *rig_trust(struct node *n, const char *name, struct authority *a);

#endif
