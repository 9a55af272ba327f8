/* OCSP (RFC 6960): the request for one certificate, and what an answer says of it. Without a nonce, as responders that serve
 * prepared answers want it (RFC 5019): freshness is nextUpdate's matter. */
#ifndef POSTERN_IKEMGR_OCSP_H
#define POSTERN_IKEMGR_OCSP_H

#include "ikemgr/revocation.h"

#include <openssl/x509.h>

bool ocsp_url(char *url, size_t size, X509 *cert);
/* DER into *out, freed with OPENSSL_free; its length, 0: failed. */
size_t ocsp_request(uint8_t **out, X509 *cert, X509 *issuer);
/* The answer must be signed by the issuer, or by somebody whom it has delegated (id-kp-OCSPSigning). */
enum revoked ocsp_says(struct span bytes, X509 *cert, X509 *issuer);

/* revocation.c: an http:// URL of printable characters. */
bool url_take(char *url, size_t size, const ASN1_STRING *s);

#endif
