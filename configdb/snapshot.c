/* The snapshot: all tables in one read transaction, into struct cfg.
 *
 * Every load opens the file anew: configd may have put another one in its place since, and changes are rare.
 */
#include "configdb/snapshot_impl.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cfg_source {
	char path[256];
};

enum err cfg_source_open(struct cfg_source **s, const char *run_dir)
{
	struct cfg_source *source = mem_zalloc(sizeof *source);
	if (!source)
		return ERR_NOMEM;
	if (snprintf(source->path, sizeof source->path, "%s/running.db", run_dir) >= (int)sizeof source->path) {
		mem_free(source);
		return ERR_RANGE;
	}
	*s = source;
	return ERR_OK;
}

void cfg_source_close(struct cfg_source *s)
{
	mem_free(s);
}

void load_rows(
	struct loader *l, const char *sql, const char *const *params, size_t n, void (*row)(struct loader *l, struct values *v))
{
	struct values *v = mem_zalloc(sizeof *v);
	sqlite3_stmt *q = v ? db_query(&l->db, sql, params, n) : NULL;
	if (!v)
		l->failed = true;
	while (!l->failed && db_step(&l->db, &q)) {
		values_init(v);
		values_from_row(v, q);
		row(l, v);
	}
	db_done(&l->db, q);
	mem_free(v);
}

void *load_more(struct loader *l, void *array, size_t *n, size_t size)
{
	uint8_t **where = array, *grown = mem_realloc_array(*where, *n + 1, size);
	if (!grown) {
		l->failed = true;
		return NULL;
	}
	*where = grown;
	return memset(grown + (*n)++ * size, 0, size);
}

void load_text(char *out, size_t size, const struct values *v, const char *column)
{
	snprintf(out, size, "%s", value_or(v, column, ""));
}

uint32_t load_number(const struct values *v, const char *column, uint32_t otherwise)
{
	const char *text = value_get(v, column);
	return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

uint32_t load_ip(const struct values *v, const char *column, uint32_t otherwise)
{
	const char *text = value_get(v, column);
	uint32_t ip;
	return text && ip4_parse(&ip, text) == ERR_OK ? ip : otherwise;
}

static void revision_row(struct loader *l, struct values *v)
{
	l->cfg->revision = strtoull(value_or(v, "revision", "0"), NULL, 10);
}

static enum err load_all(struct loader *l)
{
	db_run(&l->db, "BEGIN", NOPARAMS);
	load_rows(l, "SELECT ifnull(max(id), 0) AS revision FROM revision", NOPARAMS, revision_row);
	load_system(l);
	load_interfaces(l);
	load_acls(l);
	load_crypto(l);
	load_client(l);
	load_pki(l);
	db_run(&l->db, "COMMIT", NOPARAMS);
	if (l->failed)
		return ERR_NOMEM;
	return l->db.failed == SQLITE_OK ? ERR_OK : ERR_BUSY;
}

enum err cfg_load(struct cfg_source *s, struct cfg **out)
{
	struct loader l = { .cfg = cfg_new() };
	if (!l.cfg)
		return ERR_NOMEM;
	enum err e = ERR_BUSY;
	if (sqlite3_open_v2(s->path, &l.db.h, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(l.db.h, 500);
		e = load_all(&l);
	}
	sqlite3_close(l.db.h);
	if (e == ERR_OK)
		*out = l.cfg;
	else
		cfg_free(l.cfg);
	return e;
}

struct cfg *cfg_new(void)
{
	struct cfg *c = mem_zalloc(sizeof *c);
	if (!c)
		return NULL;
	snprintf(c->system.hostname, sizeof c->system.hostname, "Router");
	c->system.stamp_debug = c->system.stamp_log = (struct cfg_stamps){ .kind = STAMP_DATETIME, .msec = true };
	c->system.logging_buffered = c->system.logging_console = c->system.logging_monitor = true;
	c->system.logging_buffer_bytes = 4096;
	c->system.logging_buffer_level = c->system.logging_console_level = c->system.logging_monitor_level = 7;
	c->isakmp_enabled = true;
	c->isakmp.keepalive_retry_s = 2;
	c->ipsec = (struct cfg_ipsec){ .lifetime_s = 3600, .lifetime_kb = 4608000, .replay_window = 64 };
	return c;
}

void cfg_free(struct cfg *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->ninterfaces; i++)
		mem_free(c->interfaces[i].secondary);
	for (size_t i = 0; i < c->nacls; i++)
		mem_free(c->acls[i].entries);
	mem_free(c->system.banner_motd);
	mem_free(c->interfaces);
	mem_free(c->routes);
	mem_free(c->acls);
	mem_free(c->policies);
	mem_free(c->keys);
	mem_free(c->keyrings);
	mem_free(c->profiles);
	mem_free(c->isakmp_peers);
	mem_free(c->sets);
	mem_free(c->maps);
	mem_free(c->dynamics);
	pki_free(c);
	mem_free(c->users);
	mem_free(c->lines);
	mem_free(c->logins);
	mem_free(c->networks);
	mem_free(c->pools);
	mem_free(c->groups);
	mem_free(c->map_settings);
	mem_free(c);
}
