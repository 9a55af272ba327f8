/* libedit, made to behave as IOS's line editor.
 *
 * It is told that the terminal is a dumb one, so all it ever writes is characters, backspaces and carriage returns: echo
 * is byte for byte what was typed. With width 0 or a wide one the line is endless for it and never redrawn. Only on terminals
 * that surely know cursor-up may it draw a line over several rows itself.
 */
#include "cli/term_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define ENDLESS (TERM_LINE + TERM_PROMPT)

/* Tells libedit where lines wrap. */
static void set_width(struct term *t)
{
	bool wrap = t->can_wrap && t->columns >= 20 && t->columns < 512;
	int wanted = wrap ? (int)t->columns : ENDLESS, now = 0;
	char columns[16];

	el_get(t->el, EL_GETTC, "co", &now);
	if (now == wanted)
		return;
	snprintf(columns, sizeof(columns), "%d", wanted);
	el_set(t->el, EL_SETTC, "co", columns, NULL);
	el_set(t->el, EL_SETTC, "li", wrap ? "50" : "2", NULL);
	el_set(t->el, EL_SETTC, "am", wrap ? "yes" : "no", NULL);
	el_set(t->el, EL_SETTC, "xn", wrap ? "yes" : "no", NULL);
	el_set(t->el, EL_SETTC, "up", wrap ? "\033[A" : "", NULL);
}

static struct term *term_of(EditLine *el)
{
	void *p = NULL;

	el_get(el, EL_CLIENTDATA, &p);
	return p;
}

/* libedit asks the system for the window's size at the start of each line; what counts here is set after that, while
 * it draws the prompt. */
static char *prompt_fn(EditLine *el)
{
	struct term *t = term_of(el);

	set_width(t);
	return t->prompt;
}

/* One character for libedit: UTF-8 is put together here. */
static int getc_fn(EditLine *el, wchar_t *out)
{
	struct term *t = term_of(el);
	mbstate_t state = { 0 };

	fflush(stdout);
	for (;;) {
		int c = input_char(&t->input);
		char byte = (char)c;
		size_t n;

		if (c < 0) {
			t->result = c == INPUT_TIMEOUT ? TERM_TIMEOUT : c == INPUT_HANGUP ? TERM_HANGUP : TERM_EOF;
			return 0;
		}
		n = mbrtowc(out, &byte, 1, &state);
		if (n == (size_t)-1)
			memset(&state, 0, sizeof(state)); /* no UTF-8: the byte is lost */
		else if (n != (size_t)-2)
			return 1;
	}
}

/* The text left of the cursor. */
static void left_part(EditLine *el, char out[TERM_LINE])
{
	const LineInfo *info = el_line(el);
	size_t len = (size_t)(info->cursor - info->buffer);

	if (len >= TERM_LINE)
		len = TERM_LINE - 1;
	memcpy(out, info->buffer, len);
	out[len] = '\0';
}

static unsigned char key_help(EditLine *el, int key)
{
	struct term *t = term_of(el);
	char line[TERM_LINE];

	(void)key;
	left_part(el, line);
	el_cursor(el, TERM_LINE);
	fputs("?\n", stdout);
	t->help.help(t->help.ctx, line);
	el_set(el, EL_REFRESH);
	return CC_NORM;
}

static unsigned char key_complete(EditLine *el, int key)
{
	struct term *t = term_of(el);
	char line[TERM_LINE], whole[256];
	size_t typed;

	(void)key;
	left_part(el, line);
	if (!t->help.complete(t->help.ctx, line, whole, sizeof(whole)))
		return CC_REFRESH_BEEP;
	for (typed = 0; typed < strlen(line) && line[strlen(line) - 1 - typed] != ' '; typed++)
		;
	el_deletestr(el, (int)typed);
	strncat(whole, " ", sizeof(whole) - strlen(whole) - 1);
	return el_insertstr(el, whole) < 0 ? CC_ERROR : CC_REFRESH;
}

/* Ctrl-C and Ctrl-Z end the line; what was typed stands in the line buffer. */
static unsigned char key_end(EditLine *el, int key)
{
	struct term *t = term_of(el);

	t->result = key == KEY_CTRL_C ? TERM_ABANDONED : TERM_CTRL_Z;
	fputs(key == KEY_CTRL_C ? "^C\n" : "^Z\n", stdout);
	return CC_EOF;
}

