/* Replay window of one inbound SA (RFC 4303, 3.4.3 and appendix A).
 *
 * The window is a ring of 64-bit words, so that moving it clears words instead of shifting bits (RFC 6479).
 * replay_check() only reads: it may run before the ICV is known. replay_accept() is the only writer and runs
 * after the ICV was right, so a forged packet cannot move the window.
 */
#ifndef POSTERN_ENGINE_REPLAY_H
#define POSTERN_ENGINE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WORDS   32 /* 2,048 bits: a window of 1,024 and room for the word that is half outside */
#define REPLAY_MAX     1024
#define REPLAY_ESN_MIN 32

struct replay {
	uint64_t top;  /* highest sequence number accepted; 0: none yet */
	uint32_t size; /* packets, 1..REPLAY_MAX; 0: not checked */
	bool esn;
	uint64_t seen[REPLAY_WORDS];
};

/* `size` above REPLAY_MAX is cut; with extended sequence numbers it is at least REPLAY_ESN_MIN, since the upper half is inferred
 * from it. */
void replay_init(struct replay *w, uint32_t size, bool esn);
/* The full 64-bit sequence number for the 32 bits on the wire, or 0 if it is a replay, too old, or zero. */
uint64_t replay_check(const struct replay *w, uint32_t seq_low);
/* Marks a number that replay_check gave. False if it was taken in between (twice in one batch). */
bool replay_accept(struct replay *w, uint64_t seq);

#endif
