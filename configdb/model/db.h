/* SQLite behind the few calls that the model needs. Values go in and out as text; the STRICT tables give them their types.
 * The first failure sticks, so that a change is written straight down and asked once at its end. */
#ifndef POSTERN_MODEL_DB_H
#define POSTERN_MODEL_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

struct db_cache;
struct db {
	sqlite3 *h;
	int failed;             /* the first result code that was none of OK, ROW, DONE */
	struct db_cache *cache; /* prepared statements by their text; NULL: each is prepared anew */
};

/* For a connection that lives long and asks the same again and again. NULL: no memory, which only makes it slower. */
struct db_cache *db_cache_new(void);
void db_cache_free(struct db_cache *c); /* before the connection is closed; NULL is fine */

/* Parameters: P(a, b, NULL) binds three, the last as NULL. */
#define P(...)   (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)
#define NOPARAMS NULL, 0

sqlite3_stmt *db_query(struct db *db, const char *sql, const char *const *params, size_t n); /* NULL: failed */
/* The next row? Done at the end, so a loop that runs out needs no more. */
bool db_step(struct db *db, sqlite3_stmt **q);
void db_done(struct db *db, sqlite3_stmt *q); /* of a query that did not run out; NULL is fine */
const char *db_col(sqlite3_stmt *q, int i);   /* NULL for NULL; until the next step */
/* Runs to the end. Returns how many rows changed. */
int db_run(struct db *db, const char *sql, const char *const *params, size_t n);
/* The first column of the first row. False: no row, or NULL. */
bool db_get(struct db *db, char *out, size_t size, const char *sql, const char *const *params, size_t n);
bool db_exists(struct db *db, const char *sql, const char *const *params, size_t n);

#endif
