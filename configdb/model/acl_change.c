/* Entries come and go. Numbers: the next free one is the last plus 10; a remark takes the number of the entry that it stands
 * before and does not use it up. */
#include "configdb/model/acl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP    10
#define SEQ_MAX 2147483647ll

static bool number_is_standard(const char *name)
{
	int n = atoi(name);
	return n < 100 || (n >= 1300 && n <= 1999);
}

/* The list that the line is about: the mode's, or the number in the line. */
static const char *acl_name(const struct change *c)
{
	return c->nkey ? c->key[0] : var(c, "name");
}

static bool acl_extended(const struct change *c)
{
	return c->nkey ? c->st->mode == MODE_EXT_NACL : !number_is_standard(var(c, "name"));
}

static long long seq_next(struct change *c, const char *acl)
{
	char last[24] = "0";
	db_get(c->db, last, sizeof last, "SELECT seq FROM ace WHERE acl = ?1 AND action <> 'remark' ORDER BY seq DESC LIMIT 1",
		P(acl));
	return atoll(last) + STEP;
}

/* Builds "a IS ?k AND b IS ?k+1 …" over all columns of an entry. */
static size_t entry_params(struct change *c, const char **params, size_t n, char *where, size_t size)
{
	const char *const *names;
	size_t count, at = 0;
	acl_column_names(&names, &count);
	for (size_t i = 0; i < count; i++) {
		params[n++] = var(c, names[i]);
		if (where)
			/* By the index of the addresses; numbers are compared as text. */
			at += (size_t)snprintf(where + at, size - at,
				!strcmp(names[i], "src") || !strcmp(names[i], "dst") ? " AND %s IS ?%zu"
										     : " AND CAST(%s AS TEXT) IS ?%zu",
				names[i], n);
	}
	return n;
}

static bool entry_seq(struct change *c, const char *acl, char seq[24])
{
	const char *params[32] = { acl };
	char where[1024], sql[1200];
	size_t n = entry_params(c, params, 1, where, sizeof where);
	snprintf(sql, sizeof sql, "SELECT seq FROM ace INDEXED BY ace_ends WHERE acl = ?1%s", where);
	return db_get(c->db, seq, 24, sql, params, n);
}

static void entry_insert(struct change *c, const char *acl, long long seq, long long ord)
{
	const char *const *names;
	const char *params[32];
	char sql[1200], seq_text[24], ord_text[24];
	size_t count, at;
	acl_column_names(&names, &count);
	snprintf(seq_text, sizeof seq_text, "%lld", seq);
	snprintf(ord_text, sizeof ord_text, "%lld", ord);
	params[0] = acl;
	params[1] = seq_text;
	params[2] = ord_text;
	size_t n = entry_params(c, params, 3, NULL, 0);
	at = (size_t)snprintf(sql, sizeof sql, "INSERT INTO ace(acl, seq, ord");
	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(sql + at, sizeof sql - at, ", %s", names[i]);
	at += (size_t)snprintf(sql + at, sizeof sql - at, ") VALUES(?1");
	for (size_t i = 1; i < n; i++)
		at += (size_t)snprintf(sql + at, sizeof sql - at, ", ?%zu", i + 1);
	snprintf(sql + at, sizeof sql - at, ")");
	db_run(c->db, sql, params, n);
}

static enum grammar_result remark_add(struct change *c, const char *acl, long long seq)
{
	char seq_text[24], ord[24] = "0";
	snprintf(seq_text, sizeof seq_text, "%lld", seq);
	db_get(c->db, ord, sizeof ord,
		"SELECT max(ord) FROM ace WHERE acl = ?1 AND seq = CAST(?2 AS INTEGER) AND action = 'remark'", P(acl, seq_text));
	entry_insert(c, acl, seq, atoll(ord) + 1);
	return GR_OK;
}

static enum grammar_result values_check(struct change *c)
{
	if (var(c, "fragments") &&
		(var(c, "src_op") || var(c, "dst_op") || var(c, "icmp_type") || var(c, "flags") || var(c, "established")))
		return refuse(c, "%% fragments have no ports or flags to match");
	if (strlen(value_or(&c->v, "remark", "")) > 100)
		return refuse(c, "%% Remark is longer than 100 characters");
	return GR_OK;
}

static void any_any_warn(struct change *c, const char *acl)
{
	if (db_exists(c->db, "SELECT 1 FROM crypto_map WHERE acl = ?1", P(acl)) && acl_permits_all(c->db, acl))
		say(c,
			"%% Warning: access-list %s permits any to any: all traffic through the interface, routing and management "
			"too, is "
			"to be encrypted",
			acl);
}

static enum grammar_result entry_add(struct change *c, const char *acl)
{
	const char *typed = var(c, "seq");
	char have[24];
	long long seq = typed ? atoll(typed) : seq_next(c, acl);
	if (seq > SEQ_MAX)
		return refuse(c, "%% Access-list is full: resequence it");
	if (var(c, "remark"))
		return remark_add(c, acl, seq);
	if (entry_seq(c, acl, have)) {
		if (!typed || atoll(have) != seq)
			say(c, "%% Duplicate %s statement ignored.", var(c, "action"));
		return GR_OK;
	}
	if (typed && db_exists(c->db, "SELECT 1 FROM ace WHERE acl = ?1 AND seq = CAST(?2 AS INTEGER) AND action <> 'remark'",
			     P(acl, typed)))
		return refuse(c, "%% Duplicate sequence number");
	entry_insert(c, acl, seq, 1000000);
	any_any_warn(c, acl);
	return GR_OK;
}

