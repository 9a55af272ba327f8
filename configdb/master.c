/* The master key: what type 6 is encrypted with (`key config-key password-encrypt`).
 *
 * A router that was given none has one of its own, random. Either lies in keys.db, sealed with the machine key. A new master key
 * seals all secrets anew in the same transaction; after a deletion they stay as they are, and nobody can open them until the same
 * passphrase is set again.
 */
#include "configdb/secrets_impl.h"
#include "platform/base/env.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define MASTER_SEALED  (SEAL_KEY_LEN + SEAL_EXTRA)
#define PASSPHRASE_MIN 8

struct reading {
	struct secrets *s;
	uint8_t *key;
	bool own;
};

enum err master_of_column(struct secrets *s, sqlite3_stmt *st, int column, uint8_t key[SEAL_KEY_LEN])
{
	struct span text = keysdb_bytes(st, column);

	return text.len == MASTER_SEALED ? unseal(s->machine, text, key) : ERR_INVALID;
}

static enum err master_row(void *ctx, sqlite3_stmt *st)
{
	struct reading *r = ctx;

	r->own = sqlite3_column_int(st, 1) != 0;
	return master_of_column(r->s, st, 0, r->key);
}

static enum err master_read(struct secrets *s, uint8_t key[SEAL_KEY_LEN], bool *own)
{
	struct reading r = { .s = s, .key = key };
	enum err e = keysdb_each(s, "SELECT sealed, own FROM master", NO_BINDS, master_row, &r);

	*own = r.own;
	return e;
}

enum err master_check(struct secrets *s)
{
	uint8_t key[SEAL_KEY_LEN];
	bool own;
	enum err e = master_read(s, key, &own);

	wipe(key, sizeof(key));
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err master_write(struct secrets *s, const uint8_t key[SEAL_KEY_LEN], bool own)
{
	uint8_t text[MASTER_SEALED];
	enum err e = seal(s->machine, span_of(key, SEAL_KEY_LEN), text);

	if (e != ERR_OK)
		return e;
	return keysdb_run(s, "INSERT OR REPLACE INTO master(id, own, sealed) VALUES(1, ?, ?)",
		BINDS(NUMBER(own), BYTES(span_of(text, sizeof(text)))));
}

/* A random one of the router's own. */
static enum err master_make(struct secrets *s, uint8_t key[SEAL_KEY_LEN])
{
	env_system.random(env_system.ctx, key, SEAL_KEY_LEN);
	return master_write(s, key, true);
}

enum err master_key(struct secrets *s, uint8_t key[SEAL_KEY_LEN])
{
	bool own;
	enum err e = master_read(s, key, &own);

	return e == ERR_NOT_FOUND && !s->read_only ? master_make(s, key) : e;
}

struct resealing {
	struct secrets *s;
	uint8_t from[SEAL_KEY_LEN], to[SEAL_KEY_LEN];
};

/* One that does not open was sealed with a master key that is gone: it stays. */
static enum err reseal_row(void *ctx, sqlite3_stmt *st)
{
	struct resealing *r = ctx;
	struct span text = keysdb_bytes(st, 1);
	uint8_t value[SECRET_MAX], again[SECRET_MAX + SEAL_EXTRA];
	enum err e = text.len > sizeof(again) ? ERR_INVALID : unseal(r->from, text, value);

	if (e == ERR_AUTH)
		return ERR_OK;
	if (e == ERR_OK)
		e = seal(r->to, span_of(value, text.len - SEAL_EXTRA), again);
	wipe(value, sizeof(value));
	if (e != ERR_OK)
		return e;
	return keysdb_run(r->s, "UPDATE secret SET sealed = ?1 WHERE id = ?2",
		BINDS(BYTES(span_of(again, text.len)), NUMBER(sqlite3_column_int64(st, 0))));
}

static enum err reseal(struct resealing *r)
{
	enum err e = keysdb_each(r->s, "SELECT id, sealed FROM secret WHERE kind <> 2 ORDER BY id", NO_BINDS, reseal_row, r);

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The salt is fixed: two routers with the same passphrase must get the same key. */
static enum err master_derive(struct span passphrase, uint8_t key[SEAL_KEY_LEN])
{
	static const char salt[] = "postern type 6 master key";

	return EVP_PBE_scrypt((const char *)passphrase.data, passphrase.len, (const unsigned char *)salt, sizeof(salt) - 1, 16384,
		       8, 1, 64 << 20, key, SEAL_KEY_LEN) == 1
		       ? ERR_OK
		       : ERR_CRYPTO;
}

enum err secrets_master_set(struct secrets *s, struct span passphrase)
{
	struct resealing r = { .s = s };
	enum err e = passphrase.len < PASSPHRASE_MIN ? ERR_RANGE : master_derive(passphrase, r.to);

	if (e == ERR_OK)
		e = keysdb_begin(s);
	if (e == ERR_OK) {
		e = master_key(s, r.from);
		if (e == ERR_OK)
			e = reseal(&r);
		if (e == ERR_OK)
			e = master_write(s, r.to, false);
		e = keysdb_end(s, e);
	}
	wipe(&r, sizeof(r));
	return e;
}

enum err secrets_master_delete(struct secrets *s)
{
	uint8_t key[SEAL_KEY_LEN];
	bool own = true;
	enum err e = keysdb_begin(s);

	if (e != ERR_OK)
		return e;
	e = master_read(s, key, &own);
	if (e == ERR_OK)
		e = own ? ERR_NOT_FOUND : master_make(s, key);
	wipe(key, sizeof(key));
	return keysdb_end(s, e);
}

bool secrets_master_known(struct secrets *s)
{
	uint8_t key[SEAL_KEY_LEN];
	bool own = true;
	enum err e = master_read(s, key, &own);

	wipe(key, sizeof(key));
	return e == ERR_OK && !own;
}

enum err secrets_master_is(struct secrets *s, struct span passphrase)
{
	uint8_t key[SEAL_KEY_LEN], typed[SEAL_KEY_LEN];
	bool own = true;
	enum err e = master_read(s, key, &own);

	if (e == ERR_OK && own)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = master_derive(passphrase, typed);
	if (e == ERR_OK)
		e = CRYPTO_memcmp(key, typed, sizeof(key)) == 0 ? ERR_OK : ERR_AUTH;
	wipe(key, sizeof(key));
	wipe(typed, sizeof(typed));
	return e;
}
