/* Time and chance, passed in from outside so that a test can own both. */
#ifndef POSTERN_BASE_ENV_H
#define POSTERN_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

struct env {
	/* Monotonic microseconds; never steps. */
	uint64_t (*now_us)(void *ctx);
	/* Wall clock, microseconds since 1970. */
	uint64_t (*wall_us)(void *ctx);
	/* Fills `out` with unpredictable bytes; never fails (the real one aborts the program instead). */
	void (*random)(void *ctx, void *out, size_t n);
	void *ctx;
};

/* The machine's clock and OpenSSL's generator. */
extern const struct env env_system;

#endif
