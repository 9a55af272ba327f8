/* Splitting a text into lines and following the modes.
 *
 * A banner is one line of configuration that spans several of the text: it goes to the store with newlines inside.
 */
#include "apply.h"

#include "configdb/grammar/arg.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct cursor {
	const char *at, *end;
	uint32_t line_no;
};

/* The next line without its end into `line`; false at the end of the text. A line that is too long, or has a NUL in it, gives
 * *len 0 and *broken. */
static bool next_line(struct cursor *c, char *line, size_t size, size_t *len, bool *broken)
{
	const char *stop;

	if (c->at >= c->end)
		return false;
	stop = memchr(c->at, '\n', (size_t)(c->end - c->at));
	if (!stop)
		stop = c->end;
	*len = (size_t)(stop - c->at);
	*broken = *len >= size || memchr(c->at, '\0', *len);
	if (*broken)
		*len = 0;
	memcpy(line, c->at, *len);
	while (*len && line[*len - 1] == '\r')
		(*len)--;
	line[*len] = '\0';
	c->at = stop < c->end ? stop + 1 : stop;
	c->line_no++;
	return true;
}

/* Adds the lines of a banner that has begun in `line` but not ended. False: the text ended first, or it is too long. */
static bool gather_banner(struct cursor *c, char *line, size_t size, size_t len)
{
	while (banner_open(line)) {
		size_t more;
		bool broken;

		if (len + 2 > size)
			return false;
		line[len++] = '\n';
		if (!next_line(c, line + len, size - len, &more, &broken) || broken)
			return false;
		len += more;
	}
	return true;
}

static const char *default_text(const struct cfgm_result *r)
{
	switch (r->code) {
	case GR_INVALID:
		return "% Invalid input detected at '^' marker.";
	case GR_INCOMPLETE:
		return "% Incomplete command.";
	case GR_AMBIGUOUS:
		return "% Ambiguous command.";
	default:
		return "% The line was refused.";
	}
}

static void report(struct apply *a, uint32_t line_no, const char *line, const struct cfgm_result *r, const char *why)
{
	struct cfgm_file_error e = { .line_no = line_no, .column = r ? r->column : 0 };
	size_t len;

	a->errors++;
	if (!a->bad)
		return;
	snprintf(e.line, sizeof(e.line), "%s", line);
	snprintf(e.text, sizeof(e.text), "%s", why ? why : r->text[0] ? r->text : default_text(r));
	for (len = strlen(e.text); len && e.text[len - 1] == '\n'; len--)
		e.text[len - 1] = '\0';
	a->bad(a->ctx, &e);
}

/* What ends a file or a mode; these words are the console's, not the configuration's. */
static bool is_word(const char *line, const char *word)
{
	line += strspn(line, " \t");
	return strncasecmp(line, word, strlen(word)) == 0 && !line[strlen(word) + strspn(line + strlen(word), " \t")];
}

static void apply_line(struct apply *a, struct cfgm_line *in, uint32_t line_no)
{
	struct cfgm_result r = { 0 };
	unsigned tables = 0;

	store_line(a->store, 15, in, a->who, &r, &tables);
	a->tables |= tables;
	if (r.code == GR_OK)
		in->at = r.next;
	else if (r.code != GR_EMPTY)
		report(a, line_no, in->line, &r, NULL);
}

static void apply_lines(struct apply *a, struct cursor *c)
{
	struct cfgm_line in = { .at = { .mode = MODE_CONFIG } };
	size_t len;
	bool broken;

	while (next_line(c, in.line, sizeof(in.line), &len, &broken)) {
		uint32_t line_no = c->line_no;

		if (broken) {
			report(a, line_no, "", NULL, "% The line is too long, or not text.");
		} else if (is_word(in.line, "end")) {
			return;
		} else if (is_word(in.line, "exit")) {
			if (in.at.mode == MODE_CONFIG)
				return;
			in.at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
		} else if (!gather_banner(c, in.line, sizeof(in.line), len)) {
			in.line[strcspn(in.line, "\n")] = '\0';
			report(a, line_no, in.line, NULL, "% The banner does not end.");
		} else {
			apply_line(a, &in, line_no);
		}
	}
}

enum err apply_text(struct apply *a, const char *text, size_t len, bool atomic)
{
	struct cursor c = { .at = text, .end = text + len };
	enum err e = store_begin(a->store);
	bool keep;

	if (e != ERR_OK)
		return e;
	a->tables = a->errors = 0;
	apply_lines(a, &c);
	keep = !(atomic && a->errors);
	e = store_end(a->store, keep);
	if (!keep || e != ERR_OK)
		a->tables = 0;
	return e == ERR_OK && !keep ? ERR_INVALID : e;
}
