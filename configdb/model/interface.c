/* Interfaces: addresses, MTUs, lists and the crypto map. */
#include "configdb/model/stmt.h"
#include "configdb/store_impl.h"
#include "platform/base/addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_loopback(const char *name)
{
	return !strncmp(name, "Loopback", 8);
}

static bool box_has(struct change *c, const char *name)
{
	return is_loopback(name) || !c->store->has_interface || c->store->has_interface(c->store->box, name);
}

/* IOS: the number of a port that is not there is no valid input. */
static enum grammar_result port_is_not_there(struct change *c)
{
	const char *slash = strrchr(c->line, '/');
	c->out->column = (uint16_t)(slash ? slash + 1 - c->line : 0);
	return GR_INVALID;
}

static enum grammar_result interface_apply(struct change *c)
{
	const char *name = var(c, "name");
	bool known = db_exists(c->db, "SELECT 1 FROM interface WHERE name = ?1", P(name)), here = box_has(c, name);
	if (!known && !here)
		return port_is_not_there(c);
	if (c->remove && !c->to_default && !is_loopback(name) && here)
		return refuse(c, "%% Removal of physical interfaces is not permitted");
	if (c->to_default && db_run(c->db, "DELETE FROM interface WHERE name = ?1", P(name))) {
		db_run(c->db, "INSERT INTO interface(name) VALUES(?1)", P(name));
		say(c, "Interface %s set to default configuration", name);
	}
	return c->to_default ? GR_OK : change_object(c);
}

/* An address that a host may have: unicast, and neither first nor last of its subnet. */
static enum grammar_result address_check(struct change *c, uint32_t addr, uint32_t mask)
{
	const char *text = var(c, "addr");
	int len = ip4_mask_len(mask);
	if (!ip4_mask_valid(mask) || !mask)
		return refuse(c, "Bad mask 0x%08X for address %s", mask, text);
	if (!(addr >> 24) || addr >> 24 == 127 || addr >= 0xe0000000u)
		return refuse(c, "Not a valid host address - %s", text);
	if ((len == 32 && !is_loopback(c->key[0])) || (len < 31 && (!(addr & ~mask) || !(~addr & ~mask))))
		return refuse(c, "Bad mask /%d for address %s", len, text);
	if (len == 31 && !is_loopback(c->key[0]))
		say(c, "%% Warning: use /31 mask on non point-to-point interface cautiously");
	return GR_OK;
}

/* IOS: the subnets of two interfaces are disjoint. */
static enum grammar_result overlap_check(struct change *c, uint32_t addr, uint32_t mask)
{
	enum grammar_result result = GR_OK;
	char net[16];
	sqlite3_stmt *q = db_query(c->db,
		"SELECT name, addr, mask FROM interface WHERE addr IS NOT NULL AND name <> ?1 "
		"UNION ALL SELECT interface, addr, mask FROM interface_secondary WHERE interface <> ?1",
		P(c->key[0]));
	while (db_step(c->db, &q)) {
		uint32_t other = ip_of(db_col(q, 1)), wider = mask & ip_of(db_col(q, 2));
		if (result == GR_OK && !((addr ^ other) & wider))
			result = refuse(c, "%% %s overlaps with %s", ip4_print(net, addr & mask), db_col(q, 0));
	}
	return result;
}

static enum grammar_result address_remove(struct change *c)
{
	const char *addr = var(c, "addr"), *mask = var(c, "mask");
	bool has_secondary = db_exists(c->db, "SELECT 1 FROM interface_secondary WHERE interface = ?1", P(c->key[0]));
	int n;
	if (var(c, "secondary")) {
		n = db_run(c->db, "DELETE FROM interface_secondary WHERE interface = ?1 AND addr = ?2 AND mask = ?3",
			P(c->key[0], addr, mask));
	} else if (addr) {
		bool primary = db_exists(
			c->db, "SELECT 1 FROM interface WHERE name = ?1 AND addr = ?2 AND mask = ?3", P(c->key[0], addr, mask));
		if (primary && has_secondary)
			return refuse(c, "Must delete secondary before deleting primary");
		n = db_run(c->db, "UPDATE interface SET addr = NULL, mask = NULL WHERE name = ?1 AND addr = ?2 AND mask = ?3",
			P(c->key[0], addr, mask));
	} else {
		db_run(c->db, "DELETE FROM interface_secondary WHERE interface = ?1", P(c->key[0]));
		db_run(c->db, "UPDATE interface SET addr = NULL, mask = NULL WHERE name = ?1 AND addr IS NOT NULL", P(c->key[0]));
		return GR_OK;
	}
	return n ? GR_OK : refuse(c, "Invalid address");
}

