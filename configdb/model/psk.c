/* See psk.h. A key is found by address and mask, or by name, once in each keyring; its value is in keys.db. */
#include "configdb/model/psk.h"

#include "platform/base/addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 128

enum grammar_result psk_put(struct change *c, char id_text[24])
{
	const char *text = var(c, "value");
	uint64_t id = 0;
	size_t len;
	enum err e;
	if (!strcmp(value_or(&c->v, "type", "0"), "6")) {
		e = secrets_type6_put(c->secrets, SECRET_SHARED, text, &id, &len);
		if (e == ERR_AUTH || e == ERR_INVALID)
			return refuse(c, "%% The key is not encrypted with the master key of this router");
	} else if (strlen(text) > KEY_MAX) {
		return refuse(c, "%% The key is longer than %d characters", KEY_MAX);
	} else {
		e = secrets_put(c->secrets, SECRET_SHARED, span_of(text, strlen(text)), &id);
	}
	if (e != ERR_OK)
		return refuse(c, "%% The key cannot be stored: %s", err_text(e));
	snprintf(id_text, 24, "%llu", (unsigned long long)id);
	return GR_OK;
}

static bool same_key(struct change *c, const char *a, const char *b)
{
	return secrets_equal(c->secrets, strtoull(a, NULL, 10), strtoull(b, NULL, 10));
}

#define KEY_WHERE "keyring IS ?1 AND addr IS ?2 AND mask IS ?3 AND host IS ?4"

/* Which key a line means. */
struct key_name {
	const char *keyring, *addr, *mask, *host;
	char net[16];
};
#define KEY_PARAMS(k, ...) P((k).keyring, (k).addr, (k).mask, (k).host, ##__VA_ARGS__)

static enum grammar_result name_read(struct change *c, struct key_name *k)
{
	const char *addr = var(c, "addr");
	k->keyring = c->st->mode == MODE_KEYRING ? c->key[0] : NULL;
	k->host = var(c, "host");
	k->addr = k->mask = NULL;
	if (!addr)
		return GR_OK;
	k->mask = value_or(&c->v, "mask", ip_of(addr) ? "255.255.255.255" : "0.0.0.0");
	if (!ip4_mask_valid(ip_of(k->mask)))
		return refuse(c, "Bad mask 0x%08X for address %s", ip_of(k->mask), addr);
	k->addr = ip4_print(k->net, ip_of(addr) & ip_of(k->mask));
	return GR_OK;
}

static enum grammar_result key_add(struct change *c, const struct key_name *k, const char *id, const char *have)
{
	if (!have) {
		db_run(c->db, "INSERT INTO isakmp_key(keyring, addr, mask, host, secret, no_xauth) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
			KEY_PARAMS(*k, id, var(c, "no_xauth")));
		return GR_OK;
	}
	if (!same_key(c, have, id))
		return refuse(c, "A pre-shared key for %s %s%s%s already exists!", k->addr ? "address mask" : "hostname",
			k->addr ? k->addr : k->host, k->addr ? " " : "", k->addr ? k->mask : "");
	db_run(c->db, "UPDATE isakmp_key SET no_xauth = ?5 WHERE " KEY_WHERE " AND no_xauth IS NOT ?5",
		KEY_PARAMS(*k, var(c, "no_xauth")));
	return GR_OK;
}

enum grammar_result psk_apply(struct change *c)
{
	char have[24], id[24];
	struct key_name k;
	enum grammar_result r = name_read(c, &k);
	if (r != GR_OK)
		return r;
	bool known = db_get(c->db, have, sizeof have, "SELECT secret FROM isakmp_key WHERE " KEY_WHERE, KEY_PARAMS(k));
	if (c->remove && !known)
		return GR_OK;
	r = psk_put(c, id);
	if (r != GR_OK)
		return r;
	if (!c->remove)
		return key_add(c, &k, id, known ? have : NULL);
	if (!same_key(c, have, id))
		return refuse(c, "%% The pre-shared key does not match the configured one");
	db_run(c->db, "DELETE FROM isakmp_key WHERE " KEY_WHERE, KEY_PARAMS(k));
	return GR_OK;
}

void psk_encrypt(struct render *r, struct values *v, const char *column)
{
	char text[SECRET_TYPE6];
	uint64_t id = strtoull(value_or(v, column, "0"), NULL, 10);
	if (secrets_type6_print(r->secrets, id, text, sizeof text) != ERR_OK)
		return;
	value_set(v, "type", "6");
	value_set(v, "value", text);
}

void psk_render(struct render *r, const struct stmt *st)
{
	const char *keyring = st->mode == MODE_KEYRING ? r->key[0] : NULL;
	sqlite3_stmt *q = db_query(r->db, "SELECT * FROM isakmp_key WHERE keyring IS ?1 ORDER BY id", P(keyring));
	struct values v;
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		psk_encrypt(r, &v, "secret");
		const char *addr = value_get(&v, "addr");
		if (addr && !strcmp(value_or(&v, "mask", ""), ip_of(addr) ? "255.255.255.255" : "0.0.0.0"))
			value_set(&v, "mask", NULL);
		emit_values(r, st, &v);
	}
}
