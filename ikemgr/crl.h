/* Certificate revocation lists: the store, and what a list says (RFC 5280, 5 and 6.3).
 *
 * A list is kept by its URL until its next update. Taken are whole lists of the certificate's own issuer; a delta list, an indirect
 * one, one of some reasons only, or one of the wrong kind of certificates is refused, with the reason.
 */
#ifndef POSTERN_IKEMGR_CRL_H
#define POSTERN_IKEMGR_CRL_H

#include "ikemgr/revocation.h"

#include <openssl/x509.h>
#include <time.h>

#define CRL_URL CFG_URL
#define CRL_WHY 120

/* Puts the first http:// URL of the certificate's distribution points that are for all reasons and of its own issuer into `url`.
 * False: there is none, and `why` says so. */
bool crl_url(char url[CRL_URL], X509 *cert, char why[CRL_WHY]);
/* What the list that is kept for the URL says; REVOKED_UNKNOWN: there is none, or none that is good for this certificate today. */
enum revoked crl_says(const struct ike *k, const char *url, X509 *cert, X509 *issuer);
/* Keeps what was fetched (DER). False: it is no good list, for the reason in `why`; what was kept before stays. */
bool crl_keep(struct ike *k, const char *url, struct span bytes, X509 *issuer, char why[CRL_WHY]);

time_t wall_s(const struct ike *k);

#endif
