/* keys.db: the store of secrets, and type 6, the form in which a secret may be printed.
 *
 *   secret(id, value, session)   a row never changes; AUTOINCREMENT, so that an id is never used a second time
 *   keypair(…)          keypairs.c: private keys, sealed with the master key
 *   master(key)         64 bytes: the key of AES-256-SIV (RFC 5297)
 *
 * SIV needs no nonce and is deterministic, which type 6 wants: the same value under the same key prints the same text, and
 * its synthetic IV authenticates the text when it is read again.
 *
 * The journal is a rollback journal (DELETE), not WAL: a reader of another uid needs no write permission, neither on a
 * shared-memory file nor on the folder.
 */
#include "secrets.h"

#include "c64.h"
#include "configdb/secrets_impl.h"
#include "platform/base/env.h"
#include "platform/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_VERSION 1
#define MASTER_LEN     SECRETS_MASTER_LEN
#define SIV_LEN        SECRETS_SEAL_LEN
#define BUSY_MS        2000

enum err secrets_sql_err(int rc)
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

enum err secrets_exec(struct secrets *s, const char *sql)
{
	return secrets_sql_err(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

/* Prepares `sql`; *st is NULL on failure. */
enum err secrets_prepare(struct secrets *s, const char *sql, sqlite3_stmt **st)
{
	return secrets_sql_err(sqlite3_prepare_v2(s->db, sql, -1, st, NULL));
}

static enum err user_version(struct secrets *s, int *version)
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, "PRAGMA user_version", &st);
	int rc;

	if (e != ERR_OK)
		return e;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? ERR_OK : secrets_sql_err(rc);
}

static enum err create_schema(struct secrets *s)
{
	return secrets_exec(s,
		"BEGIN IMMEDIATE;"
		"CREATE TABLE IF NOT EXISTS secret(id INTEGER PRIMARY KEY AUTOINCREMENT, value BLOB NOT NULL, "
		"session INTEGER NOT NULL DEFAULT 0 CHECK(session IN (0, 1)), UNIQUE(value, session)) STRICT;"
		"CREATE TABLE IF NOT EXISTS keypair(id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL,"
		" type INTEGER NOT NULL CHECK(type IN (1, 2)), exportable INTEGER NOT NULL, bits INTEGER NOT NULL,"
		" made_us INTEGER NOT NULL, public BLOB NOT NULL, private BLOB NOT NULL, UNIQUE(label, type)) STRICT;"
		"CREATE TABLE IF NOT EXISTS master(id INTEGER PRIMARY KEY CHECK(id = 1), key BLOB NOT NULL) STRICT;"
		"PRAGMA user_version = 1;"
		"COMMIT");
}

static enum err prepare_database(struct secrets *s)
{
	int version = 0;
	enum err e = ERR_OK;

	sqlite3_busy_timeout(s->db, BUSY_MS);
	if (!s->read_only)
		e = secrets_exec(s,
			"PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store "
			"= MEMORY");
	if (e == ERR_OK)
		e = user_version(s, &version);
	if (e != ERR_OK)
		return e;
	if (version > SCHEMA_VERSION)
		return ERR_UNSUPPORTED;
	if (version == SCHEMA_VERSION)
		return ERR_OK;
	return s->read_only ? ERR_BUSY : create_schema(s);
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
	e = secrets_sql_err(sqlite3_open_v2(path ? path : ":memory:", &s->db,
		(read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX, NULL));
	if (e == ERR_OK)
		e = prepare_database(s);
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
	mem_free(s);
}

static enum err find(struct secrets *s, struct span value, bool session, uint64_t *id)
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, "SELECT id FROM secret WHERE value = ?1 AND session = ?2", &st);
	int rc;

	if (e != ERR_OK)
		return e;
	sqlite3_bind_blob64(st, 1, value.data, value.len, SQLITE_STATIC);
	sqlite3_bind_int(st, 2, session);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*id = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	if (rc == SQLITE_DONE)
		return ERR_NOT_FOUND;
	return secrets_sql_err(rc);
}

/* Runs a statement whose one parameter is a blob. */
static enum err run_blob(struct secrets *s, const char *sql, struct span value)
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, sql, &st);
	int rc;

	if (e != ERR_OK)
		return e;
	sqlite3_bind_blob64(st, 1, value.data, value.len, SQLITE_STATIC);
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return secrets_sql_err(rc);
}

