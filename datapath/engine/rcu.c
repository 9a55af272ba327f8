/* Grace periods by epochs. */
#include "datapath/engine/rcu.h"

#include <unistd.h>

void rcu_init(struct rcu *r)
{
	*r = (struct rcu){ .epoch = 1 };
}

void rcu_register(struct rcu *r, struct rcu_reader *reader)
{
	r->readers[r->nreaders++] = reader;
}

void rcu_online(struct rcu *r, struct rcu_reader *reader)
{
	__atomic_store_n(&reader->epoch, __atomic_load_n(&r->epoch, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
	/* No pointer is read before the epoch can be seen: either the writer waits for us, or we see what it wrote. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void rcu_offline(struct rcu_reader *reader)
{
	__atomic_store_n(&reader->epoch, 0, __ATOMIC_RELEASE);
}

void rcu_wait(struct rcu *r)
{
	uint64_t now = __atomic_add_fetch(&r->epoch, 1, __ATOMIC_SEQ_CST);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (size_t i = 0; i < r->nreaders; i++)
		for (;;) {
			uint64_t e = __atomic_load_n(&r->readers[i]->epoch, __ATOMIC_ACQUIRE);

			if (e == 0 || e >= now)
				break;
			usleep(20);
		}
}
