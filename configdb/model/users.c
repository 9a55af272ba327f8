/* Who may log in, and the enable secret. Hashes live in keys.db; the tables have their numbers. */
#include "configdb/model/stmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_MAX 127

/* The typed secret as a stored hash: hashed here when it was plain. Returns its id in `id`. */
static enum grammar_result secret_store(struct change *c, char id[24])
{
	const char *text = var(c, "value");
	int type = atoi(value_or(&c->v, "type", "0"));
	char hash[128];
	uint64_t number;
	/* IOS knows more types and `level`: never take them for a part of the password. */
	if (!var(c, "type") && ((text[0] >= '0' && text[0] <= '9' && text[1] == ' ') || !strncmp(text, "level ", 6)))
		return refuse(c, "%% Secrets of this type are not supported");
	if (!type && strlen(text) > PASSWORD_MAX)
		return refuse(c, "%% The secret is longer than %d characters", PASSWORD_MAX);
	if (type && !password_hash_valid(type, text))
		return refuse(c,
			"ERROR: The secret you entered is not a valid encrypted secret.\n"
			"To enter an UNENCRYPTED secret, do not specify type %d encryption.\n"
			"When you properly enter an UNENCRYPTED secret, it will be encrypted.",
			type);
	enum err e = ERR_OK;
	if (type)
		snprintf(hash, sizeof hash, "%s", text);
	else
		e = password_hash(9, span_of(text, strlen(text)), hash);
	if (e == ERR_OK)
		e = secrets_put(c->secrets, SECRET_HASH, span_of(hash, strlen(hash)), &number);
	wipe(hash, sizeof hash);
	if (e != ERR_OK)
		return refuse(c, "%% The secret cannot be stored: %s", err_text(e));
	snprintf(id, 24, "%llu", (unsigned long long)number);
	return GR_OK;
}

/* "$9$..." is of type 9, "$8$..." of 8; "$1$..." is md5-crypt, which IOS calls 5. */
static void secret_present(struct render *r, struct values *v)
{
	struct secret hash;
	char text[SECRET_MAX + 1], type[2] = "";
	uint64_t id = strtoull(value_or(v, "secret", "0"), NULL, 10);
	if (!id || secrets_get(r->secrets, id, &hash) != ERR_OK)
		return;
	snprintf(text, sizeof text, "%.*s", (int)hash.len, (const char *)hash.bytes);
	type[0] = text[0] && text[1] == '1' ? '5' : text[0] ? text[1] : 0;
	value_set(v, "type", type);
	value_set(v, "value", text);
	secret_wipe(&hash);
	wipe(text, sizeof text);
}

static enum grammar_result enable_apply(struct change *c)
{
	char id[24];
	if (c->remove) {
		db_run(c->db, "UPDATE system SET enable_secret = NULL WHERE enable_secret IS NOT NULL", NOPARAMS);
		return GR_OK;
	}
	enum grammar_result r = secret_store(c, id);
	if (r == GR_OK)
		db_run(c->db, "UPDATE system SET enable_secret = ?1 WHERE enable_secret IS NOT CAST(?1 AS INTEGER)", P(id));
	return r;
}

static void enable_render(struct render *r, const struct stmt *st)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db, "SELECT enable_secret AS secret FROM system WHERE enable_secret IS NOT NULL", NOPARAMS);
	values_init(&v);
	if (db_step(r->db, &q)) {
		values_from_row(&v, q);
		emit_values(r, st, &v);
	}
	db_done(r->db, q);
}

static enum grammar_result user_apply(struct change *c)
{
	char id[24];
	const char *name = var(c, "name"), *privilege = var(c, "privilege");
	enum grammar_result r = GR_OK;
	if (c->remove) {
		db_run(c->db, "DELETE FROM user WHERE name = ?1", P(name));
		return GR_OK;
	}
	if (var(c, "value"))
		r = secret_store(c, id);
	if (r != GR_OK)
		return r;
	db_run(c->db, "INSERT INTO user(name) VALUES(?1) ON CONFLICT DO NOTHING", P(name));
	if (privilege)
		db_run(c->db,
			"UPDATE user SET privilege = nullif(CAST(?2 AS INTEGER), 1) WHERE name = ?1 AND ifnull(privilege, 1) <> "
			"CAST(?2 AS INTEGER)",
			P(name, privilege));
	if (var(c, "value"))
		db_run(c->db, "UPDATE user SET secret = ?2 WHERE name = ?1 AND secret IS NOT CAST(?2 AS INTEGER)", P(name, id));
	return GR_OK;
}

#define SECRET_HELP                                                                                                                \
	"Specifies an UNENCRYPTED password will follow", "Specifies a MD5 HASHED secret will follow",                              \
		"Specifies a PBKDF2 HASHED secret will follow", "Specifies a SCRYPT HASHED secret will follow"

static const struct stmt enable_rows[] = {
	{ .syntax = "enable secret [<0|5|8|9>$type] SECRET$value",
		.help = HELP("Modify enable password parameters", "Assign the privileged level secret", SECRET_HELP,
			"The UNENCRYPTED (cleartext) 'enable' secret"),
		.mode = MODE_CONFIG,
		.no_words = 2,
		.tables = CFG_USERS | CFG_SYSTEM,
		.secret = "value",
		.apply = enable_apply,
		.present = secret_present,
		.render = enable_render },
};
const struct block block_enable = { enable_rows, sizeof enable_rows / sizeof *enable_rows, false };

static const struct stmt user_rows[] = {
	{ .syntax = "username TAG$name [privilege <0-15>$privilege] [secret [<0|5|8|9>$type] SECRET$value]",
		.help = HELP("Establish User Name Authentication", "User name", "Set user privilege level", "User privilege level",
			"Specify the secret for the user", SECRET_HELP, "The UNENCRYPTED (cleartext) user secret"),
		.mode = MODE_CONFIG,
		.no_words = 2,
		.tables = CFG_USERS,
		.shape = SHAPE_LIST,
		.table = "user",
		.order = "name",
		.secret = "value",
		.apply = user_apply,
		.present = secret_present },
};
const struct block block_users = { user_rows, sizeof user_rows / sizeof *user_rows, false };
