/* A row from values: the walk over its tree that takes what has a value. */
#include "configdb/grammar/row.h"

#include <stdio.h>
#include <string.h>

struct print {
	const char *(*value)(void *ctx, const char *name);
	void *ctx;
	char *out;
	size_t size, at;
	bool full;
};

static bool node_print(struct print *p, const struct node *n);

static void put(struct print *p, const char *word)
{
	size_t n = strlen(word), gap = p->at ? 1 : 0;
	if (p->at + gap + n >= p->size) {
		p->full = true;
		return;
	}
	if (gap)
		p->out[p->at++] = ' ';
	memcpy(p->out + p->at, word, n + 1);
	p->at += n;
}

static const char *value_of(struct print *p, const char *name)
{
	const char *v = name ? p->value(p->ctx, name) : NULL;
	return v;
}

/* Is there a value for anything inside? */
static bool active(struct print *p, const struct node *n)
{
	if (n->kind == NODE_TOKEN) {
		const char *v = value_of(p, n->token->name);
		return v && (!n->token->word || !strcmp(v, n->token->word));
	}
	if (n->kind == NODE_ALT && value_of(p, n->name))
		return true;
	for (const struct node *c = n->first; c; c = c->next)
		if (active(p, c))
			return true;
	return false;
}

static bool has_names(const struct node *n)
{
	if (n->kind == NODE_TOKEN)
		return n->token->name != NULL;
	if (n->name)
		return true;
	for (const struct node *c = n->first; c; c = c->next)
		if (has_names(c))
			return true;
	return false;
}

static bool list_print(struct print *p, const struct token *t, const char *values)
{
	char one[GRAMMAR_VALUE], text[GRAMMAR_VALUE];
	while (*values) {
		size_t n = strcspn(values, " ");
		if (n >= sizeof one)
			return false;
		memcpy(one, values, n);
		one[n] = 0;
		arg_print(t->type, one, text, sizeof text);
		put(p, text);
		values += n + strspn(values + n, " ");
	}
	return true;
}

static bool token_print(struct print *p, const struct token *t)
{
	char text[GRAMMAR_VALUE * 4];
	if (t->word) {
		const char *v = value_of(p, t->name);
		if (t->name && (!v || strcmp(v, t->word)))
			return false;
		put(p, t->print);
		return true;
	}
	const char *v = value_of(p, t->name);
	if (!v)
		return false;
	if (t->list)
		return list_print(p, t, v);
	arg_print(t->type, v, text, sizeof text);
	put(p, text);
	return true;
}

static void keywords(const struct node *n, char *out, size_t size, const char *group)
{
	size_t at = strlen(out);
	if (n->kind == NODE_TOKEN && n->token->word && n->token->group == group)
		snprintf(out + at, size - at, "%s%s", at ? " " : "", n->token->word);
	for (const struct node *c = n->first; c; c = c->next)
		if (c->kind != NODE_OPT)
			keywords(c, out, size, group);
}

static bool try_print(struct print *p, const struct node *n)
{
	size_t before = p->at;
	if (node_print(p, n))
		return true;
	p->at = before;
	p->out[before] = 0;
	return false;
}

static bool alt_print(struct print *p, const struct node *n)
{
	const char *chosen = value_of(p, n->name);
	for (const struct node *a = n->first; a && n->name; a = a->next) {
		char words[128] = "";
		keywords(a, words, sizeof words, n->name);
		if (chosen && !strcmp(words, chosen))
			return try_print(p, a);
	}
	if (n->name && chosen)
		return false;
	for (const struct node *a = n->first; a; a = a->next)
		if (active(p, a) && try_print(p, a))
			return true;
	for (const struct node *a = n->first; a && !n->name; a = a->next)
		if (!has_names(a) && try_print(p, a))
			return true;
	return false;
}

static bool node_print(struct print *p, const struct node *n)
{
	bool any = false;
	switch (n->kind) {
	case NODE_TOKEN:
		return token_print(p, n->token);
	case NODE_ALT:
		return alt_print(p, n);
	case NODE_REP:
		return node_print(p, n->first);
	case NODE_OPT:
		return !active(p, n->first) || node_print(p, n->first);
	case NODE_SET:
		for (const struct node *a = n->first; a; a = a->next)
			if (active(p, a)) {
				if (!try_print(p, a))
					return false;
				any = true;
			}
		return any;
	case NODE_SEQ:
		for (const struct node *c = n->first; c; c = c->next)
			if (!node_print(p, c))
				return false;
		return true;
	}
	return false;
}

enum err grammar_print(
	const struct grammar_row *row, const char *(*value)(void *ctx, const char *name), void *ctx, char *out, size_t size)
{
	struct print p = { .value = value, .ctx = ctx, .out = out, .size = size };
	if (!size)
		return ERR_RANGE;
	out[0] = 0;
	if (!node_print(&p, row->tree))
		return ERR_INVALID;
	return p.full ? ERR_RANGE : ERR_OK;
}
