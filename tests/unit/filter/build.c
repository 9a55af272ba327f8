/* Snapshots for tests. Knows only what the tests write, and fails loudly on all else. */
#include "tests/unit/filter/build.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct words {
	char *at[40];
	int n, i;
};

static char *next(struct words *w)
{
	return w->i < w->n ? w->at[w->i++] : (char *)"";
}

static bool take(struct words *w, const char *word)
{
	if (w->i >= w->n || strcmp(w->at[w->i], word) != 0)
		return false;
	w->i++;
	return true;
}

static void *grow(void *p, size_t n, size_t size)
{
	p = realloc(p, (n + 1) * size);
	assert_non_null(p);
	memset((char *)p + n * size, 0, size);
	return p;
}

static uint32_t ip(const char *text)
{
	uint32_t v = 0;

	if (ip4_parse(&v, text) != ERR_OK)
		fail_msg("no address: %s", text);
	return v;
}

static void address(struct words *w, uint32_t *addr, uint32_t *wild, bool standard)
{
	*addr = *wild = 0;
	if (take(w, "any")) {
		*wild = 0xffffffffu;
	} else if (take(w, "host")) {
		*addr = ip(next(w));
	} else {
		*addr = ip(next(w));
		if (!standard || (w->i < w->n && strchr(w->at[w->i], '.')))
			*wild = ip(next(w));
	}
}

static void ports(struct words *w, struct cfg_port *p)
{
	static const struct {
		const char *word;
		enum cfg_port_op op;
	} ops[] = { { "eq", PORT_EQ }, { "neq", PORT_NEQ }, { "lt", PORT_LT }, { "gt", PORT_GT }, { "range", PORT_RANGE } };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (take(w, ops[i].word))
			p->op = ops[i].op;
	while (p->op != PORT_ANY && w->i < w->n && strspn(w->at[w->i], "0123456789") == strlen(w->at[w->i]))
		p->values[p->nvalues++] = (uint16_t)atoi(next(w));
}

static int protocol(const char *word)
{
	static const struct {
		const char *word;
		int number;
	} names[] = { { "ip", -1 }, { "tcp", 6 }, { "udp", 17 }, { "icmp", 1 }, { "esp", 50 }, { "ahp", 51 }, { "gre", 47 } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(word, names[i].word) == 0)
			return names[i].number;
	return atoi(word);
}

static void options(struct words *w, struct cfg_ace *a)
{
	while (w->i < w->n) {
		if (take(w, "established"))
			a->established = true;
		else if (take(w, "fragments"))
			a->fragments = true;
		else if (take(w, "log"))
			a->log = true;
		else if (take(w, "syn"))
			a->tcp_flags_set |= 2;
		else if (take(w, "-ack"))
			a->tcp_flags_clear |= 16;
		else if (take(w, "dscp"))
			a->dscp = (int16_t)atoi(next(w));
		else if (take(w, "precedence"))
			a->precedence = (int16_t)atoi(next(w));
		else if (take(w, "tos"))
			a->tos = (int16_t)atoi(next(w));
		else if (a->protocol == IPPROTO_ICMP && a->icmp_type < 0)
			a->icmp_type = (int16_t)atoi(next(w));
		else if (a->protocol == IPPROTO_ICMP && a->icmp_code < 0)
			a->icmp_code = (int16_t)atoi(next(w));
		else
			fail_msg("what is %s?", w->at[w->i]);
	}
}

static void entry(struct cfg_acl *acl, struct words *w, const char *line)
{
	struct cfg_ace *a;

	acl->entries = grow(acl->entries, acl->nentries, sizeof(*acl->entries));
	a = &acl->entries[acl->nentries];
	a->seq = acl->nentries ? a[-1].seq + 10 : 10;
	acl->nentries++;
	a->icmp_type = a->icmp_code = a->dscp = a->precedence = a->tos = -1;
	snprintf(a->text, sizeof(a->text), "%s", line);
	if (w->at[0][0] >= '0' && w->at[0][0] <= '9')
		a->seq = (uint32_t)atoi(next(w));
	if (take(w, "remark")) {
		a->remark = true;
		return;
	}
	a->permit = strcmp(next(w), "permit") == 0;
	a->protocol = -1;
	if (acl->extended)
		a->protocol = (int16_t)protocol(next(w));
	address(w, &a->src, &a->src_wild, !acl->extended);
	if (acl->extended) {
		ports(w, &a->src_port);
		address(w, &a->dst, &a->dst_wild, false);
		ports(w, &a->dst_port);
	}
	options(w, a);
}

