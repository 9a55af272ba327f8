/* The master key of type 6, and the switch that IOS has for it.
 *
 * Postern shows no secret in clear, so keys print as type 6 whether `password encryption aes` stands in the configuration or not:
 * under the master key, or, until there is one, under the router's own.
 */
#include "configdb/model/stmt.h"

#include <string.h>

#define PASSPHRASE_MAX (CFG_PASSPHRASE - 1)

static enum grammar_result config_key(struct change *c)
{
	const char *pass = var(c, "passphrase");
	enum err e;
	if (c->remove) {
		e = secrets_master_delete(c->secrets);
		return e == ERR_OK || e == ERR_NOT_FOUND ? GR_OK : refuse(c, "%% The key cannot be deleted: %s", err_text(e));
	}
	if (!pass)
		return refuse(c, "%% Incomplete command.");
	if (strlen(pass) > PASSPHRASE_MAX)
		return refuse(c, "%% Invalid key length: at most %d characters are possible", PASSPHRASE_MAX);
	e = secrets_master_set(c->secrets, span_of(pass, strlen(pass)));
	if (e == ERR_RANGE)
		return refuse(c, "%% Invalid key length: at least 8 characters are needed");
	return e == ERR_OK ? GR_OK : refuse(c, "%% The key cannot be stored: %s", err_text(e));
}

static enum grammar_result check_encryption(struct change *c)
{
	if (!c->remove && !secrets_master_known(c->secrets)) {
		say(c, "Can not encrypt password. Please configure a configuration-key with \"key config-key\"");
		say(c, "%% Until then keys are encrypted with this router's own key, which no other router has");
	}
	return GR_OK;
}

static const struct stmt rows[] = {
	{ .syntax = "password encryption aes$password_aes",
		.help = HELP("Configure encryption password (key)", "Encrypt system passwords",
			"Encrypt stored passwords using AES (type 6); they are, also without this line"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_SYSTEM,
		.shape = SHAPE_SCALAR,
		.table = "system",
		.columns = "password_aes",
		.check = check_encryption },
	{ .syntax = "key config-key password-encrypt [SECRET$passphrase]",
		.help = HELP("Key management", "Set a private configuration key",
			"Set the master key that encrypts pre-shared keys", "The config-key (at least 8 characters)"),
		.mode = MODE_CONFIG,
		.no_words = 3,
		.tables = CFG_ISAKMP,
		.secret = "passphrase",
		.apply = config_key },
};
const struct block block_master_key = { rows, sizeof rows / sizeof *rows, false };
