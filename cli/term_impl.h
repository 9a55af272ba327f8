/* What the terminal's own files share. */
#ifndef POSTERN_CLI_TERM_IMPL_H
#define POSTERN_CLI_TERM_IMPL_H

#include "cli/term.h"

#include <histedit.h>
#include <termios.h>

struct term {
	struct input input;
	struct term_help help;
	bool tty;
	struct termios saved;
	unsigned rows, columns;
	bool rows_fixed, columns_fixed; /* by `terminal length`, `terminal width` */
	bool can_wrap;                  /* the terminal has cursor-up: libedit may draw a long line itself */

	EditLine *el;
	History *history;
	unsigned history_limit;
	bool history_on;
	char prompt[TERM_PROMPT];
	bool editing;            /* inside el_gets */
	enum term_result result; /* what ended the line */
	bool line_open;          /* the cursor is not in column 0 */
	bool interjected;        /* lines stand where the prompt was */
};

bool term_edit_open(struct term *t);
void term_edit_close(struct term *t);
void term_edit_redraw(struct term *t);
/* Into the history, which a script has as well. */
void term_remember(struct term *t, const char *line);
enum term_result term_edit_line(struct term *t, const char *prompt, char line[TERM_LINE]);
enum term_result term_plain_line(struct term *t, const char *prompt, char line[TERM_LINE]);

#endif
