/* The machine's clocks and OpenSSL's random generator. */
#include "platform/base/env.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <time.h>

static uint64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t system_now(void *ctx)
{
	(void)ctx;
	return clock_us(CLOCK_MONOTONIC);
}

static uint64_t system_wall(void *ctx)
{
	(void)ctx;
	return clock_us(CLOCK_REALTIME);
}

static void system_random(void *ctx, void *out, size_t n)
{
	unsigned char *p = out;

	(void)ctx;
	while (n > 0) {
		int part = n > 1 << 20 ? 1 << 20 : (int)n;

		/* A predictable nonce or key is worse than no program. */
		if (RAND_bytes(p, part) != 1)
			abort();
		p += part;
		n -= (size_t)part;
	}
}

const struct env env_system = { system_now, system_wall, system_random, NULL };
