/* Readers that take no lock: workers read tables that the control thread changes by swapping pointers.
 *
 * A worker is online while it works on a batch and holds no pointer from one online period into the next. The control thread
 * unlinks, waits with rcu_wait until every worker that was online has gone offline once, then frees.
 */
#ifndef POSTERN_ENGINE_RCU_H
#define POSTERN_ENGINE_RCU_H

#include <stddef.h>
#include <stdint.h>

struct rcu_reader {
	uint64_t epoch; /* 0: offline */
} __attribute__((aligned(64)));

struct rcu {
	uint64_t epoch;
	struct rcu_reader *readers[4];
	size_t nreaders;
};

void rcu_init(struct rcu *r);
/* Before the reader's thread starts. */
void rcu_register(struct rcu *r, struct rcu_reader *reader);
void rcu_online(struct rcu *r, struct rcu_reader *reader);
void rcu_offline(struct rcu_reader *reader);
/* Control thread only. A batch lasts well under a millisecond; sleeping workers are offline. */
void rcu_wait(struct rcu *r);

#define RCU_GET(p)    __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define RCU_SET(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

#endif
