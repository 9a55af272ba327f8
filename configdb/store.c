/* The database of the running configuration: opening, transactions, the audit. */
#include "configdb/store_impl.h"
#include "configdb/model/schema.sql.h"
#include "configdb/model/stmt.h"
#include "platform/base/addr.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REVISIONS_KEPT "10000"

enum err db_err(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return ERR_OK;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ERR_BUSY;
	case SQLITE_CONSTRAINT:
		return ERR_CONFLICT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_INVALID;
	default:
		return ERR_SYS;
	}
}

static void ip4_number(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	sqlite3_result_int64(ctx, ip_of((const char *)sqlite3_value_text(v[0])));
}

void store_functions(sqlite3 *h)
{
	sqlite3_create_function(h, "ip4", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, ip4_number, NULL, NULL);
}

static enum err exec(struct db *db, const char *sql)
{
	return db_err(sqlite3_exec(db->h, sql, NULL, NULL, NULL));
}

enum err store_schema(struct db *db)
{
	char version[16] = "0", stamp[64];
	if (!db_get(db, version, sizeof version, "PRAGMA user_version", NOPARAMS))
		return db_err(db->failed);
	int have = atoi(version);
	if (have > SCHEMA_VERSION)
		return ERR_UNSUPPORTED;
	/* Forward migrations, each from the version of its place. */
	static const char *const migrations[SCHEMA_VERSION] = { schema_1, schema_2 };
	enum err e = exec(db, "BEGIN IMMEDIATE");
	for (int v = have; e == ERR_OK && v < SCHEMA_VERSION; v++)
		e = exec(db, migrations[v]);
	if (e == ERR_OK && !have)
		e = exec(db, schema_defaults);
	snprintf(stamp, sizeof stamp, "PRAGMA user_version = %d", SCHEMA_VERSION);
	if (e == ERR_OK && have < SCHEMA_VERSION)
		e = exec(db, stamp);
	if (e == ERR_OK)
		return exec(db, "COMMIT");
	(void)!exec(db, "ROLLBACK");
	return e;
}

