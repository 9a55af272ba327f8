/* FRR's notation into a tree: a recursive descent over the characters of the syntax. */
#include "configdb/grammar/row.h"
#include "platform/base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 400

struct parse {
	struct grammar_row *row;
	const char *at;
	const char *why;
	const char *seen[SEEN_MAX]; /* words that have a help text already */
	const char *help[SEEN_MAX];
	size_t nseen, nhelp;
};

void *row_alloc(struct grammar_row *row, size_t n)
{
	struct chunk *c = mem_zalloc(sizeof *c + n);
	if (!c)
		return NULL;
	c->next = row->memory;
	row->memory = c;
	return c + 1;
}

char *row_text(struct grammar_row *row, const char *s, size_t n)
{
	char *t = row_alloc(row, n + 1);
	if (t)
		memcpy(t, s, n);
	return t;
}

void row_free(struct grammar_row *row)
{
	if (!row)
		return;
	for (struct chunk *c = row->memory, *next; c; c = next) {
		next = c->next;
		mem_free(c);
	}
	mem_free(row->ops);
	mem_free(row);
}

static struct node *fail(struct parse *p, const char *why)
{
	if (!p->why)
		p->why = why;
	return NULL;
}

static struct node *node_new(struct parse *p, enum node_kind kind)
{
	struct node *n = row_alloc(p->row, sizeof *n);
	if (!n)
		return fail(p, "out of memory");
	n->kind = kind;
	return n;
}

static const char *parse_name(struct parse *p)
{
	if (*p->at != '$')
		return NULL;
	const char *start = ++p->at;
	while (islower((unsigned char)*p->at) || isdigit((unsigned char)*p->at) || *p->at == '_')
		p->at++;
	const char *name = row_text(p->row, start, (size_t)(p->at - start));
	if (!name)
		fail(p, "out of memory");
	else if (!*name)
		fail(p, "empty name after $");
	return name;
}

/* The help text of a word: the same for the same word, the next of the list for a new one. */
static const char *help_for(struct parse *p, const char *written)
{
	for (size_t i = 0; i < p->nseen; i++)
		if (!strcmp(p->seen[i], written))
			return p->help[i];
	const char *text = p->row->spec.help ? p->row->spec.help[p->nhelp] : NULL;
	if (!text || p->nseen == SEEN_MAX) {
		fail(p, "a word has no help text");
		return NULL;
	}
	p->nhelp++;
	p->seen[p->nseen] = written;
	p->help[p->nseen++] = text;
	return text;
}

/* "encr(yption)": matched as encryption, printed as encr. */
static bool keyword_set(struct parse *p, struct token *t, const char *s, size_t n)
{
	const char *open = memchr(s, '(', n);
	if (!open) {
		t->word = t->print = row_text(p->row, s, n);
		return t->word != NULL;
	}
	size_t head = (size_t)(open - s);
	char *full = row_text(p->row, s, n);
	t->print = row_text(p->row, s, head);
	if (!full || !t->print)
		return false;
	memmove(full + head, full + head + 1, n - head - 2);
	full[n - 2] = 0;
	t->word = full;
	return true;
}

static struct node *parse_repeat(struct parse *p, struct node *n)
{
	if (strncmp(p->at, "...", 3) != 0)
		return n;
	p->at += 3;
	struct node *rep = node_new(p, NODE_REP);
	if (!rep)
		return NULL;
	rep->repeat = (unsigned)strtoul(p->at, (char **)&p->at, 10);
	if (rep->repeat < 2 || n->token->word)
		return fail(p, "a repetition needs an argument and a limit of at least 2");
	n->token->list = true;
	rep->first = n;
	return rep;
}

static struct node *token_node(struct parse *p, const char *start, size_t n, const struct arg_type *type, struct arg_range range)
{
	struct node *node = node_new(p, NODE_TOKEN);
	struct token *t = node ? row_alloc(p->row, sizeof *t) : NULL;
	if (!t)
		return fail(p, "out of memory");
	node->token = t;
	t->type = type;
	t->range = range;
	if (!type && !keyword_set(p, t, start, n))
		return fail(p, "out of memory");
	if (type == &arg_number)
		snprintf(t->shown, sizeof t->shown, "%.*s", (int)n, start);
	else if (type && type->shown)
		snprintf(t->shown, sizeof t->shown, "%s", type->shown);
	t->name = parse_name(p);
	if (type && !t->name)
		return fail(p, "an argument has no name");
	/* Arguments are told apart by their name: two WORDs of one row mean different things. */
	const char *written = type ? row_text(p->row, start, (size_t)(p->at - start)) : t->word;
	t->help = written ? help_for(p, written) : NULL;
	return p->why ? NULL : parse_repeat(p, node);
}

