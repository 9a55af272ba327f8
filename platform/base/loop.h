/* The event loop: libevent behind the few calls that the programs need. Single-threaded; a thread of workers
 * reports through loop_post. */
#ifndef POSTERN_BASE_LOOP_H
#define POSTERN_BASE_LOOP_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_fd;
struct loop_timer;

struct loop *loop_new(void); /* NULL when out of memory */
void loop_free(struct loop *l);
int loop_run(struct loop *l); /* until loop_stop; returns its status */
void loop_stop(struct loop *l, int status);
/* SIGTERM and SIGINT stop the loop with status 0; SIGPIPE is ignored; `on_hup`, if not null, runs at SIGHUP. */
enum err loop_signals(struct loop *l, void (*on_hup)(void *ctx), void *ctx) MUST_CHECK;

#define LOOP_READ  1
#define LOOP_WRITE 2
/* Calls `fn` while `fd` is ready (level-triggered). The descriptor stays the caller's. */
struct loop_fd *loop_fd_add(struct loop *l, int fd, int what, void (*fn)(void *ctx, int fd, int what), void *ctx);
void loop_fd_set(struct loop_fd *f, int what); /* 0 pauses */
void loop_fd_del(struct loop_fd *f);           /* NULL is fine; allowed inside its own callback */

/* One-shot. `fn` runs once after loop_timer_set; setting again moves it. */
struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *ctx), void *ctx);
void loop_timer_set(struct loop_timer *t, uint64_t in_us);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/* From any thread: has the loop call `fn(ctx)` soon. False when the queue is full. */
bool loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx);

#endif
