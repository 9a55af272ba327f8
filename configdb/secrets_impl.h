/* Inside of keys.db: what its files share. */
#ifndef POSTERN_CONFIGDB_SECRETS_IMPL_H
#define POSTERN_CONFIGDB_SECRETS_IMPL_H

#include "configdb/secrets.h"

#include <sqlite3.h>

#define SECRETS_SEAL_LEN   16 /* synthetic IV of AES-SIV */
#define SECRETS_MASTER_LEN 64

struct secrets {
	sqlite3 *db;
	bool read_only;
};

enum err secrets_sql_err(int rc);
/* *st is NULL on failure. */
enum err secrets_prepare(struct secrets *s, const char *sql, sqlite3_stmt **st) MUST_CHECK;
enum err secrets_exec(struct secrets *s, const char *sql) MUST_CHECK;

/* The master key; a random one is made at the first use. The caller wipes it. */
enum err secrets_master_key(struct secrets *s, uint8_t key[SECRETS_MASTER_LEN]) MUST_CHECK;
/* AES-256-SIV: `text` is SECRETS_SEAL_LEN bytes longer than the value. ERR_AUTH: not sealed with this key. */
enum err secrets_seal(const uint8_t key[SECRETS_MASTER_LEN], struct span value, uint8_t *text) MUST_CHECK;
enum err secrets_unseal(const uint8_t key[SECRETS_MASTER_LEN], struct span text, uint8_t *value) MUST_CHECK;

/* keypairs.c: all private keys sealed anew, inside of the caller's transaction. */
enum err keypairs_reseal(
	struct secrets *s, const uint8_t from[SECRETS_MASTER_LEN], const uint8_t to[SECRETS_MASTER_LEN]) MUST_CHECK;

#endif
