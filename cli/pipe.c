/* The filters behind `|`. Each line is looked at once, alone; `section` remembers how deep it began. */
#include "cli/pipe.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct word {
	const char *text, *help;
	enum pipe_kind kind;
} words[] = {
	{ "begin", "Begin with the line that matches", PIPE_BEGIN },
	{ "count", "Count number of lines which match regexp", PIPE_COUNT },
	{ "exclude", "Exclude lines that match", PIPE_EXCLUDE },
	{ "include", "Include lines that match", PIPE_INCLUDE },
	{ "section", "Filter a section of output", PIPE_SECTION },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *pipe_find(const char *line)
{
	for (const char *p = line; *p != '\0'; p++)
		if (*p == '|' && p > line && isspace((unsigned char)p[-1]))
			return p;
	return NULL;
}

/* Whether `at` begins a bracket expression, and where it ends; an unclosed one is regcomp's to refuse. */
static const char *bracket_end(const char *at)
{
	const char *p = at + 1;

	if (*p == '^')
		p++;
	if (*p == ']')
		p++;
	return strchr(p, ']');
}

bool pipe_regex(char *out, size_t size, const char *ios)
{
	static const char edge[] = "(^|[ ,{}()_]|$)";
	size_t n = 0;

	for (const char *p = ios; *p != '\0'; p++) {
		const char *from = p, *end;
		size_t len = 1;

		if (*p == '\\' && p[1] != '\0') {
			len = 2;
		} else if (*p == '[' && (end = bracket_end(p)) != NULL) {
			len = (size_t)(end - p) + 1;
		} else if (*p == '_') {
			if (n + sizeof(edge) > size)
				return false;
			memcpy(out + n, edge, sizeof(edge) - 1);
			n += sizeof(edge) - 1;
			continue;
		}
		if (n + len + 1 > size)
			return false;
		memcpy(out + n, from, len);
		n += len;
		p += len - 1;
	}
	out[n] = '\0';
	return true;
}

/* The word at `at` as a unique abbreviation. */
static enum err find_word(const char *at, size_t len, const struct word **found)
{
	size_t hits = 0;

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strncasecmp(words[i].text, at, len) != 0)
			continue;
		*found = &words[i];
		hits++;
	}
	return hits == 1 ? ERR_OK : hits == 0 ? ERR_INVALID : ERR_AMBIGUOUS;
}

static const char *skip_blanks(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static size_t word_len(const char *p)
{
	size_t n = 0;

	while (p[n] != '\0' && !isspace((unsigned char)p[n]))
		n++;
	return n;
}

/* `section [include|exclude] REGEX`; the word is one only when an expression follows it. */
static const char *section_word(struct pipe_filter *f, const char *at)
{
	size_t len = word_len(at);
	const char *rest = skip_blanks(at + len);

	if (len < 2 || *rest == '\0')
		return at;
	if (strncasecmp("exclude", at, len) == 0)
		f->kind = PIPE_SECTION_EXCLUDE;
	else if (strncasecmp("include", at, len) != 0)
		return at;
	return rest;
}

static enum err compile(struct pipe_filter *f, const char *expression, char why[128])
{
	char posix[2048];
	int rc;

	if (*expression == '\0')
		return ERR_INCOMPLETE;
	if (!pipe_regex(posix, sizeof(posix), expression)) {
		snprintf(why, 128, "too long");
		return ERR_CONFLICT;
	}
	rc = regcomp(&f->regex, posix, REG_EXTENDED | REG_NOSUB);
	if (rc == 0)
		return ERR_OK;
	regerror(rc, &f->regex, why, 128);
	return ERR_CONFLICT;
}

static size_t indent_of(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] == ' ')
		n++;
	return n;
}

/* Inside a section stay the lines that are indented deeper than its first one. */
static bool in_section(struct pipe_filter *f, bool match, const char *text, size_t len)
{
	size_t indent = indent_of(text, len);

	if (f->begun && indent > f->indent)
		return true;
	f->begun = match;
	f->indent = indent;
	return match;
}

static bool wanted(struct pipe_filter *f, bool match, const char *text, size_t len)
{
	switch (f->kind) {
	case PIPE_INCLUDE:
		return match;
	case PIPE_EXCLUDE:
		return !match;
	case PIPE_BEGIN:
		f->begun = f->begun || match;
		return f->begun;
	case PIPE_SECTION:
		return in_section(f, match, text, len);
	case PIPE_SECTION_EXCLUDE:
		return !in_section(f, match, text, len);
	case PIPE_COUNT:
		f->count += match;
		return false;
	case PIPE_NONE:
		break;
	}
	return true;
}

static bool pipe_line(struct stage *s, const char *text, size_t len)
{
	struct pipe_filter *f = (struct pipe_filter *)s;
	char line[4096];
	bool match;

	snprintf(line, sizeof(line), "%.*s", (int)len, text);
	match = regexec(&f->regex, line, 0, NULL, 0) == 0;
	return wanted(f, match, text, len) ? s->next->line(s->next, text, len) : true;
}

enum err pipe_parse(struct pipe_filter *f, const char *text, size_t *column, char why[128])
{
	const char *at = skip_blanks(text);
	size_t len = word_len(at);
	const struct word *w = NULL;
	enum err e;

	*f = (struct pipe_filter){ .stage = { .line = pipe_line } };
	*column = (size_t)(at - text);
	if (len == 0)
		return ERR_INCOMPLETE;
	e = find_word(at, len, &w);
	if (e != ERR_OK)
		return e;
	f->kind = w->kind;
	at = skip_blanks(at + len);
	if (w->kind == PIPE_SECTION)
		at = section_word(f, at);
	return compile(f, at, why);
}

void pipe_connect(struct pipe_filter *f, struct stage *next)
{
	f->stage.next = next;
}

void pipe_end(struct pipe_filter *f)
{
	char text[80];
	int n;

	if (f->kind == PIPE_COUNT) {
		n = snprintf(text, sizeof(text), "Number of lines which match regexp = %lu", f->count);
		f->stage.next->line(f->stage.next, text, (size_t)n);
	}
	if (f->kind != PIPE_NONE)
		regfree(&f->regex);
	f->kind = PIPE_NONE;
}

size_t pipe_help(const char *text, void (*each)(void *ctx, const char *word, const char *help), void *ctx)
{
	const char *at = skip_blanks(text);
	size_t len = word_len(at), n = 0;
	const struct word *w;

	if (at[len] != '\0') {
		if (find_word(at, len, &w) != ERR_OK)
			return 0;
		each(ctx, "LINE", "Regular Expression");
		return 1;
	}
	for (size_t i = 0; i < COUNT(words); i++) {
		if (strncasecmp(words[i].text, at, len) != 0)
			continue;
		each(ctx, words[i].text, words[i].help);
		n++;
	}
	return n;
}

const char *pipe_complete(const char *text)
{
	const char *at = skip_blanks(text);
	size_t len = word_len(at);
	const struct word *w;

	return len > 0 && at[len] == '\0' && find_word(at, len, &w) == ERR_OK ? w->text : NULL;
}
