/* What stands inside of a crypto map entry: peers, transform-sets, lists, lifetimes, keys. */
#include "configdb/model/crypto_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum entry_kind entry_kind(struct change *c)
{
	if (!strcmp(c->key[0], CLASS_DYNAMIC))
		return ENTRY_DYNAMIC;
	return db_exists(c->db,
		       "SELECT 1 FROM crypto_map WHERE class = ?1 AND name = ?2 AND seq = CAST(?3 AS INTEGER) AND manual IS NOT "
		       "NULL",
		       P(c->key[0], c->key[1], c->key[2]))
		       ? ENTRY_MANUAL
		       : ENTRY_ISAKMP;
}

enum grammar_result entry_demand(struct change *c, unsigned kinds)
{
	enum entry_kind kind = entry_kind(c);
	if (c->remove || (kind & kinds))
		return GR_OK;
	return refuse(c, "%% Not valid in %s",
		kind == ENTRY_MANUAL    ? "an ipsec-manual crypto map"
		: kind == ENTRY_DYNAMIC ? "a dynamic crypto map"
					: "an ipsec-isakmp crypto map");
}

static enum grammar_result for_negotiated(struct change *c)
{
	return entry_demand(c, ENTRY_ISAKMP | ENTRY_DYNAMIC);
}

static enum grammar_result for_initiator(struct change *c)
{
	return entry_demand(c, ENTRY_ISAKMP);
}

static enum grammar_result peer_remove(struct change *c)
{
	const char *addr = var(c, "addr"), *host = var(c, "host");
	db_run(c->db, "DELETE FROM map_peer WHERE " OF_ENTRY " AND addr IS ?4 AND host IS ?5",
		P(c->key[0], c->key[1], c->key[2], addr, host));
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
	bool known = db_exists(c->db, "SELECT 1 FROM map_peer WHERE " OF_ENTRY " AND addr IS ?4 AND host IS ?5",
		P(c->key[0], c->key[1], c->key[2], addr, host));
	db_get(c->db, count, sizeof count, "SELECT count(*) FROM map_peer WHERE " OF_ENTRY "", P(c->key[0], c->key[1], c->key[2]));
	int most = entry_kind(c) == ENTRY_MANUAL ? 1 : CFG_MAP_PEERS;
	if (!known && atoi(count) >= most)
		return refuse(c, "%% %s crypto map entry has at most %d peer%s", most == 1 ? "An ipsec-manual" : "A", most,
			most == 1 ? "" : "s");
	if (!known)
		db_run(c->db,
			"INSERT INTO map_peer(class, map, seq, ord, addr, host) SELECT ?1, ?2, CAST(?3 AS INTEGER), "
			"ifnull(max(ord), 0) "
			"+ 1, ?4, ?5 "
			"FROM map_peer WHERE " OF_ENTRY "",
			P(c->key[0], c->key[1], c->key[2], addr, host));
	/* One peer at most is the default. */
	if (is_default)
		db_run(c->db,
			"UPDATE map_peer SET is_default = NULL WHERE " OF_ENTRY " AND is_default IS NOT "
			"NULL "
			"AND NOT (addr IS ?4 AND host IS ?5)",
			P(c->key[0], c->key[1], c->key[2], addr, host));
	db_run(c->db,
		"UPDATE map_peer SET is_default = ?6 WHERE " OF_ENTRY " AND addr IS ?4 AND host IS ?5 "
		"AND is_default IS NOT ?6",
		P(c->key[0], c->key[1], c->key[2], addr, host, is_default));
	return GR_OK;
}

static void children_render(struct render *r, const struct stmt *st, const char *sql)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db, sql, r->key, 3);
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		emit_values(r, st, &v);
	}
}

static void peer_render(struct render *r, const struct stmt *st)
{
	children_render(r, st, "SELECT addr, host, is_default FROM map_peer WHERE " OF_ENTRY " ORDER BY ord");
}