static enum grammar_result address_apply(struct change *c)
{
	const char *addr = var(c, "addr"), *mask = var(c, "mask");
	if (c->remove && addr && !mask)
		return GR_INCOMPLETE;
	if (c->remove)
		return address_remove(c);
	enum grammar_result r = address_check(c, ip_of(addr), ip_of(mask));
	if (r == GR_OK)
		r = overlap_check(c, ip_of(addr), ip_of(mask));
	if (r != GR_OK)
		return r;
	if (!var(c, "secondary")) {
		db_run(c->db, "DELETE FROM interface_secondary WHERE interface = ?1 AND addr = ?2", P(c->key[0], addr));
		db_run(c->db, "UPDATE interface SET addr = ?2, mask = ?3 WHERE name = ?1 AND (addr IS NOT ?2 OR mask IS NOT ?3)",
			P(c->key[0], addr, mask));
		return GR_OK;
	}
	if (db_exists(c->db, "SELECT 1 FROM interface WHERE name = ?1 AND addr = ?2", P(c->key[0], addr)))
		return refuse(c, "%% %s is assigned as the primary address", addr);
	db_run(c->db,
		"INSERT INTO interface_secondary(interface, addr, mask) VALUES(?1, ?2, ?3) "
		"ON CONFLICT DO UPDATE SET mask = excluded.mask WHERE mask <> excluded.mask",
		P(c->key[0], addr, mask));
	return GR_OK;
}

/* Secondary addresses stand before the primary one, as on IOS; without any, IOS says so. */
static void address_render(struct render *r, const struct stmt *st)
{
	struct values v;
	bool any = false;
	sqlite3_stmt *q = db_query(r->db,
		"SELECT addr, mask, 'secondary' AS secondary FROM (SELECT * FROM interface_secondary WHERE interface = ?1 ORDER BY "
		"ip4(addr)) "
		"UNION ALL SELECT addr, mask, NULL FROM interface WHERE name = ?1 AND addr IS NOT NULL",
		r->key, 1);
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		emit_values(r, st, &v);
		any = true;
	}
	if (!any)
		emit(r, "no ip address");
}

static enum grammar_result check_map(struct change *c)
{
	if (!c->remove && !db_exists(c->db, "SELECT 1 FROM crypto_map WHERE class = 'map' AND name = ?1", P(var(c, "crypto_map"))))
		return refuse(c, "ERROR: Crypto Map with tag \"%s\" does not exist.", var(c, "crypto_map"));
	return GR_OK;
}

static enum grammar_result check_description(struct change *c)
{
	if (!c->remove && strlen(var(c, "description")) > 240)
		return refuse(c, "%% Description is longer than 240 characters");
	return GR_OK;
}

static enum grammar_result check_ip_mtu(struct change *c)
{
	char mtu[16] = "1500";
	if (c->remove)
		return GR_OK;
	db_get(c->db, mtu, sizeof mtu, "SELECT mtu FROM interface WHERE name = ?1", P(c->key[0]));
	if (atoi(var(c, "ip_mtu")) > atoi(mtu))
		return refuse(c, "%% IP MTU %s is greater than the interface MTU %s", var(c, "ip_mtu"), mtu);
	if (atoi(var(c, "ip_mtu")) == atoi(mtu))
		value_set(&c->v, "ip_mtu", NULL);
	return GR_OK;
}

/* A smaller MTU takes the IP MTU with it. */
static enum grammar_result mtu_apply(struct change *c)
{
	const char *mtu = c->remove ? "1500" : var(c, "mtu");
	enum grammar_result r = change_scalar(c);
	db_run(c->db, "UPDATE interface SET ip_mtu = NULL WHERE name = ?1 AND ip_mtu >= CAST(?2 AS INTEGER)", P(c->key[0], mtu));
	return r;
}

