/* Version 1 of keys.db had secrets and master key in clear, and private keys sealed with that master key:
 *
 *   secret(id, value, session), master(key), keypair(…, private)
 */
#include "configdb/keysdb_old.h"

#include "configdb/keypairs.h"
#include "configdb/secrets_impl.h"

#include <stdio.h>
#include <string.h>

struct old_master {
	bool known;
	uint8_t key[SEAL_KEY_LEN];
};

static enum err old_master_row(void *ctx, sqlite3_stmt *st)
{
	struct old_master *m = ctx;

	if (sqlite3_column_bytes(st, 0) != SEAL_KEY_LEN)
		return ERR_INVALID;
	memcpy(m->key, sqlite3_column_blob(st, 0), SEAL_KEY_LEN);
	m->known = true;
	return ERR_OK;
}

/* Hashes were not marked as such; no key looks like one by chance. */
static bool is_hash(struct span value)
{
	char text[SECRET_MAX + 1];
	bool hash;

	snprintf(text, sizeof(text), "%.*s", (int)value.len, (const char *)value.data);
	hash = strlen(text) == value.len &&
	       (password_hash_valid(5, text) || password_hash_valid(8, text) || password_hash_valid(9, text));
	wipe(text, sizeof(text));
	return hash;
}

struct sealing {
	struct secrets *s;
	struct old_master master;
};

static enum err secret_row(void *ctx, sqlite3_stmt *st)
{
	struct sealing *m = ctx;
	struct span value = keysdb_bytes(st, 1);
	enum secret_kind kind = sqlite3_column_int(st, 2) ? SECRET_SESSION : is_hash(value) ? SECRET_HASH : SECRET_SHARED;
	uint8_t text[SECRET_MAX + SEAL_EXTRA];
	enum err e = value.len <= SECRET_MAX ? seal(kind == SECRET_HASH ? m->s->machine : m->master.key, value, text) : ERR_INVALID;

	if (e != ERR_OK)
		return e;
	return keysdb_run(m->s, "INSERT INTO secret(id, kind, sealed) VALUES(?, ?, ?)",
		BINDS(NUMBER(sqlite3_column_int64(st, 0)), NUMBER(kind), BYTES(span_of(text, value.len + SEAL_EXTRA))));
}

static enum err pair_row(void *ctx, sqlite3_stmt *st)
{
	struct sealing *m = ctx;
	struct span text = keysdb_bytes(st, 1);
	uint8_t der[KEYPAIR_PRIVATE_MAX], again[KEYPAIR_PRIVATE_MAX + SEAL_EXTRA];
	enum err e = text.len > SEAL_EXTRA + sizeof(der) ? ERR_INVALID : unseal(m->master.key, text, der);

	if (e == ERR_OK)
		e = seal(m->s->machine, span_of(der, text.len - SEAL_EXTRA), again);
	wipe(der, sizeof(der));
	if (e != ERR_OK)
		return e;
	return keysdb_run(m->s, "UPDATE keypair SET private = ?1 WHERE id = ?2",
		BINDS(BYTES(span_of(again, text.len)), NUMBER(sqlite3_column_int64(st, 0))));
}

/* None is no error. */
static enum err each(struct sealing *m, const char *sql, keysdb_row row, void *ctx)
{
	enum err e = keysdb_each(m->s, sql, NO_BINDS, row, ctx);

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err keysdb_from_1(struct secrets *s)
{
	struct sealing m = { .s = s };
	enum err e = each(&m, "SELECT key FROM master_1", old_master_row, &m.master);

	/* It may have been set by somebody or made by the router: nobody can be asked for the old one. */
	if (e == ERR_OK && m.master.known)
		e = master_write(s, m.master.key, true);
	if (e == ERR_OK && !m.master.known)
		e = master_key(s, m.master.key);
	if (e == ERR_OK)
		e = each(&m, "SELECT id, value, session FROM secret_1 ORDER BY id", secret_row, &m);
	if (e == ERR_OK)
		e = each(&m, "SELECT id, private FROM keypair ORDER BY id", pair_row, &m);
	/* No id is used a second time. */
	if (e == ERR_OK)
		e = keysdb_run(s, "DELETE FROM sqlite_sequence WHERE name = 'secret'", NO_BINDS);
	if (e == ERR_OK)
		e = keysdb_run(s, "UPDATE sqlite_sequence SET name = 'secret' WHERE name = 'secret_1'", NO_BINDS);
	wipe(&m.master, sizeof(m.master));
	return e;
}