static bool number_ahead(const char *s, struct arg_range *r, size_t *n)
{
	char *end;
	if (*s != '<' || !isdigit((unsigned char)s[1]))
		return false;
	r->low = strtoull(s + 1, &end, 10);
	if (*end != '-' || !isdigit((unsigned char)end[1]))
		return false;
	r->high = strtoull(end + 1, &end, 10);
	*n = (size_t)(end - s) + 1;
	return *end == '>';
}

static struct node *parse_alts(struct parse *p, char close);

static struct node *parse_group(struct parse *p, enum node_kind kind, char close)
{
	p->at++;
	struct node *inner = parse_alts(p, close);
	if (!inner)
		return NULL;
	if (*p->at != close)
		return fail(p, "unbalanced brackets");
	p->at++;
	if (kind == NODE_ALT) {
		inner->name = parse_name(p);
		return p->why ? NULL : inner;
	}
	if (kind == NODE_SET) {
		inner->kind = NODE_SET;
		return inner;
	}
	struct node *n = node_new(p, kind);
	if (n)
		n->first = inner;
	return n;
}

static struct node *parse_item(struct parse *p)
{
	struct arg_range range = { 0 };
	size_t n;
	if (number_ahead(p->at, &range, &n)) {
		const char *start = p->at;
		p->at += n;
		return token_node(p, start, n, &arg_number, range);
	}
	if (*p->at == '<')
		return parse_group(p, NODE_ALT, '>');
	if (*p->at == '[')
		return parse_group(p, NODE_OPT, ']');
	if (*p->at == '{')
		return parse_group(p, NODE_SET, '}');
	const char *start = p->at;
	n = strcspn(start, " |<>[]{}$");
	if (!n)
		return fail(p, "a word was expected");
	p->at += n;
	return token_node(p, start, n, arg_find(start, n), range);
}

static struct node *parse_seq(struct parse *p, char close)
{
	struct node *seq = node_new(p, NODE_SEQ);
	struct node **tail = seq ? &seq->first : NULL;
	while (seq && !p->why) {
		while (*p->at == ' ')
			p->at++;
		if (!*p->at || *p->at == '|' || *p->at == close)
			break;
		*tail = parse_item(p);
		if (!*tail)
			return NULL;
		tail = &(*tail)->next;
	}
	if (seq && !seq->first)
		return fail(p, "empty alternative");
	return p->why ? NULL : seq;
}

static struct node *parse_alts(struct parse *p, char close)
{
	struct node *alt = node_new(p, NODE_ALT);
	struct node **tail = alt ? &alt->first : NULL;
	while (alt) {
		*tail = parse_seq(p, close);
		if (!*tail)
			return NULL;
		tail = &(*tail)->next;
		if (*p->at != '|')
			return alt;
		p->at++;
	}
	return NULL;
}

/* Keywords learn the name of the alternatives that they choose. */
static void give_groups(struct node *n, const char *group)
{
	for (; n; n = n->next) {
		if (n->kind == NODE_TOKEN && n->token->word && !n->token->name)
			n->token->group = group;
		if (n->first)
			give_groups(n->first, n->kind == NODE_ALT && n->name ? n->name : group);
	}
}

enum err row_parse(struct grammar_row *row, const char **why)
{
	struct parse p = { .row = row, .at = row->spec.syntax };
	row->tree = parse_seq(&p, 0);
	if (row->tree && *p.at)
		fail(&p, "unbalanced brackets");
	if (row->tree && !p.why && row->spec.help[p.nhelp])
		fail(&p, "more help texts than words");
	if (p.why || !row->tree) {
		*why = p.why ? p.why : "out of memory";
		return ERR_INVALID;
	}
	give_groups(row->tree, NULL);
	return ERR_OK;
}