static void bind_keys(EditLine *el)
{
	static const char *const keys[][2] = {
		{ "?", "ios-help" },
		{ "^I", "ios-complete" },
		{ "^C", "ios-end" },
		{ "^Z", "ios-end" },
		{ "^A", "ed-move-to-beg" },
		{ "^E", "ed-move-to-end" },
		{ "^B", "ed-prev-char" },
		{ "^F", "ed-next-char" },
		{ "^D", "ed-delete-next-char" },
		{ "^H", "ed-delete-prev-char" },
		{ "^?", "ed-delete-prev-char" },
		{ "^K", "ed-kill-line" },
		{ "^U", "vi-kill-line-prev" },
		{ "^X", "vi-kill-line-prev" },
		{ "^W", "ed-delete-prev-word" },
		{ "^L", "ed-redisplay" },
		{ "^R", "ed-redisplay" },
		{ "^P", "ed-prev-history" },
		{ "^N", "ed-next-history" },
		{ "^T", "ed-transpose-chars" },
		{ "^Y", "em-yank" },
		{ "^V", "ed-quoted-insert" },
		{ "\\e[A", "ed-prev-history" },
		{ "\\e[B", "ed-next-history" },
		{ "\\e[C", "ed-next-char" },
		{ "\\e[D", "ed-prev-char" },
		{ "\\eOA", "ed-prev-history" },
		{ "\\eOB", "ed-next-history" },
		{ "\\eOC", "ed-next-char" },
		{ "\\eOD", "ed-prev-char" },
		{ "\\e[H", "ed-move-to-beg" },
		{ "\\e[F", "ed-move-to-end" },
		{ "\\e[1~", "ed-move-to-beg" },
		{ "\\e[4~", "ed-move-to-end" },
		{ "\\e[3~", "ed-delete-next-char" },
		{ "\\eb", "ed-prev-word" },
		{ "\\ef", "em-next-word" },
		{ "\\ed", "em-delete-next-word" },
	};

	el_set(el, EL_ADDFN, "ios-help", "IOS help", key_help);
	el_set(el, EL_ADDFN, "ios-complete", "IOS completion", key_complete);
	el_set(el, EL_ADDFN, "ios-end", "IOS end of line or mode", key_end);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		el_set(el, EL_BIND, keys[i][0], keys[i][1], NULL);
}

/* el_init reads TERM; what the console runs (ping) shall still see the real one. */
static EditLine *init_dumb(void)
{
	const char *type = getenv("TERM");
	char saved[64];
	EditLine *el;

	snprintf(saved, sizeof(saved), "%s", type == NULL ? "" : type);
	setenv("TERM", "dumb", 1);
	el = el_init("postern", stdin, stdout, stderr);
	if (saved[0] != '\0')
		setenv("TERM", saved, 1);
	else
		unsetenv("TERM");
	return el;
}

bool term_edit_open(struct term *t)
{
	t->el = init_dumb();
	if (t->el == NULL)
		return false;
	el_set(t->el, EL_CLIENTDATA, t);
	el_set(t->el, EL_SIGNAL, 0);
	el_set(t->el, EL_EDITOR, "emacs");
	el_set(t->el, EL_PROMPT, prompt_fn);
	el_set(t->el, EL_GETCFN, getc_fn);
	el_set(t->el, EL_HIST, history, t->history);
	el_set(t->el, EL_SETTY, "-d", "-isig", "-icrnl", "-inlcr", "-iexten", NULL);
	/* Between lines too the terminal stays raw and silent. */
	el_set(t->el, EL_SETTY, "-x", "-echo", "-icanon", "-isig", "-icrnl", "-inlcr", "-iexten", NULL);
	bind_keys(t->el);
	return true;
}

void term_edit_close(struct term *t)
{
	if (t->el != NULL)
		el_end(t->el);
}

void term_edit_redraw(struct term *t)
{
	el_set(t->el, EL_REFRESH);
}

/* What Ctrl-Z left in the buffer of libedit. */
static void keep_buffer(struct term *t, char line[TERM_LINE])
{
	const LineInfo *info = el_line(t->el);
	size_t len = (size_t)(info->lastchar - info->buffer);

	if (len >= TERM_LINE)
		len = TERM_LINE - 1;
	memcpy(line, info->buffer, len);
	line[len] = '\0';
}

void term_remember(struct term *t, const char *line)
{
	HistEvent ev;

	if (t->history_on && t->history_limit > 0 && line[strspn(line, " ")] != '\0')
		history(t->history, &ev, H_ENTER, line);
}

enum term_result term_edit_line(struct term *t, const char *prompt, char line[TERM_LINE])
{
	const char *got;
	int n = 0;

	snprintf(t->prompt, sizeof(t->prompt), "%s", prompt);
	t->result = TERM_OK;
	line[0] = '\0';
	t->editing = true;
	got = el_gets(t->el, &n);
	t->editing = t->line_open = false;
	if (t->result == TERM_CTRL_Z)
		keep_buffer(t, line);
	if (got == NULL || n <= 0)
		return t->result == TERM_OK ? TERM_EOF : t->result;
	snprintf(line, TERM_LINE, "%.*s", (int)strcspn(got, "\n"), got);
	return TERM_OK;
}

void term_history_size(struct term *t, unsigned lines)
{
	HistEvent ev;

	t->history_limit = lines;
	if (t->history == NULL)
		return;
	history(t->history, &ev, H_SETSIZE, (int)lines);
	history(t->history, &ev, H_SETUNIQUE, 1);
}

unsigned term_history_limit(const struct term *t)
{
	return t->history_limit;
}

void term_history_on(struct term *t, bool on)
{
	t->history_on = on;
}

bool term_history_is_on(const struct term *t)
{
	return t->history_on;
}

void term_history_each(struct term *t, void (*each)(void *ctx, const char *line), void *ctx)
{
	HistEvent ev;

	if (t->history == NULL)
		return;
	for (int rc = history(t->history, &ev, H_LAST); rc == 0; rc = history(t->history, &ev, H_PREV))
		each(ctx, ev.str);
}
