/* Where the text of a command goes: a filter, then the pager, then the terminal.
 *
 *   out_printf -> whole lines -> filter (pipe.h) -> pager (pager.h) -> write
 *
 * A formatter sees only `struct out`; what stands behind it is the caller's choice, so a test reads what a screen shows.
 */
#ifndef POSTERN_CLI_OUT_H
#define POSTERN_CLI_OUT_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* A stage takes one line without its end. False: nothing more is wanted (the user left the pager). */
struct stage {
	bool (*line)(struct stage *s, const char *text, size_t len);
	struct stage *next;
};

struct out {
	struct stage *first;
	/* Shows the part of a line that is there already (`!!!!` of ping); null when lines must be whole, as behind a filter. */
	void (*partial)(void *ctx, const char *text, size_t len);
	void *partial_ctx;
	char *pending; /* the line that is being written */
	size_t len, size;
	size_t shown; /* bytes of it that `partial` has shown */
	bool stopped; /* no more wanted: a long formatter may stop early */
};

void out_init(struct out *o, struct stage *first);
void out_printf(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
void out_text(struct out *o, const char *text, size_t len);
/* Has the unfinished line shown now, where that is possible. */
void out_partial(struct out *o);
/* Ends an unfinished line and frees what `o` holds. */
void out_end(struct out *o);

/* The last stage of a test or of a gathered text: a string that grows. */
struct stage_text {
	struct stage stage;
	char *text; /* NUL-terminated, caller frees with mem_free; null when nothing came */
	size_t len;
};
void stage_text_init(struct stage_text *s);

#endif
