/* Over every row of the configuration: print and parse are inverse; `?` offers what the matcher accepts, and nothing else. */
#include "gen.h"
#include "helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PER_ROW 300

static const char *lookup(void *ctx, const char *name)
{
	return match_var(ctx, name);
}

static void same_vars(const struct grammar_match *a, const struct grammar_match *b, const char *line)
{
	if (a->nvars != b->nvars)
		fail_msg("\"%s\": %zu and %zu variables", line, a->nvars, b->nvars);
	for (size_t i = 0; i < a->nvars; i++) {
		const char *v = match_var(b, a->vars[i].name);
		if (!v || strcmp(v, a->vars[i].value) != 0)
			fail_msg("\"%s\": %s is \"%s\" and \"%s\"", line, a->vars[i].name, a->vars[i].value, v ? v : "unset");
	}
}

static void print_and_parse(void **state)
{
	static struct grammar_match first, second;
	static struct gen g;
	static char line[CFG_LINE_MAX * 2], text[CFG_LINE_MAX * 2], again[CFG_LINE_MAX * 2];
	const struct grammar *all = config_grammar();
	(void)state;
	g.seed = 7;
	for (size_t i = 0; i < grammar_count(all); i++) {
		const struct grammar_row *row;
		const struct grammar_spec *spec = grammar_at(all, i, &row);
		for (int k = 0; k < PER_ROW; k++) {
			gen_row(&g, row);
			gen_line(&g, g.n, line, sizeof line);
			snprintf(again, sizeof again, "%s%s", spec->no_only ? "no " : "", line);
			grammar_match(all, spec->mode, 15, again, &first);
			if (first.result != GR_OK || first.row != row)
				fail_msg("\"%s\" (of \"%s\"): result %d, column %zu", again, spec->syntax, first.result,
					first.column);
			assert_int_equal(grammar_print(row, lookup, &first, text, sizeof text), ERR_OK);
			snprintf(again, sizeof again, "%s%s", spec->no_only ? "no " : "", text);
			grammar_match(all, spec->mode, 15, again, &second);
			if (second.result != GR_OK || second.row != row)
				fail_msg("\"%s\" printed as \"%s\": result %d, column %zu", line, text, second.result,
					second.column);
			same_vars(&first, &second, line);
			assert_int_equal(grammar_print(row, lookup, &second, again, sizeof again), ERR_OK);
			assert_string_equal(text, again);
		}
	}
}

struct offered {
	char words[600][64];
	size_t n;
	bool cr;
};

static void note(void *ctx, const char *word, const char *help)
{
	struct offered *o = ctx;
	assert_non_null(help);
	assert_true(o->n < 600);
	if (!strcmp(word, "<cr>"))
		o->cr = true;
	else
		snprintf(o->words[o->n++], sizeof o->words[0], "%s", word);
	/* Sorted, each once. */
	if (o->n > 1 && !o->cr && strcmp(o->words[o->n - 2], o->words[o->n - 1]) >= 0)
		fail_msg("\"%s\" before \"%s\"", o->words[o->n - 2], o->words[o->n - 1]);
}

static bool is_offered(const struct offered *o, const char *word)
{
	for (size_t i = 0; i < o->n; i++)
		if (!strcasecmp(o->words[i], word))
			return true;
	return false;
}

/* Every word of every sentence is offered where it stands, and <cr> at its end. */
static void accepted_is_offered(void **state)
{
	static struct offered o;
	static struct gen g;
	static char line[CFG_LINE_MAX * 2];
	const struct grammar *all = config_grammar();
	size_t column;
	(void)state;
	g.seed = 11;
	for (size_t i = 0; i < grammar_count(all); i++) {
		const struct grammar_row *row;
		const struct grammar_spec *spec = grammar_at(all, i, &row);
		for (int k = 0; k < PER_ROW && !spec->hidden; k++) {
			gen_row(&g, row);
			for (size_t w = 0; w <= g.n; w++) {
				const struct token *t = w < g.n ? g.tokens[w] : NULL;
				char rest[sizeof line];
				bool null;
				gen_line(&g, w, rest, sizeof rest);
				snprintf(line, sizeof line, "%s%s%s", spec->no_only ? "no " : "", rest, w ? " " : "");
				memset(&o, 0, sizeof o);
				grammar_help(all, spec->mode, 15, line, &column, note, &o);
				if (!t && !o.cr)
					fail_msg("\"%s?\" does not offer <cr>", line);
				if (t && t->word && !is_offered(&o, t->word))
					fail_msg("\"%s?\" does not offer %s", line, t->word);
				if (t && t->type && t->shown[0] && !is_offered(&o, t->shown) && !is_offered(&o, g.words[w]))
					fail_msg("\"%s?\" does not offer %s", line, t->shown);
				if (t && t->type && arg_is_interface(t->type, &null) && !is_offered(&o, "Loopback"))
					fail_msg("\"%s?\" does not offer Loopback", line);
			}
		}
	}
}

