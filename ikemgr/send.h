/* Messages out: sealed, kept, repeated (send.c). */
#ifndef POSTERN_IKEMGR_SEND_H
#define POSTERN_IKEMGR_SEND_H

#include "ikemgr/state.h"
#include "ikemgr/timer.h"

struct ike;
struct build;

/* The last message that went out, to be repeated; and the last that came in, to know it again. */
struct tx {
	uint8_t *packet; /* owned */
	size_t len;
	struct ike_path path;
	uint8_t tries, limit;
	bool have_seen;
	uint8_t seen[32]; /* SHA-256 of the last message that was accepted */
	uint8_t answered; /* repetitions answered since the last step */
	struct timer timer;
};
#define TX_ANSWERS_MAX 20

/* send.c */
/* Closes the message in `b`; encrypts it with the SA's key if `iv` is not NULL, and moves `iv` on. ERR_RANGE: too long. */
enum err message_seal(struct build *b, const struct sa_state *s, uint8_t *iv, struct span *packet) MUST_CHECK;
enum err message_open(struct ike *k, const struct sa_state *s, uint8_t *iv, struct span packet, struct span *plain) MUST_CHECK;
/* IV of a phase 2 exchange: hash(last block of phase 1 | message id), RFC 2409 appendix B. */
enum err message_iv(const struct sa_state *s, uint32_t message_id, uint8_t iv[CIPHER_BLOCK_MAX]) MUST_CHECK;
void packet_send(struct ike *k, const struct ike_path *path, struct span packet);
/* Keeps `packet` (already copied, taken over) as the last one and sends it; with `repeat` starts its timer. */
void tx_send(struct ike *k, struct tx *tx, const struct ike_path *path, uint8_t *packet, size_t len, bool repeat);
/* What is long goes out in fragments now, if both ends can. */
void tx_repeat(struct ike *k, struct tx *tx, const struct sa_state *s);
void tx_stop(struct ike *k, struct tx *tx);
void tx_free(struct ike *k, struct tx *tx);
uint64_t tx_wait_us(unsigned tries);

#endif
