/* The pager counts rows as the screen does: a line longer than the screen is wide takes several. */
#include "cli/pager.h"

#include "cli/pipe.h"

#include <stdio.h>
#include <string.h>

#define MORE " --More-- "

static void put(struct pager *p, const char *text, size_t len)
{
	p->io->write(p->io->ctx, text, len);
}

static void erase(struct pager *p, size_t columns)
{
	char back[160];

	if (columns > 40)
		columns = 40;
	memset(back, '\b', columns);
	memset(back + columns, ' ', columns);
	memset(back + 2 * columns, '\b', columns);
	put(p, back, 3 * columns);
}

static unsigned rows_of(const struct pager *p, size_t len)
{
	return p->columns == 0 || len == 0 ? 1 : (unsigned)((len - 1) / p->columns) + 1;
}

/* `/`, `+` or `-` was pressed: from now on only what the expression chooses is shown. */
static bool look_for(struct pager *p, char key)
{
	char line[256], posix[2048], prompt[2] = { key, '\0' };

	if (!p->io->ask(p->io->ctx, prompt, line, sizeof(line)) || line[0] == '\0')
		return false;
	if (p->regex_set)
		regfree(&p->regex);
	p->regex_set = pipe_regex(posix, sizeof(posix), line) && regcomp(&p->regex, posix, REG_EXTENDED | REG_NOSUB) == 0;
	if (!p->regex_set)
		return false;
	p->look = key == '/' ? PAGER_BEGIN : key == '+' ? PAGER_ONLY : PAGER_WITHOUT;
	if (key == '/')
		put(p, "filtering...\n", 13);
	p->used = 0;
	return true;
}

/* False: the user left. */
static bool more(struct pager *p)
{
	for (;;) {
		int key;

		put(p, MORE, sizeof(MORE) - 1);
		key = p->io->key(p->io->ctx);
		erase(p, sizeof(MORE) - 1);
		switch (key) {
		case ' ':
			p->used = 0;
			return true;
		case '\r':
		case '\n':
			p->used--;
			return true;
		case '/':
		case '+':
		case '-':
			if (look_for(p, (char)key))
				return true;
			break;
		default:
			p->left = true;
			return false;
		}
	}
}

/* Whether `/`, `+` and `-` let the line through. */
static bool chosen(struct pager *p, const char *text, size_t len)
{
	char line[4096];
	bool match;

	if (p->look == PAGER_ALL)
		return true;
	snprintf(line, sizeof(line), "%.*s", (int)len, text);
	match = regexec(&p->regex, line, 0, NULL, 0) == 0;
	if (p->look == PAGER_BEGIN && match)
		p->look = PAGER_ALL;
	return p->look == PAGER_WITHOUT ? !match : match;
}

static bool pager_line(struct stage *s, const char *text, size_t len)
{
	struct pager *p = (struct pager *)s;
	unsigned rows = rows_of(p, len);

	if (p->left)
		return false;
	if (!chosen(p, text, len))
		return true;
	if (p->rows > 0 && p->used > 0 && p->used + rows > (p->rows > 1 ? p->rows - 1 : 1) && !more(p))
		return false;
	if (!chosen(p, text, len))
		return true;
	put(p, text + p->shown, len - p->shown);
	put(p, "\n", 1);
	p->shown = 0;
	p->used += rows;
	return true;
}

void pager_partial(void *ctx, const char *text, size_t len)
{
	struct pager *p = ctx;

	put(p, text, len);
	p->shown += len;
}

void pager_init(struct pager *p, const struct pager_io *io, unsigned rows, unsigned columns)
{
	*p = (struct pager){ .stage = { .line = pager_line }, .io = io, .rows = rows, .columns = columns };
}

void pager_end(struct pager *p)
{
	if (p->regex_set)
		regfree(&p->regex);
	p->regex_set = false;
}
