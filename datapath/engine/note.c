/* A ring of notes. */
#include "datapath/engine/note.h"

#include "platform/base/mem.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum err note_open(struct note_ring *r)
{
	*r = (struct note_ring){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	if (r->fd < 0)
		return ERR_SYS;
	r->notes = mem_calloc(NOTE_RING, sizeof(*r->notes));
	return r->notes ? ERR_OK : ERR_NOMEM;
}

void note_close(struct note_ring *r)
{
	if (r->notes)
		close(r->fd);
	mem_free(r->notes);
	r->notes = NULL;
}

struct note *note_take(struct note_ring *r)
{
	if (r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) == NOTE_RING)
		return NULL;
	return &r->notes[r->head % NOTE_RING];
}

void note_put(struct note_ring *r)
{
	__atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
	note_wake(r);
}

struct note *note_next(struct note_ring *r)
{
	if (__atomic_load_n(&r->head, __ATOMIC_ACQUIRE) == r->tail)
		return NULL;
	return &r->notes[r->tail % NOTE_RING];
}

void note_done(struct note_ring *r)
{
	__atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
}

void note_wake(const struct note_ring *r)
{
	(void)!eventfd_write(r->fd, 1);
}

void note_clear(const struct note_ring *r)
{
	eventfd_t n;

	(void)!eventfd_read(r->fd, &n);
}
