/* All rows of a mode run side by side, word by word, as threads of a small machine. At each word every thread says what it
 * could take the word for; the strongest claim decides for all:
 *
 *   exact keyword  >  typed argument (number, address, interface)  >  abbreviated keyword  >  free word  >  rest of the line
 *
 * Two different keywords with the same abbreviation: ambiguous. Nobody wants it: invalid, and the caret stands under the first
 * character with which no claim agrees.
 */
#include "configdb/grammar/run.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum claim { CLAIM_NONE, CLAIM_LINE, CLAIM_WORD, CLAIM_PREFIX, CLAIM_TYPED, CLAIM_EXACT };

struct best {
	enum claim claim;
	const char *keyword; /* of CLAIM_PREFIX and CLAIM_EXACT */
	bool ambiguous;
	bool open;   /* a banner whose end is still to come */
	size_t good; /* most characters that agreed with anything */
};

#define THREADS_MAX 8192

static bool grow(void **p, size_t *max, size_t need, size_t size)
{
	if (need <= *max)
		return true;
	size_t bigger = *max ? *max * 2 : 64;
	while (bigger < need)
		bigger *= 2;
	void *fresh = mem_realloc_array(*p, bigger, size);
	if (!fresh)
		return false;
	*p = fresh;
	*max = bigger;
	return true;
}

size_t next_word(const char *line, size_t *at)
{
	*at += strspn(line + *at, " \t");
	return strcspn(line + *at, " \t");
}

bool keyword_prefix(const char *word, const char *text, size_t n)
{
	return n && !strncasecmp(word, text, n);
}

static size_t agreeing(const char *word, const char *text, size_t n)
{
	size_t i = 0;
	while (i < n && word[i] && !strncasecmp(word + i, text + i, 1))
		i++;
	return i;
}

/* Adds the thread, or those it splits into, to the next list. */
static void thread_add(struct run *r, struct thread t)
{
	for (;;) {
		const struct op *o = &t.row->ops[t.pc];
		struct thread other = t;
		switch (o->kind) {
		case OP_JUMP:
			t.pc = o->x;
			continue;
		case OP_ONCE:
			if (t.used & o->bits)
				return;
			t.used |= o->bits;
			t.pc++;
			continue;
		case OP_NEED:
			if (!(t.used & o->bits))
				return;
			t.pc++;
			continue;
		case OP_SPLIT:
			other.pc = o->x;
			thread_add(r, other);
			t.pc = o->y;
			continue;
		case OP_TOKEN:
		case OP_MATCH:
			break;
		}
		break;
	}
	if (r->nnext == r->capacity) {
		if (r->capacity >= THREADS_MAX) {
			r->nomem = true;
			return;
		}
		size_t max = r->capacity, same = r->capacity;
		if (!grow((void **)&r->next, &max, r->capacity + 1, sizeof *r->next) ||
			!grow((void **)&r->threads, &same, r->capacity + 1, sizeof *r->threads)) {
			r->nomem = true;
			return;
		}
		r->capacity = max;
	}
	r->next[r->nnext++] = t;
}

static void lists_swap(struct run *r)
{
	struct thread *t = r->threads;
	r->threads = r->next;
	r->nthreads = r->nnext;
	r->next = t;
	r->nnext = 0;
}

static void rows_load(struct run *r)
{
	for (size_t i = 0; i < r->g->nrows; i++) {
		const struct grammar_row *row = r->g->rows[i];
		bool negated = r->negated || r->defaulted;
		if (row->spec.mode != r->mode || row->spec.privilege > r->privilege)
			continue;
		if (negated ? !row->spec.no_allowed : row->spec.no_only)
			continue;
		thread_add(r, (struct thread){ .row = row, .past = NO_CELL });
	}
	lists_swap(r);
}

bool run_start(struct run *r, const struct grammar *g, enum mode mode, uint8_t privilege, const char *line)
{
	*r = (struct run){ .g = g, .mode = mode, .privilege = privilege, .line = line, .at_start = true, .result = GR_OK };
	rows_load(r);
	return !r->nomem;
}

void run_free(struct run *r)
{
	mem_free(r->threads);
	mem_free(r->next);
	mem_free(r->cells);
	mem_free_secret(r->text, r->text_max);
}

bool run_may_negate(const struct run *r)
{
	for (size_t i = 0; r->at_start && i < r->g->nrows; i++) {
		const struct grammar_spec *s = &r->g->rows[i]->spec;
		if (s->mode == r->mode && s->privilege <= r->privilege && s->no_allowed)
			return true;
	}
	return false;
}

static uint32_t text_put(struct run *r, const char *s, size_t n)
{
	if (!grow((void **)&r->text, &r->text_max, r->ntext + n + 1, 1)) {
		r->nomem = true;
		return 0;
	}
	memcpy(r->text + r->ntext, s, n);
	r->text[r->ntext + n] = 0;
	r->ntext += n + 1;
	return (uint32_t)(r->ntext - n - 1);
}

static uint32_t cell_put(struct run *r, uint32_t prev, const struct token *t, const char *value)
{
	if (!grow((void **)&r->cells, &r->cells_max, r->ncells + 1, sizeof *r->cells)) {
		r->nomem = true;
		return NO_CELL;
	}
	uint32_t text = text_put(r, value, strlen(value));
	r->cells[r->ncells] = (struct cell){ .prev = prev, .token = t, .value = text };
	return (uint32_t)r->ncells++;
}

