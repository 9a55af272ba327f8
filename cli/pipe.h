/* Output filters: `show ... | include|exclude|begin|section|count REGEX`.
 *
 * Regular expressions are POSIX extended ones, with IOS's `_`: the beginning, the end, a blank, a comma, a brace, a
 * parenthesis or an underscore itself.
 */
#ifndef POSTERN_CLI_PIPE_H
#define POSTERN_CLI_PIPE_H

#include "cli/out.h"
#include "platform/base/err.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

enum pipe_kind { PIPE_NONE, PIPE_INCLUDE, PIPE_EXCLUDE, PIPE_BEGIN, PIPE_SECTION, PIPE_SECTION_EXCLUDE, PIPE_COUNT };

struct pipe_filter {
	struct stage stage; /* first: a pipe is a stage */
	enum pipe_kind kind;
	regex_t regex;
	bool begun;    /* begin: the line has come; section: inside one */
	size_t indent; /* of the section's first line */
	unsigned long count;
};

/* Where the `|` of a command line stands, or NULL. A filter is the first `|` behind a blank. */
const char *pipe_find(const char *line);

/* Compiles what stands behind the `|`. On an error the filter is unusable and needs no pipe_end:
 *   ERR_INVALID     unknown word: *column (from the start of `text`) is where
 *   ERR_AMBIGUOUS   the word is no unique abbreviation
 *   ERR_INCOMPLETE  no word or no expression
 *   ERR_CONFLICT    the expression is none: `why` says what is wrong with it */
enum err pipe_parse(struct pipe_filter *f, const char *text, size_t *column, char why[128]) MUST_CHECK;
/* Lines that pass go to `next`. */
void pipe_connect(struct pipe_filter *f, struct stage *next);
/* The end of the input: `count` writes its line. Frees the expression. */
void pipe_end(struct pipe_filter *f);

/* Help behind the `|`: calls `each` for the words that begin with `prefix`. Returns how many. */
size_t pipe_help(const char *text, void (*each)(void *ctx, const char *word, const char *help), void *ctx);
/* TAB behind the `|`: the whole word, if it is unique; else NULL. */
const char *pipe_complete(const char *text);

/* Translates IOS's expression into a POSIX extended one. For the pager's `/` too. False when it does not fit. */
bool pipe_regex(char *out, size_t size, const char *ios);

#endif
