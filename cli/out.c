/* Text becomes lines, lines go down the stages. */
#include "cli/out.h"

#include "platform/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void out_init(struct out *o, struct stage *first)
{
	*o = (struct out){ .first = first };
}

static bool reserve(struct out *o, size_t more)
{
	size_t size = o->size == 0 ? 256 : o->size;
	char *p;

	while (size < o->len + more)
		size *= 2;
	if (size == o->size)
		return true;
	p = mem_realloc_array(o->pending, size, 1);
	if (p == NULL)
		return false;
	o->pending = p;
	o->size = size;
	return true;
}

static void line_done(struct out *o)
{
	if (!o->stopped && !o->first->line(o->first, o->pending == NULL ? "" : o->pending, o->len))
		o->stopped = true;
	o->len = o->shown = 0;
}

void out_text(struct out *o, const char *text, size_t len)
{
	while (len > 0 && !o->stopped) {
		const char *end = memchr(text, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - text);

		if (!reserve(o, n + 1)) {
			o->stopped = true;
			return;
		}
		memcpy(o->pending + o->len, text, n);
		o->len += n;
		if (end == NULL)
			return;
		line_done(o);
		text += n + 1;
		len -= n + 1;
	}
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char buf[1024], *big = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(buf)) {
		out_text(o, buf, (size_t)n);
		return;
	}
	big = mem_zalloc((size_t)n + 1);
	if (big == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(big, (size_t)n + 1, fmt, ap);
	va_end(ap);
	out_text(o, big, (size_t)n);
	mem_free(big);
}

void out_partial(struct out *o)
{
	if (o->partial == NULL || o->stopped || o->len == o->shown)
		return;
	o->partial(o->partial_ctx, o->pending + o->shown, o->len - o->shown);
	o->shown = o->len;
}

void out_end(struct out *o)
{
	if (o->len > 0)
		line_done(o);
	mem_free(o->pending);
	o->pending = NULL;
	o->len = o->size = 0;
}

static bool text_line(struct stage *s, const char *text, size_t len)
{
	struct stage_text *t = (struct stage_text *)s;
	char *p = mem_realloc_array(t->text, t->len + len + 2, 1);

	if (p == NULL)
		return false;
	memcpy(p + t->len, text, len);
	p[t->len + len] = '\n';
	p[t->len + len + 1] = '\0';
	t->text = p;
	t->len += len + 1;
	return true;
}

void stage_text_init(struct stage_text *s)
{
	*s = (struct stage_text){ .stage = { .line = text_line } };
}