static void keyword_claim(struct best *b, const char *keyword, const char *text, size_t n)
{
	size_t good = agreeing(keyword, text, n);
	if (good > b->good)
		b->good = good;
	if (good < n)
		return;
	enum claim claim = keyword[n] ? CLAIM_PREFIX : CLAIM_EXACT;
	if (claim > b->claim)
		*b = (struct best){ .claim = claim, .keyword = keyword, .good = b->good };
	else if (claim == b->claim && strcasecmp(keyword, b->keyword))
		b->ambiguous = claim == CLAIM_PREFIX;
}

static bool arg_parse(const struct token *t, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	if (t->type->cls == ARG_LINE)
		while (n && strchr(" \t\r", text[n - 1]) && t->type->name[0] != 'B')
			n--;
	return t->type->parse(&t->range, text, n, value, size, good);
}

/* What one thread could take the word for. For the rest of the line `rest` counts, not the word. */
static void token_claim(struct best *b, const struct token *t, const char *text, size_t n, char *value, size_t size)
{
	if (t->word) {
		keyword_claim(b, t->word, text, n);
		return;
	}
	for (const struct arg_name *name = t->type->names; name && name->word; name++)
		keyword_claim(b, name->word, text, n);
	static const enum claim claims[] = { [ARG_TYPED] = CLAIM_TYPED, [ARG_WORD] = CLAIM_WORD, [ARG_LINE] = CLAIM_LINE };
	enum claim claim = claims[t->type->cls];
	size_t good = 0;
	if (claim < b->claim)
		return;
	if (arg_parse(t, text, t->type->cls == ARG_LINE ? strlen(text) : n, value, size, &good)) {
		if (claim > b->claim)
			*b = (struct best){ .claim = claim, .good = n };
	} else {
		b->open |= t->type->cls == ARG_LINE;
		b->good = good > b->good ? good : b->good;
	}
}

/* Does this thread go on with the winning claim? Then `value` is what it binds. */
static bool token_takes(const struct token *t, const struct best *b, const char *text, size_t n, char *value, size_t size)
{
	size_t good;
	if (b->keyword) {
		if (t->word) {
			if (strcasecmp(t->word, b->keyword))
				return false;
			snprintf(value, size, "%s", t->word);
			return true;
		}
		for (const struct arg_name *name = t->type->names; name && name->word; name++)
			if (!strcasecmp(name->word, b->keyword)) {
				snprintf(value, size, "%s", name->value);
				return true;
			}
		return false;
	}
	static const enum arg_class classes[] = { [CLAIM_TYPED] = ARG_TYPED, [CLAIM_WORD] = ARG_WORD, [CLAIM_LINE] = ARG_LINE };
	if (t->word || t->type->cls != classes[b->claim])
		return false;
	return arg_parse(t, text, b->claim == CLAIM_LINE ? strlen(text) : n, value, size, &good);
}

static bool refuse(struct run *r, enum grammar_result why, size_t column)
{
	r->result = why;
	r->column = column;
	return false;
}

static bool negate(struct run *r, bool is_default)
{
	r->negated = !is_default;
	r->defaulted = is_default;
	r->at_start = false;
	r->nthreads = r->nnext = 0;
	rows_load(r);
	return !r->nomem;
}

bool run_word(struct run *r, size_t at, size_t n)
{
	const char *text = r->line + at;
	struct best best = { .claim = CLAIM_NONE };
	char value[GRAMMAR_VALUE * 4];
	bool may_negate = run_may_negate(r);

	if (r->in_line)
		return true;
	if (may_negate) {
		keyword_claim(&best, "no", text, n);
		keyword_claim(&best, "default", text, n);
	}
	for (size_t i = 0; i < r->nthreads; i++) {
		const struct op *o = &r->threads[i].row->ops[r->threads[i].pc];
		if (o->kind == OP_TOKEN)
			token_claim(&best, o->token, text, n, value, sizeof value);
	}
	if (best.claim == CLAIM_NONE && best.open)
		return refuse(r, GR_INCOMPLETE, at);
	if (best.claim == CLAIM_NONE)
		return refuse(r, GR_INVALID, at + best.good);
	if (best.ambiguous)
		return refuse(r, GR_AMBIGUOUS, at);
	if (may_negate && best.keyword && (!strcmp(best.keyword, "no") || !strcmp(best.keyword, "default")))
		return negate(r, best.keyword[0] == 'd');
	r->at_start = false;
	for (size_t i = 0; i < r->nthreads && !r->nomem; i++) {
		struct thread t = r->threads[i];
		const struct op *o = &t.row->ops[t.pc];
		memset(value, 0, 1);
		if (o->kind != OP_TOKEN || !token_takes(o->token, &best, text, n, value, sizeof value))
			continue;
		t.past = cell_put(r, t.past, o->token, value);
		t.pc++;
		t.words++;
		thread_add(r, t);
	}
	wipe(value, sizeof value);
	lists_swap(r);
	r->in_line = best.claim == CLAIM_LINE;
	return r->nomem ? refuse(r, GR_INVALID, at) : true;
}

const struct thread *run_end(const struct run *r)
{
	const struct thread *partial = NULL;
	bool several = false;
	for (size_t i = 0; i < r->nthreads; i++) {
		const struct thread *t = &r->threads[i];
		if (t->row->ops[t->pc].kind == OP_MATCH)
			return t;
		uint8_t least = t->row->spec.no_words ? t->row->spec.no_words : 1;
		if (!(r->negated || r->defaulted) || t->words < least)
			continue;
		several |= partial && partial->row != t->row;
		partial = partial ? partial : t;
	}
	return several ? NULL : partial;
}
