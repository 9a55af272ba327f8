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
	const char *subject;  /* "/CN=A" */
	const char *alt;      /* "IP:203.0.113.1", or NULL */
	const char *usage;    /* "digitalSignature", or NULL */
	const char *crl;      /* URL, or NULL */
	const char *ocsp;     /* the same */
	const char *extended; /* "OCSPSigning", or NULL */
	long from_s, to_s;    /* by the wall clock; to_s 0: far away */
	int rsa_bits;         /* 0: EC on P-256 */
	const EVP_MD *md;     /* NULL: SHA-256 */
};

struct authority *authority_new(const char *name);
/* One below `a`; `crl`: URL of the list that it may stand in, or NULL. */
struct authority *authority_below(struct authority *a, const char *name, const char *crl);
void authority_free(struct authority *a);
X509 *authority_sign(struct authority *a, const struct cert_want *w, EVP_PKEY *key);
/* A CRL that has these certificates' serials; DER into `out`. */
size_t authority_crl(struct authority *a, X509 *const *revoked, size_t n, uint8_t *out, size_t size);

/* The same with more to say; times by the wall clock, 0: as above. */
struct crl_want {
	X509 *const *revoked;
	size_t n;
	const char *point; /* issuing distribution point as openssl.cnf has it: "indirectCRL:TRUE"; NULL: none */
	bool delta;
	long last_s, next_s;
	const EVP_MD *md; /* NULL: SHA-256 */
};
size_t authority_crl_want(struct authority *a, const struct crl_want *w, uint8_t *out, size_t size);

/* A responder's answer to a request (DER) about one certificate of `a`'s. */
struct ocsp_want {
	int status;          /* V_OCSP_CERTSTATUS_… */
	EVP_PKEY *key;       /* who signs; NULL: the CA */
	X509 *cert;          /* and shows this certificate */
	long this_s, next_s; /* next_s 0: none */
	bool no_nonce;       /* leaves out the request's */
	const EVP_MD *md;    /* NULL: SHA-256 */
};
size_t authority_ocsp(struct authority *a, const struct ocsp_want *w, struct span request, uint8_t *out, size_t size);

/* Gives the node a trustpoint with the CA's certificate and one of its own; a policy of that method in place of the pre-shared
 * keys. */
struct cfg_trustpoint *rig_enroll(struct node *n, struct authority *a, const struct cert_want *w);
/* Another trustpoint that trusts `a`. */
struct cfg_trustpoint *rig_trust(struct node *n, const char *name, struct authority *a);

#endif
