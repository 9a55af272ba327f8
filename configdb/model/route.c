/* Static routes. */
#include "configdb/model/stmt.h"
#include "platform/base/addr.h"

#include <stdio.h>
#include <string.h>

static bool is_own_address(struct change *c, const char *addr)
{
	return db_exists(c->db,
		"SELECT 1 FROM interface WHERE addr = ?1 UNION ALL SELECT 1 FROM interface_secondary WHERE addr = ?1", P(addr));
}

static enum grammar_result route_remove(struct change *c)
{
	db_run(c->db,
		"DELETE FROM route WHERE prefix = ?1 AND mask = ?2 AND (?3 IS NULL AND ?4 IS NULL OR next_hop IS ?3 AND interface "
		"IS ?4)",
		P(var(c, "prefix"), var(c, "mask"), var(c, "next_hop"), var(c, "interface")));
	return GR_OK;
}

static enum grammar_result route_apply(struct change *c)
{
	uint32_t prefix = ip_of(var(c, "prefix")), mask = ip_of(var(c, "mask"));
	const char *hop = var(c, "next_hop"), *out = var(c, "interface"), *distance = var(c, "distance");
	if (!ip4_mask_valid(mask) || prefix & ~mask)
		return refuse(c, "%%Inconsistent address and mask");
	if (c->remove)
		return route_remove(c);
	if (hop && (!ip_of(hop) || ip_of(hop) >= 0xe0000000u || ip_of(hop) >> 24 == 127))
		return refuse(c, "%%Invalid next hop address");
	if (hop && is_own_address(c, hop))
		return refuse(c, "%%Invalid next hop address (it's this router)");
	if (out && !hop && !strncmp(out, "Gig", 3) && !mask)
		say(c, "%%Default route without gateway, if not a point-to-point interface, may impact performance");
	if (distance && !strcmp(distance, "1"))
		distance = NULL;
	const char *name = var(c, "name");
	db_run(c->db,
		"INSERT INTO route(prefix, mask, next_hop, interface) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS "
		"(SELECT 1 FROM route WHERE prefix = ?1 AND mask = ?2 AND next_hop IS ?3 AND interface IS ?4)",
		P(var(c, "prefix"), var(c, "mask"), hop, out));
	db_run(c->db,
		"UPDATE route SET distance = ?5, name = ?6 WHERE prefix = ?1 AND mask = ?2 AND next_hop IS ?3 AND interface IS ?4 "
		"AND (CAST(distance AS TEXT) IS NOT ?5 OR name IS NOT ?6)",
		P(var(c, "prefix"), var(c, "mask"), hop, out, distance, name));
	return GR_OK;
}

static const struct stmt rows[] = {
	{ .syntax = "ip route A.B.C.D$prefix MASK$mask <EGRESS$interface [A.B.C.D$next_hop]|A.B.C.D$next_hop> "
		    "[{<1-255>$distance|name TAG$name}]",
		.help = HELP("Global IP configuration subcommands", "Establish static routes", "Destination prefix",
			"Destination prefix mask", "Outgoing interface", "Forwarding router's address",
			"Distance metric for this route", "Specify name of the next hop", "Name of the next hop"),
		.mode = MODE_CONFIG,
		.no_words = 4,
		.tables = CFG_ROUTES,
		.shape = SHAPE_LIST,
		.table = "route",
		.order = "ip4(prefix), ip4(mask), ifnull(distance, 1), id",
		.apply = route_apply },
};
const struct block block_route = { rows, sizeof rows / sizeof *rows, false };
