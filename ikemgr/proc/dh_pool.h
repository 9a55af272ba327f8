/* Diffie-Hellman on worker threads. The main thread knows pairs and jobs by serial numbers only; private values stay in here.
 *
 *   dh_pool_generate(7) --> worker --> generated(7, public value)       the pair waits under 7
 *   dh_pool_derive(7)   --> worker --> derived(7, shared value)         the pair is gone
 *
 * All calls and both callbacks are on the loop's thread; a callback never runs inside a call.
 */
#ifndef POSTERN_IKEMGR_PROC_DH_POOL_H
#define POSTERN_IKEMGR_PROC_DH_POOL_H

#include "ikemgr/crypto/dh.h"
#include "platform/base/loop.h"

struct dh_pool;

struct dh_pool_handlers {
	void (*generated)(void *ctx, uint64_t serial, enum err e, struct span public_value);
	/* `shared` is wiped after the call. */
	void (*derived)(void *ctx, uint64_t serial, enum err e, struct span shared);
};

/* Starts `threads` workers. NULL when they could not be made. */
struct dh_pool *dh_pool_new(struct loop *l, unsigned threads, const struct dh_pool_handlers *h, void *ctx);
/* Waits for what is being computed; calls nothing back. Before loop_free, and not while the loop runs. */
void dh_pool_free(struct dh_pool *p);

/* A pair of `group` under a serial of the caller's, unique among its pairs. Failure comes through the callback, too: ERR_LIMIT
 * when DH_POOL_PAIRS pairs are there already. */
#define DH_POOL_PAIRS 512
void dh_pool_generate(struct dh_pool *p, uint64_t serial, enum alg_group group);
/* Ends the pair of that serial; may be asked before it is made. ERR_NOT_FOUND through the callback. */
void dh_pool_derive(struct dh_pool *p, uint64_t serial, struct span peer_public);
/* Forgets the pair, whatever it is doing; its callbacks do not come any more. */
void dh_pool_drop(struct dh_pool *p, uint64_t serial);

#endif
