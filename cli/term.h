/* The terminal: prompts, lines, secrets, single keys, and what is written.
 *
 * On a terminal libedit edits; `?` and TAB are functions over the grammar (struct term_help). Without one (a pipe, a
 * script) lines are read plainly and echoed behind the prompt, so that a transcript reads like a screen.
 * The terminal is in raw mode without echo all the time: what is typed ahead of a running command is not shown twice.
 */
#ifndef POSTERN_CLI_TERM_H
#define POSTERN_CLI_TERM_H

#include "cli/input.h"
#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERM_LINE   4096 /* longest line, with its NUL */
#define TERM_PROMPT 160

struct term;

/* What the console answers to `?` and TAB. `line` is the text left of the cursor. */
struct term_help {
	void (*help)(void *ctx, const char *line);                             /* writes the help */
	bool (*complete)(void *ctx, const char *line, char *out, size_t size); /* the whole last word */
	void *ctx;
};

enum term_result {
	TERM_OK,        /* a line */
	TERM_ABANDONED, /* Ctrl-C */
	TERM_CTRL_Z,    /* the line is what was typed before it */
	TERM_EOF,
	TERM_TIMEOUT,
	TERM_HANGUP
};

/* Opens the terminal on standard input and output. NULL when out of memory. */
struct term *term_open(const struct term_help *help);
void term_close(struct term *t);
struct input *term_input(struct term *t);
bool term_is_tty(const struct term *t);

enum term_result term_line(struct term *t, const char *prompt, char line[TERM_LINE]);
/* A line in which `?` and TAB mean themselves: text of a banner, answers to questions. */
enum term_result term_answer(struct term *t, const char *prompt, char line[TERM_LINE]);
/* Without echo. The caller wipes `secret`. */
enum term_result term_secret(struct term *t, const char *prompt, char *secret, size_t size);
/* "...? [confirm]": return or y. Without a terminal a whole line answers. */
bool term_confirm(struct term *t, const char *question);

void term_write(struct term *t, const char *text, size_t len);
void term_printf(struct term *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void term_flush(struct term *t);
/* Writes a line of its own while the user may be typing; after the last of them what was typed is drawn again. */
void term_interject(struct term *t, const char *line);
void term_interject_end(struct term *t);

/* Size. `terminal length` and `terminal width` fix it; before that the window's size, else the line's configuration. */
void term_size_default(struct term *t, unsigned rows, unsigned columns);
void term_set_rows(struct term *t, unsigned rows);
void term_set_columns(struct term *t, unsigned columns);
unsigned term_rows(const struct term *t);     /* 0: no paging; always 0 without a terminal */
unsigned term_columns(const struct term *t);  /* 0: endless */
unsigned term_rows_set(const struct term *t); /* as `show terminal` tells it */

/* History, oldest first. */
void term_history_size(struct term *t, unsigned lines);
unsigned term_history_limit(const struct term *t);
void term_history_on(struct term *t, bool on);
bool term_history_is_on(const struct term *t);
void term_history_each(struct term *t, void (*each)(void *ctx, const char *line), void *ctx);

#endif
