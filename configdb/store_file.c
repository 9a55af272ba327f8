/* The configuration as a whole: emptied, saved to a file, taken from one. */
#include "configdb/model/schema.sql.h"
#include "configdb/store_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const tables[] = { SCHEMA_TABLES };
#define NTABLES (sizeof tables / sizeof *tables)

static void all_delete(struct db *db)
{
	char sql[80];
	for (size_t i = NTABLES; i-- > 0;) {
		snprintf(sql, sizeof sql, "DELETE FROM %s", tables[i]);
		db_run(db, sql, NOPARAMS);
	}
}

enum err store_clear(struct store *s)
{
	if (!store_txn_begin(s))
		return ERR_BUSY;
	all_delete(&s->db);
	int rc = sqlite3_exec(s->db.h, schema_defaults, NULL, NULL, NULL);
	if (rc != SQLITE_OK && !s->db.failed)
		s->db.failed = rc;
	store_revision_add(s, NULL, "! configuration cleared");
	int why = s->db.failed;
	return store_txn_end(s, true) ? ERR_OK : why ? db_err(why) : ERR_SYS;
}

static enum err copy_whole(sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	if (!b)
		return db_err(sqlite3_errcode(to));
	sqlite3_backup_step(b, -1);
	return db_err(sqlite3_backup_finish(b));
}

enum err store_save(struct store *s, const char *path)
{
	sqlite3 *file = NULL;
	enum err e = db_err(sqlite3_open_v2(path, &file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
	if (e == ERR_OK)
		e = copy_whole(file, s->db.h);
	int rc = sqlite3_close(file);
	if (e == ERR_OK)
		e = db_err(rc);
	if (e != ERR_OK)
		return e;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ERR_SYS;
	bool synced = fsync(fd) == 0;
	close(fd);
	return synced ? ERR_OK : ERR_SYS;
}

/* Row by row between the two connections: an attached database could not be joined inside of an open transaction. By the names of
 * the columns, so that one which the file does not have yet gets its default. */
static void table_copy(struct db *to, struct db *from, const char *table)
{
	char sql[1200];
	snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
	sqlite3_stmt *q = db_query(from, sql, NOPARAMS);
	int n = q ? sqlite3_column_count(q) : 0;
	size_t at = (size_t)snprintf(sql, sizeof sql, "INSERT INTO %s(", table);
	for (int i = 0; i < n; i++)
		at += (size_t)snprintf(sql + at, sizeof sql - at, "%s%s", i ? ", " : "", sqlite3_column_name(q, i));
	at += (size_t)snprintf(sql + at, sizeof sql - at, ") VALUES(?");
	for (int i = 1; i < n; i++)
		at += (size_t)snprintf(sql + at, sizeof sql - at, ", ?");
	snprintf(sql + at, sizeof sql - at, ")");
	sqlite3_stmt *put = n ? db_query(to, sql, NOPARAMS) : NULL;
	while (put && db_step(from, &q)) {
		for (int i = 0; i < n; i++)
			sqlite3_bind_value(put, i + 1, sqlite3_column_value(q, i));
		int rc = sqlite3_step(put);
		if (rc != SQLITE_DONE && !to->failed)
			to->failed = rc;
		sqlite3_reset(put);
	}
	db_done(from, q);
	db_done(to, put);
}

/* The file into memory, where an older schema can be brought up to date. */
static enum err file_read(struct db *copy, const char *path)
{
	sqlite3 *file = NULL;
	struct db probe = { 0 };
	char version[16] = "0";
	enum err e = db_err(sqlite3_open_v2(path, &file, SQLITE_OPEN_READONLY, NULL));
	probe.h = file;
	if (e == ERR_OK && !db_get(&probe, version, sizeof version, "PRAGMA user_version", NOPARAMS))
		e = db_err(probe.failed ? probe.failed : SQLITE_ERROR);
	/* A file without tables is no configuration. */
	if (e == ERR_OK && !strcmp(version, "0"))
		e = ERR_INVALID;
	if (e == ERR_OK)
		e = db_err(sqlite3_open(":memory:", &copy->h));
	if (e == ERR_OK)
		e = copy_whole(copy->h, file);
	sqlite3_close(file);
	return e == ERR_OK ? store_schema(copy) : e;
}

/* The one who changed the saved configuration last is the one of the restored. */
static void restored_by(struct store *s, struct db *copy)
{
	struct store saved = { .db = *copy };
	struct store_change last = { .wall_us = 0 };
	bool known = store_last_change(&saved, &last) == ERR_OK;
	struct store_who who = { .user = last.user, .tty = last.tty, .from = last.from, .wall_us = last.wall_us };

	store_revision_add(s, known ? &who : NULL, "! configuration replaced by the saved one");
}

enum err store_restore(struct store *s, const char *path)
{
	struct db copy = { 0 };
	enum err e = file_read(&copy, path);
	if (e == ERR_OK && !store_txn_begin(s))
		e = ERR_BUSY;
	if (e == ERR_OK) {
		all_delete(&s->db);
		for (size_t i = 0; i < NTABLES; i++)
			table_copy(&s->db, &copy, tables[i]);
		restored_by(s, &copy);
		int why = s->db.failed ? s->db.failed : copy.failed;
		bool done = store_txn_end(s, !copy.failed);
		e = why ? db_err(why) : done ? ERR_OK : ERR_SYS;
	}
	sqlite3_close(copy.h);
	return e;
}
