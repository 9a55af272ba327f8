/* Named texts: what a line bound, or what a row of a table holds, on the way between the two. */
#ifndef POSTERN_MODEL_VALUES_H
#define POSTERN_MODEL_VALUES_H

#include "configdb/model/db.h"
#include "platform/base/err.h"

#define VALUES_MAX  64
#define VALUES_TEXT (12 * 1024)

struct values {
	struct {
		const char *name; /* borrowed */
		const char *text; /* inside `store`; NULL: unset */
	} list[VALUES_MAX];
	size_t n, used;
	char store[VALUES_TEXT];
};

void values_init(struct values *v);
/* Sets or, with a null text, unsets. What does not fit is left out. */
void value_set(struct values *v, const char *name, const char *text);
void value_setf(struct values *v, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
const char *value_get(const struct values *v, const char *name); /* NULL: unset */
const char *value_or(const struct values *v, const char *name, const char *otherwise);
/* For grammar_print: ctx is a struct values. */
const char *values_lookup(void *ctx, const char *name);
/* Takes over all columns of the present row; column names live as long as `q`. */
void values_from_row(struct values *v, sqlite3_stmt *q);

#endif
