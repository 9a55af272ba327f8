#include "verify.h"

#include "configdb/secrets.h"
#include "platform/base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define JOBS_MAX 64

struct job {
	struct job *next;
	uint64_t serial;
	char hash[128];
	struct secret password;
	bool right;
};

struct verifier {
	struct loop *loop;
	void (*fn)(void *ctx, uint64_t serial, bool right);
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct job *waiting, **last, *done;
	unsigned count;
	bool stop;
};

static void job_free(struct job *j)
{
	mem_free_secret(j, sizeof(*j));
}

static void jobs_free(struct job *j)
{
	while (j) {
		struct job *next = j->next;

		job_free(j);
		j = next;
	}
}

/* On the loop: hands out all answers. */
static void deliver(void *ctx)
{
	struct verifier *v = ctx;

	for (;;) {
		struct job *j;
		uint64_t serial;
		bool right;

		pthread_mutex_lock(&v->lock);
		j = v->done;
		if (j) {
			v->done = j->next;
			v->count--;
		}
		pthread_mutex_unlock(&v->lock);
		if (!j)
			return;
		serial = j->serial;
		right = j->right;
		job_free(j);
		v->fn(v->ctx, serial, right);
	}
}

static void *work(void *arg)
{
	struct verifier *v = arg;

	pthread_mutex_lock(&v->lock);
	while (!v->stop) {
		struct job *j = v->waiting;

		if (!j) {
			pthread_cond_wait(&v->wake, &v->lock);
			continue;
		}
		v->waiting = j->next;
		if (!v->waiting)
			v->last = &v->waiting;
		pthread_mutex_unlock(&v->lock);
		j->right = password_verify(j->hash, secret_span(&j->password));
		secret_wipe(&j->password);
		pthread_mutex_lock(&v->lock);
		j->next = v->done;
		v->done = j;
		/* A full queue of posts is no loss: the next delivery takes this answer along. */
		(void)loop_post(v->loop, deliver, v);
	}
	pthread_mutex_unlock(&v->lock);
	return NULL;
}

struct verifier *verifier_new(struct loop *l, void (*fn)(void *ctx, uint64_t serial, bool right), void *ctx)
{
	struct verifier *v = mem_zalloc(sizeof(*v));

	if (!v)
		return NULL;
	v->loop = l;
	v->fn = fn;
	v->ctx = ctx;
	v->last = &v->waiting;
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->wake, NULL);
	if (pthread_create(&v->thread, NULL, work, v) != 0) {
		pthread_cond_destroy(&v->wake);
		pthread_mutex_destroy(&v->lock);
		mem_free(v);
		return NULL;
	}
	return v;
}

void verifier_free(struct verifier *v)
{
	if (!v)
		return;
	pthread_mutex_lock(&v->lock);
	v->stop = true;
	pthread_cond_signal(&v->wake);
	pthread_mutex_unlock(&v->lock);
	pthread_join(v->thread, NULL);
	jobs_free(v->waiting);
	jobs_free(v->done);
	pthread_cond_destroy(&v->wake);
	pthread_mutex_destroy(&v->lock);
	mem_free(v);
}

enum err verifier_ask(struct verifier *v, uint64_t serial, const char *hash, struct span password)
{
	struct job *j = mem_zalloc(sizeof(*j));
	enum err e;

	if (!j)
		return ERR_NOMEM;
	j->serial = serial;
	snprintf(j->hash, sizeof(j->hash), "%s", hash);
	e = secret_set(&j->password, password);
	pthread_mutex_lock(&v->lock);
	if (e == ERR_OK && v->count >= JOBS_MAX)
		e = ERR_LIMIT;
	if (e == ERR_OK) {
		*v->last = j;
		v->last = &j->next;
		v->count++;
		pthread_cond_signal(&v->wake);
	}
	pthread_mutex_unlock(&v->lock);
	if (e != ERR_OK)
		job_free(j);
	return e;
}
