/* Crypto map entries: whom to protect traffic with, how, and which traffic. */
#include "configdb/model/stmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool entry_exists(struct change *c)
{
	return db_exists(
		c->db, "SELECT 1 FROM crypto_map WHERE name = ?1 AND seq = CAST(?2 AS INTEGER)", P(var(c, "name"), var(c, "seq")));
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
	bool last = !seq || !db_exists(c->db, "SELECT 1 FROM crypto_map WHERE name = ?1 AND seq <> CAST(?2 AS INTEGER)",
				    P(var(c, "name"), seq));
	if (last && (!seq || entry_exists(c)) && map_in_use(c, names, sizeof names))
		return refuse(c,
			"%% Crypto-map %s is in use by interface(s): %s. Please remove the crypto map from the above interface(s) "
			"first",
			var(c, "name"), names);
	return change_object(c);
}

static enum grammar_result map_apply(struct change *c)
{
	bool known = !c->remove && entry_exists(c);
	if (c->remove)
		return map_remove(c);
	if (!known && !var(c, "type"))
		return GR_INCOMPLETE;
	if (!known)
		say(c, "%% NOTE: This new crypto map will remain disabled until a peer\n"
		       "        and a valid access list have been configured.");
	return change_object(c);
}

static void map_present(struct render *r, struct values *v)
{
	(void)r;
	value_set(v, "type", "ipsec-isakmp");
}

static enum grammar_result peer_remove(struct change *c)
{
	const char *addr = var(c, "addr"), *host = var(c, "host");
	db_run(c->db, "DELETE FROM map_peer WHERE map = ?1 AND seq = CAST(?2 AS INTEGER) AND addr IS ?3 AND host IS ?4",
		P(c->key[0], c->key[1], addr, host));
	return GR_OK;
}

static enum grammar_result peer_apply(struct change *c)
{
	const char *addr = var(c, "addr"), *host = var(c, "host"), *is_default = var(c, "is_default");
	char count[16] = "0";
	if (addr && (!ip_of(addr) || ip_of(addr) >= 0xe0000000u))
		return refuse(c, "%% Invalid peer address %s", addr);
	if (c->remove)
		return peer_remove(c);
	bool known = db_exists(c->db,
		"SELECT 1 FROM map_peer WHERE map = ?1 AND seq = CAST(?2 AS INTEGER) AND addr IS ?3 AND host IS ?4",
		P(c->key[0], c->key[1], addr, host));
	db_get(c->db, count, sizeof count, "SELECT count(*) FROM map_peer WHERE map = ?1 AND seq = CAST(?2 AS INTEGER)",
		P(c->key[0], c->key[1]));
	if (!known && atoi(count) >= CFG_MAP_PEERS)
		return refuse(c, "%% A crypto map entry has at most %d peers", CFG_MAP_PEERS);
	if (!known)
		db_run(c->db,
			"INSERT INTO map_peer(map, seq, ord, addr, host) SELECT ?1, CAST(?2 AS INTEGER), ifnull(max(ord), 0) + 1, "
			"?3, ?4 "
			"FROM map_peer WHERE map = ?1 AND seq = CAST(?2 AS INTEGER)",
			P(c->key[0], c->key[1], addr, host));
	/* One peer at most is the default. */
	if (is_default)
		db_run(c->db,
			"UPDATE map_peer SET is_default = NULL WHERE map = ?1 AND seq = CAST(?2 AS INTEGER) AND is_default IS NOT "
			"NULL "
			"AND NOT (addr IS ?3 AND host IS ?4)",
			P(c->key[0], c->key[1], addr, host));
	db_run(c->db,
		"UPDATE map_peer SET is_default = ?5 WHERE map = ?1 AND seq = CAST(?2 AS INTEGER) AND addr IS ?3 AND host IS ?4 "
		"AND is_default IS NOT ?5",
		P(c->key[0], c->key[1], addr, host, is_default));
	return GR_OK;
}

static void children_render(struct render *r, const struct stmt *st, const char *sql)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db, sql, r->key, 2);
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		emit_values(r, st, &v);
	}
}

static void peer_render(struct render *r, const struct stmt *st)
{
	children_render(
		r, st, "SELECT addr, host, is_default FROM map_peer WHERE map = ?1 AND seq = CAST(?2 AS INTEGER) ORDER BY ord");
}

