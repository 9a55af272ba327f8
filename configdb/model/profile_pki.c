/* What an ISAKMP profile says of certificates: who may vouch for its peers, and which certificates are theirs. */
#include "configdb/model/stmt.h"

#include <stdlib.h>
#include <string.h>

/* `ca trust-point` and `match certificate`: lists of names, told apart by the row's own variable. */
static const char *kind_of(const struct stmt *st)
{
	return strstr(st->syntax, "trust-point") ? "trust" : "cert";
}

static enum grammar_result name_apply(struct change *c)
{
	const char *kind = kind_of(c->st), *name = var(c, "pki_name");
	char n[16] = "0";

	if (c->remove) {
		db_run(c->db, "DELETE FROM profile_pki WHERE profile = ?1 AND kind = ?2 AND name = ?3", P(c->key[0], kind, name));
		return GR_OK;
	}
	if (db_exists(c->db, "SELECT 1 FROM profile_pki WHERE profile = ?1 AND kind = ?2 AND name = ?3", P(c->key[0], kind, name)))
		return GR_OK;
	db_get(c->db, n, sizeof n, "SELECT count(*) FROM profile_pki WHERE profile = ?1 AND kind = ?2", P(c->key[0], kind));
	if (atoi(n) >= CFG_PROFILE_TRUSTS)
		return refuse(c, "%% A profile names at most %d of them", CFG_PROFILE_TRUSTS);
	db_run(c->db,
		"INSERT INTO profile_pki(profile, kind, ord, name) SELECT ?1, ?2, ifnull(max(ord), 0) + 1, ?3 FROM profile_pki "
		"WHERE "
		"profile = ?1 AND kind = ?2",
		P(c->key[0], kind, name));
	return GR_OK;
}

static void name_render(struct render *r, const struct stmt *st)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db, "SELECT name AS pki_name FROM profile_pki WHERE profile = ?1 AND kind = ?2 ORDER BY ord",
		P(r->key[0], kind_of(st)));

	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		emit_values(r, st, &v);
	}
}

static const struct stmt rows[] = {
	{ .syntax = "ca trust-point TAG$pki_name",
		.help = HELP("Specify certificate authorities to trust", "Specify a trustpoint", "Trustpoint name"),
		.mode = MODE_ISA_PROF,
		.tables = CFG_ISAKMP,
		.no_words = NO_WHOLE,
		.apply = name_apply,
		.render = name_render },
	{ .syntax = "match certificate TAG$pki_name",
		.help = HELP("Match values from peer", "Peer certificate attributes", "Certificate map"),
		.mode = MODE_ISA_PROF,
		.tables = CFG_ISAKMP,
		.no_words = NO_WHOLE,
		.apply = name_apply,
		.render = name_render },
};
const struct block block_profile_pki = { rows, sizeof rows / sizeof *rows, true };
