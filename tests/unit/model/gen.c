/* See gen.h. */
#include "gen.h"

#include <stdio.h>
#include <string.h>

uint32_t gen_random(struct gen *g, uint32_t below)
{
	g->seed = g->seed * 1664525u + 1013904223u;
	return below ? (g->seed >> 8) % below : 0;
}

static void token(struct gen *g, const struct token *t)
{
	char value[1000];
	if (g->n == 64)
		return;
	if (t->word) {
		snprintf(g->words[g->n], sizeof g->words[0], "%s", t->word);
	} else {
		t->type->sample(&t->range, gen_random(g, 7), value, sizeof value);
		arg_print(t->type, value, g->words[g->n], sizeof g->words[0]);
	}
	g->tokens[g->n++] = t;
}

static void node(struct gen *g, const struct node *n);

static const struct node *pick(struct gen *g, const struct node *first)
{
	uint32_t count = 0;
	for (const struct node *c = first; c; c = c->next)
		count++;
	for (uint32_t k = gen_random(g, count); k; k--)
		first = first->next;
	return first;
}

/* Some of the elements, one at least, in their order or turned round. */
static void set(struct gen *g, const struct node *first)
{
	const struct node *chosen[32];
	size_t n = 0;
	for (const struct node *c = first; c && n < 32; c = c->next)
		if (!gen_random(g, 3))
			chosen[n++] = c;
	if (!n)
		chosen[n++] = pick(g, first);
	bool turn = gen_random(g, 2);
	for (size_t i = 0; i < n; i++)
		node(g, chosen[turn ? n - 1 - i : i]);
}

static void node(struct gen *g, const struct node *n)
{
	switch (n->kind) {
	case NODE_TOKEN:
		token(g, n->token);
		break;
	case NODE_SEQ:
		for (const struct node *c = n->first; c; c = c->next)
			node(g, c);
		break;
	case NODE_ALT:
		node(g, pick(g, n->first));
		break;
	case NODE_OPT:
		if (gen_random(g, 2))
			node(g, n->first);
		break;
	case NODE_SET:
		set(g, n->first);
		break;
	case NODE_REP:
		for (uint32_t k = gen_random(g, n->repeat) + 1; k; k--)
			node(g, n->first);
		break;
	}
}

void gen_row(struct gen *g, const struct grammar_row *row)
{
	g->n = 0;
	node(g, row->tree);
}

void gen_line(const struct gen *g, size_t n, char *out, size_t size)
{
	size_t at = 0;
	out[0] = 0;
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " " : "", g->words[i]);
}