/* The new list replaces the old one, in the order typed. */
static enum grammar_result sets_apply(struct change *c)
{
	char have[CFG_MAP_SETS * CFG_NAME] = "", list[CFG_MAP_SETS * CFG_NAME], *save = NULL, ord[16];
	const char *names = c->remove ? "" : var(c, "sets");
	int n = 0;
	db_get(c->db, have, sizeof have,
		"SELECT group_concat(name, ' ') FROM (SELECT name FROM map_set WHERE " OF_ENTRY " ORDER "
		"BY ord)",
		P(c->key[0], c->key[1], c->key[2]));
	if (!strcmp(have, names))
		return GR_OK;
	snprintf(list, sizeof list, "%s", names);
	for (char *w = strtok_r(list, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (!db_exists(c->db, "SELECT 1 FROM transform_set WHERE name = ?1", P(w)))
			return refuse(c, "ERROR: transform set with tag \"%s\" does not exist.", w);
	if (strchr(names, ' ') && entry_kind(c) == ENTRY_MANUAL)
		return refuse(c, "%% An ipsec-manual crypto map entry has one transform set: nothing is negotiated");
	db_run(c->db, "DELETE FROM map_set WHERE " OF_ENTRY "", P(c->key[0], c->key[1], c->key[2]));
	snprintf(list, sizeof list, "%s", names);
	save = NULL;
	for (char *w = strtok_r(list, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		snprintf(ord, sizeof ord, "%d", ++n);
		db_run(c->db, "INSERT INTO map_set(class, map, seq, ord, name) VALUES(?1, ?2, ?3, ?4, ?5)",
			P(c->key[0], c->key[1], c->key[2], ord, w));
	}
	return GR_OK;
}

static void sets_render(struct render *r, const struct stmt *st)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db,
		"SELECT group_concat(name, ' ') AS sets FROM (SELECT name FROM map_set WHERE " OF_ENTRY " ORDER BY ord)", r->key,
		3);
	values_init(&v);
	if (db_step(r->db, &q) && db_col(q, 0)) {
		value_set(&v, "sets", db_col(q, 0));
		emit_values(r, st, &v);
	}
	db_done(r->db, q);
}

static enum grammar_result check_pfs(struct change *c)
{
	enum grammar_result allowed = for_negotiated(c);
	if (c->remove || allowed != GR_OK)
		return allowed;
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

#define SET    "Set values for encryption/decryption"
#define SET_SA SET, "Security association parameters", "security association lifetime"
#define SESSION_KEY                                                                                                                \
	SET, "Set session keys for a manually keyed security association", "Define inbound session key",                           \
		"Define outbound session key"
#define SPI_HELP    "Security parameter index"
#define SEALED_HELP "Specifies an ENCRYPTED key will follow", "The ENCRYPTED key"
#define MAP_ROW     .mode = MODE_CRYPTO_MAP, .tables = CFG_CRYPTO_MAPS

static const struct stmt rows[] = {
	{ .syntax = "description LINE$description",
		.help = HELP("Description of the crypto map statement policy", "Up to 240 characters describing this map entry"),
		MAP_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "description",
		.check = check_description },
	{ .syntax = "set peer A.B.C.D$addr [default$is_default]",
		.help = HELP(
			SET, "Allowed Encryption/Decryption peer.", "IP address of peer", "Default peer of the crypto map entry"),
		MAP_ROW,
		.no_words = 3,
		.apply = peer_apply,
		.render = peer_render },
	{ .syntax = "set ip access-group ACL$acl_in in",
		.help = HELP(SET, "Interface Internet Protocol config commands", "Specify access control for packets",
			"Access-list name or number", "inbound packets"),
		MAP_ROW,
		.no_words = NO_WHOLE,
		.shape = SHAPE_SCALAR,
		.columns = "acl_in" },
	{ .syntax = "set ip access-group ACL$acl_out out",
		.help = HELP(SET, "Interface Internet Protocol config commands", "Specify access control for packets",
			"Access-list name or number", "outbound packets"),
		MAP_ROW,
		.no_words = NO_WHOLE,
		.shape = SHAPE_SCALAR,
		.columns = "acl_out" },
	{ .syntax = "set session-key <inbound|outbound>$direction ah <256-4294967295>$ah_spi <HEX$ah_key|6 WORD$ah_sealed>",
		.help = HELP(SESSION_KEY, "AH protocol session key", SPI_HELP, "Session key string", SEALED_HELP),
		MAP_ROW,
		.no_words = 4,
		.secret = "ah_key ah_sealed",
		.apply = session_key_apply,
		.render = session_key_render },
	{ .syntax = "set session-key <inbound|outbound>$direction esp <256-4294967295>$esp_spi cipher "
		    "<HEX$cipher_key|6 WORD$cipher_sealed> [authenticator <HEX$auth_key|6 WORD$auth_sealed>]",
		.help = HELP(SESSION_KEY, "ESP protocol session key", SPI_HELP, "Cipher portion of key", "Cipher key string",
			SEALED_HELP, "Authenticator portion of key", "Authenticator key string", "The ENCRYPTED key"),
		MAP_ROW,
		.no_words = 4,
		.secret = "cipher_key cipher_sealed",
		.apply = session_key_apply,
		.render = session_key_render },
	{ .syntax = "set security-association lifetime kilobytes <<2560-4294967295>$lifetime_kb|disable$kb_disabled>",
		.help = HELP(SET_SA, "Volume-based key duration", "Security association duration in kilobytes encrypted",
			"Disable Volume-based Rekey"),
		MAP_ROW,
		.no_words = 4,
		.shape = SHAPE_SCALAR,
		.columns = "lifetime_kb kb_disabled",
		.check = for_negotiated },
	{ .syntax = "set security-association lifetime seconds <120-86400>$lifetime_s",
		.help = HELP(SET_SA, "Time-based key duration", "Security association duration in seconds"),
		MAP_ROW,
		.no_words = 4,
		.shape = SHAPE_SCALAR,
		.columns = "lifetime_s",
		.check = for_negotiated },
	{ .syntax = "set security-association level per-host$level",
		.help = HELP(SET, "Security association parameters", "specify a security association granularity level",
			"individual security associations per host pair"),
		MAP_ROW,
		.no_words = 3,
		.shape = SHAPE_SCALAR,
		.columns = "level",
		.check = for_initiator },
	{ .syntax = "set security-association idle-time <60-86400>$idle_s",
		.help = HELP(SET, "Security association parameters", "Automatically delete IPSec SAs after a given idle period.",
			"seconds"),
		MAP_ROW,
		.no_words = 3,
		.shape = SHAPE_SCALAR,
		.columns = "idle_s",
		.check = for_negotiated },
	{ .syntax = "set transform-set NAME$sets...6",
		.help = HELP(SET, "Specify list of transform sets in priority order", "Proposal tag"),
		MAP_ROW,
		.no_words = 2,
		.apply = sets_apply,
		.render = sets_render },
	{ .syntax = "set pfs [<group1|group2|group5|group14|group15|group16|group19|group20|group21|group24>$pfs]",
		.help = HELP(SET, "Specify pfs settings", "D-H Group1 (768-bit modp)", "D-H Group2 (1024-bit modp)",
			"D-H Group5 (1536-bit modp)", "D-H Group14 (2048-bit modp)", "D-H Group15 (3072-bit modp)",
			"D-H Group16 (4096-bit modp)", "D-H Group19 (256-bit ecp)", "D-H Group20 (384-bit ecp)",
			"D-H Group21 (521-bit ecp)", "D-H Group24 (2048-bit modp, 256 bit subgroup)"),
		MAP_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "pfs",
		.check = check_pfs },
	{ .syntax = "set isakmp-profile NAME$profile",
		.help = HELP(SET, "Specify isakmp Profile", "ISAKMP profile name"),
		MAP_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "profile",
		.check = for_negotiated },
	{ .syntax = "match address EXTACL$acl",
		.help = HELP("Match values.", "Match address of packets to encrypt.", "IP access-list number or name"),
		MAP_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "acl",
		.check = check_match },
	{ .syntax = "reverse-route$reverse_route [static$rri_static]",
		.help = HELP("Reverse Route Injection.", "Create routes based on static ACLs permanently"),
		MAP_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "reverse_route rri_static" },
};
const struct block block_map_entry = { rows, sizeof rows / sizeof *rows, false };
