/* Diffie-Hellman in the groups of alg.h, in IKE's encoding.
 *
 *   MODP 1 2 5 14 15 16 18 (RFC 2409, 3526), 24 (RFC 5114)   public and shared value: left-padded to the length of p
 *   ECP 19 20 21 (RFC 5903), 28 29 30 (RFC 6954)              public value: x | y; shared value: x
 *   XDH 31 32 (RFC 8031)                                       both values: u, little-endian
 *
 * Slow: callers run it on worker threads; every function is safe there as long as one pair is used by one thread at a time.
 */
#ifndef POSTERN_IKEMGR_CRYPTO_DH_H
#define POSTERN_IKEMGR_CRYPTO_DH_H

#include "configdb/alg.h"
#include "platform/base/bytes.h"
#include "platform/base/err.h"

#define DH_MAX 1024 /* longest public or shared value, bytes: 8192 bit */

/* A public or shared value. */
struct dh_value {
	uint16_t len;
	uint8_t bytes[DH_MAX];
};
static inline struct span dh_span(const struct dh_value *v)
{
	return span_of(v->bytes, v->len);
}
void dh_value_wipe(struct dh_value *v);

struct dh; /* a key pair; its private half never leaves it */

/* A new random pair. ERR_UNSUPPORTED: no such group. The caller frees it. */
enum err dh_new(struct dh **out, enum alg_group group) MUST_CHECK;
/* A pair of a given private value (big-endian; XDH: as RFC 7748 writes it): for the published vectors. ERR_RANGE unless
 * 1 < private < order; XDH: ERR_RANGE for a wrong length. */
enum err dh_new_from(struct dh **out, enum alg_group group, struct span private_value) MUST_CHECK;
/* Wipes the private half. NULL is fine. */
void dh_free(struct dh *d);
enum alg_group dh_group(const struct dh *d);
enum err dh_public(const struct dh *d, struct dh_value *out) MUST_CHECK;
/* Checks the peer's value as dh_check does, then computes the shared value, which the caller wipes. ERR_CRYPTO if the result
 * is no secret (0 or 1; the point at infinity; XDH: zero, RFC 7748 6.1). */
enum err dh_derive(const struct dh *d, struct span peer, struct dh_value *shared) MUST_CHECK;

/* May `value` be used as a public value? ERR_INVALID: wrong length. ERR_RANGE: not in 2..p-2, not in the subgroup (group 24,
 * RFC 6989 2.3), coordinates not below p, or not on the curve (RFC 6989 2.3). */
enum err dh_check(enum alg_group group, struct span value) MUST_CHECK;

#endif
