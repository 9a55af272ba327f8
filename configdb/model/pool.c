/* Pools of addresses for remote-access clients: ranges under a name. */
#include "configdb/model/stmt.h"

#include <stdio.h>
#include <string.h>

#define POOL_RANGE_MAX 65536

/* The name of a pool with an address of low..high, other than exactly that range of this pool. */
static bool overlaps(struct change *c, uint32_t low, uint32_t high, char *name, size_t size)
{
	sqlite3_stmt *q = db_query(c->db, "SELECT name, low, ifnull(high, low) FROM local_pool", NOPARAMS);
	bool found = false;
	while (!found && db_step(c->db, &q)) {
		uint32_t l = ip_of(db_col(q, 1)), h = ip_of(db_col(q, 2));
		bool same = l == low && h == high && !strcmp(db_col(q, 0), var(c, "name"));
		found = !same && l <= high && low <= h;
		if (found)
			snprintf(name, size, "%s", db_col(q, 0));
	}
	db_done(c->db, q);
	return found;
}

static enum grammar_result pool_apply(struct change *c)
{
	const char *name = var(c, "name"), *low = var(c, "low"), *high = var(c, "high");
	uint32_t from = ip_of(low), to = high ? ip_of(high) : from;
	char other[CFG_NAME];
	if (high && from == to)
		high = NULL;
	if (c->remove) {
		db_run(c->db, "DELETE FROM local_pool WHERE name = ?1 AND (?2 IS NULL OR (low = ?2 AND high IS ?3))",
			P(name, low, high));
		return GR_OK;
	}
	if (from == 0 || to < from || to >= 0xe0000000u || to - from >= POOL_RANGE_MAX)
		return refuse(c, "%%Bad IP range, %s - %s", low, high ? high : low);
	if (overlaps(c, from, to, other, sizeof other))
		return refuse(c, "%%IP address range overlaps with pool: %s", other);
	db_run(c->db, "INSERT INTO local_pool(name, low, high) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", P(name, low, high));
	return GR_OK;
}

static const struct stmt rows[] = {
	{ .syntax = "ip local pool TAG$name A.B.C.D$low [A.B.C.D$high]",
		.help = HELP("Global IP configuration subcommands", "Specify local options", "IP Local address pool lists",
			"Create named local address pool", "First IP address of range", "Last IP address of range"),
		.mode = MODE_CONFIG,
		.no_words = 4,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_LIST,
		.table = "local_pool",
		.order = "name, id",
		.apply = pool_apply },
};
const struct block block_pool = { rows, sizeof rows / sizeof *rows, false };
