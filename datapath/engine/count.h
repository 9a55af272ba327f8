/* Counters with one writer: a worker adds, the control thread reads at any moment. */
#ifndef POSTERN_ENGINE_COUNT_H
#define POSTERN_ENGINE_COUNT_H

#include "datapath/dp_api.h"

#define COUNT_ADD(c, n) __atomic_store_n(&(c), (c) + (n), __ATOMIC_RELAXED)
#define COUNT_GET(c)    __atomic_load_n(&(c), __ATOMIC_RELAXED)
#define FLAG_SET(f, v)  __atomic_store_n(&(f), (v), __ATOMIC_RELEASE)
#define FLAG_GET(f)     __atomic_load_n(&(f), __ATOMIC_ACQUIRE)

struct count {
	uint64_t packets, bytes;
	uint64_t drops[DP_DROP_COUNT];
};

static inline uint64_t count_errors(const struct count *c)
{
	uint64_t sum = 0;

	for (int i = 0; i < DP_DROP_COUNT; i++)
		sum += COUNT_GET(c->drops[i]);
	return sum;
}

/* What is shown is the difference to what stood there at the last `clear`: the worker's own numbers never step. */
static inline struct count count_read(const struct count *c, const struct count *base)
{
	struct count r = { COUNT_GET(c->packets) - base->packets, COUNT_GET(c->bytes) - base->bytes, { 0 } };

	for (int i = 0; i < DP_DROP_COUNT; i++)
		r.drops[i] = COUNT_GET(c->drops[i]) - base->drops[i];
	return r;
}

static inline void count_rebase(const struct count *c, struct count *base)
{
	static const struct count zero;

	*base = count_read(c, &zero);
}

#endif
