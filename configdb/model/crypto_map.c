/* Crypto maps and dynamic maps: their entries as objects, and what holds for a map as a whole. */
#include "configdb/model/crypto_map.h"

#include <stdio.h>
#include <string.h>

/* The entry that a line names: its columns `manual` and `dynamic`. */
struct known {
	bool there, manual;
	char dynamic[CFG_NAME]; /* empty: none */
};

static struct known entry_find(struct change *c)
{
	struct known k = { 0 };
	sqlite3_stmt *q = db_query(c->db,
		"SELECT manual, dynamic FROM crypto_map WHERE class = ?1 AND name = ?2 AND seq = CAST(?3 AS INTEGER)",
		P(var(c, "class"), var(c, "name"), var(c, "seq")));
	while (db_step(c->db, &q)) {
		k.there = true;
		k.manual = db_col(q, 0) != NULL;
		snprintf(k.dynamic, sizeof k.dynamic, "%s", db_col(q, 1) ? db_col(q, 1) : "");
	}
	return k;
}

/* A map as a whole cannot go while it is applied. The names of its interfaces, short: "Gi0/0, Gi0/1". */
static bool map_in_use(struct change *c, char *names, size_t size)
{
	sqlite3_stmt *q = db_query(c->db, "SELECT name FROM interface WHERE crypto_map = ?1 ORDER BY name", P(var(c, "name")));
	char brief[16];
	names[0] = 0;
	while (db_step(c->db, &q)) {
		size_t n = strlen(names);
		ifname_short(brief, db_col(q, 0));
		snprintf(names + n, size - n, "%s%s", n ? ", " : "", brief);
	}
	return names[0] != 0;
}

static enum grammar_result map_remove(struct change *c)
{
	char names[512];
	const char *seq = var(c, "seq");
	bool last =
		!seq || !db_exists(c->db, "SELECT 1 FROM crypto_map WHERE class = ?1 AND name = ?2 AND seq <> CAST(?3 AS INTEGER)",
				P(CLASS_STATIC, var(c, "name"), seq));
	if (last && (!seq || entry_find(c).there) && map_in_use(c, names, sizeof names))
		return refuse(c,
			"%% Crypto-map %s is in use by interface(s): %s. Please remove the crypto map from the above interface(s) "
			"first",
			var(c, "name"), names);
	if (!seq)
		db_run(c->db, "DELETE FROM map_setting WHERE name = ?1", P(var(c, "name")));
	return change_object(c);
}

/* A place for the entries of a dynamic map has no settings of its own, so its line enters no mode. */
static enum grammar_result place_apply(struct change *c, const struct known *k)
{
	const char *dynamic = var(c, "dynamic");
	if (k->there && !k->dynamic[0])
		return refuse(c, "%% Crypto map %s %s is not dynamic: remove it first", var(c, "name"), var(c, "seq"));
	if (!k->there)
		change_list(c);
	db_run(c->db,
		"UPDATE crypto_map SET dynamic = ?4 WHERE class = ?1 AND name = ?2 AND seq = CAST(?3 AS INTEGER) AND dynamic IS "
		"NOT ?4",
		P(CLASS_STATIC, var(c, "name"), var(c, "seq"), dynamic));
	return change_enter(c, MODE_CONFIG, "");
}

static enum grammar_result map_apply(struct change *c)
{
	value_set(&c->v, "class", CLASS_STATIC);
	if (c->remove)
		return map_remove(c);
	struct known k = entry_find(c);
	const char *manual = var(c, "manual");
	if (var(c, "dynamic"))
		return place_apply(c, &k);
	if (!k.there && !manual && !var(c, "isakmp"))
		return GR_INCOMPLETE;
	if (k.dynamic[0])
		return refuse(c, "%% Crypto map %s %s has the entries of dynamic map %s: configure crypto dynamic-map %s",
			var(c, "name"), var(c, "seq"), k.dynamic, k.dynamic);
	if (k.there && (k.manual ? var(c, "isakmp") : manual))
		return refuse(c, "%% Crypto map %s %s is %s: remove it first", var(c, "name"), var(c, "seq"),
			k.manual ? "ipsec-manual" : "ipsec-isakmp");
	if (!k.there)
		say(c, "%% NOTE: This new crypto map will remain disabled until a peer\n"
		       "        and a valid access list have been configured.");
	enum grammar_result r = change_object(c);
	if (!k.there && manual)
		db_run(c->db, "UPDATE crypto_map SET manual = ?4 WHERE class = ?1 AND name = ?2 AND seq = CAST(?3 AS INTEGER)",
			P(CLASS_STATIC, var(c, "name"), var(c, "seq"), manual));
	return r;
}

