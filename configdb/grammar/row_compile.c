/* The tree of a row into a program, as in a regular-expression machine: a thread stands before a word or at MATCH.
 *
 *   [a]         SPLIT a, after            <a|b>       SPLIT a, b; each JUMPs behind
 *   {a|b}       SPLIT to each not yet used (ONCE), JUMP back; NEED one       X...n       n times, each but the first optional
 */
#include "configdb/grammar/row.h"
#include "platform/base/mem.h"

#include <string.h>

struct compile {
	struct grammar_row *row;
	const char *why;
	uint32_t next_bit;
};

static uint16_t emit(struct compile *c, enum op_kind kind)
{
	struct grammar_row *r = c->row;
	if (r->nops == ROW_OPS) {
		c->why = "the row is too long";
		return 0;
	}
	r->ops[r->nops].kind = kind;
	return r->nops++;
}

static void emit_token(struct compile *c, const struct token *t)
{
	uint16_t i = emit(c, OP_TOKEN);
	c->row->ops[i].token = t;
}

static void emit_node(struct compile *c, const struct node *n);

static void emit_seq(struct compile *c, const struct node *first)
{
	for (const struct node *n = first; n; n = n->next)
		emit_node(c, n);
}

static void emit_alt(struct compile *c, const struct node *n)
{
	uint16_t jumps[128];
	size_t njumps = 0;
	/* A thread goes through one alternative: their sets may share bits. */
	uint32_t bit = c->next_bit, most = bit;
	for (const struct node *a = n->first; a; a = a->next) {
		uint16_t split = a->next ? emit(c, OP_SPLIT) : 0;
		uint16_t start = c->row->nops;
		c->next_bit = bit;
		emit_node(c, a);
		if (!c->next_bit || (most && c->next_bit > most))
			most = c->next_bit;
		if (!a->next)
			break;
		if (njumps == sizeof jumps / sizeof *jumps) {
			c->why = "too many alternatives";
			return;
		}
		jumps[njumps++] = emit(c, OP_JUMP);
		c->row->ops[split].x = start;
		c->row->ops[split].y = c->row->nops;
	}
	c->next_bit = most;
	while (njumps)
		c->row->ops[jumps[--njumps]].x = c->row->nops;
}

static void emit_set(struct compile *c, const struct node *n)
{
	uint16_t loop = c->row->nops;
	uint32_t all = 0;
	for (const struct node *a = n->first; a; a = a->next) {
		if (!c->next_bit) {
			c->why = "too many elements in sets";
			return;
		}
		uint32_t bit = c->next_bit;
		c->next_bit <<= 1;
		all |= bit;
		uint16_t split = emit(c, OP_SPLIT);
		uint16_t once = emit(c, OP_ONCE);
		c->row->ops[once].bits = bit;
		emit_node(c, a);
		uint16_t jump = emit(c, OP_JUMP);
		c->row->ops[jump].x = loop;
		c->row->ops[split].x = once;
		c->row->ops[split].y = c->row->nops;
	}
	uint16_t need = emit(c, OP_NEED);
	c->row->ops[need].bits = all;
}

/* One or several words: "gi0/1" is one token, "GigabitEthernet 0/1" a keyword and a number. */
static void emit_interface(struct compile *c, const struct token *t, bool with_null)
{
	static const struct {
		const char *word, *help, *shown, *number_help;
		uint64_t high;
	} types[] = {
		{ "GigabitEthernet", "GigabitEthernet IEEE 802.3z", "<0-0>/<0-255>", "GigabitEthernet interface number", 0 },
		{ "Loopback", "Loopback interface", "<0-2147483647>", "Loopback interface number", 2147483647 },
		{ "Null", "Null interface", "<0-0>", "Null interface number", 0 },
	};
	struct node alt = { .kind = NODE_ALT };
	struct node nodes[10] = { 0 }, *used = nodes, *last;
	struct token *toks = row_alloc(c->row, 7 * sizeof *toks);
	if (!toks) {
		c->why = "out of memory";
		return;
	}
	*toks = *t;
	toks->type = &arg_if_joined;
	toks->range.high = with_null;
	toks->shown[0] = 0;
	*used = (struct node){ .kind = NODE_TOKEN, .token = toks++ };
	alt.first = last = used;
	for (size_t i = 0; i < (with_null ? 3 : 2); i++) {
		struct node *seq = ++used, *word = ++used, *number = ++used;
		toks[0] = (struct token){ .word = types[i].word, .print = types[i].word, .name = t->name, .help = types[i].help };
		toks[1] = (struct token){ .type = i ? &arg_number : &arg_if_slot,
			.range = { 0, types[i].high },
			.name = t->name,
			.help = types[i].number_help,
			.join = true };
		strcpy(toks[1].shown, types[i].shown);
		*number = (struct node){ .kind = NODE_TOKEN, .token = toks + 1 };
		*word = (struct node){ .kind = NODE_TOKEN, .token = toks, .next = number };
		*seq = (struct node){ .kind = NODE_SEQ, .first = word };
		last = last->next = seq;
		toks += 2;
	}
	emit_alt(c, &alt);
}

static void emit_node(struct compile *c, const struct node *n)
{
	bool with_null;
	uint16_t split[16];
	if (c->why)
		return;
	switch (n->kind) {
	case NODE_TOKEN:
		if (n->token->type && arg_is_interface(n->token->type, &with_null))
			emit_interface(c, n->token, with_null);
		else
			emit_token(c, n->token);
		break;
	case NODE_SEQ:
		emit_seq(c, n->first);
		break;
	case NODE_ALT:
		emit_alt(c, n);
		break;
	case NODE_OPT:
		split[0] = emit(c, OP_SPLIT);
		emit_node(c, n->first);
		c->row->ops[split[0]].x = (uint16_t)(split[0] + 1);
		c->row->ops[split[0]].y = c->row->nops;
		break;
	case NODE_SET:
		emit_set(c, n);
		break;
	case NODE_REP:
		emit_node(c, n->first);
		for (unsigned i = 1; i < n->repeat && i < 16; i++) {
			split[i] = emit(c, OP_SPLIT);
			emit_node(c, n->first);
		}
		for (unsigned i = 1; i < n->repeat && i < 16; i++) {
			c->row->ops[split[i]].x = (uint16_t)(split[i] + 1);
			c->row->ops[split[i]].y = c->row->nops;
		}
		break;
	}
}

/* What takes the rest of the line must be the last word. */
static bool line_is_last(const struct grammar_row *row)
{
	for (uint16_t i = 0; i + 1 < row->nops; i++) {
		const struct op *o = &row->ops[i];
		if (o->kind != OP_TOKEN || !o->token->type || o->token->type->cls != ARG_LINE)
			continue;
		uint16_t next = (uint16_t)(i + 1);
		while (row->ops[next].kind == OP_JUMP)
			next = row->ops[next].x;
		if (row->ops[next].kind != OP_MATCH)
			return false;
	}
	return true;
}

enum err row_compile(struct grammar_row *row, const char **why)
{
	struct compile c = { .row = row, .next_bit = 1 };
	row->ops = mem_calloc(ROW_OPS, sizeof *row->ops);
	if (!row->ops) {
		*why = "out of memory";
		return ERR_NOMEM;
	}
	emit_node(&c, row->tree);
	emit(&c, OP_MATCH);
	if (!c.why && !line_is_last(row))
		c.why = "words after the rest of the line";
	if (c.why) {
		*why = c.why;
		return ERR_INVALID;
	}
	void *fit = mem_realloc_array(row->ops, row->nops, sizeof *row->ops);
	if (fit)
		row->ops = fit;
	return ERR_OK;
}