static enum err put(struct secrets *s, struct span value, bool session, uint64_t *id)
{
	enum err e;

	if (!value.len || value.len > SECRET_MAX)
		return ERR_RANGE;
	e = find(s, value, session, id);
	if (e != ERR_NOT_FOUND)
		return e;
	e = run_blob(s, session ? "INSERT INTO secret(value, session) VALUES(?, 1)" : "INSERT INTO secret(value) VALUES(?)", value);
	if (e == ERR_OK)
		*id = (uint64_t)sqlite3_last_insert_rowid(s->db);
	return e;
}

enum err secrets_put(struct secrets *s, struct span value, uint64_t *id)
{
	return put(s, value, false, id);
}

enum err secrets_put_session(struct secrets *s, struct span value, uint64_t *id)
{
	return put(s, value, true, id);
}

static enum err get(struct secrets *s, const char *sql, uint64_t id, struct secret *out)
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, sql, &st);
	int rc;

	if (e != ERR_OK)
		return e;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		e = secret_set(out, span_of(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0)));
	else
		e = rc == SQLITE_DONE ? ERR_NOT_FOUND : secrets_sql_err(rc);
	sqlite3_finalize(st);
	return e;
}

enum err secrets_get(struct secrets *s, uint64_t id, struct secret *out)
{
	return get(s, "SELECT value FROM secret WHERE id = ?", id, out);
}

enum err secrets_get_session(struct secrets *s, uint64_t id, struct secret *out)
{
	return get(s, "SELECT value FROM secret WHERE id = ? AND session = 1", id, out);
}

/* All ids, ascending; the caller frees. */
static enum err all_ids(struct secrets *s, uint64_t **ids, size_t *count)
{
	sqlite3_stmt *st;
	uint64_t *list = NULL;
	size_t n = 0, room = 0;
	enum err e = secrets_prepare(s, "SELECT id FROM secret ORDER BY id", &st);
	int rc;

	if (e != ERR_OK)
		return e;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (n == room) {
			uint64_t *more = mem_realloc_array(list, room = room ? room * 2 : 16, sizeof(*list));

			if (!more) {
				rc = SQLITE_NOMEM;
				break;
			}
			list = more;
		}
		list[n++] = (uint64_t)sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE) {
		mem_free(list);
		return secrets_sql_err(rc);
	}
	*ids = list;
	*count = n;
	return ERR_OK;
}

static enum err delete_id(struct secrets *s, uint64_t id)
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, "DELETE FROM secret WHERE id = ?", &st);
	int rc;

	if (e != ERR_OK)
		return e;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return secrets_sql_err(rc);
}

enum err secrets_collect(struct secrets *s, bool (*keep)(void *ctx, uint64_t id), void *ctx)
{
	uint64_t *ids = NULL;
	size_t count = 0;
	enum err e = all_ids(s, &ids, &count);

	if (e == ERR_OK)
		e = secrets_exec(s, "BEGIN IMMEDIATE");
	if (e != ERR_OK) {
		mem_free(ids);
		return e;
	}
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		if (!keep(ctx, ids[i]))
			e = delete_id(s, ids[i]);
	mem_free(ids);
	if (e != ERR_OK) {
		enum err ignored = secrets_exec(s, "ROLLBACK");

		(void)ignored;
		return e;
	}
	return secrets_exec(s, "COMMIT");
}

static enum err master_read(struct secrets *s, uint8_t key[MASTER_LEN])
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, "SELECT key FROM master", &st);
	int rc;

	if (e != ERR_OK)
		return e;
	rc = sqlite3_step(st);
	if (rc == SQLITE_DONE)
		e = ERR_NOT_FOUND;
	else if (rc != SQLITE_ROW)
		e = secrets_sql_err(rc);
	else if (sqlite3_column_bytes(st, 0) != MASTER_LEN)
		e = ERR_INVALID;
	else
		memcpy(key, sqlite3_column_blob(st, 0), MASTER_LEN);
	sqlite3_finalize(st);
	return e;
}

static enum err master_write(struct secrets *s, const uint8_t key[MASTER_LEN])
{
	return run_blob(
		s, "INSERT INTO master(id, key) VALUES(1, ?1) ON CONFLICT(id) DO UPDATE SET key = ?1", span_of(key, MASTER_LEN));
}

/* The master key; a random one is made at the first use. */
enum err secrets_master_key(struct secrets *s, uint8_t key[MASTER_LEN])
{
	enum err e = master_read(s, key);

