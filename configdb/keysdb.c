/* keys.db: the file, its schema, and one mechanism for its statements.
 *
 *   secret(id, kind, sealed)   a row's value never changes; AUTOINCREMENT, so that an id is never used a second time.
 *                              Sealed with the master key, so that it is what type 6 prints; hashes with the machine key
 *   keypair(…, private)        private halves are sealed with the machine key
 *   master(own, sealed)        the master key, sealed with the machine key
 *
 * The journal is a rollback journal (DELETE), not WAL: a reader of another uid needs no write permission, neither on a
 * shared-memory file nor on the folder.
 */
#include "configdb/keysdb_old.h"
#include "configdb/machine_key.h"
#include "configdb/secrets_impl.h"
#include "platform/base/env.h"
#include "platform/base/mem.h"

#include <fcntl.h>
#include <unistd.h>

#define SCHEMA_VERSION 2
#define BUSY_MS        2000

static enum err sql_err(int rc)
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
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		return ERR_BUSY;
	default:
		return ERR_SYS;
	}
}

static enum err exec(struct secrets *s, const char *sql)
{
	return sql_err(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

/* Nothing is copied: what is bound outlives the statement. */
static enum err prepare(struct secrets *s, const char *sql, const struct bind *binds, size_t n, sqlite3_stmt **st)
{
	enum err e = sql_err(sqlite3_prepare_v2(s->db, sql, -1, st, NULL));

	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		int at = (int)i + 1;

		if (binds[i].bytes.data)
			sqlite3_bind_blob64(*st, at, binds[i].bytes.data, binds[i].bytes.len, SQLITE_STATIC);
		else if (binds[i].text)
			sqlite3_bind_text(*st, at, binds[i].text, -1, SQLITE_STATIC);
		else
			sqlite3_bind_int64(*st, at, binds[i].number);
	}
	return e;
}

enum err keysdb_run(struct secrets *s, const char *sql, const struct bind *binds, size_t n)
{
	sqlite3_stmt *st;
	enum err e = prepare(s, sql, binds, n, &st);
	int rc;

	if (e != ERR_OK)
		return e;
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return sql_err(rc);
}

enum err keysdb_each(struct secrets *s, const char *sql, const struct bind *binds, size_t n, keysdb_row row, void *ctx)
{
	sqlite3_stmt *st;
	enum err e = prepare(s, sql, binds, n, &st);
	bool any = false;
	int rc = SQLITE_DONE;

	if (e != ERR_OK)
		return e;
	while (e == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		any = true;
		e = row(ctx, st);
	}
	sqlite3_finalize(st);
	if (e == ERR_OK)
		e = sql_err(rc);
	return e == ERR_OK && !any ? ERR_NOT_FOUND : e;
}

enum err keysdb_begin(struct secrets *s)
{
	return exec(s, "BEGIN IMMEDIATE");
}

enum err keysdb_end(struct secrets *s, enum err e)
{
	if (e == ERR_OK)
		e = exec(s, "COMMIT");
	if (e != ERR_OK) {
		enum err ignored = exec(s, "ROLLBACK");

		(void)ignored;
	}
	return e;
}

static enum err version_row(void *ctx, sqlite3_stmt *st)
{
	*(int *)ctx = sqlite3_column_int(st, 0);
	return ERR_OK;
}

/* From nothing, or from an older file, in one transaction. */
static enum err schema_make(struct secrets *s, int have)
{
	enum err e = keysdb_begin(s);

	if (e != ERR_OK)
		return e;
	if (have == 1)
		e = exec(s, "ALTER TABLE secret RENAME TO secret_1; ALTER TABLE master RENAME TO master_1");
	if (e == ERR_OK)
		e = exec(s,
			"CREATE TABLE secret(id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL CHECK(kind IN (0, 1, 2)),"
			" sealed BLOB NOT NULL) STRICT;"
			"CREATE TABLE IF NOT EXISTS keypair(id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL,"
			" type INTEGER NOT NULL CHECK(type IN (1, 2)), exportable INTEGER NOT NULL, bits INTEGER NOT NULL,"
			" made_us INTEGER NOT NULL, public BLOB NOT NULL, private BLOB NOT NULL, UNIQUE(label, type)) STRICT;"
			"CREATE TABLE master(id INTEGER PRIMARY KEY CHECK(id = 1), own INTEGER NOT NULL CHECK(own IN (0, 1)),"
			" sealed BLOB NOT NULL) STRICT;"
			"PRAGMA user_version = 2");
	if (e == ERR_OK && have == 1)
		e = keysdb_from_1(s);
	if (e == ERR_OK && have == 1)
		e = exec(s, "DROP TABLE secret_1; DROP TABLE master_1");
	return keysdb_end(s, e);
}

/* The machine key. A file that was sealed already needs the one that it was sealed with. */
static enum err machine_open(struct secrets *s, const char *path, int version)
{
	char key_path[300];
	enum err e;

	if (!path) {
		env_system.random(env_system.ctx, s->machine, sizeof(s->machine));
		return ERR_OK;
	}
	if (!machine_key_path(key_path, sizeof(key_path), path))
		return ERR_RANGE;
	e = machine_key_read(key_path, s->machine);
	if (e != ERR_NOT_FOUND)
		return e;
	if (s->read_only)
		return ERR_BUSY;
	if (version == SCHEMA_VERSION)
		return ERR_AUTH;
	e = machine_key_make(key_path);
	return e == ERR_OK ? machine_key_read(key_path, s->machine) : e;
}

static enum err prepare_database(struct secrets *s, const char *path)
{
	int version = 0;
	enum err e = ERR_OK;

	sqlite3_busy_timeout(s->db, BUSY_MS);
	if (!s->read_only)
		e = exec(s, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store "
			    "= MEMORY");
	if (e == ERR_OK)
		e = keysdb_each(s, "PRAGMA user_version", NO_BINDS, version_row, &version);
	if (e != ERR_OK)
		return e;
	if (version > SCHEMA_VERSION)
		return ERR_UNSUPPORTED;
	if (version < SCHEMA_VERSION && s->read_only)
		return ERR_BUSY;
	e = machine_open(s, path, version);
	if (e == ERR_OK && version < SCHEMA_VERSION)
		e = schema_make(s, version);
	return e == ERR_OK ? master_check(s) : e;
}

enum err secrets_open(struct secrets **out, const char *path, bool read_only)
{
	struct secrets *s = mem_zalloc(sizeof(*s));
	enum err e;

	if (!s)
		return ERR_NOMEM;
	s->read_only = read_only;
	/* SQLite would create the file with the umask's permissions; its journals take over those of the file. */
	if (path && !read_only) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0) {
			mem_free(s);
			return ERR_SYS;
		}
		close(fd);
	}
	e = sql_err(sqlite3_open_v2(path ? path : ":memory:", &s->db,
		(read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX, NULL));
	if (e == ERR_OK)
		e = prepare_database(s, path);
	if (e != ERR_OK) {
		secrets_close(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void secrets_close(struct secrets *s)
{
	if (!s)
		return;
	sqlite3_close(s->db);
	mem_free_secret(s, sizeof(*s));
}
