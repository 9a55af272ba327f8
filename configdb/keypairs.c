/* keypair(id, label, type, bits, exportable, made_us, public, private) of keys.db. */
#include "configdb/keypairs.h"

#include "configdb/secrets_impl.h"
#include "platform/base/mem.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS "id, label, type, exportable, bits, made_us, public"

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
	uint8_t der[KEYPAIR_PRIVATE_MAX], *at = der;
	int n = i2d_PrivateKey(key, NULL);
	enum err e = n <= 0 ? ERR_CRYPTO : n > KEYPAIR_PRIVATE_MAX ? ERR_RANGE : ERR_OK;

	if (e == ERR_OK) {
		n = i2d_PrivateKey(key, &at);
		e = n > 0 ? seal(s->machine, span_of(der, (size_t)n), text) : ERR_CRYPTO;
		*len = (size_t)n + SEAL_EXTRA;
	}
	wipe(der, sizeof(der));
	return e;
}

enum err keypair_put(struct secrets *s, struct keypair *k, const EVP_PKEY *key)
{
	uint8_t text[KEYPAIR_PRIVATE_MAX + SEAL_EXTRA];
	size_t len = 0;
	enum err e = keypair_describe(key, k);

	if (e == ERR_OK)
		e = public_of(key, k);
	if (e == ERR_OK)
		e = private_seal(s, key, text, &len);
	if (e == ERR_OK)
		e = keysdb_run(s,
			"INSERT OR REPLACE INTO keypair(label, type, exportable, bits, made_us, public, private)"
			" VALUES(?, ?, ?, ?, ?, ?, ?)",
			BINDS(TEXT(k->label), NUMBER(k->type), NUMBER(k->exportable), NUMBER(k->bits), NUMBER(k->made_us),
				BYTES(span_of(k->public, k->public_len)), BYTES(span_of(text, len))));
	if (e == ERR_OK)
		k->id = (uint64_t)sqlite3_last_insert_rowid(s->db);
	return e;
}

static enum err pair_row(void *ctx, sqlite3_stmt *st)
{
	struct keypair *k = ctx;
	struct span public = keysdb_bytes(st, 6);

	*k = (struct keypair){ .id = (uint64_t)sqlite3_column_int64(st, 0),
		.type = (uint8_t)sqlite3_column_int(st, 2),
		.exportable = sqlite3_column_int(st, 3) != 0,
		.bits = (uint16_t)sqlite3_column_int(st, 4),
		.made_us = (uint64_t)sqlite3_column_int64(st, 5) };
	snprintf(k->label, sizeof(k->label), "%s", (const char *)sqlite3_column_text(st, 1));
	if (public.len > 0 && public.len <= KEYPAIR_PUBLIC_MAX) {
		k->public_len = (uint16_t) public.len;
		memcpy(k->public, public.data, public.len);
	}
	return ERR_OK;
}

enum err keypair_find(struct secrets *s, unsigned type, const char *label, struct keypair *out)
{
	return keysdb_each(s, "SELECT " COLUMNS " FROM keypair WHERE label = ?1 AND (?2 = 0 OR type = ?2) ORDER BY type LIMIT 1",
		BINDS(TEXT(label), NUMBER(type)), pair_row, out);
}

enum err keypair_of_public(struct secrets *s, const EVP_PKEY *public, struct keypair *out)
{
	struct keypair k = { 0 };
	enum err e = public_of(public, &k);

	if (e != ERR_OK)
		return e;
	return keysdb_each(s, "SELECT " COLUMNS " FROM keypair WHERE public = ? LIMIT 1",
		BINDS(BYTES(span_of(k.public, k.public_len))), pair_row, out);
}

struct asking {
	void (*each)(void *ctx, const struct keypair *k);
	void *ctx;
};

static enum err each_row(void *ctx, sqlite3_stmt *st)
{
	const struct asking *a = ctx;
	struct keypair k;
	enum err e = pair_row(&k, st);

	if (e == ERR_OK)
		a->each(a->ctx, &k);
	return e;
}

enum err keypair_each(struct secrets *s, void (*each)(void *ctx, const struct keypair *k), void *ctx)
{
	enum err e =
		keysdb_each(s, "SELECT " COLUMNS " FROM keypair ORDER BY id", NO_BINDS, each_row, &(struct asking){ each, ctx });

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err keypair_delete(struct secrets *s, uint64_t id)
{
	return keysdb_run(s, "DELETE FROM keypair WHERE id = ?", BINDS(NUMBER(id)));
}

struct opening {
	struct secrets *s;
	EVP_PKEY **out;
};

static enum err private_row(void *ctx, sqlite3_stmt *st)
{
	const struct opening *o = ctx;
	struct span text = keysdb_bytes(st, 0);
	uint8_t der[KEYPAIR_PRIVATE_MAX];
	const uint8_t *at = der;
	enum err e = text.len > SEAL_EXTRA + sizeof(der) ? ERR_INVALID : unseal(o->s->machine, text, der);

	if (e == ERR_OK) {
		*o->out = d2i_PrivateKey(sqlite3_column_int(st, 1) == KEYPAIR_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL, &at,
			(long)(text.len - SEAL_EXTRA));
		e = *o->out ? ERR_OK : ERR_CRYPTO;
	}
	wipe(der, sizeof(der));
	return e;
}

enum err keypair_private(struct secrets *s, uint64_t id, EVP_PKEY **out)
{
	return keysdb_each(
		s, "SELECT private, type FROM keypair WHERE id = ?", BINDS(NUMBER(id)), private_row, &(struct opening){ s, out });
}
