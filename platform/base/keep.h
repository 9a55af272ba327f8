/* Keys that somebody asked to be kept for a while: records of one size in memory that is never swapped or dumped, the oldest
 * making room for new ones, all wiped at the end. */
#ifndef POSTERN_BASE_KEEP_H
#define POSTERN_BASE_KEEP_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>

struct keep;

/* Room for `count` records of `size` bytes. NULL: no such memory (errno). */
struct keep *keep_new(size_t size, size_t count);
void keep_put(struct keep *k, const void *record);
/* Oldest first; `each` may return false to stop. */
void keep_each(const struct keep *k, bool (*each)(void *ctx, const void *record), void *ctx);
void keep_free(struct keep *k); /* wipes; NULL is fine */

#endif