static enum grammar_result entry_remove(struct change *c, const char *acl)
{
	const char *params[32] = { acl };
	char where[1024], sql[1200];
	size_t n = entry_params(c, params, 1, where, sizeof where);
	snprintf(sql, sizeof sql, "DELETE FROM ace WHERE acl = ?1%s", where);
	db_run(c->db, sql, params, n);
	return GR_OK;
}

enum grammar_result ace_apply(struct change *c)
{
	const char *acl = acl_name(c);
	bool extended = acl_extended(c);
	/* IOS: `no access-list N ...` takes the whole list, whatever follows. */
	if (c->remove && !c->nkey) {
		db_run(c->db, "DELETE FROM acl WHERE name = ?1", P(acl));
		return GR_OK;
	}
	ace_to_columns(&c->v, extended);
	enum grammar_result r = values_check(c);
	if (r != GR_OK)
		return r;
	if (c->remove)
		return entry_remove(c, acl);
	if (!c->nkey)
		db_run(c->db, "INSERT INTO acl(name, kind) VALUES(?1, ?2) ON CONFLICT DO NOTHING",
			P(acl, extended ? "extended" : "standard"));
	return entry_add(c, acl);
}

enum grammar_result ace_remove_seq(struct change *c)
{
	if (!db_run(c->db, "DELETE FROM ace WHERE acl = ?1 AND seq = CAST(?2 AS INTEGER) AND action <> 'remark'",
		    P(c->key[0], var(c, "seq"))))
		return refuse(c, "%% Specified access-list entry does not exist");
	return GR_OK;
}

enum grammar_result acl_enter(struct change *c)
{
	const char *name = var(c, "name"), *kind = c->st->enters == MODE_EXT_NACL ? "extended" : "standard";
	char have[16];
	if (db_get(c->db, have, sizeof have, "SELECT kind FROM acl WHERE name = ?1", P(name)) && strcmp(have, kind) != 0)
		return refuse(
			c, "%% A named %s IP access list with this name already exists", have[0] == 'e' ? "extended" : "standard");
	if (c->remove) {
		db_run(c->db, "DELETE FROM acl WHERE name = ?1", P(name));
		return GR_OK;
	}
	db_run(c->db, "INSERT INTO acl(name, kind) VALUES(?1, ?2) ON CONFLICT DO NOTHING", P(name, kind));
	return change_enter(c, c->st->enters, name);
}

/* New numbers in the same order. Negative ones first, so that old and new cannot meet. */
enum grammar_result acl_resequence(struct change *c)
{
	const char *name = var(c, "name");
	long long start = atoll(value_or(&c->v, "start", "10")), step = atoll(value_or(&c->v, "step", "10"));
	char count[24] = "0", from[24], by[24];
	if (!db_exists(c->db, "SELECT 1 FROM acl WHERE name = ?1", P(name)))
		return refuse(c, "%% Access-list %s does not exist", name);
	db_get(c->db, count, sizeof count, "SELECT count(*) FROM ace WHERE acl = ?1 AND action <> 'remark'", P(name));
	if (start + step * (atoll(count) + 1) > SEQ_MAX)
		return refuse(c, "%% Sequence numbers would exceed %lld", SEQ_MAX);
	snprintf(from, sizeof from, "%lld", start);
	snprintf(by, sizeof by, "%lld", step);
	db_run(c->db,
		"CREATE TEMP TABLE renumber AS SELECT *, "
		"CAST(?2 AS INTEGER) + CAST(?3 AS INTEGER) * (SELECT count(*) FROM ace b WHERE b.acl = a.acl AND b.action <> "
		"'remark' "
		"AND (b.seq < a.seq OR (b.seq = a.seq AND b.ord < a.ord))) AS fresh, "
		"row_number() OVER (ORDER BY seq, ord) AS place FROM ace a WHERE acl = ?1",
		P(name, from, by));
	bool differs = db_exists(c->db, "SELECT 1 FROM temp.renumber WHERE fresh <> seq", NOPARAMS);
	if (differs) {
		db_run(c->db, "DELETE FROM ace WHERE acl = ?1", P(name));
		db_run(c->db, "UPDATE temp.renumber SET seq = fresh, ord = CASE action WHEN 'remark' THEN place ELSE ord END",
			NOPARAMS);
		db_run(c->db, "ALTER TABLE temp.renumber DROP COLUMN fresh", NOPARAMS);
		db_run(c->db, "ALTER TABLE temp.renumber DROP COLUMN place", NOPARAMS);
		db_run(c->db, "INSERT INTO ace SELECT * FROM temp.renumber", NOPARAMS);
	}
	db_run(c->db, "DROP TABLE temp.renumber", NOPARAMS);
	return GR_OK;
}

bool acl_permits_all(struct db *db, const char *acl)
{
	return db_exists(db,
		"SELECT 1 FROM ace JOIN acl ON acl.name = ace.acl WHERE acl = ?1 AND action = 'permit' AND kind = 'extended' AND "
		"protocol IS NULL "
		"AND src_wild = '255.255.255.255' AND dst_wild = '255.255.255.255' AND fragments IS NULL AND dscp IS NULL "
		"AND precedence IS NULL AND tos IS NULL",
		P(acl));
}
