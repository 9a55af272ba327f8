/* Has a certificate of the peer's chain been revoked? By CRLs over HTTP, by OCSP.
 *
 * Asked only about a chain that is trusted and whose holder has proved itself. Each certificate below the trust anchor is asked
 * for, from the top of the chain down. The trustpoint that it falls under says which methods, in order: the next one when nothing
 * can be learned by one, `none` lets the certificate pass.
 */
#ifndef POSTERN_IKEMGR_REVOCATION_H
#define POSTERN_IKEMGR_REVOCATION_H

#include "configdb/cfg.h"
#include "platform/base/bytes.h"
#include "platform/base/err.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <stdbool.h>
#include <stdint.h>

struct handshake;
struct ike;
struct ike_sa;

enum revoked { REVOKED_UNKNOWN, REVOKED_NOT, REVOKED_YES, REVOKED_NO_ANSWER };
/* Which certificate of the handshake's chain was refused, and why. */
void revocation_text(const struct handshake *h, char *out, size_t size);

/* Begins, or answers at once: true, and the SA's handshake has the result. */
bool revocation_ask(struct ike *k, struct ike_sa *sa, uint64_t serial);
/* What a fetch brought. True: the result is there; false: the next question is under way. */
bool revocation_answer(struct ike *k, struct ike_sa *sa, uint64_t serial, enum err e, struct span bytes);

/* crl.c */
void crls_free(struct ike *k);
/* Takes what a fetch brought if ike_crl_request has asked for it. */
bool crl_requested(struct ike *k, uint64_t serial, enum err e, struct span bytes);

/* Is the digest (NID) of a signature one that nobody should trust any more? */
static inline bool digest_old(int nid)
{
	return nid == NID_sha1 || nid == NID_md5 || nid == NID_md4 || nid == NID_md2;
}
/* An http:// URL of printable characters. */
bool url_take(char *url, size_t size, const ASN1_STRING *s);

#endif
