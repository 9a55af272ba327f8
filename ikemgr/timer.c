/* A binary heap of pointers; every timer knows its place, so moving and stopping are O(log n). */
#include "ikemgr/timer.h"

#include "platform/base/mem.h"

static void put(struct timers *t, size_t i, struct timer *m)
{
	t->heap[i] = m;
	m->place = i;
}

static void rise(struct timers *t, size_t i)
{
	struct timer *m = t->heap[i];

	for (; i > 1 && t->heap[i / 2]->at > m->at; i /= 2)
		put(t, i, t->heap[i / 2]);
	put(t, i, m);
}

static void sink(struct timers *t, size_t i)
{
	struct timer *m = t->heap[i];

	for (size_t child; (child = 2 * i) <= t->n; i = child) {
		if (child < t->n && t->heap[child + 1]->at < t->heap[child]->at)
			child++;
		if (t->heap[child]->at >= m->at)
			break;
		put(t, i, t->heap[child]);
	}
	put(t, i, m);
}

enum err timer_reserve(struct timers *t, size_t n)
{
	size_t want = t->reserved + n + 1;
	struct timer **bigger;

	if (want > t->size) {
		bigger = mem_realloc_array(t->heap, want * 2, sizeof(*bigger));
		if (bigger == NULL)
			return ERR_NOMEM;
		t->heap = bigger;
		t->size = want * 2;
	}
	t->reserved += n;
	return ERR_OK;
}

void timer_release(struct timers *t, size_t n)
{
	t->reserved -= n;
}

void timer_set(struct timers *t, struct timer *m, uint64_t at)
{
	timer_stop(t, m);
	if (at == TIMER_NEVER)
		return;
	m->at = at;
	put(t, ++t->n, m);
	rise(t, t->n);
}

void timer_stop(struct timers *t, struct timer *m)
{
	size_t i = m->place;
	struct timer *last;

	if (i == 0)
		return;
	m->place = 0;
	last = t->heap[t->n--];
	if (last == m)
		return;
	put(t, i, last);
	rise(t, i);
	sink(t, last->place);
}

uint64_t timer_next(const struct timers *t)
{
	return t->n == 0 ? TIMER_NEVER : t->heap[1]->at;
}

struct timer *timer_due(struct timers *t, uint64_t now)
{
	struct timer *m;

	if (t->n == 0 || t->heap[1]->at > now)
		return NULL;
	m = t->heap[1];
	timer_stop(t, m);
	return m;
}

void timers_free(struct timers *t)
{
	mem_free(t->heap);
	*t = (struct timers){ 0 };
}
