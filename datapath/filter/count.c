/* Match counts of access-list lines. */
#include "datapath/filter/count.h"

#include "datapath/filter/filter.h"
#include "datapath/filter/list.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_line(const void *a, const void *b)
{
	const struct line_count *x = a, *y = b;
	int names = strcmp(x->acl, y->acl);

	return names ? names : (x->seq > y->seq) - (x->seq < y->seq);
}

static struct line_count *find(const struct counts *c, const char *acl, uint32_t seq)
{
	struct line_count key = { .seq = seq };

	snprintf(key.acl, sizeof(key.acl), "%s", acl);
	return c->n ? bsearch(&key, c->lines, c->n, sizeof(key), by_line) : NULL;
}

enum err counts_renew(struct counts *c, const struct cfg *cfg)
{
	struct line_count *lines;
	size_t n = 0;

	for (size_t i = 0; i < cfg->nacls; i++)
		n += cfg->acls[i].nentries;
	lines = mem_calloc(n + 1, sizeof(*lines));
	if (!lines)
		return ERR_NOMEM;
	n = 0;
	for (size_t i = 0; i < cfg->nacls; i++)
		for (size_t k = 0; k < cfg->acls[i].nentries; k++) {
			const struct cfg_ace *a = &cfg->acls[i].entries[k];
			const struct line_count *was = find(c, cfg->acls[i].name, a->seq);
			struct line_count *l = &lines[n];

			if (a->remark)
				continue;
			n++;
			memcpy(l->acl, cfg->acls[i].name, CFG_NAME);
			memcpy(l->text, a->text, CFG_LINE);
			l->seq = a->seq;
			l->permit = a->permit;
			if (was && strcmp(was->text, a->text) == 0)
				l->base = was->base, l->live = was->live;
		}
	qsort(lines, n, sizeof(*lines), by_line);
	mem_free(c->lines);
	c->lines = lines;
	c->n = n;
	return ERR_OK;
}

/* The comment of a counter is what we wrote: NAME:SEQ, or that of clear text. */
static void found(struct counts *c, const char *comment, size_t len, uint64_t packets)
{
	char name[3 * CFG_NAME + 16], *colon;
	struct line_count *l;

	if (len >= sizeof(name))
		return;
	memcpy(name, comment, len);
	name[len] = '\0';
	colon = strrchr(name, ':');
	if (!colon) {
		if (strcmp(name, FILTER_CLEAR_COMMENT) == 0)
			c->clear_live += packets;
		return;
	}
	*colon = '\0';
	list_unescape(name);
	l = find(c, name, (uint32_t)strtoul(colon + 1, NULL, 10));
	if (l)
		l->live += packets;
}

static const char comment[] = "comment \"";

/* The comment that stands between `at` and `end` is found again by its packets. */
static void take(struct counts *c, const char *at, const char *end, uint64_t packets)
{
	const char *quote = strstr(at, comment), *closing = quote ? strchr(quote + strlen(comment), '"') : NULL;

	if (closing && closing < end)
		found(c, quote + strlen(comment), (size_t)(closing - quote) - strlen(comment), packets);
}

/* An element: counter packets N bytes N comment "..." */
static void read_elements(struct counts *c, const char *listing)
{
	static const char counter[] = "counter packets ";

	while ((listing = strstr(listing, counter)) != NULL) {
		uint64_t packets = strtoull(listing + strlen(counter), NULL, 10);
		const char *end = strchr(listing, '\n'), *neighbour;

		listing += strlen(counter);
		neighbour = strstr(listing, counter);
		end = end ? end : listing + strlen(listing);
		take(c, listing, neighbour && neighbour < end ? neighbour : end, packets);
	}
}

/* A named counter: one line with the comment, the next begins with: packets N bytes N */
static void read_named(struct counts *c, const char *listing)
{
	static const char packets[] = "packets ";
	const char *line = listing, *before = NULL;

	for (; line; before = line, line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *word = line + strspn(line, " \t");

		if (before && strncmp(word, packets, strlen(packets)) == 0)
			take(c, before, line, strtoull(word + strlen(packets), NULL, 10));
	}
}

void counts_read(struct counts *c, const char *listing)
{
	for (size_t i = 0; i < c->n; i++)
		c->lines[i].live = 0;
	c->clear_live = 0;
	read_elements(c, listing);
	read_named(c, listing);
}

void counts_settle(struct counts *c)
{
	for (size_t i = 0; i < c->n; i++) {
		c->lines[i].base += c->lines[i].live;
		c->lines[i].live = 0;
	}
	c->clear_base += c->clear_live;
	c->clear_live = 0;
}

uint64_t counts_line(const struct line_count *l)
{
	return l->base + l->live;
}

uint64_t counts_clear_text(const struct counts *c)
{
	return c->clear_base + c->clear_live;
}

void counts_zero(struct counts *c, const char *acl)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(acl, "*") == 0 || strcmp(acl, c->lines[i].acl) == 0)
			c->lines[i].base = -c->lines[i].live;
}

void counts_zero_clear_text(struct counts *c)
{
	c->clear_base = -c->clear_live;
}

void counts_free(struct counts *c)
{
	mem_free(c->lines);
	*c = (struct counts){ 0 };
}
