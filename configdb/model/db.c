/* See db.h. */
#include "configdb/model/db.h"

#include <stdio.h>

static void note(struct db *db, int rc)
{
	if (!db->failed && rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE)
		db->failed = rc;
}

sqlite3_stmt *db_query(struct db *db, const char *sql, const char *const *params, size_t n)
{
	sqlite3_stmt *q = NULL;
	note(db, sqlite3_prepare_v2(db->h, sql, -1, &q, NULL));
	for (size_t i = 0; q && i < n; i++)
		note(db, sqlite3_bind_text(q, (int)i + 1, params[i], -1, SQLITE_TRANSIENT));
	return q;
}

bool db_step(struct db *db, sqlite3_stmt **q)
{
	if (!*q)
		return false;
	int rc = sqlite3_step(*q);
	note(db, rc);
	if (rc == SQLITE_ROW)
		return true;
	sqlite3_finalize(*q);
	*q = NULL;
	return false;
}

const char *db_col(sqlite3_stmt *q, int i)
{
	return (const char *)sqlite3_column_text(q, i);
}

int db_run(struct db *db, const char *sql, const char *const *params, size_t n)
{
	int before = sqlite3_total_changes(db->h);
	sqlite3_stmt *q = db_query(db, sql, params, n);
	while (db_step(db, &q))
		;
	return sqlite3_total_changes(db->h) - before;
}

bool db_get(struct db *db, char *out, size_t size, const char *sql, const char *const *params, size_t n)
{
	sqlite3_stmt *q = db_query(db, sql, params, n);
	bool found = db_step(db, &q) && db_col(q, 0);
	if (found)
		snprintf(out, size, "%s", db_col(q, 0));
	sqlite3_finalize(q);
	return found;
}

bool db_exists(struct db *db, const char *sql, const char *const *params, size_t n)
{
	sqlite3_stmt *q = db_query(db, sql, params, n);
	bool found = db_step(db, &q);
	sqlite3_finalize(q);
	return found;
}
