/* show users, show line. The console is line 0, vty 0 is line 1. */
#include "cli/exec/users.h"

#include "cli/exec.h"
#include "cli/exec/duration.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

static unsigned line_number(const char *tty)
{
	unsigned n = 0;

	sscanf(tty, "%*s %u", &n);
	return strncmp(tty, "vty", 3) == 0 ? 1 + n : n;
}

void show_users_format(struct out *o, const struct cfgm_session *rows, size_t n, uint32_t own)
{
	out_printf(o, "    Line       User       Host(s)              Idle       Location\n");
	for (size_t i = 0; i < n; i++) {
		char idle[DURATION_TEXT];

		out_printf(o, "%c%3u %-10s %-10s %-20s %-10s %s\n", rows[i].id == own ? '*' : ' ', line_number(rows[i].tty),
			rows[i].tty, rows[i].user, "idle", duration_short(idle, rows[i].idle_s), rows[i].from);
	}
	out_printf(o, "\n  Interface    User               Mode         Idle     Peer Address\n\n");
}

static bool gather(struct exec_call *c, struct cfgm_session **rows, size_t *n)
{
	enum err e = session_list(&c->sh->session, rows, n);

	return e == ERR_OK || exec_failed(c, "configd", e);
}

static bool show_users(struct exec_call *c)
{
	struct cfgm_session *rows;
	size_t n;

	if (!gather(c, &rows, &n))
		return false;
	show_users_format(c->out, rows, n, c->sh->session.info.id);
	mem_free(rows);
	return true;
}

static char mark_of(const char *tty, const struct cfgm_session *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].tty, tty) == 0)
			return '*';
	return ' ';
}

static void one_line(struct out *o, const char *type, const char *tty, const struct cfgm_session *rows, size_t n)
{
	unsigned uses = 0;

	for (size_t i = 0; i < n; i++)
		uses += strcmp(rows[i].tty, tty) == 0;
	out_printf(o, "%c%6u %-3s              -    -      -    -    - %6u       0     0/0       -\n", mark_of(tty, rows, n),
		line_number(tty), type, uses);
}

void show_line_format(
	struct out *o, const struct cfg_line *lines, size_t nlines, const struct cfgm_session *rows, size_t n, uint32_t own)
{
	(void)own;
	out_printf(o, "   Tty Typ     Tx/Rx    A Modem  Roty AccO AccI   Uses   Noise  Overruns   Int\n");
	one_line(o, "CTY", "con 0", rows, n);
	for (size_t i = 0; i < nlines; i++)
		for (unsigned k = lines[i].first; lines[i].vty && k <= lines[i].last; k++) {
			char tty[16];

			snprintf(tty, sizeof(tty), "vty %u", k);
			one_line(o, "VTY", tty, rows, n);
		}
	out_printf(o, "\n");
}

static bool show_line(struct exec_call *c)
{
	struct cfgm_session *rows = NULL;
	struct cfg *cfg = exec_cfg(c);
	size_t n;
	bool ok = cfg != NULL && gather(c, &rows, &n);

	if (ok)
		show_line_format(c->out, cfg->lines, cfg->nlines, rows, n, c->sh->session.info.id);
	mem_free(rows);
	cfg_free(cfg);
	return ok;
}

#define SHOW "Show running system information"

const struct exec_row exec_rows_users[] = {
	{ "show users [all]",
		EXEC_HELP(SHOW, "Display information about terminal lines", "Include information about inactive ports"), 0,
		EXEC_PIPE, show_users, 0 },
	{ "show line", EXEC_HELP(SHOW, "TTY line information"), 0, EXEC_PIPE, show_line, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