/* Loopbacks first, then by number: as IOS, by type's name and then by number. */
static void interfaces_render(struct render *r, const struct stmt *st)
{
	struct values v;
	sqlite3_stmt *q =
		db_query(r->db, "SELECT * FROM interface ORDER BY name NOT LIKE 'Loopback%', length(name), name", NOPARAMS);
	while (db_step(r->db, &q)) {
		emit_bang(r);
		values_init(&v);
		values_from_row(&v, q);
		render_object(r, st, &v);
	}
}

#define IF_ROW     .mode = MODE_IF, .tables = CFG_INTERFACES, .shape = SHAPE_SCALAR
#define IP         "Interface Internet Protocol config commands"
#define GROUP_HELP IP, "Specify access control for packets", "Access list name or number"

static const struct stmt rows[] = {
	{ .syntax = "interface INTERFACE$name",
		.help = HELP("Select an interface to configure", "Interface name"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_INTERFACES,
		.enters = MODE_IF,
		.shape = SHAPE_OBJECT,
		.table = "interface",
		.key = "name",
		.apply = interface_apply,
		.render = interfaces_render },
	{ .syntax = "description LINE$description",
		.help = HELP("Interface specific description", "Up to 240 characters describing this interface"),
		IF_ROW,
		.no_words = 1,
		.columns = "description",
		.check = check_description },
	{ .syntax = "mtu <64-9216>$mtu",
		.help = HELP("Set the interface Maximum Transmission Unit (MTU)", "MTU size in bytes"),
		IF_ROW,
		.no_words = 1,
		.columns = "mtu",
		.defaults = "mtu=1500",
		.apply = mtu_apply },
	{ .syntax = "ip address A.B.C.D$addr MASK$mask [secondary$secondary]",
		.help = HELP(IP, "Set the IP address of an interface", "IP address", "IP subnet mask",
			"Make this IP address a secondary address"),
		.mode = MODE_IF,
		.tables = CFG_INTERFACES,
		.no_words = 2,
		.apply = address_apply,
		.render = address_render },
	{ .syntax = "ip access-group ACL$acl_in in",
		.help = HELP(GROUP_HELP, "inbound packets"),
		IF_ROW,
		.no_words = NO_WHOLE,
		.columns = "acl_in" },
	{ .syntax = "ip access-group ACL$acl_out out",
		.help = HELP(GROUP_HELP, "outbound packets"),
		IF_ROW,
		.no_words = NO_WHOLE,
		.columns = "acl_out" },
	{ .syntax = "ip access-group in",
		.help = HELP(IP, "Specify access control for packets", "inbound packets"),
		IF_ROW,
		.no_words = NO_WHOLE,
		.no_only = true,
		.columns = "acl_in" },
	{ .syntax = "ip access-group out",
		.help = HELP(IP, "Specify access control for packets", "outbound packets"),
		IF_ROW,
		.no_words = NO_WHOLE,
		.no_only = true,
		.columns = "acl_out" },
	{ .syntax = "ip mtu <68-9216>$ip_mtu",
		.help = HELP(IP, "Set IP Maximum Transmission Unit", "MTU (bytes)"),
		IF_ROW,
		.no_words = 2,
		.columns = "ip_mtu",
		.check = check_ip_mtu },
	{ .syntax = "ip tcp adjust-mss <500-1460>$adjust_mss",
		.help = HELP(IP, "TCP interface commands", "Adjust the mss of transit packets", "Maximum segment size in bytes"),
		IF_ROW,
		.no_words = 3,
		.columns = "adjust_mss" },
	{ .syntax = "shutdown$shutdown",
		.help = HELP("Shutdown the selected interface"),
		IF_ROW,
		.no_words = NO_WHOLE,
		.columns = "shutdown" },
	{ .syntax = "crypto map NAME$crypto_map",
		.help = HELP("Encryption/Decryption commands", "Assign a Crypto Map", "Crypto Map tag"),
		IF_ROW,
		.no_words = 2,
		.columns = "crypto_map",
		.check = check_map },
};
const struct block block_interface = { rows, sizeof rows / sizeof *rows, true };
