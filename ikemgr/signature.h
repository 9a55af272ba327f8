/* Phase 1 with signatures (RFC 2409 5.1): our certificate and key, the peer's certificate, both proofs. */
#ifndef POSTERN_IKEMGR_SIGNATURE_H
#define POSTERN_IKEMGR_SIGNATURE_H

#include "ikemgr/core.h"

/* Is the method one of signatures? */
bool auth_is_signature(uint16_t auth);
/* The certificate of ours that serves the method and that the SA's profile permits; NULL: none. */
const struct cfg_cert *credential(const struct ike *k, const struct sa_state *s, uint16_t auth);
bool credential_any(const struct ike *k, const struct sa_state *s); /* … for some policy */
/* Asks the peer for certificates of the CAs that we trust. */
void cert_requests_put(const struct step *st, struct build *b);

/* Pieces that main mode and aggressive mode share. */
/* SKEYID = prf(Ni_b | Nr_b, g^xy), and the keys. */
enum err sig_keys(struct step *st) MUST_CHECK;
/* Our identity into our half of the handshake, HASH over it kept to be signed; asks for the signature. */
enum err sig_begin(struct step *st) MUST_CHECK;
/* Its two halves, where messages lie between them. */
enum err sig_identity(struct step *st) MUST_CHECK;
enum err sig_ask(struct step *st) MUST_CHECK;
/* ID is put by the caller; CERT and SIG. */
void sig_put(struct step *st, struct build *b);
/* The peer's identity, certificate and proof; asks whether the certificate was revoked where that is wanted. */
enum err sig_take(struct step *st) MUST_CHECK;
/* Its two halves, where the keys come between them: certificate and identity, kept; the proof by the certificate that was kept. */
enum err sig_cert_take(struct step *st) MUST_CHECK;
enum err sig_prove(struct step *st, struct span sig) MUST_CHECK;
/* What is known of revocation by now. */
enum err sig_revoked(struct step *st) MUST_CHECK;
/* The unit (OU) of the peer's certificate, whole and in text; else empty. */
void sig_unit(const struct step *st, char out[CFG_NAME]);

#endif
