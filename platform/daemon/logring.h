/* The log buffer: the newest lines that fit into a number of bytes. Pure. */
#ifndef POSTERN_PLATFORM_LOGRING_H
#define POSTERN_PLATFORM_LOGRING_H

#include "platform/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct logring_entry {
	struct logring_entry *next;
	uint64_t number; /* counts from 1, never again the same */
	uint8_t severity;
	size_t len; /* of the text */
	char text[];
};

struct logring {
	struct logring_entry *first, *last;
	size_t limit, used; /* bytes; a line counts with its end of line */
	uint64_t numbered;
};

void logring_init(struct logring *r, size_t limit);
void logring_clear(struct logring *r);
/* The oldest go as the new limit demands. */
void logring_resize(struct logring *r, size_t limit);
/* The newest line stays even if it is longer than the buffer. */
enum err logring_put(struct logring *r, uint8_t severity, const char *text) MUST_CHECK;

#endif
