/* Hashes and pseudo-random functions of IKE, over lists of spans: `prf(key, a | b | c)` is written as it stands in the RFC.
 *
 * The prf is HMAC with the negotiated hash (RFC 2409, 4). Every function works for all rows of alg.h; ERR_UNSUPPORTED for a
 * hash that the library at hand lacks, ERR_CRYPTO when OpenSSL fails. All are safe to call from several threads.
 */
#ifndef POSTERN_IKEMGR_CRYPTO_PRF_H
#define POSTERN_IKEMGR_CRYPTO_PRF_H

#include "configdb/alg.h"
#include "platform/base/bytes.h"
#include "platform/base/err.h"
#include "platform/base/secret.h"

/* Longest output: SHA-512. */
#define PRF_MAX 64

/* For calls: prf_hmac(h, key, SPANS(a, b, c), &out) */
#define SPANS(...) (const struct span[]){ __VA_ARGS__ }, sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span)

/* hash(parts[0] | parts[1] | …) */
enum err prf_hash(enum alg_hash hash, const struct span *parts, size_t nparts, struct secret *out) MUST_CHECK;
/* prf(key, parts[0] | parts[1] | …). The key may be of any length, also empty. */
enum err prf_hmac(enum alg_hash hash, struct span key, const struct span *parts, size_t nparts, struct secret *out) MUST_CHECK;

/* `len` bytes of RFC 2409, 5.5: K1 = prf(key, seed), Kn = prf(key, Kn-1 | seed); KEYMAT = K1 | K2 | …
 * ERR_RANGE above SECRET_MAX. */
enum err prf_keymat(
	enum alg_hash hash, struct span key, const struct span *seed, size_t nseed, size_t len, struct secret *out) MUST_CHECK;
/* The key of the phase 1 cipher, RFC 2409 appendix B: the first `len` bytes of SKEYID_e, or, when that is too short, of
 * K1 | K2 | … with K1 = prf(SKEYID_e, 0), Kn = prf(SKEYID_e, Kn-1). */
enum err prf_phase1_key(enum alg_hash hash, struct span skeyid_e, size_t len, struct secret *out) MUST_CHECK;

#endif
