/* Derivations of RFC 2409 5 and appendix B (derive.c). */
#ifndef POSTERN_IKEMGR_DERIVE_H
#define POSTERN_IKEMGR_DERIVE_H

#include "ikemgr/rule.h"

enum err keys_phase1(struct sa_state *s, const struct handshake *h) MUST_CHECK; /* SKEYID_d, _a, _e, key, first IV */
enum err keys_hash_auth(const struct sa_state *s, const struct handshake *h, bool of_initiator, struct secret *out) MUST_CHECK;
/* prf(SKEYID_a, M-ID | parts): HASH(1), HASH(2) and informational; HASH(3) has a zero byte in front. */
enum err keys_hash_phase2(
	const struct sa_state *s, uint32_t message_id, const struct span *parts, size_t n, struct secret *out) MUST_CHECK;
enum err keys_hash_3(const struct sa_state *s, const struct quick_state *q, struct secret *out) MUST_CHECK;
enum err keys_child(const struct sa_state *s, struct quick_state *q) MUST_CHECK; /* keymat_in, keymat_out */
size_t keymat_len(const struct protection *p, enum part part);
/* prf over what stands behind the HASH payload, which must come first (quick_mode.c). */
enum err message_hash(
	const struct sa_state *s, uint32_t id, const struct message *m, struct span before, struct secret *out) MUST_CHECK;

#endif
