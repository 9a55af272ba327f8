/* What both workers have: a thread, rings of notes, counters of drops. */
#include "datapath/engine/engine.h"

#include "platform/base/mem.h"

#include <sched.h>
#include <signal.h>
#include <time.h>

#define REPORT_US 1000000
#define LINGER_US 30

uint64_t engine_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

enum err worker_open(struct worker *w, struct backend *b, bool mb)
{
	enum err e;

	w->engine = b;
	e = note_open(&w->up);
	if (e == ERR_OK)
		e = note_open(&w->down);
	if (e != ERR_OK)
		return e;
	w->cipher = cipher_batch_new(mb);
	if (!w->cipher)
		return ERR_NOMEM;
	rcu_register(&b->rcu, &w->rcu);
	return ERR_OK;
}

enum err worker_start(struct worker *w, void *(*run)(void *), void *arg)
{
	sigset_t all, old;

	/* Signals are the control thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	w->running = pthread_create(&w->thread, NULL, run, arg) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return w->running ? ERR_OK : ERR_SYS;
}

void worker_stop(struct worker *w)
{
	if (!w->running)
		return;
	FLAG_SET(w->stop, true);
	note_wake(&w->down);
	pthread_join(w->thread, NULL);
	w->running = false;
}

void worker_close(struct worker *w)
{
	loop_fd_del(w->watch);
	note_close(&w->up);
	note_close(&w->down);
	cipher_batch_free(w->cipher);
}

/* To sleep and be woken by the next packet costs more than to look a few times, above all on a virtual machine, and what others make
 * of the time comes as a larger batch. Only packets that were good count: junk keeps nobody awake. */
bool worker_lingers(struct worker *w)
{
	uint64_t n = w->packets - w->busy.packets, since = w->now_us - w->busy.us;

	if (n > 0) {
		w->busy.dense = since < n * LINGER_US;
		w->busy.packets = w->packets;
		w->busy.us = w->now_us;
		since = 0;
	}
	if (!w->busy.dense || since >= LINGER_US)
		return false;
	sched_yield();
	return true;
}

static void report(struct worker *w, enum dp_drop reason, uint64_t n, const struct drop_about *a)
{
	struct drop_report *r = &w->reports[reason];
	struct note *note;

	r->count += n;
	if (r->told_us != 0 && w->now_us - r->told_us < REPORT_US)
		return;
	note = note_take(&w->up);
	if (!note)
		return;
	note->kind = NOTE_EVENT;
	note->event = (struct backend_event){ .kind = BACKEND_DROP };
	note->event.drop.reason = (uint8_t)reason;
	note->event.drop.local = addr_v4(a->sa ? a->sa->local : a->local);
	note->event.drop.remote = addr_v4(a->remote ? a->remote : a->sa ? place_address(RCU_GET(a->sa->remote)) : 0);
	note->event.drop.spi = a->sa ? a->sa->conf.key.spi : a->spi;
	note->event.drop.sequence = a->seq;
	if (a->sa)
		note->event.drop.peer = addr_v4(place_address(RCU_GET(a->sa->remote)));
	note->event.drop.conn_id = a->sa ? a->sa->conf.conn_id : 0;
	note->event.drop.protocol = a->protocol;
	note->event.drop.count = r->count;
	note_put(&w->up);
	r->told_us = w->now_us ? w->now_us : 1;
	r->count = 0;
}

void worker_drop(struct worker *w, enum dp_drop reason, uint64_t n, const struct drop_about *about)
{
	COUNT_ADD(w->drops[reason], n);
	if (about->sa)
		COUNT_ADD(about->sa->state->count.drops[reason], n);
	if (about->policy)
		COUNT_ADD(about->policy->drops[reason], n);
	report(w, reason, n, about);
}

bool worker_expire(struct worker *w, const struct sa *sa, enum dp_expire why)
{
	struct note *note = note_take(&w->up);

	if (!note)
		return false;
	note->kind = NOTE_EVENT;
	note->event = (struct backend_event){ .kind = BACKEND_EXPIRE };
	note->event.expire.key = sa->conf.key;
	note->event.expire.why = (uint8_t)why;
	note->event.expire.bytes = COUNT_GET(sa->state->count.bytes);
	note->event.expire.packets = COUNT_GET(sa->state->count.packets);
	note_put(&w->up);
	return true;
}

bool worker_volume(struct worker *w, struct sa *sa, uint64_t bytes)
{
	struct sa_state *st = sa->state;
	uint64_t total = st->count.bytes + bytes;

	if (sa->conf.hard_bytes && total > sa->conf.hard_bytes) {
		if (!st->hard_told)
			st->hard_told = worker_expire(w, sa, DP_EXPIRE_HARD);
		return false;
	}
	if (sa->conf.soft_bytes && total > sa->conf.soft_bytes && !st->soft_told)
		st->soft_told = worker_expire(w, sa, DP_EXPIRE_SOFT);
	return true;
}
