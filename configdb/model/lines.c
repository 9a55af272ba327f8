/* Terminal lines. A row of the table is one line; running-config writes neighbours of equal settings as one range. */
#include "configdb/model/stmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum grammar_result line_remove(struct change *c, const char *kind, int first, int last)
{
	char from[16], to[16];
	snprintf(from, sizeof from, "%d", first);
	snprintf(to, sizeof to, "%d", last);
	/* Lines that IOS always has go back to their defaults instead. */
	if (c->to_default || first < 5) {
		if (!c->to_default)
			return refuse(c, "%% Can't delete first 5 %s lines", !strcmp(kind, "vty") ? "VTY" : "console");
		db_run(c->db,
			"UPDATE line SET minutes = NULL, seconds = NULL, synchronous = NULL, login = NULL, length = NULL, width = "
			"NULL, "
			"history_size = NULL, transport = NULL WHERE kind = ?1 AND number BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 "
			"AS INTEGER)",
			P(kind, from, to));
		return GR_OK;
	}
	db_run(c->db, "DELETE FROM line WHERE kind = ?1 AND number >= CAST(?2 AS INTEGER)", P(kind, from));
	return GR_OK;
}

static enum grammar_result line_apply(struct change *c)
{
	const char *kind = var(c, "kind");
	int first = atoi(var(c, "first")), last = atoi(value_or(&c->v, "last", var(c, "first")));
	char context[CFG_CONTEXT], number[16];
	if (last < first)
		return refuse(c, "%% Bad line range");
	if (c->remove)
		return line_remove(c, kind, first, last);
	/* Numbers have no gaps. */
	for (int i = 0; i <= last; i++) {
		snprintf(number, sizeof number, "%d", i);
		db_run(c->db, "INSERT INTO line(kind, number) VALUES(?1, ?2) ON CONFLICT DO NOTHING", P(kind, number));
	}
	snprintf(context, sizeof context, "%s %d %d", kind, first, last);
	return change_enter(c, MODE_LINE, context);
}

static bool same_settings(struct render *r, const char *kind, int a, int b)
{
	char x[16], y[16];
	snprintf(x, sizeof x, "%d", a);
	snprintf(y, sizeof y, "%d", b);
	return db_exists(r->db,
		"SELECT minutes, seconds, synchronous, login, length, width, history_size, transport FROM line "
		"WHERE kind = ?1 AND number = CAST(?2 AS INTEGER) INTERSECT SELECT minutes, seconds, synchronous, login, length, "
		"width, "
		"history_size, transport FROM line WHERE kind = ?1 AND number = CAST(?3 AS INTEGER)",
		P(kind, x, y));
}

static void range_render(struct render *r, const struct stmt *st, const char *kind, int first, int last)
{
	struct values v;
	char a[16], b[16];
	snprintf(a, sizeof a, "%d", first);
	snprintf(b, sizeof b, "%d", last);
	values_init(&v);
	value_set(&v, "kind", kind);
	value_set(&v, "first", a);
	if (last > first)
		value_set(&v, "last", b);
	emit_values(r, st, &v);
	r->key[0] = kind;
	r->key[1] = a;
	r->key[2] = b;
	r->nkey = 3;
	render_mode(r, MODE_LINE);
	r->nkey = 0;
}

/* The lines 0 to 4 that every router has, then those added: two ranges at least, as IOS writes them. */
static void lines_render(struct render *r, const struct stmt *st)
{
	char count[16] = "0";
	range_render(r, st, "console", 0, 0);
	db_get(r->db, count, sizeof count, "SELECT count(*) FROM line WHERE kind = 'vty'", NOPARAMS);
	int n = atoi(count);
	for (int first = 0, last; first < n; first = last + 1) {
		for (last = first; last + 1 < n && last != 4 && same_settings(r, "vty", first, last + 1); last++)
			;
		range_render(r, st, "vty", first, last);
	}
}

