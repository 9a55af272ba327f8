/* The filter of a router. */
#include "datapath/filter/filter.h"

#include "datapath/filter/generator.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

unsigned list_index(const struct cfg *c, const struct cfg_acl *acl)
{
	return (unsigned)(acl - c->acls);
}

void list_once(struct generator *g, const struct cfg_acl *acl, bool *done, const struct list_use *use)
{
	unsigned index = list_index(g->c, acl);

	if (done[index])
		return;
	done[index] = true;
	list_emit(g->t, acl, index, use);
}

/* `jump` to the list of an access-group; a list that is not there or has no lines permits all. */
static void group_jump(struct generator *g, const char *name, const char *match)
{
	const struct cfg_acl *acl = cfg_acl(g->c, name);

	if (!list_has_lines(acl))
		return;
	list_once(g, acl, g->done.group, &list_use_group);
	text_put(&g->chains, "\t\t%sjump g%u\n", match, list_index(g->c, acl));
}

static void egress(struct generator *g, const struct cfg_interface *i)
{
	struct text *t = &g->chains;

	text_put(t, "\tchain out_%s {\n", i->ifname);
	text_put(t, "\t\ttype filter hook egress device \"%s\" priority 0; policy accept;\n", i->ifname);
	text_put(t, "\t\tmeta protocol != ip accept\n");
	text_put(t, "\t\tip saddr @local ip protocol { 50, 51 } accept\n");
	text_put(t, "\t\tip saddr @local ip protocol 17 meta mark 0x%08x accept\n", FILTER_SOCKET_MARK);
	text_put(t, "\t\tip saddr @local udp sport { 500, 4500 } accept\n");
	map_answers(g, i);
	map_protect(g, i);
	/* An error of our own about what came out of a tunnel carries its head: not in clear. */
	text_put(t, "\t\tip saddr @local " FILTER_OWN_ERROR " drop\n", FILTER_TUNNEL_MARK);
	text_put(t, "\t}\n");
}

/* Behind the access-group: what has passed it is either ours to decrypt, or clear. */
static void ingress_crypto(struct generator *g, const struct cfg_interface *i)
{
	struct text *t = &g->chains;

	/* The engine has its own copy of whole packets; fragments are put together for its raw socket. */
	text_put(t, "\t\tip daddr @local ip protocol { 50, 51 } ip frag-off & 0x3fff == 0x0 drop\n");
	text_put(t, "\t\tip daddr @local ip protocol { 50, 51 } accept\n");
	text_put(t, "\t\tip daddr @local udp dport { 500, 4500 } accept\n");
	/* Later fragments have no ports; without their first one, which is checked, they come to nothing. */
	text_put(t, "\t\tip daddr @local ip protocol 17 ip frag-off & 0x1fff != 0x0 accept\n");
	/* Errors about our own ESP or UDP, by which the path MTU is learnt. */
	text_put(t, "\t\tip daddr @local icmp type 3 @th,136,8 { 17, 50, 51 } accept\n");
	map_refuse_clear(g, i);
}

static void ingress(struct generator *g, const struct cfg_interface *i)
{
	struct text *t = &g->chains;

	text_put(t, "\tchain in_%s {\n", i->ifname);
	text_put(t, "\t\ttype filter hook ingress device \"%s\" priority 0; policy accept;\n", i->ifname);
	text_put(t, "\t\tmeta protocol != ip accept\n");
	group_jump(g, i->acl_in, "");
	if (i->crypto_map[0])
		ingress_crypto(g, i);
	text_put(t, "\t}\n");
}

static void local_addresses(struct generator *g)
{
	size_t n = 0;
	char ip[16];

	text_put(g->t, "\tset local {\n\t\ttype ipv4_addr\n");
	for (size_t k = 0; k < g->c->ninterfaces; k++) {
		const struct cfg_interface *i = &g->c->interfaces[k];

		if (i->ip.mask)
			text_put(g->t, "%s%s", n++ ? ", " : "\t\telements = { ", ip4_print(ip, i->ip.addr));
		for (size_t s = 0; s < i->nsecondary; s++)
			text_put(g->t, "%s%s", n++ ? ", " : "\t\telements = { ", ip4_print(ip, i->secondary[s].addr));
	}
	text_put(g->t, "%s\t}\n", n ? " }\n" : "");
}

/* What an access-group denies is answered as IOS does: ICMP communication administratively prohibited (RFC 1812, 5.3.9), one in
 * 500 ms, never about ICMP errors, later fragments, broadcasts or multicasts (4.3.2.7). */
static void refuse_chain(struct generator *g, const char *answer)
{
	text_put(g->t,
		"\tchain " LIST_REFUSE " {\n"
		"\t\tmeta pkttype != host drop\n"
		"\t\tip frag-off & 0x1fff != 0x0 drop\n"
		"\t\ticmp type { 3, 4, 5, 11, 12 } drop\n"
		"\t\tlimit rate 2/second burst 1 packets %s\n"
		"\t\tdrop\n\t}\n",
		answer);
}

static void common_chains(struct generator *g)
{
	char answer[64];

	/* A netdev hook cannot answer by a route: the packet goes on, marked, to where that is known. */
	snprintf(answer, sizeof(answer), "meta mark set 0x%08x accept", FILTER_REFUSED_MARK);
	refuse_chain(g, answer);
	text_put(g->t, "\tchain engine {\n\t\tfwd to \"%s\"\n\t}\n", g->env->tap);
	text_put(g->t,
		"\tcounter clear {\n\t\tcomment \"" FILTER_CLEAR_COMMENT "\"\n\t}\n"
		"\tchain clear {\n\t\tcounter name \"clear\"\n"
		"\t\tlimit rate 5/second burst 5 packets log prefix \"" FILTER_CLEAR_PREFIX "\" group %d snaplen %d\n"
		"\t\tdrop\n\t}\n",
		LIST_LOG_GROUP, LIST_LOG_SNAPLEN);
}

