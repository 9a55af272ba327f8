/* AAA: named lists of methods, for remote access. The console and its lines do not ask them: they go by `login` of the line. */
#include "configdb/model/stmt.h"

#include <string.h>

static bool new_model(struct change *c)
{
	return db_exists(c->db, "SELECT 1 FROM aaa WHERE new_model IS NOT NULL", NOPARAMS);
}

/* Without AAA there are no lists, as on IOS. */
static enum grammar_result new_model_apply(struct change *c)
{
	if (c->remove)
		db_run(c->db, "DELETE FROM aaa_login", NOPARAMS);
	if (c->remove)
		db_run(c->db, "DELETE FROM aaa_network", NOPARAMS);
	return change_scalar(c);
}

static enum grammar_result list_apply(struct change *c)
{
	if (c->remove)
		return change_list(c);
	if (!new_model(c))
		return refuse(c, "%% AAA is not enabled: \"aaa new-model\" comes first");
	if (var(c, "server"))
		return refuse(c, "%% AAA server groups (group %s) are not available: use local or none", var(c, "server"));
	return change_list(c);
}

static enum grammar_result login_apply(struct change *c)
{
	if (!c->remove && !strcmp(var(c, "name"), "default"))
		return refuse(c, "%% The list \"default\" would govern the logins of console and lines, which go by \"login\" of\n"
				 "  the line. Give the list a name, and the name to \"client authentication list\"");
	return list_apply(c);
}

#define METHOD_HELP "Use local database.", "NO authentication.", "Use Server-group", "Server-group name"

static const struct stmt rows[] = {
	{ .syntax = "aaa new-model$new_model",
		.help = HELP("Authentication, Authorization and Accounting.",
			"Enable NEW access control commands and functions.(Disables OLD commands.)"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_USERS,
		.shape = SHAPE_SCALAR,
		.table = "aaa",
		.columns = "new_model",
		.apply = new_model_apply },
	{ .syntax = "aaa authentication login TAG$name <<local|none>$method|group TAG$server>",
		.help = HELP("Authentication, Authorization and Accounting.", "Authentication configurations parameters.",
			"Set authentication lists for logins.", "Named authentication list (max 31 characters).", METHOD_HELP),
		.mode = MODE_CONFIG,
		.no_words = 4,
		.tables = CFG_USERS,
		.shape = SHAPE_LIST,
		.table = "aaa_login",
		.key = "name",
		.columns = "method",
		.order = "name",
		.apply = login_apply },
	{ .syntax = "aaa authorization network TAG$name <<local|none>$method|group TAG$server>",
		.help = HELP("Authentication, Authorization and Accounting.", "Authorization configurations parameters.",
			"For network services. (PPP, SLIP, ARAP)", "Named authorization list (max 31 characters).", METHOD_HELP),
		.mode = MODE_CONFIG,
		.no_words = 4,
		.tables = CFG_USERS,
		.shape = SHAPE_LIST,
		.table = "aaa_network",
		.key = "name",
		.columns = "method",
		.order = "name",
		.apply = list_apply },
};
const struct block block_aaa = { rows, sizeof rows / sizeof *rows, false };
