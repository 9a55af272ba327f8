/* Keys that two engineers agreed on: `set session-key` of an ipsec-manual entry.
 *
 * The keys are in keys.db, as bytes; the tables hold their numbers and how long they are, so that everybody can tell whether a
 * transform has enough of a key without reading it. They print encrypted, like pre-shared keys (type 6).
 */
#include "configdb/model/crypto_map.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MIN 1
#define KEY_MAX 64 /* HMAC-SHA-512 */

static bool hex_read(const char *text, struct secret *out)
{
	size_t n = strlen(text);
	if (n % 2 || n / 2 < KEY_MIN || n / 2 > KEY_MAX)
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		char two[3] = { text[2 * i], text[2 * i + 1], 0 };
		out->bytes[i] = (uint8_t)strtoul(two, NULL, 16);
		wipe(two, sizeof two);
	}
	out->len = (uint16_t)(n / 2);
	return true;
}

struct stored {
	char id[24], len[8]; /* as parameters; empty: there is none */
};

/* From either way of typing a key to a number in keys.db. GR_OK with an empty id: it was not typed. */
static enum grammar_result key_store(struct change *c, const char *plain, const char *sealed, const char *what, struct stored *out)
{
	struct secret key = { 0 };
	uint64_t id = 0;
	size_t len = 0;
	enum err e = ERR_OK;
	*out = (struct stored){ "", "" };
	if (!var(c, plain) && !var(c, sealed))
		return GR_OK;
	if (var(c, plain) && !hex_read(var(c, plain), &key))
		return refuse(c, "%% The %s key is not %d to %d bytes in pairs of hexadecimal digits", what, KEY_MIN, KEY_MAX);
	if (var(c, plain)) {
		len = key.len;
		e = secrets_put(c->secrets, SECRET_SESSION, secret_span(&key), &id);
	} else {
		e = secrets_type6_put(c->secrets, SECRET_SESSION, var(c, sealed), &id, &len);
		if (e == ERR_AUTH || e == ERR_INVALID)
			return refuse(c, "%% The key is not encrypted with the master key of this router");
		if (e == ERR_OK && len > KEY_MAX)
			e = ERR_RANGE;
	}
	snprintf(out->id, sizeof out->id, "%llu", (unsigned long long)id);
	snprintf(out->len, sizeof out->len, "%zu", len);
	secret_wipe(&key);
	return e == ERR_OK ? GR_OK : refuse(c, "%% The key cannot be stored: %s", err_text(e));
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

#define ROW OF_ENTRY " AND direction = ?4"

static enum grammar_result ah_apply(struct change *c)
{
	struct stored key;
	enum grammar_result r = key_store(c, "ah_key", "ah_sealed", "AH", &key);
	if (r == GR_OK)
		db_run(c->db,
			"UPDATE session_key SET ah_spi = ?5, ah_key = ?6, ah_len = ?7 WHERE " ROW
			" AND NOT (CAST(ah_spi AS TEXT) IS ?5 AND CAST(ah_key AS TEXT) IS ?6)",
			P(c->key[0], c->key[1], c->key[2], var(c, "direction"), c->remove ? NULL : var(c, "ah_spi"),
				or_null(key.id), or_null(key.len)));
	return r;
}

static enum grammar_result esp_apply(struct change *c)
{
	struct stored cipher, auth;
	enum grammar_result r = key_store(c, "cipher_key", "cipher_sealed", "cipher", &cipher);
	if (r == GR_OK)
		r = key_store(c, "auth_key", "auth_sealed", "authenticator", &auth);
	if (r == GR_OK)
		db_run(c->db,
			"UPDATE session_key SET esp_spi = ?5, cipher_key = ?6, cipher_len = ?7, auth_key = ?8, auth_len = ?9 "
			"WHERE " ROW " AND NOT (CAST(esp_spi AS TEXT) IS ?5 AND CAST(cipher_key AS TEXT) IS ?6 AND CAST(auth_key "
			"AS TEXT) IS ?8)",
			P(c->key[0], c->key[1], c->key[2], var(c, "direction"), c->remove ? NULL : var(c, "esp_spi"),
				or_null(cipher.id), or_null(cipher.len), or_null(auth.id), or_null(auth.len)));
	return r;
}

static bool is_ah(const struct stmt *st)
{
	return strstr(st->secret, "ah_key") != NULL;
}

/* Two SAs of one protocol from the same place cannot have one SPI. Another entry's inbound SPI is taken. */
static enum grammar_result spi_check(struct change *c)
{
	const char *column = is_ah(c->st) ? "ah_spi" : "esp_spi";
	char sql[256], where[CFG_NAME + 16];
	if (strcmp(var(c, "direction"), "inbound") != 0)
		return GR_OK;
	snprintf(sql, sizeof sql,
		"SELECT map || ' ' || seq FROM session_key WHERE %s = CAST(?3 AS INTEGER) AND direction = 'inbound' "
		"AND NOT (map = ?1 AND seq = CAST(?2 AS INTEGER))",
		column);
	if (db_get(c->db, where, sizeof where, sql, P(c->key[1], c->key[2], var(c, column))))
		return refuse(c, "%% SPI %s is in use by crypto map %s", var(c, column), where);
	return GR_OK;
}

enum grammar_result session_key_apply(struct change *c)
{
	enum grammar_result r = entry_demand(c, ENTRY_MANUAL);
	if (r == GR_OK && !c->remove)
		r = spi_check(c);
	if (r != GR_OK)
		return r;
	if (!c->remove)
		db_run(c->db,
			"INSERT INTO session_key(class, map, seq, direction) SELECT ?1, ?2, CAST(?3 AS INTEGER), ?4 "
			"WHERE NOT EXISTS (SELECT 1 FROM session_key WHERE " ROW ")",
			P(c->key[0], c->key[1], c->key[2], var(c, "direction")));
	/* `no` needs no key: the one there is goes. */
	for (size_t i = 0; c->remove && i < c->v.n; i++)
		if (strstr(c->v.list[i].name, "_key") || strstr(c->v.list[i].name, "_sealed"))
			c->v.list[i].text = NULL;
	r = is_ah(c->st) ? ah_apply(c) : esp_apply(c);
	if (r == GR_OK && c->remove)
		db_run(c->db, "DELETE FROM session_key WHERE " ROW " AND ah_spi IS NULL AND esp_spi IS NULL",
			P(c->key[0], c->key[1], c->key[2], var(c, "direction")));
	return r;
}

static void seal(struct render *r, struct values *v, const char *column, const char *sealed)
{
	char text[SECRET_TYPE6];
	const char *id = value_get(v, column);
	value_set(v, column, NULL);
	if (id && secrets_type6_print(r->secrets, strtoull(id, NULL, 10), text, sizeof text) == ERR_OK)
		value_set(v, sealed, text);
}

void session_key_render(struct render *r, const struct stmt *st)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db,
		is_ah(st) ? "SELECT direction, ah_spi, ah_key FROM session_key WHERE " OF_ENTRY
			    " AND ah_spi IS NOT NULL ORDER BY direction"
			  : "SELECT direction, esp_spi, cipher_key, auth_key FROM session_key WHERE " OF_ENTRY
			    " AND esp_spi IS NOT NULL ORDER BY direction",
		r->key, 3);
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		seal(r, &v, "ah_key", "ah_sealed");
		seal(r, &v, "cipher_key", "cipher_sealed");
		seal(r, &v, "auth_key", "auth_sealed");
		emit_values(r, st, &v);
	}
}