static enum grammar_result timeout_apply(struct change *c)
{
	if (c->remove && !c->to_default) {
		value_set(&c->v, "minutes", "0");
		value_set(&c->v, "seconds", "0");
		c->remove = false;
	} else if (!c->remove && !var(c, "seconds")) {
		value_set(&c->v, "seconds", "0");
	}
	return change_scalar(c);
}

static enum grammar_result login_apply(struct change *c)
{
	const char *login = c->remove ? "none" : value_or(&c->v, "login", "line");
	bool usual = c->to_default || !strcmp(login, strcmp(c->key[0], "vty") ? "none" : "line");
	c->remove = false;
	value_set(&c->v, "login", usual ? NULL : login);
	return change_scalar(c);
}

static void login_render(struct render *r, const struct stmt *st)
{
	char login[16] = "";
	bool vty = !strcmp(r->key[0], "vty");
	(void)st;
	if (!db_get(r->db, login, sizeof login, "SELECT login FROM line WHERE kind = ?1 AND number = CAST(?2 AS INTEGER)",
		    P(r->key[0], r->key[1])))
		snprintf(login, sizeof login, "%s", vty ? "line" : "none");
	if (!strcmp(login, "local"))
		emit(r, "login local");
	else if (!strcmp(login, "line"))
		emit(r, "login");
	else if (vty || r->all)
		emit(r, "no login");
}

#define LINE_ROW .mode = MODE_LINE, .tables = CFG_USERS, .shape = SHAPE_SCALAR

static const struct stmt rows[] = {
	{ .syntax = "line <con(sole) <0-0>$first|vty <0-15>$first [<0-15>$last]>$kind",
		.help = HELP("Configure a terminal line", "Primary terminal line", "First Line number", "Virtual terminal",
			"First Line number", "Last Line number"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_USERS,
		.apply = line_apply,
		.render = lines_render },
	{ .syntax = "exec-timeout <0-35791>$minutes [<0-2147483>$seconds]",
		.help = HELP("Set the EXEC timeout", "Timeout in minutes", "Timeout in seconds"),
		LINE_ROW,
		.no_words = 1,
		.columns = "minutes seconds",
		.defaults = "minutes=10;seconds=0",
		.apply = timeout_apply },
	{ .syntax = "logging synchronous$synchronous",
		.help = HELP("Modify message logging facilities", "Synchronized message output"),
		LINE_ROW,
		.no_words = NO_WHOLE,
		.columns = "synchronous" },
	{ .syntax = "login [local$login]",
		.help = HELP("Enable password checking", "Local password checking"),
		LINE_ROW,
		.no_words = 1,
		.columns = "login",
		.apply = login_apply,
		.render = login_render },
	{ .syntax = "length <0-512>$length",
		.help = HELP("Set number of lines on a screen", "Number of lines on screen (0 for no pausing)"),
		LINE_ROW,
		.no_words = 1,
		.columns = "length",
		.defaults = "length=24" },
	{ .syntax = "width <0-512>$width",
		.help = HELP("Set width of the display terminal", "Number of characters on a screen line"),
		LINE_ROW,
		.no_words = 1,
		.columns = "width",
		.defaults = "width=80" },
	{ .syntax = "history size <0-256>$history_size",
		.help = HELP(
			"Enable and control the command history function", "Set history buffer size", "Size of history buffer"),
		LINE_ROW,
		.no_words = 2,
		.columns = "history_size",
		.defaults = "history_size=20" },
	{ .syntax = "transport input <all|none|ssh>$transport",
		.help = HELP("Define transport protocols for line",
			"Define which protocols to use when connecting to the terminal server", "All protocols", "No protocols",
			"TCP/IP SSH protocol"),
		LINE_ROW,
		.no_words = 2,
		.columns = "transport" },
};
const struct block block_line = { rows, sizeof rows / sizeof *rows, false };
