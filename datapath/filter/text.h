/* A growing text, for what is generated. Once memory is short it stays `failed` and takes nothing more. */
#ifndef POSTERN_DATAPATH_FILTER_TEXT_H
#define POSTERN_DATAPATH_FILTER_TEXT_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *at; /* NUL-terminated; NULL while empty */
	size_t len, size;
	bool failed;
};

void text_put(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_bytes(struct text *t, const char *bytes, size_t n);
/* Never NULL. */
const char *text_of(const struct text *t);
void text_free(struct text *t);

#endif
