/* The terminal as a thing: its modes, its size, what is written to it. */
#include "cli/term_impl.h"

#include "platform/base/mem.h"

#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t resized;

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

/* Raw, silent, and with CR told from LF; output keeps turning LF into CR LF. */
static bool make_raw(struct term *t)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return false;
	raw = t->saved;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | IXON);
	raw.c_oflag |= OPOST | ONLCR;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void ask_window(struct term *t)
{
	struct winsize w;

	if (!t->tty || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return;
	if (!t->rows_fixed && w.ws_row > 0)
		t->rows = w.ws_row;
	if (!t->columns_fixed && w.ws_col > 0)
		t->columns = w.ws_col;
}

/* Old terminals and the programs that pretend to be one get no escape sequence at all. */
static bool knows_cursor_up(const char *type)
{
	static const char *const families[] = { "xterm", "screen", "tmux", "linux", "rxvt" };

	for (size_t i = 0; type != NULL && i < sizeof(families) / sizeof(families[0]); i++)
		if (strncmp(type, families[i], strlen(families[i])) == 0)
			return true;
	return false;
}

struct term *term_open(const struct term_help *help)
{
	struct term *t = mem_zalloc(sizeof(*t));

	if (t == NULL)
		return NULL;
	setlocale(LC_CTYPE, "C.UTF-8");
	t->help = *help;
	t->rows = 24;
	t->columns = 80;
	t->history_on = true;
	t->history_limit = 20;
	input_init(&t->input, STDIN_FILENO);
	t->history = history_init();
	if (t->history == NULL) {
		mem_free(t);
		return NULL;
	}
	term_history_size(t, t->history_limit);
	t->tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && make_raw(t);
	if (!t->tty)
		return t;
	t->can_wrap = knows_cursor_up(getenv("TERM"));
	signal(SIGWINCH, on_resize);
	ask_window(t);
	if (term_edit_open(t))
		return t;
	term_close(t);
	return NULL;
}

void term_close(struct term *t)
{
	if (t == NULL)
		return;
	fflush(stdout);
	if (t->tty) {
		term_edit_close(t);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	}
	history_end(t->history);
	mem_free(t);
}

struct input *term_input(struct term *t)
{
	return &t->input;
}

bool term_is_tty(const struct term *t)
{
	return t->tty;
}

enum term_result term_line(struct term *t, const char *prompt, char line[TERM_LINE])
{
	enum term_result r;

	if (resized) {
		resized = 0;
		ask_window(t);
	}
	r = t->tty ? term_edit_line(t, prompt, line) : term_plain_line(t, prompt, line);
	if (r == TERM_OK)
		term_remember(t, line);
	return r;
}

void term_write(struct term *t, const char *text, size_t len)
{
	if (len == 0)
		return;
	fwrite(text, 1, len, stdout);
	t->line_open = text[len - 1] != '\n';
}

void term_printf(struct term *t, const char *fmt, ...)
{
	char buf[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n > 0)
		term_write(t, buf, (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

void term_flush(struct term *t)
{
	(void)t;
	fflush(stdout);
}

void term_interject(struct term *t, const char *line)
{
	if ((t->editing && !t->interjected) || t->line_open)
		fputc('\n', stdout);
	term_printf(t, "%s\n", line);
	t->interjected = true;
}

void term_interject_end(struct term *t)
{
	if (t->editing && t->interjected)
		term_edit_redraw(t);
	t->interjected = false;
	fflush(stdout);
}

void term_size_default(struct term *t, unsigned rows, unsigned columns)
{
	t->rows = rows;
	t->columns = columns;
	ask_window(t);
}

void term_set_rows(struct term *t, unsigned rows)
{
	t->rows = rows;
	t->rows_fixed = true;
}

void term_set_columns(struct term *t, unsigned columns)
{
	t->columns = columns;
	t->columns_fixed = true;
}

unsigned term_rows(const struct term *t)
{
	return t->tty ? t->rows : 0;
}

unsigned term_rows_set(const struct term *t)
{
	return t->rows;
}

unsigned term_columns(const struct term *t)
{
	return t->columns;
}
