/* Remote access: what a client of a group gets. The group's key proves that a client belongs to it (aggressive mode). */
#include "configdb/model/psk.h"

#include <string.h>

#define BANNER_MAX 500

static enum grammar_result group_key_apply(struct change *c)
{
	char id[24];
	enum grammar_result r = c->remove ? GR_OK : psk_put(c, id);
	if (r == GR_OK)
		db_run(c->db, "UPDATE client_group SET secret = ?2 WHERE name = ?1 AND secret IS NOT CAST(?2 AS INTEGER)",
			P(c->key[0], c->remove ? NULL : id));
	return r;
}

static void group_key_render(struct render *r, const struct stmt *st)
{
	char id[24];
	struct values v;
	if (!db_get(r->db, id, sizeof id, "SELECT secret FROM client_group WHERE name = ?1 AND secret IS NOT NULL", P(r->key[0])))
		return;
	values_init(&v);
	value_set(&v, "secret", id);
	psk_encrypt(r, &v, "secret");
	emit_values(r, st, &v);
}

static enum grammar_result check_banner(struct change *c)
{
	const char *text = var(c, "banner");
	if (c->remove)
		return GR_OK;
	if (strstr(text, "^C") || strchr(text, 3))
		return refuse(c, "%% The banner cannot contain ^C");
	return strlen(text) <= BANNER_MAX ? GR_OK : refuse(c, "%% The banner is longer than %d characters", BANNER_MAX);
}

static enum grammar_result check_netmask(struct change *c)
{
	uint32_t mask = c->remove ? 0 : ip_of(var(c, "netmask"));
	return (mask | (mask - 1)) == UINT32_MAX || c->remove ? GR_OK : refuse(c, "%% Bad mask %s", var(c, "netmask"));
}

#define GROUP_ROW(columns_)                                                                                                        \
	.mode = MODE_CLIENT_GROUP, .tables = CFG_ISAKMP, .no_words = 1, .shape = SHAPE_SCALAR, .columns = columns_
#define CLIENT_HELP                                                                                                                \
	"Encryption module", "Configure ISAKMP policy", "Set client configuration policy", "Set client configuration policy"

static const struct stmt rows[] = {
	{ .syntax = "crypto isakmp client configuration address-pool local TAG$client_pool",
		.help = HELP(CLIENT_HELP, "Set network address for client", "Set network address of client from local pool",
			"Name of the local address pool"),
		.mode = MODE_CONFIG,
		.no_words = 5,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.table = "isakmp",
		.columns = "client_pool" },
	{ .syntax = "crypto isakmp client configuration group TAG$name",
		.help = HELP(CLIENT_HELP, "Set group profile attributes", "Name of the group; default: of clients that name none"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ISAKMP,
		.enters = MODE_CLIENT_GROUP,
		.shape = SHAPE_OBJECT,
		.table = "client_group",
		.key = "name",
		.order = "name" },
	{ .syntax = "key [<0|6>$type] WORD$value",
		.help = HELP("pre-shared key/IKE password", "Specifies an UNENCRYPTED password will follow",
			"Specifies an ENCRYPTED password will follow", "The UNENCRYPTED (cleartext) group password"),
		.mode = MODE_CLIENT_GROUP,
		.no_words = 1,
		.tables = CFG_ISAKMP,
		.secret = "value",
		.apply = group_key_apply,
		.render = group_key_render },
	{ .syntax = "dns A.B.C.D$dns [A.B.C.D$dns2]",
		.help = HELP("DNS Addresses", "Primary server address", "Secondary server address"),
		GROUP_ROW("dns dns2") },
	{ .syntax = "wins A.B.C.D$wins [A.B.C.D$wins2]",
		.help = HELP("WINS Addresses", "Primary server address", "Secondary server address"),
		GROUP_ROW("wins wins2") },
	{ .syntax = "domain HOSTNAME$domain",
		.help = HELP("Set default domain name to send to client", "Default domain name"),
		GROUP_ROW("domain") },
	{ .syntax = "pool TAG$pool", .help = HELP("Set name of address pool", "Pool name"), GROUP_ROW("pool") },
	{ .syntax = "acl ACL$acl",
		.help = HELP("Specify split tunneling inclusion access-list number",
			"Access-list whose sources are the networks that clients reach through the tunnel"),
		GROUP_ROW("acl") },
	{ .syntax = "save-password$save_password",
		.help = HELP("Allows remote client to save XAUTH password"),
		GROUP_ROW("save_password") },
	{ .syntax = "include-local-lan$include_local_lan",
		.help = HELP("Enable Local LAN Access with no split tunnel"),
		GROUP_ROW("include_local_lan") },
	{ .syntax = "max-users <1-5000>$max_users",
		.help = HELP("Maximum number of users for this group", "Number of users"),
		GROUP_ROW("max_users") },
	{ .syntax = "max-logins <1-10>$max_logins",
		.help = HELP("Maximum simultaneous logins for users in this group", "Number of logins"),
		GROUP_ROW("max_logins") },
	{ .syntax = "netmask MASK$netmask",
		.help = HELP("netmask used by the client for local connectivity", "Network mask"),
		GROUP_ROW("netmask"),
		.check = check_netmask },
	{ .syntax = "banner BANNER$banner",
		.help = HELP("Specify mode config banner", "c banner-text c, where 'c' is a delimiting character"),
		GROUP_ROW("banner"),
		.check = check_banner },
};
const struct block block_client_group = { rows, sizeof rows / sizeof *rows, true };
