/* keypair(id, label, type, bits, exportable, made_us, public, private) of keys.db. */
#include "configdb/keypairs.h"

#include "configdb/secrets_impl.h"
#include "platform/base/mem.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define PRIVATE_MAX 4096 /* RSA 4096 takes 2,350 */
#define COLUMNS     "id, label, type, exportable, bits, made_us, public"

EVP_PKEY *keypair_make(enum keypair_type type, unsigned bits)
{
	char curve[8];

	if (type == KEYPAIR_RSA)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	snprintf(curve, sizeof(curve), "P-%u", bits);
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}

enum err keypair_describe(const EVP_PKEY *key, struct keypair *out)
{
	char curve[32] = "";
	size_t len;
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "RSA")) {
		out->type = KEYPAIR_RSA;
		if (bits < 512 || bits > 4096)
			return ERR_UNSUPPORTED;
	} else if (EVP_PKEY_is_a(key, "EC")) {
		out->type = KEYPAIR_EC;
		if (EVP_PKEY_get_group_name(key, curve, sizeof(curve), &len) != 1 ||
			(strcmp(curve, "prime256v1") != 0 && strcmp(curve, "secp384r1") != 0 && strcmp(curve, "secp521r1") != 0))
			return ERR_UNSUPPORTED;
	} else {
		return ERR_UNSUPPORTED;
	}
	out->bits = (uint16_t)bits;
	return ERR_OK;
}

static enum err public_of(const EVP_PKEY *key, struct keypair *k)
{
	uint8_t *at = k->public;
	int len = i2d_PUBKEY(key, NULL);

	if (len <= 0)
		return ERR_CRYPTO;
	if (len > KEYPAIR_PUBLIC_MAX)
		return ERR_RANGE;
	k->public_len = (uint16_t)i2d_PUBKEY(key, &at);
	return ERR_OK;
}

/* The private half as DER, sealed; the caller wipes nothing: what is returned is ciphertext. */
static enum err private_seal(struct secrets *s, const EVP_PKEY *key, uint8_t *text, size_t *len)
{
	uint8_t master[SECRETS_MASTER_LEN], der[PRIVATE_MAX], *at = der;
	int n = i2d_PrivateKey(key, NULL);
	enum err e = n <= 0 ? ERR_CRYPTO : n > PRIVATE_MAX ? ERR_RANGE : secrets_master_key(s, master);

	if (e == ERR_OK) {
		n = i2d_PrivateKey(key, &at);
		e = n > 0 ? secrets_seal(master, span_of(der, (size_t)n), text) : ERR_CRYPTO;
		*len = (size_t)n + SECRETS_SEAL_LEN;
	}
	wipe(master, sizeof(master));
	wipe(der, sizeof(der));
	return e;
}

static enum err insert(struct secrets *s, struct keypair *k, struct span private)
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s,
		"INSERT OR REPLACE INTO keypair(label, type, exportable, bits, made_us, public, private) VALUES(?, ?, ?, ?, ?, ?, "
		"?)",
		&st);
	int rc;

	if (e != ERR_OK)
		return e;
	sqlite3_bind_text(st, 1, k->label, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 2, k->type);
	sqlite3_bind_int(st, 3, k->exportable);
	sqlite3_bind_int(st, 4, k->bits);
	sqlite3_bind_int64(st, 5, (sqlite3_int64)k->made_us);
	sqlite3_bind_blob(st, 6, k->public, k->public_len, SQLITE_STATIC);
	sqlite3_bind_blob64(st, 7, private.data, private.len, SQLITE_STATIC);
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE)
		return secrets_sql_err(rc);
	k->id = (uint64_t)sqlite3_last_insert_rowid(s->db);
	return ERR_OK;
}

enum err keypair_put(struct secrets *s, struct keypair *k, const EVP_PKEY *key)
{
	uint8_t text[PRIVATE_MAX + SECRETS_SEAL_LEN];
	size_t len = 0;
	enum err e = keypair_describe(key, k);

	if (e == ERR_OK)
		e = public_of(key, k);
	if (e == ERR_OK)
		e = private_seal(s, key, text, &len);
	return e == ERR_OK ? insert(s, k, span_of(text, len)) : e;
}

static void row_read(sqlite3_stmt *st, struct keypair *k)
{
	int len = sqlite3_column_bytes(st, 6);

	*k = (struct keypair){ .id = (uint64_t)sqlite3_column_int64(st, 0),
		.type = (uint8_t)sqlite3_column_int(st, 2),
		.exportable = sqlite3_column_int(st, 3) != 0,
		.bits = (uint16_t)sqlite3_column_int(st, 4),
		.made_us = (uint64_t)sqlite3_column_int64(st, 5) };
	snprintf(k->label, sizeof(k->label), "%s", (const char *)sqlite3_column_text(st, 1));
	if (len > 0 && len <= KEYPAIR_PUBLIC_MAX) {
		k->public_len = (uint16_t)len;
		memcpy(k->public, sqlite3_column_blob(st, 6), (size_t)len);
	}
}

