/* Checking a log datagram (struct log_record). */
#include "platform/daemon/logline.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 31 /* of a facility or mnemonic */

/* The next NUL-terminated string, or NULL. */
static const char *string(struct reader *r)
{
	const char *s = (const char *)r->at;
	const void *end = memchr(s, 0, reader_left(r));

	if (end == NULL) {
		r->failed = true;
		return NULL;
	}
	reader_skip(r, (size_t)((const char *)end - s) + 1);
	return s;
}

static bool is_name(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return n > 0 && n <= NAME_MAX_LEN && s[n] == '\0';
}

/* Lines end on terminals of any kind: no escape sequence passes, a line stays one line. */
static void tame(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			*s = *s == '\n' || *s == '\t' ? ' ' : '?';
}

enum err logline_parse(struct logline *l, struct span datagram)
{
	struct reader r = reader_of(datagram);
	struct span fixed = reader_bytes(&r, offsetof(struct log_record, strings));
	const char *program, *facility, *mnemonic, *text;
	struct log_record head;

	if (r.failed)
		return ERR_TRUNCATED;
	memcpy(&head, fixed.data, fixed.len);
	program = string(&r);
	facility = program != NULL ? string(&r) : NULL;
	mnemonic = facility != NULL ? string(&r) : NULL;
	text = mnemonic != NULL ? string(&r) : NULL;
	if (text == NULL || reader_left(&r) != 0 || head.severity > LOG_SEV_DEBUG)
		return ERR_INVALID;
	l->debug = head.flags & LOG_FLAG_DEBUG;
	if (!l->debug && (!is_name(facility) || !is_name(mnemonic)))
		return ERR_INVALID;
	l->wall_us = head.wall_us;
	l->severity = head.severity;
	l->dropped = head.dropped;
	if (l->debug)
		snprintf(l->text, sizeof(l->text), "%.*s", LOG_TEXT, text);
	else
		snprintf(l->text, sizeof(l->text), "%%%s-%u-%s: %.*s", facility, head.severity, mnemonic, LOG_TEXT, text);
	tame(l->text);
	return ERR_OK;
}
