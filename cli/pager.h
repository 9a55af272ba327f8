/* ` --More-- `: stops after each screen. Space shows the next screen, return one line, `/` and `+` and `-` look for an
 * expression, any other key leaves. The prompt is erased by backspaces, so that no escape sequence is needed. */
#ifndef POSTERN_CLI_PAGER_H
#define POSTERN_CLI_PAGER_H

#include "cli/out.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

struct pager_io {
	void (*write)(void *ctx, const char *text, size_t len);
	int (*key)(void *ctx); /* one key; negative: the input ended */
	/* The rest of a line typed behind `/`, shown while typed; false when abandoned. */
	bool (*ask)(void *ctx, const char *prompt, char *line, size_t size);
	void *ctx;
};

struct pager {
	struct stage stage; /* first: a pager is a stage, the last one */
	const struct pager_io *io;
	unsigned rows, columns; /* of the screen; rows 0: never stops, columns 0: lines never wrap */
	unsigned used;          /* rows on the screen since the last stop */
	size_t shown;           /* bytes of the coming line that were shown already (ping) */
	enum { PAGER_ALL, PAGER_BEGIN, PAGER_ONLY, PAGER_WITHOUT } look;
	regex_t regex;
	bool regex_set;
	bool left;
};

void pager_init(struct pager *p, const struct pager_io *io, unsigned rows, unsigned columns);
void pager_end(struct pager *p);
/* A `partial` for struct out: ctx is the pager. */
void pager_partial(void *ctx, const char *text, size_t len);

#endif