static void interface(struct cfg *c, struct words *w)
{
	struct cfg_interface *i;
	char *slash;

	c->interfaces = grow(c->interfaces, c->ninterfaces, sizeof(*c->interfaces));
	i = &c->interfaces[c->ninterfaces++];
	if (ifname_parse(i->name, i->ifname, next(w)) != ERR_OK)
		fail_msg("no interface");
	slash = strchr(w->at[w->i], '/');
	*slash = '\0';
	i->ip = (struct cfg_ip){ ip(next(w)), ip4_mask_of(atoi(slash + 1)) };
	while (w->i < w->n) {
		if (take(w, "in"))
			snprintf(i->acl_in, CFG_NAME, "%s", next(w));
		else if (take(w, "out"))
			snprintf(i->acl_out, CFG_NAME, "%s", next(w));
		else if (take(w, "map"))
			snprintf(i->crypto_map, CFG_NAME, "%s", next(w));
		else if (take(w, "mss"))
			i->adjust_mss = (uint16_t)atoi(next(w));
		else
			fail_msg("what is %s?", w->at[w->i]);
	}
}

static void map(struct cfg *c, struct words *w)
{
	struct cfg_map_entry *e;

	c->maps = grow(c->maps, c->nmaps, sizeof(*c->maps));
	e = &c->maps[c->nmaps++];
	snprintf(e->map, CFG_NAME, "%s", next(w));
	e->seq = (uint16_t)atoi(next(w));
	if (take(w, "dynamic")) {
		e->kind = MAP_DYNAMIC;
		snprintf(e->dynamic, CFG_NAME, "%s", next(w));
		return;
	}
	snprintf(e->acl, CFG_NAME, "%s", next(w));
	e->kind = take(w, "manual") ? MAP_MANUAL : MAP_ISAKMP;
	e->peers[0].addr = ip("198.51.100.2");
	e->npeers = take(w, "incomplete") ? 0 : 1;
	snprintf(e->sets[0], CFG_NAME, "TS");
	e->nsets = 1;
}

/* The transform-set asks for no keys, so a manual entry is complete without. */
static void dynamic(struct cfg *c, struct words *w)
{
	struct cfg_map_entry *e;

	c->dynamics = grow(c->dynamics, c->ndynamics, sizeof(*c->dynamics));
	e = &c->dynamics[c->ndynamics++];
	snprintf(e->map, CFG_NAME, "%s", next(w));
	e->seq = (uint16_t)atoi(next(w));
	snprintf(e->sets[0], CFG_NAME, "TS");
	e->nsets = 1;
}

static void statement(struct cfg *c, char *line)
{
	struct words w = { .n = 0 };
	char whole[CFG_LINE];

	snprintf(whole, sizeof(whole), "%s", line);
	for (char *word = strtok(line, " \t"); word; word = strtok(NULL, " \t"))
		w.at[w.n++] = word;
	if (!w.n)
		return;
	if (take(&w, "interface")) {
		interface(c, &w);
	} else if (take(&w, "map")) {
		map(c, &w);
	} else if (take(&w, "dynamic")) {
		dynamic(c, &w);
	} else if (take(&w, "list")) {
		c->acls = grow(c->acls, c->nacls, sizeof(*c->acls));
		snprintf(c->acls[c->nacls].name, CFG_NAME, "%s", next(&w));
		c->acls[c->nacls++].extended = take(&w, "extended");
	} else {
		entry(&c->acls[c->nacls - 1], &w, whole);
	}
}

struct cfg *build_cfg(const char *text)
{
	struct cfg *c = grow(NULL, 0, sizeof(*c));
	char *copy = strdup(text), *rest = copy, *line;

	c->sets = grow(NULL, 0, sizeof(*c->sets));
	snprintf(c->sets[c->nsets++].name, CFG_NAME, "TS");
	while ((line = strsep(&rest, "\n")) != NULL)
		statement(c, line);
	free(copy);
	return c;
}

void build_free(struct cfg *c)
{
	for (size_t i = 0; i < c->nacls; i++)
		free(c->acls[i].entries);
	free(c->acls);
	free(c->interfaces);
	free(c->maps);
	free(c->dynamics);
	free(c->sets);
	free(c);
}
