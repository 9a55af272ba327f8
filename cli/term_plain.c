/* Lines without an editor: from a pipe or a script, and on a terminal the answers to questions. */
#include "cli/term_impl.h"

#include "platform/base/secret.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static enum term_result ended(int c)
{
	return c == INPUT_TIMEOUT ? TERM_TIMEOUT : c == INPUT_HANGUP ? TERM_HANGUP : TERM_EOF;
}

/* A script's line with its quoted characters resolved. */
struct plain {
	char *line;
	size_t len;
	bool quoted;       /* Ctrl-V came: the next one means itself */
	bool last_is_help; /* the line ends in an unquoted `?` */
};

static void plain_add(struct plain *p, int c)
{
	if (c == KEY_CTRL_V && !p->quoted) {
		p->quoted = true;
		return;
	}
	p->last_is_help = c == '?' && !p->quoted;
	p->quoted = false;
	if (p->len + 1 < TERM_LINE)
		p->line[p->len++] = c == '\t' ? ' ' : (char)c;
	p->line[p->len] = '\0';
}

/* Collects up to the end of a line; the result says what ended it. */
static enum term_result plain_collect(struct term *t, struct plain *p)
{
	for (;;) {
		int c = input_char(&t->input);

		if (c == '\n')
			return TERM_OK;
		if (c == KEY_CTRL_C || c == KEY_CTRL_Z)
			return c == KEY_CTRL_C ? TERM_ABANDONED : TERM_CTRL_Z;
		if (c == INPUT_EOF && p->len > 0)
			return TERM_OK;
		if (c < 0)
			return ended(c);
		plain_add(p, c);
	}
}

enum term_result term_plain_line(struct term *t, const char *prompt, char line[TERM_LINE])
{
	for (;;) {
		struct plain p = { .line = line };
		enum term_result r;

		line[0] = '\0';
		term_printf(t, "%s", prompt);
		fflush(stdout);
		r = plain_collect(t, &p);
		term_printf(t, "%s%s\n", line, r == TERM_ABANDONED ? "^C" : r == TERM_CTRL_Z ? "^Z" : "");
		if (r != TERM_OK || !p.last_is_help)
			return r;
		line[p.len - 1] = '\0';
		t->help.help(t->help.ctx, line);
	}
}

/* On a terminal: echo and the two ways to take back what was typed. */
static void answer_key(struct term *t, int c, char *line, size_t *len, bool echo)
{
	size_t before = *len;

	if (c == '\b' || c == 0x7f)
		*len -= *len > 0;
	else if (c == 0x15)
		*len = 0;
	else if (c >= ' ' && *len + 1 < TERM_LINE)
		line[(*len)++] = (char)c;
	line[*len] = '\0';
	if (!echo)
		return;
	for (size_t i = *len; i < before; i++)
		term_write(t, "\b \b", 3);
	if (*len > before)
		term_write(t, line + before, *len - before);
	fflush(stdout);
}

static enum term_result answer(struct term *t, const char *prompt, char line[TERM_LINE], bool echo)
{
	size_t len = 0;
	int c;

	line[0] = '\0';
	term_printf(t, "%s", prompt);
	fflush(stdout);
	for (;;) {
		c = input_char(&t->input);
		if (c < 0 && !(c == INPUT_EOF && len > 0))
			return ended(c);
		if (c == '\n' || c == INPUT_EOF || c == KEY_CTRL_C || c == KEY_CTRL_Z)
			break;
		answer_key(t, c, line, &len, echo && t->tty);
	}
	if (echo && !t->tty)
		term_printf(t, "%s", line);
	term_write(t, "\n", 1);
	return c == KEY_CTRL_C ? TERM_ABANDONED : c == KEY_CTRL_Z ? TERM_CTRL_Z : TERM_OK;
}

enum term_result term_answer(struct term *t, const char *prompt, char line[TERM_LINE])
{
	return answer(t, prompt, line, true);
}

enum term_result term_secret(struct term *t, const char *prompt, char *secret, size_t size)
{
	char line[TERM_LINE];
	enum term_result r = answer(t, prompt, line, false);

	snprintf(secret, size, "%s", line);
	wipe(line, sizeof(line));
	return r;
}

bool term_confirm(struct term *t, const char *question)
{
	char line[TERM_LINE];
	int c;

	if (!t->tty)
		return term_answer(t, question, line) == TERM_OK &&
		       (line[0] == '\0' || strncasecmp(line, "yes", strlen(line)) == 0);
	term_printf(t, "%s", question);
	fflush(stdout);
	c = input_char(&t->input);
	if (c > ' ')
		term_printf(t, "%c", c);
	term_write(t, "\n", 1);
	fflush(stdout);
	return c == '\n' || c == 'y' || c == 'Y';
}
