/* The shapes' way into the tables: SQL is written from the row's declaration. Every statement changes only what differs, so that
 * a line which says what is already true is no new revision. */
#include "configdb/model/stmt.h"
#include "platform/base/addr.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 12

struct columns {
	char text[256];
	const char *name[COLUMNS_MAX];
	size_t n;
};

static void columns_split(struct columns *c, const char *list)
{
	char *save = NULL;
	c->n = 0;
	snprintf(c->text, sizeof c->text, "%s", list ? list : "");
	for (char *w = strtok_r(c->text, " ", &save); w && c->n < COLUMNS_MAX; w = strtok_r(NULL, " ", &save))
		c->name[c->n++] = w;
}

static void sql_add(char *sql, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void sql_add(char *sql, size_t size, const char *fmt, ...)
{
	size_t n = strlen(sql);
	va_list args;
	va_start(args, fmt);
	vsnprintf(sql + n, size - n, fmt, args);
	va_end(args);
}

const struct mode_info *mode_info(enum mode m)
{
	static const struct mode_info infos[MODE_COUNT] = {
		[MODE_CONFIG] = { NULL, "1", 0 },
		[MODE_ISAKMP] = { "isakmp_policy", "priority = ?1", 1 },
		[MODE_TRANSFORM] = { "transform_set", "name = ?1", 1 },
		[MODE_CRYPTO_MAP] = { "crypto_map", "class = ?1 AND name = ?2 AND seq = ?3", 3 },
		[MODE_IF] = { "interface", "name = ?1", 1 },
		[MODE_STD_NACL] = { "acl", "name = ?1", 1 },
		[MODE_EXT_NACL] = { "acl", "name = ?1", 1 },
		[MODE_LINE] = { "line", "kind = ?1 AND number BETWEEN ?2 AND ?3", 3 },
		[MODE_KEYRING] = { "keyring", "name = ?1", 1 },
		[MODE_ISA_PROF] = { "isakmp_profile", "name = ?1", 1 },
		[MODE_ISA_PEER] = { "isakmp_peer", "kind = ?1 AND name = ?2", 2 },
		[MODE_CLIENT_GROUP] = { "client_group", "name = ?1", 1 },
		[MODE_TRUSTPOINT] = { "pki_trustpoint", "name = ?1", 1 },
		[MODE_CERT_MAP] = { "pki_map", "name = ?1 AND seq = ?2", 2 },
		[MODE_CERT_CHAIN] = { "pki_trustpoint", "name = ?1", 1 },
		[MODE_CERT_DATA] = { "pki_pending", "trustpoint = ?1 AND kind = ?2 AND serial = ?3", 3 },
	};
	return &infos[m];
}

const char *var(const struct change *c, const char *name)
{
	return value_get(&c->v, name);
}

static void say_args(struct change *c, const char *fmt, va_list args)
{
	size_t n = strlen(c->out->text);
	if (n + 2 >= sizeof c->out->text)
		return;
	vsnprintf(c->out->text + n, sizeof c->out->text - n - 1, fmt, args);
	strcat(c->out->text, "\n");
}

void say(struct change *c, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	say_args(c, fmt, args);
	va_end(args);
}

enum grammar_result refuse(struct change *c, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	c->out->text[0] = 0;
	say_args(c, fmt, args);
	va_end(args);
	return GR_REFUSED;
}

uint32_t ip_of(const char *text)
{
	uint32_t ip;
	return text && ip4_parse(&ip, text) == ERR_OK ? ip : 0;
}

enum grammar_result change_enter(struct change *c, enum mode mode, const char *context)
{
	c->out->next.mode = (uint16_t)mode;
	snprintf(c->out->next.context, sizeof c->out->next.context, "%s", context);
	return GR_OK;
}

/* Values that are the default are stored as NULL. */
static void defaults_drop(struct change *c)
{
	char list[128];
	char *save = NULL;
	bool all = c->st->defaults != NULL;
	snprintf(list, sizeof list, "%s", c->st->defaults ? c->st->defaults : "");
	struct columns names = { .n = 0 };
	for (char *w = strtok_r(list, ";", &save); w && names.n < COLUMNS_MAX; w = strtok_r(NULL, ";", &save)) {
		char *eq = strchr(w, '=');
		*eq = 0;
		const char *v = var(c, w);
		all = all && (!v || !strcmp(v, eq + 1));
		names.name[names.n++] = w;
	}
	for (size_t i = 0; all && i < names.n; i++)
		for (size_t k = 0; k < c->v.n; k++)
			if (!strcmp(c->v.list[k].name, names.name[i]))
				c->v.list[k].text = NULL;
}

enum grammar_result change_scalar(struct change *c)
{
	const struct mode_info *mode = mode_info(c->st->mode);
	const char *params[COLUMNS_MAX + 4];
	char sql[2048], differs[1024] = "";
	struct columns cols;
	size_t n = 0;
	columns_split(&cols, c->st->columns);
	if (!c->remove)
		defaults_drop(c);
	if (c->st->off && cols.n < COLUMNS_MAX)
		cols.name[cols.n++] = c->st->off;
	snprintf(sql, sizeof sql, "UPDATE %s SET ", c->st->table ? c->st->table : mode->table);
	for (; n < mode->nkey; n++)
		params[n] = c->key[n];
	for (size_t i = 0; i < cols.n; i++, n++) {
		bool is_off = c->st->off && !strcmp(cols.name[i], c->st->off);
		params[n] = is_off ? (c->remove && !c->to_default ? "1" : NULL) : c->remove ? NULL : var(c, cols.name[i]);
		sql_add(sql, sizeof sql, "%s%s = ?%zu", i ? ", " : "", cols.name[i], n + 1);
		/* Columns have no affinity in a comparison with a parameter: compare as text. */
		sql_add(differs, sizeof differs, "%sCAST(%s AS TEXT) IS NOT ?%zu", i ? " OR " : "", cols.name[i], n + 1);
	}
	sql_add(sql, sizeof sql, " WHERE %s AND (%s)", mode->where, differs);
	db_run(c->db, sql, params, n);
	return GR_OK;
}

static size_t row_key(struct change *c, const struct columns *key, const char **params, char *where, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < key->n; i++) {
		const char *v = var(c, key->name[i]);
		if (c->remove && !v)
			continue;
		params[n++] = v;
		sql_add(where, size, "%sCAST(%s AS TEXT) IS ?%zu", n > 1 ? " AND " : "", key->name[i], n);
	}
	return n;
}

