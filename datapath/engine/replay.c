/* Replay window: a ring of words, RFC 6479; upper half of extended numbers, RFC 4303 A.2.2. */
#include "datapath/engine/replay.h"

#include <string.h>

void replay_init(struct replay *w, uint32_t size, bool esn)
{
	memset(w, 0, sizeof(*w));
	w->size = size > REPLAY_MAX ? REPLAY_MAX : size;
	w->esn = esn;
	if (esn && w->size < REPLAY_ESN_MIN)
		w->size = REPLAY_ESN_MIN;
}

/* The upper half is the one that puts the number nearest to the window; RFC 4303, A.2.2, cases A and B. */
static bool infer(const struct replay *w, uint32_t low, uint64_t *seq)
{
	uint32_t top_low = (uint32_t)w->top, high = (uint32_t)(w->top >> 32);
	uint32_t bottom = top_low - w->size + 1;

	if (top_low >= w->size - 1) {
		if (low < bottom && ++high == 0)
			return false;
	} else if (low >= bottom && high-- == 0) {
		return false;
	}
	*seq = (uint64_t)high << 32 | low;
	return true;
}

static bool seen(const struct replay *w, uint64_t seq)
{
	return w->seen[seq / 64 % REPLAY_WORDS] >> (seq % 64) & 1;
}

uint64_t replay_check(const struct replay *w, uint32_t seq_low)
{
	uint64_t seq = seq_low;

	if (w->esn && !infer(w, seq_low, &seq))
		return 0;
	if (w->size == 0)
		return seq != 0 ? seq : 1ull << 32; /* without a window the sender may count around: RFC 4303, 3.3.3 */
	if (seq == 0 || seq + w->size <= w->top || (seq <= w->top && seen(w, seq)))
		return 0;
	return seq;
}

bool replay_accept(struct replay *w, uint64_t seq)
{
	if (w->size == 0) {
		if ((uint32_t)seq > w->top)
			__atomic_store_n(&w->top, (uint32_t)seq, __ATOMIC_RELAXED);
		return true;
	}
	if (seq == 0 || seq + w->size <= w->top || (seq <= w->top && seen(w, seq)))
		return false;
	if (seq > w->top) {
		uint64_t words = seq / 64 - w->top / 64;

		for (uint64_t i = 1; i <= words && i <= REPLAY_WORDS; i++)
			w->seen[(w->top / 64 + i) % REPLAY_WORDS] = 0;
		__atomic_store_n(&w->top, seq, __ATOMIC_RELAXED); /* the console reads it meanwhile */
	}
	w->seen[seq / 64 % REPLAY_WORDS] |= 1ull << (seq % 64);
	return true;
}
