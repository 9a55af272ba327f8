/* The router itself: host name, time stamps, logging, banner. */
#include "configdb/model/stmt.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define BANNER_MAX 3000

static enum grammar_result check_hostname(struct change *c)
{
	const char *name = var(c, "hostname");
	if (c->remove)
		return GR_OK;
	size_t n = strlen(name);
	bool right = n <= 63 && isalpha((unsigned char)name[0]);
	for (size_t i = 0; right && i < n; i++)
		right = isalnum((unsigned char)name[i]) || strchr("-_.", name[i]);
	return right ? GR_OK : refuse(c, "%% Hostname contains one or more illegal characters.");
}

static void hostname_render(struct render *r, const struct stmt *st)
{
	struct values v;
	char name[CFG_NAME] = "Router";
	db_get(r->db, name, sizeof name, "SELECT hostname FROM system", NOPARAMS);
	values_init(&v);
	value_set(&v, "hostname", name);
	emit_values(r, st, &v);
}

/* A configuration file says with which version it was written; any is read. */
static enum grammar_result version_apply(struct change *c)
{
	(void)c;
	return GR_OK;
}

static void version_render(struct render *r, const struct stmt *st)
{
	(void)st;
	emit(r, "version " POSTERN_VERSION);
}

/* `service timestamps` alone is `service timestamps debug uptime`; without a kind it is uptime. */
static enum grammar_result stamps_apply(struct change *c)
{
	const char *what = var(c, "what");
	if (c->remove) {
		if (c->to_default)
			db_run(c->db,
				"INSERT INTO timestamps(what, stamp, msec) SELECT value, 'datetime', 'msec' FROM "
				"json_each('[\"debug\", \"log\"]') "
				"WHERE ?1 IS NULL OR value = ?1 ON CONFLICT DO UPDATE SET stamp = 'datetime', msec = 'msec', "
				"localtime = NULL, "
				"show_timezone = NULL, year = NULL",
				P(what));
		else
			db_run(c->db, "DELETE FROM timestamps WHERE ?1 IS NULL OR what = ?1", P(what));
		return GR_OK;
	}
	if (!what)
		value_set(&c->v, "what", "debug");
	if (!var(c, "stamp"))
		value_set(&c->v, "stamp", "uptime");
	db_run(c->db,
		"INSERT INTO timestamps(what, stamp, msec, localtime, show_timezone, year) VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON "
		"CONFLICT "
		"DO UPDATE SET stamp = ?2, msec = ?3, localtime = ?4, show_timezone = ?5, year = ?6 WHERE stamp <> ?2 OR msec IS "
		"NOT ?3 "
		"OR localtime IS NOT ?4 OR show_timezone IS NOT ?5 OR year IS NOT ?6",
		P(var(c, "what"), var(c, "stamp"), var(c, "msec"), var(c, "localtime"), var(c, "show_timezone"), var(c, "year")));
	return GR_OK;
}

static void stamps_render(struct render *r, const struct stmt *st)
{
	static const char *const kinds[] = { "debug", "log" };
	struct values v;
	for (size_t i = 0; i < 2; i++) {
		sqlite3_stmt *q = db_query(r->db, "SELECT * FROM timestamps WHERE what = ?1", P(kinds[i]));
		values_init(&v);
		if (db_step(r->db, &q)) {
			values_from_row(&v, q);
			emit_values(r, st, &v);
		} else {
			emit(r, "no service timestamps %s", kinds[i]);
		}
		db_done(r->db, q);
	}
}

#define SYSTEM_ROW .mode = MODE_CONFIG, .tables = CFG_SYSTEM, .table = "system"

static const struct stmt system_rows[] = {
	{ .syntax = "version WORD$version",
		.help = HELP("Version that wrote this configuration", "Version"),
		.mode = MODE_CONFIG,
		.hidden = true,
		.apply = version_apply,
		.render = version_render },
	{ .syntax = "service timestamps [<debug|log>$what [<uptime|datetime "
		    "[{msec$msec|localtime$localtime|show-timezone$show_timezone|"
		    "year$year}]>$stamp]]",
		.help = HELP("Modify use of network based services", "Timestamp debug/log messages", "Timestamp debug messages",
			"Timestamp log messages", "Timestamp with system uptime", "Timestamp with date and time",
			"Include milliseconds in timestamp", "Use local time zone for timestamps",
			"Add time zone information to timestamp", "Include year in timestamp"),
		.mode = MODE_CONFIG,
		.tables = CFG_SYSTEM,
		.no_words = 2,
		.apply = stamps_apply,
		.render = stamps_render },
};
const struct block block_system = { system_rows, sizeof system_rows / sizeof *system_rows, false };

static const struct stmt hostname_rows[] = {
	{ .syntax = "hostname WORD$hostname",
		.help = HELP("Set system's network name", "This system's network name"),
		SYSTEM_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "hostname",
		.check = check_hostname,
		.defaults = "hostname=Router",
		.render = hostname_render },
};
const struct block block_hostname = { hostname_rows, sizeof hostname_rows / sizeof *hostname_rows, false };

#define LOGGING "Modify message logging facilities"

static const struct stmt logging_rows[] = {
	{ .syntax = "logging buffered [<4096-2147483647>$buffered_bytes] [SEVERITY$buffered_level]",
		.help = HELP(LOGGING, "Set buffered logging parameters", "Logging buffer size", "Logging severity level"),
		SYSTEM_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "buffered_bytes buffered_level",
		.defaults = "buffered_bytes=4096;buffered_level=7",
		.off = "buffered_off",
		.off_text = "no logging buffered" },
	{ .syntax = "logging console [SEVERITY$console_level]",
		.help = HELP(LOGGING, "Set console logging parameters", "Logging severity level"),
		SYSTEM_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "console_level",
		.defaults = "console_level=7",
		.off = "console_off",
		.off_text = "no logging console" },
	{ .syntax = "logging monitor [SEVERITY$monitor_level]",
		.help = HELP(LOGGING, "Set terminal line (monitor) logging parameters", "Logging severity level"),
		SYSTEM_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "monitor_level",
		.defaults = "monitor_level=7",
		.off = "monitor_off",
		.off_text = "no logging monitor" },
};
const struct block block_logging = { logging_rows, sizeof logging_rows / sizeof *logging_rows, false };

/* What could not be printed between ^C and ^C is no banner. */
static enum grammar_result check_banner(struct change *c)
{
	const char *text = var(c, "banner");
	if (c->remove)
		return GR_OK;
	if (strstr(text, "^C") || strstr(text, "^c") || strchr(text, 3))
		return refuse(c, "%% The banner cannot contain ^C");
	return strlen(text) <= BANNER_MAX ? GR_OK : refuse(c, "%% The banner is longer than %d characters", BANNER_MAX);
}

static const struct stmt banner_rows[] = {
	{ .syntax = "banner motd BANNER$banner",
		.help = HELP("Define a login banner", "Set Message of the Day banner",
			"c banner-text c, where 'c' is a delimiting character"),
		SYSTEM_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "banner",
		.check = check_banner },
};
const struct block block_banner = { banner_rows, sizeof banner_rows / sizeof *banner_rows, false };
