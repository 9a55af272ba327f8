/* Inside of keys.db: what its files share.
 *
 *   keysdb.c     opens the file, its schema, one mechanism for statements
 *   seal.c       AES-256-SIV, and machine.key, under which all is sealed in the end
 *   master.c     the master key of type 6, and its change
 *   secrets.c    values by number, type 6
 *   keypairs.c   private keys
 */
#ifndef POSTERN_CONFIGDB_SECRETS_IMPL_H
#define POSTERN_CONFIGDB_SECRETS_IMPL_H

#include "configdb/secrets.h"

#include <sqlite3.h>

#define SEAL_EXTRA   16 /* synthetic IV of AES-SIV: a sealed text is that much longer than the value */
#define SEAL_KEY_LEN 64

struct secrets {
	sqlite3 *db;
	bool read_only;
	uint8_t machine[SEAL_KEY_LEN]; /* of machine.key; never changes */
};

/* ---- keysdb.c ---- */

/* A parameter of a statement: one of the three. */
struct bind {
	int64_t number;
	const char *text;
	struct span bytes;
};
#define NUMBER(n)  ((struct bind){ .number = (int64_t)(n) })
#define TEXT(t)    ((struct bind){ .text = (t) })
#define BYTES(s)   ((struct bind){ .bytes = (s) })
#define BINDS(...) (const struct bind[]){ __VA_ARGS__ }, sizeof((const struct bind[]){ __VA_ARGS__ }) / sizeof(struct bind)
#define NO_BINDS   NULL, 0

/* Runs a statement that gives no rows. */
enum err keysdb_run(struct secrets *s, const char *sql, const struct bind *binds, size_t n) MUST_CHECK;
/* Calls row() for each row until it fails. ERR_NOT_FOUND: there was none. */
typedef enum err (*keysdb_row)(void *ctx, sqlite3_stmt *st);
enum err keysdb_each(struct secrets *s, const char *sql, const struct bind *binds, size_t n, keysdb_row row, void *ctx) MUST_CHECK;
enum err keysdb_begin(struct secrets *s) MUST_CHECK;
/* Commits when `e` is ERR_OK, else rolls back; returns `e`, or why it could not be committed. */
enum err keysdb_end(struct secrets *s, enum err e) MUST_CHECK;
static inline struct span keysdb_bytes(sqlite3_stmt *st, int column)
{
	return span_of(sqlite3_column_blob(st, column), (size_t)sqlite3_column_bytes(st, column));
}

/* ---- seal.c ---- */

/* AES-256-SIV (RFC 5297): `text` gets SEAL_EXTRA bytes more than the value has. Deterministic. */
enum err seal(const uint8_t key[SEAL_KEY_LEN], struct span value, uint8_t *text) MUST_CHECK;
/* `value` gets SEAL_EXTRA bytes less than the text has. ERR_INVALID: too short, ERR_AUTH: not sealed with this key. */
enum err unseal(const uint8_t key[SEAL_KEY_LEN], struct span text, uint8_t *value) MUST_CHECK;

/* ---- master.c ---- */

/* The key that secrets are sealed with, in the form of table master: unsealed from its column. The caller wipes. */
enum err master_of_column(struct secrets *s, sqlite3_stmt *st, int column, uint8_t key[SEAL_KEY_LEN]) MUST_CHECK;
/* The same, read; a random one is made at the first use. */
enum err master_key(struct secrets *s, uint8_t key[SEAL_KEY_LEN]) MUST_CHECK;
/* Writes table master. `own`: made by the router, not set by anybody. */
enum err master_write(struct secrets *s, const uint8_t key[SEAL_KEY_LEN], bool own) MUST_CHECK;
/* ERR_AUTH: there is one, and it is sealed with another machine key. */
enum err master_check(struct secrets *s) MUST_CHECK;

#endif