enum grammar_result change_list(struct change *c)
{
	const char *params[COLUMNS_MAX];
	char where[512] = "", sql[1500], set[512] = "", names[256] = "", marks[256] = "", differs[512] = "";
	struct columns key, cols;
	columns_split(&key, c->st->key);
	columns_split(&cols, c->st->columns);
	size_t n = row_key(c, &key, params, where, sizeof where);
	if (c->remove) {
		snprintf(sql, sizeof sql, "DELETE FROM %s WHERE %s", c->st->table, where);
		db_run(c->db, sql, params, n);
		return GR_OK;
	}
	for (size_t i = 0; i < n; i++) {
		sql_add(names, sizeof names, "%s%s", i ? ", " : "", key.name[i]);
		sql_add(marks, sizeof marks, "%s?%zu", i ? ", " : "", i + 1);
	}
	snprintf(sql, sizeof sql, "INSERT INTO %s(%s) SELECT %s WHERE NOT EXISTS (SELECT 1 FROM %s WHERE %s)", c->st->table, names,
		marks, c->st->table, where);
	db_run(c->db, sql, params, n);
	for (size_t i = 0; i < cols.n; i++) {
		params[n++] = var(c, cols.name[i]);
		sql_add(set, sizeof set, "%s%s = ?%zu", i ? ", " : "", cols.name[i], n);
		sql_add(differs, sizeof differs, "%sCAST(%s AS TEXT) IS NOT ?%zu", i ? " OR " : "", cols.name[i], n);
	}
	if (cols.n) {
		snprintf(sql, sizeof sql, "UPDATE %s SET %s WHERE %s AND (%s)", c->st->table, set, where, differs);
		db_run(c->db, sql, params, n);
	}
	return GR_OK;
}

enum grammar_result change_object(struct change *c)
{
	char context[CFG_CONTEXT] = "";
	struct columns key;
	columns_split(&key, c->st->key);
	change_list(c);
	if (c->remove)
		return GR_OK;
	for (size_t i = 0; i < key.n; i++)
		sql_add(context, sizeof context, "%s%s", i ? " " : "", value_or(&c->v, key.name[i], ""));
	return change_enter(c, c->st->enters, context);
}
