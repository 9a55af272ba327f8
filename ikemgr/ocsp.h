/* OCSP (RFC 6960): the request for one certificate, and what an answer says of it. */
#ifndef POSTERN_IKEMGR_OCSP_H
#define POSTERN_IKEMGR_OCSP_H

#include "ikemgr/revocation.h"

#include <openssl/x509.h>
#include <time.h>

#define OCSP_WHY 160

/* A question. Nonce (RFC 8954): with one, only an answer that has the same is taken; without (`ocsp disable-nonce`, for responders
 * that serve prepared answers, RFC 5019), freshness is nextUpdate's matter. */
struct ocsp_question {
	X509 *cert, *issuer;
	struct span nonce; /* empty: none */
};

/* The URL of the certificate's authority information access; false: it has none over http://. */
bool ocsp_url(char *url, size_t size, X509 *cert);
/* DER into *out, freed with OPENSSL_free; its length, 0: failed. */
size_t ocsp_request(uint8_t **out, const struct ocsp_question *q);
/* The answer must be signed by the issuer, or by somebody whom it has delegated (a certificate of its own with
 * id-kp-OCSPSigning), and be of `now`. REVOKED_UNKNOWN: nothing was learned, for the reason in `why`. */
enum revoked ocsp_says(struct span bytes, const struct ocsp_question *q, time_t now, char why[OCSP_WHY]);

#endif
