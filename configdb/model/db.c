/* See db.h. */
#include "configdb/model/db.h"

#include "platform/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Preparing a statement costs several times what running it does. */
#define KEPT_BITS 10

struct db_cache {
	struct {
		sqlite3_stmt *q;
		bool busy; /* handed out */
	} kept[1 << KEPT_BITS];
};

struct db_cache *db_cache_new(void)
{
	return mem_zalloc(sizeof(struct db_cache));
}

void db_cache_free(struct db_cache *c)
{
	for (size_t i = 0; c && i < 1 << KEPT_BITS; i++)
		sqlite3_finalize(c->kept[i].q);
	mem_free(c);
}

/* FNV-1a */
static size_t place_of(const char *sql)
{
	uint32_t h = 2166136261u;
	for (; *sql; sql++)
		h = (h ^ (uint8_t)*sql) * 16777619u;
	return h >> (32 - KEPT_BITS);
}

/* The kept statement, made when its place is free; NULL: the place is another's, or somebody is using it. */
static sqlite3_stmt *kept_take(struct db *db, const char *sql)
{
	size_t i = place_of(sql);
	sqlite3_stmt **q = &db->cache->kept[i].q;
	if (db->cache->kept[i].busy || (*q && strcmp(sqlite3_sql(*q), sql) != 0))
		return NULL;
	if (!*q && sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, q, NULL) != SQLITE_OK)
		return NULL;
	db->cache->kept[i].busy = *q != NULL;
	return *q;
}

void db_done(struct db *db, sqlite3_stmt *q)
{
	size_t i = db->cache && q ? place_of(sqlite3_sql(q)) : 0;
	if (!db->cache || !q || db->cache->kept[i].q != q) {
		sqlite3_finalize(q);
		return;
	}
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	db->cache->kept[i].busy = false;
}

static void note(struct db *db, int rc)
{
	if (!db->failed && rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE)
		db->failed = rc;
}

sqlite3_stmt *db_query(struct db *db, const char *sql, const char *const *params, size_t n)
{
	sqlite3_stmt *q = db->cache ? kept_take(db, sql) : NULL;
	if (!q)
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
	db_done(db, *q);
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
	db_done(db, q);
	return found;
}

bool db_exists(struct db *db, const char *sql, const char *const *params, size_t n)
{
	sqlite3_stmt *q = db_query(db, sql, params, n);
	bool found = db_step(db, &q);
	db_done(db, q);
	return found;
}
