/* The event loop: libevent behind a few calls, and a bounded queue by which other threads reach it. */
#include "platform/base/loop.h"

#include "platform/base/mem.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define POSTS 4096 /* jobs of other threads that may wait */

struct post {
	void (*fn)(void *ctx);
	void *ctx;
};

struct loop {
	struct event_base *base;
	struct event *signals[3];
	void (*on_hup)(void *ctx);
	void *hup_ctx;
	bool stopped;
	int status;

	int wake; /* eventfd */
	struct event *wake_event;
	pthread_mutex_t lock; /* guards the ring */
	struct post *ring;
	unsigned head, count;
};

struct loop_fd {
	struct loop *loop;
	struct event *event;
	int fd;
	void (*fn)(void *ctx, int fd, int what);
	void *ctx;
};

struct loop_timer {
	struct event *event;
	void (*fn)(void *ctx);
	void *ctx;
};

static bool post_take(struct loop *l, struct post *p)
{
	bool got;

	pthread_mutex_lock(&l->lock);
	got = l->count > 0;
	if (got) {
		*p = l->ring[l->head];
		l->head = (l->head + 1) % POSTS;
		l->count--;
	}
	pthread_mutex_unlock(&l->lock);
	return got;
}

static void wake(struct loop *l)
{
	const uint64_t one = 1;

	/* EAGAIN means that the counter is full, so the loop is awake already. */
	if (write(l->wake, &one, sizeof(one)) < 0)
		return;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	struct post p;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) < 0)
		return;
	/* One round of the ring, then the others' turn; what is left keeps the loop awake. */
	for (int i = 0; i < POSTS && !l->stopped; i++) {
		if (!post_take(l, &p))
			return;
		p.fn(p.ctx);
	}
	wake(l);
}

static bool loop_open(struct loop *l)
{
	struct event_config *config = event_config_new();

	if (config == NULL)
		return false;
	/* Callers compare with their own clock: a coarse or cached one would fire early by some milliseconds. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	l->ring = mem_calloc(POSTS, sizeof(*l->ring));
	l->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->base == NULL || l->ring == NULL || l->wake < 0)
		return false;
	l->wake_event = event_new(l->base, l->wake, EV_READ | EV_PERSIST, on_wake, l);
	return l->wake_event != NULL && event_add(l->wake_event, NULL) == 0;
}

struct loop *loop_new(void)
{
	struct loop *l = mem_zalloc(sizeof(*l));

	if (l == NULL)
		return NULL;
	l->wake = -1;
	pthread_mutex_init(&l->lock, NULL);
	if (!loop_open(l)) {
		loop_free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	for (int i = 0; i < 3; i++)
		if (l->signals[i] != NULL)
			event_free(l->signals[i]);
	if (l->wake_event != NULL)
		event_free(l->wake_event);
	if (l->wake >= 0)
		close(l->wake);
	if (l->base != NULL)
		event_base_free(l->base);
	pthread_mutex_destroy(&l->lock);
	mem_free(l->ring);
	mem_free(l);
}

int loop_run(struct loop *l)
{
	/* A stop before the start counts too: event_base_loop would forget it. */
	while (!l->stopped)
		if (event_base_loop(l->base, EVLOOP_ONCE) < 0)
			loop_stop(l, 1);
	l->stopped = false;
	return l->status;
}

void loop_stop(struct loop *l, int status)
{
	l->stopped = true;
	l->status = status;
	event_base_loopbreak(l->base);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct loop *l = arg;

	(void)what;
	if (number != SIGHUP)
		loop_stop(l, 0);
	else if (l->on_hup != NULL)
		l->on_hup(l->hup_ctx);
}

enum err loop_signals(struct loop *l, void (*on_hup)(void *ctx), void *ctx)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

	l->on_hup = on_hup;
	l->hup_ctx = ctx;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 3; i++) {
		if (l->signals[i] != NULL)
			continue;
		l->signals[i] = evsignal_new(l->base, numbers[i], on_signal, l);
		if (l->signals[i] == NULL || event_add(l->signals[i], NULL) != 0)
			return ERR_SYS;
	}
	return ERR_OK;
}

static void on_fd(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd *f = arg;

	/* The callback may delete f: nothing of it is touched afterwards. */
	f->fn(f->ctx, fd, (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0));
}

static short events_of(int what)
{
	return (short)((what & LOOP_READ ? EV_READ : 0) | (what & LOOP_WRITE ? EV_WRITE : 0) | EV_PERSIST);
}

struct loop_fd *loop_fd_add(struct loop *l, int fd, int what, void (*fn)(void *ctx, int fd, int what), void *ctx)
{
	struct loop_fd *f = mem_zalloc(sizeof(*f));

	if (f == NULL)
		return NULL;
	*f = (struct loop_fd){ .loop = l, .fd = fd, .fn = fn, .ctx = ctx };
	f->event = event_new(l->base, fd, events_of(what), on_fd, f);
	if (f->event == NULL || (what != 0 && event_add(f->event, NULL) != 0)) {
		loop_fd_del(f);
		return NULL;
	}
	return f;
}

void loop_fd_set(struct loop_fd *f, int what)
{
	short now = event_get_events(f->event);

	if (now == events_of(what) && event_pending(f->event, EV_READ | EV_WRITE, NULL))
		return;
	event_del(f->event);
	if (what == 0)
		return;
	event_assign(f->event, f->loop->base, f->fd, events_of(what), on_fd, f);
	event_add(f->event, NULL);
}

void loop_fd_del(struct loop_fd *f)
{
	if (f == NULL)
		return;
	if (f->event != NULL)
		event_free(f->event);
	mem_free(f);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	t->fn(t->ctx);
}

struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct loop_timer *t = mem_zalloc(sizeof(*t));

	if (t == NULL)
		return NULL;
	t->fn = fn;
	t->ctx = ctx;
	t->event = evtimer_new(l->base, on_timer, t);
	if (t->event == NULL) {
		mem_free(t);
		return NULL;
	}
	return t;
}

void loop_timer_set(struct loop_timer *t, uint64_t in_us)
{
	struct timeval tv = { .tv_sec = (time_t)(in_us / 1000000), .tv_usec = (suseconds_t)(in_us % 1000000) };

	evtimer_add(t->event, &tv);
}

void loop_timer_stop(struct loop_timer *t)
{
	evtimer_del(t->event);
}

void loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	event_free(t->event);
	mem_free(t);
}

bool loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	bool fits;

	pthread_mutex_lock(&l->lock);
	fits = l->count < POSTS;
	if (fits)
		l->ring[(l->head + l->count++) % POSTS] = (struct post){ fn, ctx };
	pthread_mutex_unlock(&l->lock);
	if (fits)
		wake(l);
	return fits;
}
