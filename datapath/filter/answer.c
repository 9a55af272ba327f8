/* Where the router's ICMP errors about decrypted packets come from.
 *
 * The kernel takes the address of whatever interface it finds first, since such a packet came in by the TAP, which has none. A
 * crypto list that permits `inside to far side` does not take an error from the outside address, so it could not be sent at all: no
 * path MTU, no traceroute. So it gets an inside address that the line permits, before the lists are asked.
 */
#include "datapath/filter/generator.h"

#include <netinet/in.h>

#define LINES_MAX 64

/* Can the line take an ICMP error? */
static bool takes_errors(const struct cfg_ace *a)
{
	return !a->remark && a->permit && (a->protocol < 0 || a->protocol == IPPROTO_ICMP) && a->icmp_type < 0 && !a->fragments;
}

/* An address of ours that the line permits as a source, 0 if there is none. */
static uint32_t address_within(const struct cfg *c, const struct cfg_ace *a)
{
	for (size_t k = 0; k < c->ninterfaces; k++) {
		const struct cfg_interface *i = &c->interfaces[k];

		if (i->ip.mask && !i->crypto_map[0] && !((i->ip.addr ^ a->src) & ~a->src_wild))
			return i->ip.addr;
	}
	return 0;
}

static void line_put(struct text *t, const struct cfg_ace *a, uint32_t from)
{
	char ip[16], mask[16];

	text_put(t, "\t\t");
	if (a->dst_wild != 0xffffffffu)
		text_put(t, "ip daddr & %s == %s ", ip4_print(mask, ~a->dst_wild), ip4_print(ip, a->dst & ~a->dst_wild));
	text_put(t, "ip saddr set %s return\n", ip4_print(ip, from));
}

static unsigned list_put(struct text *t, const struct cfg *c, const struct cfg_acl *acl, unsigned room)
{
	unsigned n = 0;

	for (size_t k = 0; acl && acl->extended && k < acl->nentries && n < room; k++) {
		const struct cfg_ace *a = &acl->entries[k];
		uint32_t from = takes_errors(a) ? address_within(c, a) : 0;

		if (!from)
			continue;
		line_put(t, a, from);
		n++;
	}
	return n;
}

void map_answers(struct generator *g, const struct cfg_interface *i)
{
	struct text lines = { 0 };
	unsigned n = 0;

	for (const struct cfg_map_entry *e = cfg_map_first(g->c, i->crypto_map); e; e = cfg_map_next(g->c, e))
		if (!cfg_map_entry_fault(g->c, e))
			n += list_put(&lines, g->c, cfg_acl(g->c, e->acl), LINES_MAX - n);
	if (n > 0) {
		text_put(g->t, "\tchain answer_%s {\n%s\t}\n", i->ifname, text_of(&lines));
		text_put(&g->chains, "\t\tip saddr @local " FILTER_OWN_ERROR " jump answer_%s\n", FILTER_TUNNEL_MARK, i->ifname);
	}
	g->failed |= lines.failed;
	text_free(&lines);
}
