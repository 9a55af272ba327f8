/* `crypto isakmp peer`: what we say of ourselves to a peer in aggressive mode, and the key we share with it. */
#include "configdb/model/psk.h"

#include <string.h>

/* A peer is an address or a name: two columns of the key, so that the mode's context says which. */
static enum grammar_result peer_apply(struct change *c)
{
	const char *addr = var(c, "addr"), *host = var(c, "host");
	if (addr && (!ip_of(addr) || ip_of(addr) >= 0xe0000000u))
		return refuse(c, "%% Invalid peer address %s", addr);
	value_set(&c->v, "kind", addr ? "address" : "hostname");
	value_set(&c->v, "name", addr ? addr : host);
	return change_object(c);
}

static void peer_present(struct render *r, struct values *v)
{
	(void)r;
	value_set(v, strcmp(value_or(v, "kind", ""), "address") ? "host" : "addr", value_get(v, "name"));
}

static enum grammar_result password_apply(struct change *c)
{
	char id[24];
	enum grammar_result r = c->remove ? GR_OK : psk_put(c, id);
	if (r != GR_OK)
		return r;
	db_run(c->db,
		"UPDATE isakmp_peer SET password = CAST(?3 AS INTEGER) WHERE kind = ?1 AND name = ?2 AND password IS NOT CAST(?3 "
		"AS "
		"INTEGER)",
		P(c->key[0], c->key[1], c->remove ? NULL : id));
	return GR_OK;
}

static void password_render(struct render *r, const struct stmt *st)
{
	sqlite3_stmt *q = db_query(r->db, "SELECT password FROM isakmp_peer WHERE kind = ?1 AND name = ?2 AND password IS NOT NULL",
		P(r->key[0], r->key[1]));
	struct values v;
	values_init(&v);
	if (db_step(r->db, &q)) {
		values_from_row(&v, q);
		psk_encrypt(r, &v, "password");
		emit_values(r, st, &v);
	}
	db_done(r->db, q);
}

/* We begin with addresses only: what to say to a peer that is known by name would never be said. */
static enum grammar_result check_endpoint(struct change *c)
{
	if (!c->remove && strcmp(c->key[0], "address") != 0)
		return refuse(c, "%% Names of peers are not resolved: an endpoint goes with crypto isakmp peer address");
	return GR_OK;
}

#define PEER_ROW .mode = MODE_ISA_PEER, .tables = CFG_ISAKMP
#define SET_AM   "Set values for peer", "Aggressive mode attributes"

static const struct stmt rows[] = {
	{ .syntax = "crypto isakmp peer <address A.B.C.D$addr|hostname HOSTNAME$host>",
		.help = HELP("Encryption module", "Configure ISAKMP policy", "Set Peer Policy", "Peer IP address",
			"IP address of peer", "Peer hostname", "Hostname, as the peer's identity has it"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ISAKMP,
		.enters = MODE_ISA_PEER,
		.shape = SHAPE_OBJECT,
		.table = "isakmp_peer",
		.key = "kind name",
		.order = "kind, name",
		.apply = peer_apply,
		.present = peer_present },
	{ .syntax = "description LINE$description",
		.help = HELP("Specify a description of this peer", "Up to 80 characters describing this peer"),
		PEER_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "description",
		.check = isakmp_description },
	{ .syntax = "set aggressive-mode password [<0|6>$type] WORD$value",
		.help = HELP(SET_AM, "Password to be used", "Specifies an UNENCRYPTED password will follow",
			"Specifies an ENCRYPTED password will follow", "Password"),
		PEER_ROW,
		.no_words = 3,
		.secret = "value",
		.apply = password_apply,
		.render = password_render },
	{ .syntax = "set aggressive-mode client-endpoint <ipv4-address A.B.C.D$ep_addr|fqdn HOSTNAME$ep_fqdn|user-fqdn "
		    "TAG$ep_user>",
		.help = HELP(SET_AM, "Endpoint specification", "IPV4 Address", "IPV4 Address", "Fully Qualified Domain Name",
			"Fully Qualified Domain Name", "User FQDN", "User FQDN: user@domain"),
		PEER_ROW,
		.no_words = 3,
		.shape = SHAPE_SCALAR,
		.columns = "ep_addr ep_fqdn ep_user",
		.check = check_endpoint },
};
const struct block block_isakmp_peer = { rows, sizeof rows / sizeof *rows, true };
