/* Tables into text: blocks in IOS's order, objects with their settings indented, defaults left out. */
#include "configdb/model/stmt.h"
#include "platform/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void text_add(struct render *r, const char *s, size_t n)
{
	if (r->len + n + 1 > r->size) {
		size_t bigger = (r->len + n + 1) * 2;
		char *fresh = mem_realloc_array(r->text, bigger, 1);
		if (!fresh) {
			r->failed = true;
			return;
		}
		r->text = fresh;
		r->size = bigger;
	}
	memcpy(r->text + r->len, s, n);
	r->len += n;
	r->text[r->len] = 0;
}

void emit(struct render *r, const char *fmt, ...)
{
	char line[CFG_LINE_MAX * 2];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	for (unsigned i = 0; i < r->indent; i++)
		text_add(r, " ", 1);
	text_add(r, line, strlen(line));
	text_add(r, "\n", 1);
	r->bang = false;
}

void emit_bang(struct render *r)
{
	if (!r->bang)
		text_add(r, "!\n", 2);
	r->bang = true;
}

void emit_values(struct render *r, const struct stmt *st, struct values *v)
{
	char line[CFG_LINE_MAX * 2];
	if (st->present)
		st->present(r, v);
	if (grammar_print(stmt_row(st), values_lookup, v, line, sizeof line) == ERR_OK)
		emit(r, "%s", line);
	else
		r->failed = true;
}

/* With `all`, what is NULL takes the row's default. */
static void defaults_fill(struct values *v, const char *defaults)
{
	char list[128];
	char *save = NULL;
	snprintf(list, sizeof list, "%s", defaults);
	for (char *w = strtok_r(list, ";", &save); w; w = strtok_r(NULL, ";", &save)) {
		char *eq = strchr(w, '=');
		for (size_t i = 0; i < v->n; i++) {
			size_t n = (size_t)(eq - w);
			if (!strncmp(v->list[i].name, w, n) && !v->list[i].name[n] && !v->list[i].text)
				value_set(v, v->list[i].name, eq + 1);
		}
	}
}

static void render_scalar(struct render *r, const struct stmt *st)
{
	const struct mode_info *mode = mode_info(st->mode);
	char sql[512], columns[256];
	struct values v;
	bool any = false, off;
	snprintf(columns, sizeof columns, "%s", st->columns ? st->columns : "");
	for (char *p = columns; *p; p++)
		if (*p == ' ')
			*p = ',';
	snprintf(sql, sizeof sql, "SELECT %s%s%s FROM %s WHERE %s", columns, st->off && st->columns ? ", " : "",
		st->off ? st->off : "", st->table ? st->table : mode->table, mode->where);
	sqlite3_stmt *q = db_query(r->db, sql, r->key, mode->nkey);
	values_init(&v);
	if (db_step(r->db, &q)) {
		values_from_row(&v, q);
		off = st->off && value_get(&v, st->off);
		for (size_t i = 0; i < v.n; i++)
			any = any || (v.list[i].text && (!st->off || strcmp(v.list[i].name, st->off) != 0));
		if (r->all && st->defaults && !off && !any) {
			defaults_fill(&v, st->defaults);
			any = true;
		}
		if (off)
			emit(r, "%s", st->off_text);
		else if (any || (r->all && st->off))
			emit_values(r, st, &v);
	}
	db_done(r->db, q);
}

void render_mode(struct render *r, enum mode mode)
{
	size_t n;
	const struct block *const *all = blocks(&n);
	r->indent++;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < all[i]->n; k++) {
			const struct stmt *st = &all[i]->rows[k];
			if (st->mode != mode || st->no_only)
				continue;
			if (st->render)
				st->render(r, st);
			else if (st->shape == SHAPE_SCALAR)
				render_scalar(r, st);
		}
	r->indent--;
}

void render_object(struct render *r, const struct stmt *st, struct values *v)
{
	char keys[3][CFG_NAME];
	char list[64], *save = NULL;
	snprintf(list, sizeof list, "%s", st->key);
	r->nkey = 0;
	for (char *w = strtok_r(list, " ", &save); w && r->nkey < 3; w = strtok_r(NULL, " ", &save)) {
		snprintf(keys[r->nkey], CFG_NAME, "%s", value_or(v, w, ""));
		r->key[r->nkey] = keys[r->nkey];
		r->nkey++;
	}
	emit_values(r, st, v);
	render_mode(r, st->enters);
	r->nkey = 0;
}

static void render_rows(struct render *r, const struct stmt *st, bool per_object)
{
	char sql[256];
	struct values v;
	snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY %s", st->table, st->order);
	sqlite3_stmt *q = db_query(r->db, sql, NOPARAMS);
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		if (st->shape == SHAPE_OBJECT && per_object)
			emit_bang(r);
		if (st->shape == SHAPE_OBJECT)
			render_object(r, st, &v);
		else
			emit_values(r, st, &v);
	}
}

void render_block(struct render *r, const struct block *b)
{
	/* What holds for all peers stands right behind policies and keys. */
	if (b != &block_isakmp_all)
		emit_bang(r);
	for (size_t i = 0; i < b->n; i++) {
		const struct stmt *st = &b->rows[i];
		if (st->mode != MODE_CONFIG || st->no_only)
			continue;
		if (st->render)
			st->render(r, st);
		else if (st->shape == SHAPE_SCALAR)
			render_scalar(r, st);
		else if (st->shape != SHAPE_NONE)
			render_rows(r, st, b->per_object);
	}
}
