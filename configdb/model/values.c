/* See values.h. */
#include "configdb/model/values.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void values_init(struct values *v)
{
	v->n = v->used = 0;
}

static size_t find(const struct values *v, const char *name)
{
	size_t i = 0;
	while (i < v->n && strcmp(v->list[i].name, name) != 0)
		i++;
	return i;
}

void value_set(struct values *v, const char *name, const char *text)
{
	size_t i = find(v, name), len = text ? strlen(text) + 1 : 0;
	if (i == VALUES_MAX || len > sizeof v->store - v->used)
		return;
	v->list[i].name = name;
	v->list[i].text = text ? memcpy(v->store + v->used, text, len) : NULL;
	v->used += len;
	if (i == v->n)
		v->n++;
}

void value_setf(struct values *v, const char *name, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	value_set(v, name, text);
}

const char *value_get(const struct values *v, const char *name)
{
	size_t i = find(v, name);
	return i < v->n ? v->list[i].text : NULL;
}

const char *value_or(const struct values *v, const char *name, const char *otherwise)
{
	const char *text = value_get(v, name);
	return text ? text : otherwise;
}

const char *values_lookup(void *ctx, const char *name)
{
	return value_get(ctx, name);
}

void values_from_row(struct values *v, sqlite3_stmt *q)
{
	for (int i = 0; i < sqlite3_column_count(q); i++)
		value_set(v, sqlite3_column_name(q, i), db_col(q, i));
}