static void tap_ingress(struct generator *g)
{
	text_put(&g->chains,
		"\tchain in_%s {\n\t\ttype filter hook ingress device \"%s\" priority 0; policy accept;\n"
		"\t\tmeta mark set 0x%08x\n",
		g->env->tap, g->env->tap, FILTER_TUNNEL_MARK);
	map_check_opened(g);
	text_put(&g->chains, "\t}\n");
}

static bool here(const struct generator *g, const struct cfg_interface *i)
{
	return g->env->ifindex(g->env->ctx, i->ifname) != 0;
}

static void netdev_table(struct generator *g)
{
	text_put(g->t, "\t# %s is device %d\n", g->env->tap, g->env->ifindex(g->env->ctx, g->env->tap));
	local_addresses(g);
	common_chains(g);
	tap_ingress(g);
	for (size_t k = 0; k < g->c->ninterfaces; k++) {
		const struct cfg_interface *i = &g->c->interfaces[k];

		if (!here(g, i))
			continue;
		text_put(&g->chains, "\t# %s is device %d\n", i->ifname, g->env->ifindex(g->env->ctx, i->ifname));
		if (i->crypto_map[0] || list_has_lines(cfg_acl(g->c, i->acl_in)))
			ingress(g, i);
		if (i->crypto_map[0])
			egress(g, i);
	}
}

/* On what goes through the router in either direction; never made larger. */
static void adjust_mss(struct generator *g, const struct cfg_interface *i)
{
	static const char *const directions[] = { "iifname", "oifname" };

	for (int d = 0; i->adjust_mss && d < 2; d++)
		text_put(&g->chains,
			"\t\t%s \"%s\" tcp flags & 0x6 == 0x2 tcp option maxseg size > %u tcp option maxseg size set %u\n",
			directions[d], i->ifname, i->adjust_mss, i->adjust_mss);
}

static void ip_table(struct generator *g)
{
	char match[64];

	refuse_chain(g, "reject with icmp type admin-prohibited");
	text_put(&g->chains, "\tchain refused {\n\t\ttype filter hook prerouting priority -300; policy accept;\n");
	text_put(&g->chains, "\t\tmeta mark 0x%08x reject with icmp type admin-prohibited\n\t}\n", FILTER_REFUSED_MARK);
	text_put(&g->chains, "\tchain forward {\n\t\ttype filter hook forward priority 0; policy accept;\n");
	for (size_t k = 0; k < g->c->ninterfaces; k++) {
		const struct cfg_interface *i = &g->c->interfaces[k];

		snprintf(match, sizeof(match), "oifname \"%s\" ", i->ifname);
		adjust_mss(g, i);
		group_jump(g, i->acl_out, match);
	}
	text_put(&g->chains, "\t}\n\tchain leave {\n\t\ttype filter hook postrouting priority 300; policy accept;\n");
	for (size_t k = 0; k < g->c->ninterfaces; k++) {
		const struct cfg_interface *i = &g->c->interfaces[k];

		if (i->crypto_map[0] && !here(g, i))
			text_put(&g->chains, "\t\toifname \"%s\" drop\n", i->ifname);
	}
	text_put(&g->chains, "\t}\n");
}

static enum err table(struct text *t, const struct cfg *c, const struct filter_env *env, void (*body)(struct generator *g))
{
	bool *done = mem_calloc(4 * (c->nacls + 1), sizeof(*done));
	struct generator g = { .t = t, .c = c, .env = env };
	enum err e;

	if (!done)
		return ERR_NOMEM;
	g.done = (struct emitted){ done, done + c->nacls, done + 2 * c->nacls, done + 3 * c->nacls };
	body(&g);
	text_bytes(t, text_of(&g.chains), g.chains.len);
	e = t->failed || g.failed || g.chains.failed ? ERR_NOMEM : ERR_OK;
	text_free(&g.chains);
	mem_free(done);
	return e;
}

enum err filter_generate(struct filter *f, const struct cfg *c, const struct filter_env *env)
{
	enum err e;

	memset(f, 0, sizeof(*f));
	e = table(&f->netdev, c, env, netdev_table);
	return e == ERR_OK ? table(&f->ip, c, env, ip_table) : e;
}

void filter_free(struct filter *f)
{
	text_free(&f->netdev);
	text_free(&f->ip);
}

void filter_program(struct text *t, const struct filter *f, const char *now, const char *before)
{
	static const char *const families[] = { "netdev", "ip" };
	const struct text *bodies[] = { &f->netdev, &f->ip };

	for (int i = 0; i < 2; i++) {
		/* Named first, so that the one that is not there yet can be deleted or emptied too. */
		text_put(t, "table %s %s {\n}\ndelete table %s %s\n", families[i], now, families[i], now);
		text_put(t, "table %s %s {\n}\nflush table %s %s\n", families[i], before, families[i], before);
		text_put(t, "table %s %s {\n", families[i], now);
		text_bytes(t, text_of(bodies[i]), bodies[i]->len);
		text_put(t, "}\n");
	}
}