/* A text for what `?` shows. */
static void example(struct gen *g, const char *word, char *out, size_t size)
{
	unsigned long low, high;
	if (!strcmp(word, "A.B.C.D"))
		snprintf(out, size, "10.1.2.3");
	else if (!strcmp(word, "WORD") || !strcmp(word, "LINE"))
		snprintf(out, size, "Zq%u", gen_random(g, 50));
	else if (!strcmp(word, "Hex-data"))
		snprintf(out, size, "%02x%02x", gen_random(g, 256), gen_random(g, 256));
	else if (!strcmp(word, "<0-0>/<0-255>"))
		snprintf(out, size, "0/%u", gen_random(g, 256));
	else if (sscanf(word, "<%lu-%lu>", &low, &high) == 2)
		snprintf(out, size, "%lu", gen_random(g, 2) ? low : high);
	else
		snprintf(out, size, "%s", word);
}

/* From the words offered: each is accepted, alone and abbreviated by TAB's rule; <cr> is offered exactly where the line may end. */
static void walk(struct gen *g, enum mode mode, const char *line, unsigned depth)
{
	struct offered *o = calloc(1, sizeof *o);
	static struct grammar_match m;
	char next[CFG_LINE_MAX], word[80], full[80];
	const struct grammar *all = config_grammar();
	size_t column = 0;
	size_t count = grammar_help(all, mode, 15, line, &column, note, o);
	if (!count)
		fail_msg("\"%s?\" offers nothing", line);
	if (*line) {
		grammar_match(all, mode, 15, line, &m);
		if (m.result != (o->cr ? GR_OK : GR_INCOMPLETE))
			fail_msg("\"%s\": result %d, <cr> %soffered", line, m.result, o->cr ? "" : "not ");
	}
	for (size_t i = 0; i < o->n; i++) {
		example(g, o->words[i], word, sizeof word);
		if (strstr(line, "banner") && !strcmp(o->words[i], "LINE"))
			snprintf(word, sizeof word, "#x#");
		snprintf(next, sizeof next, "%s%s", line, word);
		grammar_match(all, mode, 15, next, &m);
		if (m.result != GR_OK && m.result != GR_INCOMPLETE)
			fail_msg("\"%s\" was offered as %s: result %d, column %zu", next, o->words[i], m.result, m.column);
		bool keyword = !strcmp(word, o->words[i]) && !strchr("+-", word[0]);
		if (keyword && (!grammar_complete(all, mode, 15, next, full, sizeof full) || strcmp(full, word) != 0))
			fail_msg("TAB does not complete \"%s\"", next);
	}
	for (unsigned k = 0; o->n && depth && k < 3; k++) {
		example(g, o->words[gen_random(g, (uint32_t)o->n)], word, sizeof word);
		if (strstr(line, "banner "))
			snprintf(word, sizeof word, "#x#");
		bool in_line = o->n == 1 && !strcmp(o->words[0], "LINE") && o->cr;
		snprintf(next, sizeof next, "%s%s ", line, word);
		if (!in_line)
			walk(g, mode, next, depth - 1);
	}
	free(o);
}

static void offered_is_accepted(void **state)
{
	static struct gen g;
	(void)state;
	g.seed = 3;
	for (enum mode m = MODE_CONFIG; m < MODE_COUNT; m++)
		for (int k = 0; k < 6; k++) {
			static const char *const starts[] = { "", "no ", "default " };
			/* Data of a certificate cannot be negated. */
			if (m != MODE_CERT_DATA || k % 3 == 0)
				walk(&g, m, starts[k % 3], 7);
		}
}

/* No two rows answer to the same sentence in different ways: the row found is the row meant (print_and_parse), and a row's help
 * has a text for each word. */
static void help_has_texts(void **state)
{
	const struct grammar *all = config_grammar();
	(void)state;
	for (size_t i = 0; i < grammar_count(all); i++) {
		const struct grammar_spec *spec = grammar_at(all, i, NULL);
		for (size_t k = 0; spec->help[k]; k++)
			if (strlen(spec->help[k]) < 4)
				fail_msg("\"%s\": help text %zu is too short", spec->syntax, k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(print_and_parse),
		cmocka_unit_test(accepted_is_offered),
		cmocka_unit_test(offered_is_accepted),
		cmocka_unit_test(help_has_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
