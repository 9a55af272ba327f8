/* A growing text. */
#include "datapath/filter/text.h"

#include "platform/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool room(struct text *t, size_t more)
{
	size_t size = t->size ? t->size : 4096;
	char *grown;

	if (t->failed)
		return false;
	while (size - t->len <= more)
		size *= 2;
	if (size == t->size)
		return true;
	grown = mem_realloc_array(t->at, size, 1);
	if (!grown) {
		t->failed = true;
		return false;
	}
	t->at = grown;
	t->size = size;
	return true;
}

void text_bytes(struct text *t, const char *bytes, size_t n)
{
	if (!room(t, n))
		return;
	if (n)
		memcpy(t->at + t->len, bytes, n);
	t->len += n;
	t->at[t->len] = '\0';
}

void text_put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !room(t, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(t->at + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

const char *text_of(const struct text *t)
{
	return t->at ? t->at : "";
}

void text_free(struct text *t)
{
	mem_free(t->at);
	*t = (struct text){ 0 };
}
