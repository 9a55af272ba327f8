/* ISAKMP profiles: a group of peers known by their identities, and what is particular to them. */
#include "configdb/model/psk.h"
#include "platform/base/addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned child_count(struct change *c, const char *table)
{
	char sql[96], n[16] = "0";
	snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE profile = ?1", table);
	db_get(c->db, n, sizeof n, sql, P(c->key[0]));
	return (unsigned)atoi(n);
}

/* The new list replaces the old one, in the order typed. */
static enum grammar_result keyrings_apply(struct change *c)
{
	char have[CFG_PROFILE_KEYRINGS * CFG_NAME] = "", list[CFG_PROFILE_KEYRINGS * CFG_NAME], *save = NULL, ord[16];
	const char *names = c->remove ? "" : var(c, "keyrings");
	int n = 0;
	db_get(c->db, have, sizeof have,
		"SELECT group_concat(name, ' ') FROM (SELECT name FROM profile_keyring WHERE profile = ?1 ORDER BY ord)",
		P(c->key[0]));
	if (!strcmp(have, names))
		return GR_OK;
	db_run(c->db, "DELETE FROM profile_keyring WHERE profile = ?1", P(c->key[0]));
	snprintf(list, sizeof list, "%s", names);
	for (char *w = strtok_r(list, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		snprintf(ord, sizeof ord, "%d", ++n);
		db_run(c->db, "INSERT INTO profile_keyring(profile, ord, name) VALUES(?1, ?2, ?3)", P(c->key[0], ord, w));
	}
	return GR_OK;
}

static void keyrings_render(struct render *r, const struct stmt *st)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db,
		"SELECT group_concat(name, ' ') AS keyrings FROM (SELECT name FROM profile_keyring WHERE profile = ?1 ORDER BY "
		"ord)",
		P(r->key[0]));
	values_init(&v);
	if (db_step(r->db, &q) && db_col(q, 0)) {
		value_set(&v, "keyrings", db_col(q, 0));
		emit_values(r, st, &v);
	}
	db_done(r->db, q);
}

#define MATCH_WHERE                                                                                                                \
	"profile = ?1 AND addr IS ?2 AND mask IS ?3 AND host IS ?4 AND host_domain IS ?5 AND user IS ?6 AND user_domain IS ?7 "    \
	"AND client_group IS ?8"

static enum grammar_result match_apply(struct change *c)
{
	const char *addr = var(c, "addr"), *mask = NULL;
	char net[16];
	if (addr) {
		mask = value_or(&c->v, "mask", ip_of(addr) ? "255.255.255.255" : "0.0.0.0");
		if (!ip4_mask_valid(ip_of(mask)))
			return refuse(c, "Bad mask 0x%08X for address %s", ip_of(mask), addr);
		addr = ip4_print(net, ip_of(addr) & ip_of(mask));
	}
	const char *const params[] = { c->key[0], addr, mask, var(c, "host"), var(c, "host_domain"), var(c, "user"),
		var(c, "user_domain"), var(c, "client_group") };
	const size_t n = sizeof params / sizeof *params;
	bool known = db_exists(c->db, "SELECT 1 FROM profile_match WHERE " MATCH_WHERE, params, n);
	if (c->remove)
		db_run(c->db, "DELETE FROM profile_match WHERE " MATCH_WHERE, params, n);
	else if (!known && child_count(c, "profile_match") >= CFG_PROFILE_IDS)
		return refuse(c, "%% A profile matches at most %d identities", CFG_PROFILE_IDS);
	else if (!known)
		db_run(c->db,
			"INSERT INTO profile_match(profile, ord, addr, mask, host, host_domain, user, user_domain, client_group) "
			"SELECT "
			"?1, ifnull(max(ord), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM profile_match WHERE profile = ?1",
			params, n);
	return GR_OK;
}

static void match_render(struct render *r, const struct stmt *st)
{
	sqlite3_stmt *q = db_query(r->db, "SELECT * FROM profile_match WHERE profile = ?1 ORDER BY ord", P(r->key[0]));
	struct values v;
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		emit_values(r, st, &v);
	}
}

#define PROFILE_ROW .mode = MODE_ISA_PROF, .tables = CFG_ISAKMP

static const struct stmt rows[] = {
	{ .syntax = "crypto isakmp profile NAME$name",
		.help = HELP(
			"Encryption module", "Configure ISAKMP policy", "Define ISAKMP Profiles", "Name of the ISAKMP profile"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ISAKMP,
		.enters = MODE_ISA_PROF,
		.shape = SHAPE_OBJECT,
		.table = "isakmp_profile",
		.key = "name",
		.order = "name" },
	{ .syntax = "description LINE$description",
		.help = HELP("Specify a description of this profile", "Up to 80 characters describing this profile"),
		PROFILE_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "description",
		.check = isakmp_description },
	{ .syntax = "keyring NAME$keyrings...6",
		.help = HELP("Specify keyring to use", "Name of a keyring"),
		PROFILE_ROW,
		.no_words = 1,
		.apply = keyrings_apply,
		.render = keyrings_render },
	{ .syntax = "self-identity <address$self_address|fqdn$self_fqdn [HOSTNAME$self_host]|user-fqdn TAG$self_user>",
		.help = HELP("Specify Identity to use", "Use the IP address of the interface for the identity",
			"Use the fully qualified domain name", "Name to be used instead of the router's",
			"Use a user fully qualified domain name", "user@domain"),
		PROFILE_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "self_address self_fqdn self_host self_user" },
	{ .syntax = "match identity <address A.B.C.D$addr [MASK$mask]|host HOSTNAME$host|host domain HOSTNAME$host_domain|"
		    "user TAG$user|user domain HOSTNAME$user_domain|group TAG$client_group>",
		.help = HELP("Match values from peer", "Match values from peer's identity", "IP address", "IP address prefix",
			"Subnet mask of the prefix", "match a fqdn", "Fully qualified domain name", "match a domain", "Domain name",
			"match a user fqdn", "user@domain", "Domain name", "match a client group", "Name of the group"),
		PROFILE_ROW,
		.no_words = NO_WHOLE,
		.apply = match_apply,
		.render = match_render },
	{ .syntax = "initiate mode aggressive$initiate",
		.help = HELP("Initiator property", "Mode to initiate", "Aggressive mode"),
		PROFILE_ROW,
		.no_words = 2,
		.shape = SHAPE_SCALAR,
		.columns = "initiate" },
	{ .syntax = "keepalive <10-3600>$keepalive [retry <2-60>$keepalive_retry]",
		.help = HELP("Specify keepalive interval", "Number of seconds between keepalives", "Specify retry interval",
			"Number of seconds between retries"),
		PROFILE_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "keepalive keepalive_retry" },
	{ .syntax = "local-address <A.B.C.D$local_addr|INTERFACE$local_interface>",
		.help = HELP("Limit the scope of the profile to a local address", "IP address", "Interface whose address it is"),
		PROFILE_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "local_addr local_interface" },
};
const struct block block_isakmp_profile = { rows, sizeof rows / sizeof *rows, true };
