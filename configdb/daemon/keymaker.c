#include "keymaker.h"

#include "platform/base/mem.h"

#include <pthread.h>
#include <time.h>

struct keymaker {
	struct loop *loop;
	void (*fn)(void *ctx, uint64_t serial, EVP_PKEY *key);
	void *ctx;
	pthread_t thread;
	bool running; /* a thread is to be joined */
	/* The job: written before the thread begins and read after it has ended. */
	uint64_t serial;
	enum keypair_type type;
	unsigned bits;
	EVP_PKEY *key;
};

static void deliver(void *ctx)
{
	struct keymaker *m = ctx;
	EVP_PKEY *key;

	pthread_join(m->thread, NULL);
	m->running = false;
	key = m->key;
	m->key = NULL;
	m->fn(m->ctx, m->serial, key);
}

static void *work(void *arg)
{
	struct keymaker *m = arg;

	const struct timespec rest = { 0, 10000000 };

	m->key = keypair_make(m->type, m->bits);
	while (!loop_post(m->loop, deliver, m))
		nanosleep(&rest, NULL);
	return NULL;
}

struct keymaker *keymaker_new(struct loop *l, void (*fn)(void *ctx, uint64_t serial, EVP_PKEY *key), void *ctx)
{
	struct keymaker *m = mem_zalloc(sizeof(*m));

	if (!m)
		return NULL;
	m->loop = l;
	m->fn = fn;
	m->ctx = ctx;
	return m;
}

void keymaker_free(struct keymaker *m)
{
	if (!m)
		return;
	if (m->running)
		pthread_join(m->thread, NULL);
	EVP_PKEY_free(m->key);
	mem_free(m);
}

enum err keymaker_ask(struct keymaker *m, uint64_t serial, enum keypair_type type, unsigned bits)
{
	if (m->running)
		return ERR_BUSY;
	m->serial = serial;
	m->type = type;
	m->bits = bits;
	if (pthread_create(&m->thread, NULL, work, m) != 0)
		return ERR_SYS;
	m->running = true;
	return ERR_OK;
}
