/* `?` and TAB: the same machine as for matching, stopped before the last word. */
#include "configdb/grammar/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORDS_MAX 512

struct word {
	const char *word, *help;
};

struct words {
	struct word list[WORDS_MAX];
	size_t n;
	bool cr;
};

static void words_add(struct words *w, const char *word, const char *help)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->list[i].word, word))
			return;
	if (w->n < WORDS_MAX)
		w->list[w->n++] = (struct word){ word, help };
}

/* Could the characters typed so far begin this argument? */
static bool arg_may_begin(const struct token *t, const char *text, size_t n)
{
	char value[GRAMMAR_VALUE];
	size_t good = 0;
	if (!n || t->type->cls != ARG_TYPED)
		return true;
	if (t->type->parse(&t->range, text, n, value, sizeof value, &good))
		return true;
	if (t->type == &arg_number)
		return good == n || (strspn(text, "0123456789") >= n && strtoull(text, NULL, 10) < t->range.low);
	return good == n;
}

static void token_words(struct words *w, const struct token *t, const char *text, size_t n, bool keywords_only)
{
	if (t->word) {
		if (!n || keyword_prefix(t->word, text, n))
			words_add(w, t->word, t->help);
		return;
	}
	for (const struct arg_name *name = t->type->names; name && name->word; name++)
		if (!n || keyword_prefix(name->word, text, n))
			words_add(w, name->word, name->help);
	if (!keywords_only && t->shown[0] && arg_may_begin(t, text, n))
		words_add(w, t->shown, t->help);
	else if (!keywords_only && !strcmp(t->type->name, "TCPFLAG"))
		for (size_t i = 0; i < 12; i++) {
			static const char *const flags[] = { "+ack", "-ack", "+fin", "-fin", "+psh", "-psh", "+rst", "-rst", "+syn",
				"-syn", "+urg", "-urg" };
			if (!n || keyword_prefix(flags[i], text, n))
				words_add(w, flags[i], t->help);
		}
}

/* Runs the complete words of the line; *at and *n: the word that the cursor stands in. */
static bool run_to_cursor(
	struct run *r, const struct grammar *g, enum mode mode, uint8_t privilege, const char *line, size_t *at, size_t *n)
{
	bool ok = run_start(r, g, mode, privilege, line);
	*at = 0;
	*n = next_word(line, at);
	while (ok && *n && line[*at + *n]) {
		ok = run_word(r, *at, *n);
		*at += *n;
		*n = next_word(line, at);
	}
	return ok;
}

static void words_collect(struct words *w, const struct run *r, size_t at, size_t n, bool keywords_only)
{
	const char *text = r->line + at;
	w->n = 0;
	if (run_may_negate(r)) {
		if (!n || keyword_prefix("no", text, n))
			words_add(w, "no", "Negate a command or set its defaults");
		if (!n || keyword_prefix("default", text, n))
			words_add(w, "default", "Set a command to its defaults");
	}
	for (size_t i = 0; i < r->nthreads; i++) {
		const struct grammar_row *row = r->threads[i].row;
		const struct op *o = &row->ops[r->threads[i].pc];
		if (o->kind == OP_TOKEN && !row->spec.hidden)
			token_words(w, o->token, text, n, keywords_only);
	}
	w->cr = !n && !r->at_start && run_end(r);
}

static int word_order(const void *a, const void *b)
{
	return strcmp(((const struct word *)a)->word, ((const struct word *)b)->word);
}

size_t grammar_help(const struct grammar *g, enum mode mode, uint8_t privilege, const char *line, size_t *column,
	grammar_help_fn each, void *ctx)
{
	struct run r;
	struct words w = { .n = 0 };
	size_t at, n, count = 0;
	if (!run_to_cursor(&r, g, mode, privilege, line, &at, &n)) {
		*column = r.column;
	} else if (r.in_line) {
		each(ctx, "LINE", "");
		each(ctx, "<cr>", "");
		count = 2;
	} else {
		words_collect(&w, &r, at, n, false);
		qsort(w.list, w.n, sizeof *w.list, word_order);
		for (size_t i = 0; i < w.n; i++)
			each(ctx, w.list[i].word, w.list[i].help);
		if (w.cr)
			each(ctx, "<cr>", "");
		count = w.n + w.cr;
		if (!count && n && run_word(&r, at, n))
			count = 0, *column = at;
		else if (!count)
			*column = r.result == GR_OK ? at : r.column;
	}
	run_free(&r);
	return count;
}

bool grammar_complete(const struct grammar *g, enum mode mode, uint8_t privilege, const char *line, char *out, size_t size)
{
	struct run r;
	struct words w = { .n = 0 };
	size_t at, n;
	bool ok = run_to_cursor(&r, g, mode, privilege, line, &at, &n) && n && !r.in_line;
	if (ok)
		words_collect(&w, &r, at, n, true);
	const char *one = ok && w.n == 1 ? w.list[0].word : NULL;
	for (size_t i = 0; ok && i < w.n; i++)
		if (strlen(w.list[i].word) == n && !strncasecmp(w.list[i].word, line + at, n))
			one = w.list[i].word;
	if (one)
		snprintf(out, size, "%s", one);
	run_free(&r);
	return one != NULL;
}
