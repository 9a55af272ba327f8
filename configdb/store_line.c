/* One line: match it in its mode or, failing that, in global configuration; let its row change the tables; say what came of it. */
#include "configdb/model/stmt.h"
#include "configdb/store_impl.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

struct work {
	struct grammar_match match, global;
	struct change change;
	struct cfg_mode_ctx at;
	char words[CFG_CONTEXT];
};

/* IOS: a word unknown to the sub-mode is tried in global configuration. Of two failures the one that got further is told. */
static const struct grammar_match *find(struct work *w, uint8_t privilege, const struct cfgm_line *in)
{
	const struct grammar *g = config_grammar();
	enum mode mode = (enum mode)in->at.mode;
	w->at = in->at;
	grammar_match(g, mode, privilege, in->line, &w->match);
	if (w->match.result != GR_INVALID || mode == MODE_CONFIG)
		return &w->match;
	grammar_match(g, MODE_CONFIG, privilege, in->line, &w->global);
	if (w->global.result == GR_INVALID && w->global.column <= w->match.column)
		return &w->match;
	if (w->global.result == GR_OK)
		w->at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
	return &w->global;
}

static void key_split(struct work *w)
{
	struct change *c = &w->change;
	char *save = NULL;
	snprintf(w->words, sizeof w->words, "%s", w->at.context);
	c->nkey = 0;
	for (char *word = strtok_r(w->words, " ", &save); word && c->nkey < 3; word = strtok_r(NULL, " ", &save))
		c->key[c->nkey++] = word;
}

/* Another session may have removed what this one stands in. */
static bool object_is_there(struct change *c)
{
	const struct mode_info *mode = mode_info(c->st->mode);
	char sql[128];
	if (!mode->table)
		return true;
	snprintf(sql, sizeof sql, "SELECT 1 FROM %s WHERE %s", mode->table, mode->where);
	return c->nkey == mode->nkey && db_exists(c->db, sql, c->key, c->nkey);
}

static enum grammar_result perform(struct change *c)
{
	if (!object_is_there(c))
		return refuse(c, "%% What is being configured here was removed");
	enum grammar_result r = c->st->check ? c->st->check(c) : GR_OK;
	if (r != GR_OK)
		return r;
	if (c->st->apply)
		return c->st->apply(c);
	switch (c->st->shape) {
	case SHAPE_SCALAR:
		return change_scalar(c);
	case SHAPE_OBJECT:
		return change_object(c);
	case SHAPE_LIST:
		return change_list(c);
	case SHAPE_NONE:
		break;
	}
	return GR_OK;
}

/* The secret of a line: the first of the names that was bound. */
static const char *secret_typed(const struct grammar_match *m, const char *names)
{
	char list[64], *save = NULL;
	const char *secret = NULL;
	snprintf(list, sizeof list, "%s", names ? names : "");
	for (char *name = strtok_r(list, " ", &save); name && !secret; name = strtok_r(NULL, " ", &save))
		secret = match_var(m, name);
	return secret;
}

/* The line in full, without its secret. */
static void audit(struct store *s, const struct work *w, const struct store_who *who)
{
	const char *line = w->change.m->canonical, *names = w->change.st->secret;
	const char *secret = secret_typed(w->change.m, names);
	const char *at = secret ? strstr(line, secret) : NULL;
	char text[sizeof w->match.canonical];
	/* The last: passwords may repeat a keyword. Where more secrets may follow the first, they may repeat it too. */
	for (const char *next = strchr(names ? names : "", ' ') ? NULL : at; next; next = strstr(next + 1, secret))
		at = next;
	if (at)
		snprintf(text, sizeof text, "%.*s*****", (int)(at - line), line);
	store_revision_add(s, who, at ? text : line);
}

void store_ask_box(struct store *s, bool (*has)(void *ctx, const char *interface), void *ctx)
{
	s->has_interface = has;
	s->box = ctx;
}

static void change_begin(struct work *w, struct store *s, const struct grammar_match *m, const char *line, struct cfgm_result *out)
{
	struct change *c = &w->change;
	c->store = s;
	c->db = &s->db;
	c->secrets = s->secrets;
	c->st = m->user;
	c->m = m;
	c->line = line;
	c->remove = m->negated || m->defaulted;
	c->to_default = m->defaulted;
	c->out = out;
	values_init(&c->v);
	for (size_t i = 0; i < m->nvars; i++)
		value_set(&c->v, m->vars[i].name, m->vars[i].value);
	key_split(w);
}

static void failed(struct cfgm_result *out, const char *why)
{
	out->code = GR_REFUSED;
	snprintf(out->text, sizeof out->text, "%% The configuration could not be written: %s\n", why);
}

static void run(struct work *w, struct store *s, const struct grammar_match *m, const char *line, const struct store_who *who,
	struct cfgm_result *out, unsigned *tables)
{
	out->next = w->at;
	change_begin(w, s, m, line, out);
	if (!store_txn_begin(s)) {
		failed(out, sqlite3_errmsg(s->db.h));
		return;
	}
	int before = sqlite3_total_changes(s->db.h);
	enum grammar_result r = perform(&w->change);
	bool changed = r == GR_OK && sqlite3_total_changes(s->db.h) != before;
	if (changed)
		audit(s, w, who);
	bool written = store_txn_end(s, r == GR_OK);
	out->code = r;
	if (r == GR_OK && !written) {
		failed(out, s->db.failed ? sqlite3_errstr(s->db.failed) : sqlite3_errmsg(s->db.h));
		return;
	}
	out->changed = changed;
	*tables = changed ? w->change.st->tables : 0;
}

void store_line(struct store *s, uint8_t privilege, const struct cfgm_line *in, const struct store_who *who,
	struct cfgm_result *out, unsigned *tables)
{
	struct work *w = mem_zalloc(sizeof *w);
	*tables = 0;
	memset(out, 0, sizeof *out);
	out->next = in->at;
	out->code = GR_INVALID;
	if (!w) {
		failed(out, "out of memory");
	} else if (in->at.mode > MODE_EXEC && in->at.mode < MODE_COUNT) {
		const struct grammar_match *m = find(w, privilege, in);
		out->code = m->result;
		out->column = (uint16_t)m->column;
		if (m->result == GR_OK)
			run(w, s, m, in->line, who, out, tables);
	}
	snprintf(out->prompt, sizeof out->prompt, "%s", mode_prompt((enum mode)out->next.mode));
	mem_free_secret(w, sizeof *w);
}
