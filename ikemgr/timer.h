/* Timers of the IKE core: a binary heap on the virtual or real clock that its host gives.
 *
 * A timer lives inside its owner; the heap has a place for it from timer_reserve on, so that setting one cannot fail.
 */
#ifndef POSTERN_IKEMGR_TIMER_H
#define POSTERN_IKEMGR_TIMER_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct timer {
	uint64_t at;  /* microseconds; meaningful while set */
	size_t place; /* in the heap, from 1; 0: not set */
	void (*fire)(void *ctx, void *owner);
	void *owner;
};

struct timers {
	struct timer **heap; /* from 1 */
	size_t n, reserved, size;
};

/* Room for `n` more timers; ERR_NOMEM leaves all as it was. Given back by timer_release. */
enum err timer_reserve(struct timers *t, size_t n) MUST_CHECK;
void timer_release(struct timers *t, size_t n);
void timer_set(struct timers *t, struct timer *m, uint64_t at); /* moves one that is set; TIMER_NEVER stops it */
void timer_stop(struct timers *t, struct timer *m);
uint64_t timer_next(const struct timers *t); /* TIMER_NEVER: none */
/* Takes out the first timer if it is due, else NULL. */
struct timer *timer_due(struct timers *t, uint64_t now);
void timers_free(struct timers *t);

#endif
