/* Records in a ring. */
#include "datapath/capture/capture_store.h"

#include "platform/base/mem.h"

#include <string.h>

static size_t room_of(const struct dp_capture_packet *p)
{
	return (sizeof(*p) + p->len + 7) & ~(size_t)7;
}

static struct dp_capture_packet *record(const struct capture_store *s, size_t at)
{
	return (struct dp_capture_packet *)(void *)(s->bytes + at);
}

enum err capture_store_open(struct capture_store *s, size_t size)
{
	uint8_t *bytes = mem_zalloc(size);

	if (!bytes)
		return ERR_NOMEM;
	mem_free(s->bytes);
	*s = (struct capture_store){ .bytes = bytes, .size = size, .end = size, .first = 1, .next = 1 };
	return ERR_OK;
}

void capture_store_free(struct capture_store *s)
{
	mem_free(s->bytes);
	*s = (struct capture_store){ .first = 1, .next = 1 };
}

void capture_store_clear(struct capture_store *s)
{
	s->head = s->tail = s->used = s->at = 0;
	s->end = s->size;
	s->first = s->next = 1;
	s->at_number = 0;
}

/* The record behind the one at `at`. */
static size_t after(const struct capture_store *s, size_t at)
{
	at += room_of(record(s, at));
	return at == s->end ? 0 : at;
}

static void drop_oldest(struct capture_store *s)
{
	size_t gone = room_of(record(s, s->tail));

	s->used -= gone;
	s->tail += gone;
	s->first++;
	if (s->tail == s->end) {
		s->tail = 0;
		s->end = s->size;
	}
}

/* Where `need` bytes are free in one piece, moving the head there; false: nowhere. */
static bool place(struct capture_store *s, size_t need)
{
	bool wrapped = s->first != s->next && s->head <= s->tail;

	if (s->first == s->next) {
		s->head = s->tail = 0;
		s->end = s->size;
		return need <= s->size;
	}
	if (wrapped)
		return s->tail - s->head >= need;
	if (s->size - s->head >= need)
		return true;
	if (s->tail < need)
		return false;
	s->end = s->head;
	s->head = 0;
	return true;
}

bool capture_store_put(struct capture_store *s, struct dp_capture_packet *p, const uint8_t *bytes, bool circular)
{
	size_t need = room_of(p);

	while (!place(s, need)) {
		if (!circular || s->first == s->next)
			return false;
		drop_oldest(s);
	}
	p->number = s->next++;
	memcpy(s->bytes + s->head, p, sizeof(*p));
	memcpy(s->bytes + s->head + sizeof(*p), bytes, p->len);
	s->head += need;
	s->used += need;
	s->at_number = 0;
	return true;
}

size_t capture_store_read(struct capture_store *s, uint64_t from, uint8_t *out, size_t size)
{
	uint64_t number = s->first;
	size_t at = s->tail, len = 0;

	if (s->at_number >= s->first && s->at_number <= from && s->at_number < s->next) {
		number = s->at_number;
		at = s->at;
	}
	for (; number < from && number < s->next; number++)
		at = after(s, at);
	for (; number < s->next; number++) {
		size_t room = room_of(record(s, at));

		if (len + room > size)
			break;
		memcpy(out + len, s->bytes + at, room);
		len += room;
		at = after(s, at);
	}
	s->at_number = number;
	s->at = at;
	return len;
}

void capture_store_times(const struct capture_store *s, uint64_t *first_ns, uint64_t *last_ns)
{
	size_t at = s->tail;

	*first_ns = *last_ns = 0;
	for (uint64_t n = s->first; n < s->next; n++, at = after(s, at)) {
		uint64_t t = record(s, at)->at_ns;

		*first_ns = *first_ns == 0 || t < *first_ns ? t : *first_ns;
		*last_ns = t > *last_ns ? t : *last_ns;
	}
}