/* The new list replaces the old one, in the order typed. */
static enum grammar_result sets_apply(struct change *c)
{
	char have[CFG_MAP_SETS * CFG_NAME] = "", list[CFG_MAP_SETS * CFG_NAME], *save = NULL, ord[16];
	const char *names = c->remove ? "" : var(c, "sets");
	int n = 0;
	db_get(c->db, have, sizeof have,
		"SELECT group_concat(name, ' ') FROM (SELECT name FROM map_set WHERE map = ?1 AND seq = CAST(?2 AS INTEGER) ORDER "
		"BY ord)",
		P(c->key[0], c->key[1]));
	if (!strcmp(have, names))
		return GR_OK;
	snprintf(list, sizeof list, "%s", names);
	for (char *w = strtok_r(list, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (!db_exists(c->db, "SELECT 1 FROM transform_set WHERE name = ?1", P(w)))
			return refuse(c, "ERROR: transform set with tag \"%s\" does not exist.", w);
	db_run(c->db, "DELETE FROM map_set WHERE map = ?1 AND seq = CAST(?2 AS INTEGER)", P(c->key[0], c->key[1]));
	snprintf(list, sizeof list, "%s", names);
	save = NULL;
	for (char *w = strtok_r(list, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		snprintf(ord, sizeof ord, "%d", ++n);
		db_run(c->db, "INSERT INTO map_set(map, seq, ord, name) VALUES(?1, ?2, ?3, ?4)", P(c->key[0], c->key[1], ord, w));
	}
	return GR_OK;
}

static void sets_render(struct render *r, const struct stmt *st)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db,
		"SELECT group_concat(name, ' ') AS sets FROM (SELECT name FROM map_set WHERE map = ?1 AND seq = CAST(?2 AS "
		"INTEGER) ORDER BY ord)",
		r->key, 2);
	values_init(&v);
	if (db_step(r->db, &q) && db_col(q, 0)) {
		value_set(&v, "sets", db_col(q, 0));
		emit_values(r, st, &v);
	}
	sqlite3_finalize(q);
}

static enum grammar_result check_pfs(struct change *c)
{
	if (c->remove)
		return GR_OK;
	const char *word = value_or(&c->v, "pfs", "group1");
	const struct group_alg *a = group_find((unsigned)atoi(word + 5));
	if (!a)
		return refuse(c, "%% Diffie-Hellman %s is not available in this build", word);
	if (a->weak)
		say(c, "%%Warning: weaker dh-group is deprecated");
	value_set(&c->v, "pfs", word);
	return GR_OK;
}

static enum grammar_result check_match(struct change *c)
{
	if (!c->remove && acl_permits_all(c->db, var(c, "acl")))
		say(c,
			"%% Warning: access-list %s permits any to any: all traffic through the interface, routing and management "
			"too, is "
			"to be encrypted",
			var(c, "acl"));
	return GR_OK;
}

static enum grammar_result check_description(struct change *c)
{
	if (!c->remove && strlen(var(c, "description")) > 240)
		return refuse(c, "%% Description is longer than 240 characters");
	return GR_OK;
}

#define SET_SA  "Set values for encryption/decryption", "Security association parameters", "security association lifetime"
#define MAP_ROW .mode = MODE_CRYPTO_MAP, .tables = CFG_CRYPTO_MAPS

static const struct stmt rows[] = {
	{ .syntax = "crypto map NAME$name <1-65535>$seq [ipsec-isakmp$type]",
		.help = HELP("Encryption module", "Enter a crypto map", "Crypto map tag",
			"Sequence to insert into crypto map entry", "IPSEC w/ISAKMP"),
		.mode = MODE_CONFIG,
		.no_words = 3,
		.tables = CFG_CRYPTO_MAPS,
		.enters = MODE_CRYPTO_MAP,
		.shape = SHAPE_OBJECT,
		.table = "crypto_map",
		.key = "name seq",
		.order = "name, seq",
		.apply = map_apply,
		.present = map_present },
	{ .syntax = "description LINE$description",
		.help = HELP("Description of the crypto map statement policy", "Up to 240 characters describing this map entry"),
		MAP_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "description",
		.check = check_description },
	{ .syntax = "set peer A.B.C.D$addr [default$is_default]",
		.help = HELP("Set values for encryption/decryption", "Allowed Encryption/Decryption peer.", "IP address of peer",
			"Default peer of the crypto map entry"),
		MAP_ROW,
		.no_words = 3,
		.apply = peer_apply,
		.render = peer_render },
	{ .syntax = "set security-association lifetime kilobytes <<2560-4294967295>$lifetime_kb|disable$kb_disabled>",
		.help = HELP(SET_SA, "Volume-based key duration", "Security association duration in kilobytes encrypted",
			"Disable Volume-based Rekey"),
		MAP_ROW,
		.no_words = 4,
		.shape = SHAPE_SCALAR,
		.columns = "lifetime_kb kb_disabled" },
	{ .syntax = "set security-association lifetime seconds <120-86400>$lifetime_s",
		.help = HELP(SET_SA, "Time-based key duration", "Security association duration in seconds"),
		MAP_ROW,
		.no_words = 4,
		.shape = SHAPE_SCALAR,
		.columns = "lifetime_s" },
	{ .syntax = "set transform-set NAME$sets...6",
		.help = HELP(
			"Set values for encryption/decryption", "Specify list of transform sets in priority order", "Proposal tag"),
		MAP_ROW,
		.no_words = 2,
		.apply = sets_apply,
		.render = sets_render },
	{ .syntax = "set pfs [<group1|group2|group5|group14|group15|group16|group19|group20|group21|group24>$pfs]",
		.help = HELP("Set values for encryption/decryption", "Specify pfs settings", "D-H Group1 (768-bit modp)",
			"D-H Group2 (1024-bit modp)", "D-H Group5 (1536-bit modp)", "D-H Group14 (2048-bit modp)",
			"D-H Group15 (3072-bit modp)", "D-H Group16 (4096-bit modp)", "D-H Group19 (256-bit ecp)",
			"D-H Group20 (384-bit ecp)", "D-H Group21 (521-bit ecp)", "D-H Group24 (2048-bit modp, 256 bit subgroup)"),
		MAP_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "pfs",
		.check = check_pfs },
	{ .syntax = "match address EXTACL$acl",
		.help = HELP("Match values.", "Match address of packets to encrypt.", "IP access-list number or name"),
		MAP_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "acl",
		.check = check_match },
};
const struct block block_crypto_map = { rows, sizeof rows / sizeof *rows, true };
