/* Has the peer's certificate been revoked? By CRLs over HTTP, kept until their next update; by OCSP.
 *
 * Asked only about a certificate whose chain is trusted and whose holder has proved itself. The trustpoint says which methods, in
 * order: the next one when nothing can be learned by one, `none` lets the certificate pass.
 */
#ifndef POSTERN_IKEMGR_REVOCATION_H
#define POSTERN_IKEMGR_REVOCATION_H

#include "configdb/cfg.h"
#include "platform/base/bytes.h"
#include "platform/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct ike;
struct ike_sa;

enum revoked { REVOKED_UNKNOWN, REVOKED_NOT, REVOKED_YES, REVOKED_NO_ANSWER };
const char *revocation_text(enum revoked r);

/* Begins, or answers at once: false, and the SA's handshake has the result. */
bool revocation_ask(struct ike *k, struct ike_sa *sa, uint64_t serial);
/* What a fetch brought. True: the result is there; false: the next method has been asked. */
bool revocation_answer(struct ike *k, struct ike_sa *sa, uint64_t serial, enum err e, struct span bytes);
void revocation_free(struct ike *k);

#endif
