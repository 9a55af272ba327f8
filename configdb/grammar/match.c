/* A whole line: runs its words, then collects what the winning thread bound. */
#include "configdb/grammar/run.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

struct out {
	char *at, *end;
	bool full;
};

static void put(struct out *o, const char *s)
{
	size_t n = strlen(s);
	if ((size_t)(o->end - o->at) <= n) {
		o->full = true;
		return;
	}
	memcpy(o->at, s, n + 1);
	o->at += n;
}

static struct grammar_var *var_find(struct grammar_match *m, const char *name)
{
	for (size_t i = 0; i < m->nvars; i++)
		if (!strcmp(m->vars[i].name, name))
			return &m->vars[i];
	return NULL;
}

/* Binds, or lengthens what is bound: "aes" + "256", "80" + "443" (with a blank), "GigabitEthernet" + "0/1" (without). */
static bool bind(struct grammar_match *m, struct out *o, const char *name, const char *value, bool join, bool append)
{
	struct grammar_var *v = var_find(m, name);
	char *start = o->at;
	if (v && append) {
		put(o, v->value);
		if (!join)
			put(o, " ");
	}
	put(o, value);
	if (!v) {
		if (m->nvars == GRAMMAR_VARS)
			return false;
		v = &m->vars[m->nvars++];
	}
	*v = (struct grammar_var){ .name = name, .value = start };
	if (o->at < o->end)
		o->at++;
	return !o->full;
}

static bool collect(struct grammar_match *m, const struct run *r, const struct thread *t)
{
	uint32_t *order = mem_calloc(t->words + 1u, sizeof *order);
	struct out storage = { m->storage, m->storage + sizeof m->storage, false };
	struct out line = { m->canonical, m->canonical + sizeof m->canonical, false };
	bool ok = order != NULL;
	size_t n = 0;
	if (ok)
		for (uint32_t c = t->past; c != NO_CELL; c = r->cells[c].prev)
			order[n++] = c;
	put(&line, r->negated ? "no" : r->defaulted ? "default" : "");
	while (ok && n) {
		const struct cell *c = &r->cells[order[--n]];
		const struct token *k = c->token;
		const char *value = r->text + c->value;
		char text[GRAMMAR_VALUE * 4];
		if (!k->join && line.at > m->canonical)
			put(&line, " ");
		if (k->type)
			arg_print(k->type, value, text, sizeof text);
		put(&line, k->type ? text : k->word);
		if (k->name)
			ok = bind(m, &storage, k->name, value, k->join, k->join || k->list);
		if (ok && k->group)
			ok = bind(m, &storage, k->group, value, false, true);
	}
	mem_free(order);
	return ok && !line.full && !storage.full;
}

void grammar_match(const struct grammar *g, enum mode mode, uint8_t privilege, const char *line, struct grammar_match *m)
{
	struct run r;
	size_t at = 0, n = next_word(line, &at);
	m->result = GR_EMPTY;
	m->column = 0;
	m->row = NULL;
	m->user = NULL;
	m->negated = m->defaulted = false;
	m->nvars = 0;
	m->canonical[0] = m->storage[0] = 0;
	if (!n || line[at] == '!' || line[at] == '\r' || line[at] == '\n')
		return;
	bool ok = run_start(&r, g, mode, privilege, line);
	for (; ok && n; at += n, n = next_word(line, &at))
		ok = run_word(&r, at, n);
	m->result = r.result;
	m->column = r.column;
	m->negated = r.negated;
	m->defaulted = r.defaulted;
	const struct thread *end = ok ? run_end(&r) : NULL;
	if (ok && !end)
		m->result = GR_INCOMPLETE;
	if (end) {
		m->row = end->row;
		m->user = end->row->spec.user;
		if (!collect(m, &r, end))
			m->result = GR_INVALID;
	}
	if (!ok && m->result == GR_OK)
		m->result = GR_INVALID;
	run_free(&r);
}

const char *match_var(const struct grammar_match *m, const char *name)
{
	for (size_t i = 0; i < m->nvars; i++)
		if (!strcmp(m->vars[i].name, name))
			return m->vars[i].value;
	return NULL;
}