static enum grammar_result dynamic_apply(struct change *c)
{
	value_set(&c->v, "class", CLASS_DYNAMIC);
	return change_object(c);
}

static void objects_render(struct render *r, const struct stmt *st, const char *class)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db, "SELECT * FROM crypto_map WHERE class = ?1 ORDER BY name, seq", P(class));
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		if (!value_get(&v, "manual"))
			value_set(&v, "isakmp", "ipsec-isakmp");
		emit_bang(r);
		render_object(r, st, &v);
	}
}

static void map_render(struct render *r, const struct stmt *st)
{
	objects_render(r, st, CLASS_STATIC);
}

static void dynamic_render(struct render *r, const struct stmt *st)
{
	objects_render(r, st, CLASS_DYNAMIC);
}

/* One column of the map's settings. A row without any prints nothing. */
static enum grammar_result local_address_apply(struct change *c)
{
	const char *name = var(c, "name"), *interface = c->remove ? NULL : var(c, "local_interface");
	if (interface)
		db_run(c->db, "INSERT INTO map_setting(name) VALUES(?1) ON CONFLICT DO NOTHING", P(name));
	db_run(c->db, "UPDATE map_setting SET local_interface = ?2 WHERE name = ?1 AND local_interface IS NOT ?2",
		P(name, interface));
	return GR_OK;
}

static void local_address_render(struct render *r, const struct stmt *st)
{
	struct values v;
	bool first = true;
	sqlite3_stmt *q = db_query(
		r->db, "SELECT name, local_interface FROM map_setting WHERE local_interface IS NOT NULL ORDER BY name", NOPARAMS);
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		if (first)
			emit_bang(r);
		first = false;
		emit_values(r, st, &v);
	}
}

#define CRYPTO_MAP "Encryption module", "Enter a crypto map", "Crypto map tag"

static const struct stmt rows[] = {
	{ .syntax = "crypto dynamic-map NAME$name <1-65535>$seq",
		.help = HELP("Encryption module", "Specify a dynamic crypto map template", "Dynamic crypto map template tag",
			"Sequence to insert into dynamic crypto map entry"),
		.mode = MODE_CONFIG,
		.no_words = 3,
		.tables = CFG_CRYPTO_MAPS,
		.enters = MODE_CRYPTO_MAP,
		.shape = SHAPE_OBJECT,
		.table = "crypto_map",
		.key = "class name seq",
		.apply = dynamic_apply,
		.render = dynamic_render },
	{ .syntax = "crypto map NAME$name local-address INTERFACE$local_interface",
		.help = HELP(CRYPTO_MAP, "Interface to use for local address for this crypto map", "Interface"),
		.mode = MODE_CONFIG,
		.no_words = 4,
		.tables = CFG_CRYPTO_MAPS,
		.apply = local_address_apply,
		.render = local_address_render },
	{ .syntax = "crypto map NAME$name <1-65535>$seq [<ipsec-isakmp$isakmp [dynamic NAME$dynamic]|ipsec-manual$manual>]",
		.help = HELP(CRYPTO_MAP, "Sequence to insert into crypto map entry", "IPSEC w/ISAKMP", "Enter a dynamic crypto map",
			"Dynamic crypto map template tag", "IPSEC w/manual keying"),
		.mode = MODE_CONFIG,
		.no_words = 3,
		.tables = CFG_CRYPTO_MAPS,
		.enters = MODE_CRYPTO_MAP,
		.shape = SHAPE_OBJECT,
		.table = "crypto_map",
		.key = "class name seq",
		.apply = map_apply,
		.render = map_render },
};
const struct block block_crypto_map = { rows, sizeof rows / sizeof *rows, true };