	if (e != ERR_NOT_FOUND || s->read_only)
		return e;
	env_system.random(env_system.ctx, key, MASTER_LEN);
	return master_write(s, key);
}

/* The key pairs are sealed anew in the same transaction: with the old key they could not be opened any more. */
static enum err master_replace(struct secrets *s, const uint8_t key[MASTER_LEN])
{
	uint8_t old[MASTER_LEN];
	enum err e = secrets_master_key(s, old);

	if (e == ERR_OK)
		e = secrets_exec(s, "BEGIN IMMEDIATE");
	if (e == ERR_OK) {
		e = keypairs_reseal(s, old, key);
		if (e == ERR_OK)
			e = master_write(s, key);
		if (e == ERR_OK)
			e = secrets_exec(s, "COMMIT");
		if (e != ERR_OK) {
			enum err ignored = secrets_exec(s, "ROLLBACK");

			(void)ignored;
		}
	}
	wipe(old, sizeof(old));
	return e;
}

enum err secrets_master(struct secrets *s, struct span passphrase)
{
	/* The salt is fixed: two routers with the same passphrase must get the same key. */
	static const char salt[] = "postern type 6 master key";
	uint8_t key[MASTER_LEN];
	enum err e = ERR_CRYPTO;

	if (passphrase.len < 8)
		return ERR_RANGE;
	if (EVP_PBE_scrypt((const char *)passphrase.data, passphrase.len, (const unsigned char *)salt, sizeof(salt) - 1, 16384, 8,
		    1, 64 << 20, key, sizeof(key)) == 1)
		e = master_replace(s, key);
	wipe(key, sizeof(key));
	return e;
}

/* text = siv(16) | ciphertext; both directions leave nothing behind on failure. */
enum err secrets_seal(const uint8_t key[MASTER_LEN], struct span value, uint8_t *text)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = cipher && ctx && EVP_EncryptInit_ex2(ctx, cipher, key, NULL, NULL) == 1 &&
		  EVP_EncryptUpdate(ctx, text + SIV_LEN, &n, value.data, (int)value.len) == 1 && n == (int)value.len &&
		  EVP_EncryptFinal_ex(ctx, text + SIV_LEN + n, &n) == 1 &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SIV_LEN, text) == 1;

	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return ok ? ERR_OK : ERR_CRYPTO;
}

enum err secrets_unseal(const uint8_t key[MASTER_LEN], struct span text, uint8_t *value)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t len = text.len - SIV_LEN;
	int n = 0;
	enum err e = ERR_CRYPTO;

	if (cipher && ctx && EVP_DecryptInit_ex2(ctx, cipher, key, NULL, NULL) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SIV_LEN, text.data) == 1)
		e = EVP_DecryptUpdate(ctx, value, &n, text.data + SIV_LEN, (int)len) == 1 && n == (int)len ? ERR_OK : ERR_AUTH;
	if (e != ERR_OK)
		wipe(value, len);
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return e;
}

enum err secrets_type6_print(struct secrets *s, struct span value, char *out, size_t size)
{
	uint8_t key[MASTER_LEN], text[SIV_LEN + SECRET_MAX];
	enum err e;

	if (!value.len || value.len > SECRET_MAX || size <= c64_len(SIV_LEN + value.len))
		return ERR_RANGE;
	e = secrets_master_key(s, key);
	if (e == ERR_OK)
		e = secrets_seal(key, value, text);
	if (e == ERR_OK)
		c64_print(out, span_of(text, SIV_LEN + value.len));
	wipe(key, sizeof(key));
	return e;
}

enum err secrets_type6_parse(struct secrets *s, const char *text, struct secret *out)
{
	uint8_t key[MASTER_LEN], bytes[SIV_LEN + SECRET_MAX];
	int len = c64_parse(bytes, sizeof(bytes), text);
	struct secret plain = { 0 };
	enum err e;

	if (len <= SIV_LEN)
		return ERR_INVALID;
	e = secrets_master_key(s, key);
	if (e == ERR_OK)
		e = secrets_unseal(key, span_of(bytes, (size_t)len), plain.bytes);
	if (e == ERR_OK) {
		plain.len = (uint16_t)(len - SIV_LEN);
		*out = plain;
	}
	secret_wipe(&plain);
	wipe(key, sizeof(key));
	return e;
}
