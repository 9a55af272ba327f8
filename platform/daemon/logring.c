/* The log buffer: a list, oldest first. */
#include "platform/daemon/logring.h"

#include "platform/base/mem.h"

#include <string.h>

void logring_init(struct logring *r, size_t limit)
{
	*r = (struct logring){ .limit = limit };
}

static void drop_first(struct logring *r)
{
	struct logring_entry *e = r->first;

	r->first = e->next;
	if (r->first == NULL)
		r->last = NULL;
	r->used -= e->len + 1;
	mem_free(e);
}

static void shrink(struct logring *r)
{
	while (r->used > r->limit && r->first != r->last)
		drop_first(r);
}

void logring_clear(struct logring *r)
{
	while (r->first != NULL)
		drop_first(r);
}

void logring_resize(struct logring *r, size_t limit)
{
	r->limit = limit;
	shrink(r);
}

enum err logring_put(struct logring *r, uint8_t severity, const char *text)
{
	size_t len = strlen(text);
	struct logring_entry *e = mem_zalloc(sizeof(*e) + len + 1);

	if (e == NULL)
		return ERR_NOMEM;
	e->number = ++r->numbered;
	e->severity = severity;
	e->len = len;
	memcpy(e->text, text, len + 1);
	if (r->last != NULL)
		r->last->next = e;
	else
		r->first = e;
	r->last = e;
	r->used += len + 1;
	shrink(r);
	return ERR_OK;
}