enum err store_open(struct store **out, const char *path, struct secrets *secrets)
{
	struct store *s = mem_zalloc(sizeof *s);
	if (!s)
		return ERR_NOMEM;
	s->secrets = secrets;
	alg_init();
	enum err e = db_err(sqlite3_open_v2(path ? path : ":memory:", &s->db.h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
	if (e == ERR_OK) {
		sqlite3_busy_timeout(s->db.h, 2000);
		store_functions(s->db.h);
		e = exec(&s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; "
				 "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF");
	}
	if (e == ERR_OK)
		e = store_schema(&s->db);
	if (e != ERR_OK) {
		store_close(s);
		return e;
	}
	s->db.cache = db_cache_new();
	*out = s;
	return ERR_OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	db_cache_free(s->db.cache);
	sqlite3_close_v2(s->db.h);
	mem_free(s);
}

bool store_txn_begin(struct store *s)
{
	s->db.failed = 0;
	return exec(&s->db, s->open ? "SAVEPOINT line" : "BEGIN IMMEDIATE") == ERR_OK;
}

bool store_txn_end(struct store *s, bool commit)
{
	if (s->db.failed)
		commit = false;
	if (s->open)
		return exec(&s->db, commit ? "RELEASE line" : "ROLLBACK TO line; RELEASE line") == ERR_OK && commit;
	if (commit && exec(&s->db, "COMMIT") == ERR_OK)
		return true;
	(void)!exec(&s->db, "ROLLBACK");
	return false;
}

enum err store_begin(struct store *s)
{
	if (s->open)
		return ERR_BUSY;
	enum err e = exec(&s->db, "BEGIN IMMEDIATE");
	s->open = e == ERR_OK;
	return e;
}

enum err store_end(struct store *s, bool commit)
{
	if (!s->open)
		return ERR_INVALID;
	s->open = false;
	enum err e = exec(&s->db, commit ? "COMMIT" : "ROLLBACK");
	if (e != ERR_OK && commit)
		(void)!exec(&s->db, "ROLLBACK");
	return e;
}

void store_revision_add(struct store *s, const struct store_who *who, const char *line)
{
	char at[24];
	snprintf(at, sizeof at, "%llu", who ? (unsigned long long)who->wall_us : 0ull);
	db_run(&s->db, "INSERT INTO revision(at_us, user, tty, origin, line) VALUES(?1, ?2, ?3, ?4, ?5)",
		P(at, who && who->user ? who->user : "", who && who->tty ? who->tty : "", who && who->from ? who->from : "", line));
	db_run(&s->db, "DELETE FROM revision WHERE id <= (SELECT max(id) FROM revision) - " REVISIONS_KEPT, NOPARAMS);
}

uint64_t store_revision(struct store *s)
{
	char text[24] = "0";
	db_get(&s->db, text, sizeof text, "SELECT max(id) FROM revision", NOPARAMS);
	return strtoull(text, NULL, 10);
}

enum err store_last_change(struct store *s, struct store_change *out)
{
	sqlite3_stmt *q = db_query(&s->db, "SELECT user, tty, origin, at_us FROM revision ORDER BY id DESC LIMIT 1", NOPARAMS);
	bool found = db_step(&s->db, &q);
	if (found) {
		snprintf(out->user, sizeof out->user, "%s", db_col(q, 0));
		snprintf(out->tty, sizeof out->tty, "%s", db_col(q, 1));
		snprintf(out->from, sizeof out->from, "%s", db_col(q, 2));
		out->wall_us = (uint64_t)sqlite3_column_int64(q, 3);
	}
	db_done(&s->db, q);
	return found ? ERR_OK : ERR_NOT_FOUND;
}

enum err store_login(struct store *s, const char *user, char hash[128], uint8_t *privilege)
{
	struct secret value = { 0 };
	sqlite3_stmt *q = user ? db_query(&s->db, "SELECT secret, ifnull(privilege, 1) FROM user WHERE name = ?1", P(user))
			       : db_query(&s->db, "SELECT enable_secret, 15 FROM system WHERE enable_secret IS NOT NULL", NOPARAMS);
	if (!db_step(&s->db, &q))
		return ERR_NOT_FOUND;
	uint64_t id = (uint64_t)sqlite3_column_int64(q, 0);
	*privilege = (uint8_t)sqlite3_column_int(q, 1);
	db_done(&s->db, q);
	hash[0] = 0;
	enum err e = id ? secrets_get(s->secrets, id, &value) : ERR_OK;
	if (e == ERR_OK)
		snprintf(hash, 128, "%.*s", (int)value.len, (const char *)value.bytes);
	secret_wipe(&value);
	return e;
}

enum err store_secret_ids(struct store *s, void (*each)(void *ctx, uint64_t id), void *ctx)
{
	s->db.failed = 0;
	sqlite3_stmt *q = db_query(&s->db,
		"SELECT enable_secret FROM system WHERE enable_secret IS NOT NULL UNION SELECT secret FROM user WHERE secret IS "
		"NOT NULL "
		"UNION SELECT secret FROM isakmp_key UNION SELECT password FROM isakmp_peer WHERE password IS NOT NULL "
		"UNION SELECT password FROM pki_trustpoint WHERE password IS NOT NULL "
		"UNION SELECT secret FROM client_group WHERE secret IS NOT NULL "
		"UNION SELECT ah_key FROM session_key WHERE ah_key IS NOT NULL "
		"UNION SELECT cipher_key FROM session_key WHERE cipher_key IS NOT NULL "
		"UNION SELECT auth_key FROM session_key WHERE auth_key IS NOT NULL",
		NOPARAMS);
	while (db_step(&s->db, &q))
		each(ctx, (uint64_t)sqlite3_column_int64(q, 0));
	return db_err(s->db.failed);
}
