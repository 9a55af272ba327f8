/* Remote access on a crypto map as a whole, and the same in an ISAKMP profile: who checks users, who says what they get, who begins
 * to give addresses. */
#include "configdb/model/stmt.h"

#include <stdio.h>
#include <string.h>

/* Sets one column of the map's settings; a row that says nothing any more goes. */
static enum grammar_result setting_put(struct change *c, const char *column, const char *value)
{
	char sql[160];
	const char *name = var(c, "name");
	if (value)
		db_run(c->db, "INSERT INTO map_setting(name) VALUES(?1) ON CONFLICT DO NOTHING", P(name));
	snprintf(sql, sizeof sql, "UPDATE map_setting SET %s = ?2 WHERE name = ?1 AND %s IS NOT ?2", column, column);
	db_run(c->db, sql, P(name, value));
	return GR_OK;
}

/* The row's one column, which its variable is named after. */
static enum grammar_result setting_apply(struct change *c)
{
	const char *v = var(c, c->st->columns);
	return setting_put(c, c->st->columns, c->remove ? NULL : v);
}

static void setting_render(struct render *r, const struct stmt *st)
{
	char sql[160];
	struct values v;
	snprintf(sql, sizeof sql, "SELECT name, %s FROM map_setting WHERE %s IS NOT NULL ORDER BY name", st->columns, st->columns);
	sqlite3_stmt *q = db_query(r->db, sql, NOPARAMS);
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		emit_values(r, st, &v);
	}
}

#define MAP_HELP "Encryption module", "Enter a crypto map", "Crypto map tag"
#define SETTING(column)                                                                                                            \
	.mode = MODE_CONFIG, .tables = CFG_CRYPTO_MAPS, .shape = SHAPE_LIST, .table = "map_setting", .columns = column,            \
	.apply = setting_apply, .render = setting_render

#define PROFILE(column) .mode = MODE_ISA_PROF, .tables = CFG_ISAKMP, .shape = SHAPE_SCALAR, .columns = column

static const struct stmt rows[] = {
	{ .syntax = "crypto map NAME$name client authentication list TAG$client_auth",
		.help = HELP(MAP_HELP, "Specify client configuration settings", "Use AAA to authenticate clients",
			"Specify AAA authentication list", "AAA authentication list name"),
		.no_words = 6,
		SETTING("client_auth") },
	{ .syntax = "crypto map NAME$name client configuration address initiate$config_initiate",
		.help = HELP(MAP_HELP, "Specify client configuration settings", "Configure client's address",
			"Set client's address", "Push the network address to the client"),
		.no_words = NO_WHOLE,
		SETTING("config_initiate") },
	{ .syntax = "crypto map NAME$name client configuration address respond$config_respond",
		.help = HELP(MAP_HELP, "Specify client configuration settings", "Configure client's address",
			"Set client's address", "Respond to network address requests from the client"),
		.no_words = NO_WHOLE,
		SETTING("config_respond") },
	{ .syntax = "crypto map NAME$name isakmp authorization list TAG$author",
		.help = HELP(MAP_HELP, "Specify isakmp configuration settings", "Use AAA to authorize clients",
			"Specify AAA authorization list", "AAA authorization list name"),
		.no_words = 6,
		SETTING("author") },

	{ .syntax = "client authentication list TAG$client_auth",
		.help = HELP("Specify client settings", "Use AAA to authenticate clients", "Specify AAA authentication list",
			"AAA authentication list name"),
		.no_words = 3,
		PROFILE("client_auth") },
	{ .syntax = "isakmp authorization list TAG$author",
		.help = HELP("Specify isakmp settings", "Use AAA to authorize clients", "Specify AAA authorization list",
			"AAA authorization list name"),
		.no_words = 3,
		PROFILE("author") },
	{ .syntax = "client configuration address initiate$config_initiate",
		.help = HELP("Specify client settings", "Configure client's address", "Set client's address",
			"Push the network address to the client"),
		.no_words = NO_WHOLE,
		PROFILE("config_initiate") },
	{ .syntax = "client configuration address respond$config_respond",
		.help = HELP("Specify client settings", "Configure client's address", "Set client's address",
			"Respond to network address requests from the client"),
		.no_words = NO_WHOLE,
		PROFILE("config_respond") },
	{ .syntax = "client configuration group TAG$client_group",
		.help = HELP("Specify client settings", "Configure client's address", "Choose the group of clients that name none",
			"Name of the group"),
		.no_words = 3,
		PROFILE("client_group") },
};
const struct block block_map_client = { rows, sizeof rows / sizeof *rows, false };