/* The first row of a prepared query. */
static enum err first_row(sqlite3_stmt *st, struct keypair *out)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		row_read(st, out);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? ERR_OK : rc == SQLITE_DONE ? ERR_NOT_FOUND : secrets_sql_err(rc);
}

enum err keypair_find(struct secrets *s, unsigned type, const char *label, struct keypair *out)
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(
		s, "SELECT " COLUMNS " FROM keypair WHERE label = ?1 AND (?2 = 0 OR type = ?2) ORDER BY type LIMIT 1", &st);

	if (e != ERR_OK)
		return e;
	sqlite3_bind_text(st, 1, label, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 2, (int)type);
	return first_row(st, out);
}

enum err keypair_of_public(struct secrets *s, const EVP_PKEY *public, struct keypair *out)
{
	struct keypair k = { 0 };
	sqlite3_stmt *st;
	enum err e = public_of(public, &k);

	if (e == ERR_OK)
		e = secrets_prepare(s, "SELECT " COLUMNS " FROM keypair WHERE public = ?1", &st);
	if (e != ERR_OK)
		return e;
	sqlite3_bind_blob(st, 1, k.public, k.public_len, SQLITE_STATIC);
	return first_row(st, out);
}

enum err keypair_each(struct secrets *s, void (*each)(void *ctx, const struct keypair *k), void *ctx)
{
	struct keypair k;
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, "SELECT " COLUMNS " FROM keypair ORDER BY id", &st);
	int rc;

	if (e != ERR_OK)
		return e;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		row_read(st, &k);
		each(ctx, &k);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? ERR_OK : secrets_sql_err(rc);
}

enum err keypair_delete(struct secrets *s, uint64_t id)
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, "DELETE FROM keypair WHERE id = ?1", &st);
	int rc;

	if (e != ERR_OK)
		return e;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? ERR_OK : secrets_sql_err(rc);
}

static enum err private_open(struct secrets *s, struct span text, unsigned type, EVP_PKEY **out)
{
	uint8_t master[SECRETS_MASTER_LEN], der[PRIVATE_MAX];
	const uint8_t *at = der;
	enum err e = text.len <= SECRETS_SEAL_LEN || text.len > sizeof(der) ? ERR_INVALID : secrets_master_key(s, master);

	if (e == ERR_OK)
		e = secrets_unseal(master, text, der);
	if (e == ERR_OK) {
		*out = d2i_PrivateKey(
			type == KEYPAIR_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL, &at, (long)(text.len - SECRETS_SEAL_LEN));
		e = *out ? ERR_OK : ERR_CRYPTO;
	}
	wipe(master, sizeof(master));
	wipe(der, sizeof(der));
	return e;
}

enum err keypair_private(struct secrets *s, uint64_t id, EVP_PKEY **out)
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, "SELECT private, type FROM keypair WHERE id = ?1", &st);
	int rc;

	if (e != ERR_OK)
		return e;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		e = private_open(s, span_of(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0)),
			(unsigned)sqlite3_column_int(st, 1), out);
	else
		e = rc == SQLITE_DONE ? ERR_NOT_FOUND : secrets_sql_err(rc);
	sqlite3_finalize(st);
	return e;
}

/* One row under the other key. */
static enum err reseal_row(struct secrets *s, sqlite3_int64 id, struct span text, const uint8_t *from, const uint8_t *to)
{
	uint8_t der[PRIVATE_MAX], again[PRIVATE_MAX + SECRETS_SEAL_LEN];
	sqlite3_stmt *st;
	enum err e = text.len <= SECRETS_SEAL_LEN || text.len > sizeof(der) ? ERR_INVALID : secrets_unseal(from, text, der);

	if (e == ERR_OK)
		e = secrets_seal(to, span_of(der, text.len - SECRETS_SEAL_LEN), again);
	wipe(der, sizeof(der));
	if (e == ERR_OK)
		e = secrets_prepare(s, "UPDATE keypair SET private = ?1 WHERE id = ?2", &st);
	if (e != ERR_OK)
		return e;
	sqlite3_bind_blob64(st, 1, again, text.len, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, id);
	e = sqlite3_step(st) == SQLITE_DONE ? ERR_OK : ERR_SYS;
	sqlite3_finalize(st);
	return e;
}

enum err keypairs_reseal(struct secrets *s, const uint8_t from[SECRETS_MASTER_LEN], const uint8_t to[SECRETS_MASTER_LEN])
{
	sqlite3_stmt *st;
	enum err e = secrets_prepare(s, "SELECT id, private FROM keypair ORDER BY id", &st);

	if (e != ERR_OK)
		return e;
	while (e == ERR_OK && sqlite3_step(st) == SQLITE_ROW)
		e = reseal_row(s, sqlite3_column_int64(st, 0),
			span_of(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1)), from, to);
	sqlite3_finalize(st);
	return e;
}
