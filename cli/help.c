/* `?` and TAB: the words of the mode's grammars, in one column, with their texts in another. */
#include "cli/pipe.h"
#include "cli/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "cli/exec.h"

#define WORDS_MAX 512

struct help_words {
	struct help_word {
		char word[64];
		char help[160];
	} list[WORDS_MAX];
	size_t n, width;
};

static void collect(void *ctx, const char *word, const char *help)
{
	struct help_words *w = ctx;
	struct help_word *at;

	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->list[i].word, word) == 0)
			return;
	if (w->n == WORDS_MAX)
		return;
	at = &w->list[w->n++];
	snprintf(at->word, sizeof(at->word), "%s", word);
	snprintf(at->help, sizeof(at->help), "%s", help == NULL ? "" : help);
	if (strlen(at->word) > w->width)
		w->width = strlen(at->word);
}

/* Sorted, with <cr> at the end. */
static int by_word(const void *a, const void *b)
{
	const struct help_word *x = a, *y = b;
	int cr_x = strcmp(x->word, "<cr>") == 0, cr_y = strcmp(y->word, "<cr>") == 0;

	return cr_x != cr_y ? cr_x - cr_y : strcmp(x->word, y->word);
}

/* The grammars that answer, and the part of the line that is theirs. */
struct asked {
	const struct grammar *first, *second; /* second may be null */
	enum mode mode;
	uint8_t privilege;
	const char *line; /* behind `do ` */
	const char *pipe; /* behind `|`, or null */
};

static bool is_do(const char *line, const char **rest)
{
	line += strspn(line, " \t");
	if (strncasecmp(line, "do", 2) != 0 || (line[2] != ' ' && line[2] != '\t'))
		return false;
	*rest = line + 2 + strspn(line + 2, " \t");
	return true;
}

static struct asked asked_of(const struct shell *sh, const char *line)
{
	struct asked a = { .first = sh->exec, .mode = MODE_EXEC, .privilege = sh->session.info.privilege, .line = line };
	const char *bar;

	if (shell_configuring(sh) && !is_do(line, &a.line)) {
		a.second = config_grammar();
		a.mode = (enum mode)sh->at.mode;
		return a;
	}
	bar = pipe_find(a.line);
	a.pipe = bar == NULL ? NULL : bar + 1;
	return a;
}

static bool ends_in_word(const char *line)
{
	size_t len = strlen(line);

	return len > 0 && line[len - 1] != ' ' && line[len - 1] != '\t';
}

/* Can the EXEC command end here, and be followed by a filter? */
static void offer_pipe(const struct shell *sh, const struct asked *a, struct help_words *w)
{
	struct grammar_match *m = calloc(1, sizeof(*m));

	if (m != NULL && a->mode == MODE_EXEC && !ends_in_word(a->line)) {
		grammar_match(sh->exec, MODE_EXEC, a->privilege, a->line, m);
		if (m->result == GR_OK && (((const struct exec_row *)m->user)->flags & EXEC_PIPE))
			collect(w, "|", "Output modifiers");
	}
	free(m);
}

static size_t find_words(const struct shell *sh, const struct asked *a, struct help_words *w, size_t *column)
{
	size_t other = 0;

	if (a->pipe != NULL)
		return pipe_help(a->pipe, collect, w);
	grammar_help(a->first, a->mode, a->privilege, a->line, column, collect, w);
	if (a->second != NULL) {
		grammar_help(a->second, a->mode, a->privilege, a->line, &other, collect, w);
		*column = *column > other ? *column : other;
	}
	if (w->n > 0)
		offer_pipe(sh, a, w);
	return w->n;
}

/* `cry?`: the words themselves, side by side, as IOS does. */
static void show_prefixed(struct out *o, const struct help_words *w)
{
	size_t used = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (used > 0 && used + w->width + 2 > 78) {
			out_printf(o, "\n");
			used = 0;
		}
		out_printf(o, i + 1 < w->n ? "%-*s  " : "%-*s", i + 1 < w->n ? (int)w->width : 0, w->list[i].word);
		used += w->width + 2;
	}
	out_printf(o, "\n\n");
}

static void show_words(struct out *o, const struct help_words *w, bool prefixed)
{
	if (prefixed) {
		show_prefixed(o, w);
		return;
	}
	for (size_t i = 0; i < w->n; i++) {
		if (w->list[i].help[0] == '\0')
			out_printf(o, "  %s\n", w->list[i].word);
		else
			out_printf(o, "  %-*s  %s\n", (int)w->width, w->list[i].word, w->list[i].help);
	}
	out_printf(o, "\n");
}

/* Arguments are shown as <1-10>, WORD or A.B.C.D; keywords may begin with a capital. */
static bool is_argument(const char *word)
{
	return word[0] == '<' || (word[0] >= 'A' && word[0] <= 'Z' && (word[1] == '.' || (word[1] >= 'A' && word[1] <= 'Z'))) ||
	       strcmp(word, "Hex-data") == 0;
}

static bool keywords_only(const struct help_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (is_argument(w->list[i].word))
			return false;
	return true;
}

static void help(void *ctx, const char *line)
{
	struct shell *sh = ctx;
	struct asked a = asked_of(sh, line);
	struct help_words *w = calloc(1, sizeof(*w));
	char prompt[TERM_PROMPT];
	struct screen s;
	size_t column = 0;

	if (w == NULL)
		return;
	screen_open(sh, &s, NULL);
	shell_prompt(sh, prompt);
	if (find_words(sh, &a, w, &column) == 0) {
		if (a.line[column] == '\0' && ends_in_word(a.line))
			out_printf(&s.out, "%% Unrecognized command\n");
		else
			error_invalid(&s.out, strlen(prompt) + (size_t)(a.line - line), column);
	} else {
		qsort(w->list, w->n, sizeof(w->list[0]), by_word);
		show_words(&s.out, w, ends_in_word(a.line) && a.pipe == NULL && keywords_only(w));
	}
	screen_close(&s, NULL);
	free(w);
}

static bool complete(void *ctx, const char *line, char *out, size_t size)
{
	struct shell *sh = ctx;
	struct asked a = asked_of(sh, line);
	const char *word;
	char other[256];
	bool first, second;

	if (a.pipe != NULL) {
		word = pipe_complete(a.pipe);
		if (word != NULL)
			snprintf(out, size, "%s", word);
		return word != NULL;
	}
	first = grammar_complete(a.first, a.mode, a.privilege, a.line, out, size);
	if (a.second == NULL)
		return first;
	second = grammar_complete(a.second, a.mode, a.privilege, a.line, other, sizeof(other));
	if (!first && second)
		snprintf(out, size, "%s", other);
	return first != second;
}

struct term_help shell_help(struct shell *sh)
{
	return (struct term_help){ help, complete, sh };
}
