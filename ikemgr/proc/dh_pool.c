/* A pair is one record for all of its life, and is with exactly one owner at a time: the main thread, or (as a job) the queue
 * and the worker that took it. So no lock is needed but the queue's.
 *
 *   NEW --generate--> [queue, worker] --> READY --derive--> [queue, worker] --> gone
 *
 * A pair that is dropped while it is away is freed when it comes home.
 */
#include "ikemgr/proc/dh_pool.h"

#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 16

struct pair {
	struct dh_pool *pool;
	uint64_t serial;
	enum alg_group group;
	bool away; /* in the queue or with a worker */
	bool dropped, wants_derive;
	/* The job's: not touched by the main thread while away. */
	bool derive;
	struct dh *dh;
	struct dh_value peer, result;
	enum err e;
	struct pair *next; /* in the queue */
};

struct dh_pool {
	struct loop *loop;
	const struct dh_pool_handlers *h;
	void *ctx;
	struct pair *pairs[DH_POOL_PAIRS];
	size_t npairs;

	pthread_mutex_t lock;
	pthread_cond_t work;
	struct pair *first, **last;
	bool stop;
	pthread_t threads[THREADS_MAX];
	unsigned nthreads;
};

static void run(struct pair *j)
{
	if (!j->derive) {
		j->e = dh_new(&j->dh, j->group);
		if (j->e == ERR_OK)
			j->e = dh_public(j->dh, &j->result);
		return;
	}
	j->e = dh_derive(j->dh, dh_span(&j->peer), &j->result);
	dh_free(j->dh);
	j->dh = NULL;
}

static void come_home(void *ctx);

static void *worker(void *ctx)
{
	struct dh_pool *p = ctx;

	for (;;) {
		pthread_mutex_lock(&p->lock);
		while (!p->first && !p->stop)
			pthread_cond_wait(&p->work, &p->lock);
		struct pair *j = p->first;
		if (p->stop) {
			pthread_mutex_unlock(&p->lock);
			return NULL;
		}
		p->first = j->next;
		if (!p->first)
			p->last = &p->first;
		pthread_mutex_unlock(&p->lock);
		run(j);
		while (!loop_post(p->loop, come_home, j)) /* full: others' posts; it drains as the loop turns */
			usleep(1000);
	}
}

static struct pair *find(struct dh_pool *p, uint64_t serial, size_t *at)
{
	for (size_t i = 0; i < p->npairs; i++) {
		if (p->pairs[i]->serial == serial && !p->pairs[i]->dropped) {
			*at = i;
			return p->pairs[i];
		}
	}
	return NULL;
}

static void pair_free(struct pair *j)
{
	dh_free(j->dh);
	mem_free_secret(j, sizeof(*j));
}

static void remove_pair(struct dh_pool *p, struct pair *j)
{
	for (size_t i = 0; i < p->npairs; i++) {
		if (p->pairs[i] == j) {
			p->pairs[i] = p->pairs[--p->npairs];
			break;
		}
	}
	pair_free(j);
}

static void send_away(struct dh_pool *p, struct pair *j, bool derive)
{
	j->away = true;
	j->derive = derive;
	j->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->last = j;
	p->last = &j->next;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

/* On the main thread: the job is done. */
static void come_home(void *ctx)
{
	struct pair *j = ctx;
	struct dh_pool *p = j->pool;
	struct dh_value result = j->result;
	uint64_t serial = j->serial;
	enum err e = j->e;
	bool derived = j->derive, silent = j->dropped;

	j->away = false;
	wipe(&j->result, sizeof(j->result));
	if (silent || derived || e != ERR_OK)
		remove_pair(p, j);
	else if (j->wants_derive)
		send_away(p, j, true);
	struct span value = e == ERR_OK ? dh_span(&result) : (struct span){ 0 };
	if (!silent && derived)
		p->h->derived(p->ctx, serial, e, value);
	else if (!silent)
		p->h->generated(p->ctx, serial, e, value);
	dh_value_wipe(&result);
}

/* An answer without a pair, from the loop and not from inside the call. */
struct refusal {
	struct dh_pool *pool;
	uint64_t serial;
	enum err e;
	bool derive;
};

static void on_refusal(void *ctx)
{
	struct refusal *r = ctx;
	const struct dh_pool_handlers *h = r->pool->h;

	(r->derive ? h->derived : h->generated)(r->pool->ctx, r->serial, r->e, (struct span){ 0 });
	mem_free(r);
}

static void refuse(struct dh_pool *p, uint64_t serial, bool derive, enum err e)
{
	struct refusal *r = mem_zalloc(sizeof(*r));

	if (!r)
		return;
	*r = (struct refusal){ .pool = p, .serial = serial, .derive = derive, .e = e };
	if (!loop_post(p->loop, on_refusal, r))
		mem_free(r);
}

void dh_pool_generate(struct dh_pool *p, uint64_t serial, enum alg_group group)
{
	struct pair *j = p->npairs < DH_POOL_PAIRS ? mem_zalloc(sizeof(*j)) : NULL;

	if (!j) {
		refuse(p, serial, false, p->npairs < DH_POOL_PAIRS ? ERR_NOMEM : ERR_LIMIT);
		return;
	}
	*j = (struct pair){ .pool = p, .serial = serial, .group = group };
	p->pairs[p->npairs++] = j;
	send_away(p, j, false);
}

void dh_pool_derive(struct dh_pool *p, uint64_t serial, struct span peer_public)
{
	size_t at;
	struct pair *j = find(p, serial, &at);

	if (!j || j->wants_derive) {
		refuse(p, serial, true, ERR_NOT_FOUND);
		return;
	}
	if (peer_public.len == 0 || peer_public.len > DH_MAX) {
		refuse(p, serial, true, ERR_INVALID);
		dh_pool_drop(p, serial);
		return;
	}
	memcpy(j->peer.bytes, peer_public.data, peer_public.len);
	j->peer.len = (uint16_t)peer_public.len;
	j->wants_derive = true;
	if (!j->away)
		send_away(p, j, true);
}

void dh_pool_drop(struct dh_pool *p, uint64_t serial)
{
	size_t at;
	struct pair *j = find(p, serial, &at);

	if (!j)
		return;
	j->dropped = true;
	if (!j->away)
		remove_pair(p, j);
}

struct dh_pool *dh_pool_new(struct loop *l, unsigned threads, const struct dh_pool_handlers *h, void *ctx)
{
	struct dh_pool *p = mem_zalloc(sizeof(*p));
	sigset_t all, before;

	if (!p)
		return NULL;
	*p = (struct dh_pool){ .loop = l, .h = h, .ctx = ctx };
	p->last = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (p->nthreads < threads && p->nthreads < THREADS_MAX && pthread_create(&p->threads[p->nthreads], NULL, worker, p) == 0)
		p->nthreads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (p->nthreads == 0) {
		dh_pool_free(p);
		return NULL;
	}
	return p;
}

void dh_pool_free(struct dh_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->nthreads; i++)
		pthread_join(p->threads[i], NULL);
	for (size_t i = 0; i < p->npairs; i++)
		pair_free(p->pairs[i]);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	mem_free(p);
}
