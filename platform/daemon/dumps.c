/* From the box's tables to the messages' rows. */
#include "platform/daemon/dumps.h"

#include "platform/base/mem.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The configured primary if the kernel has it, else what the kernel has first. */
static const struct box_addr *primary(const struct cfg_interface *i, const struct box_link *l, const struct box *b)
{
	const struct box_addr *a = NULL;

	if (i != NULL && i->ip.mask != 0)
		a = box_find_addr(b, l->ifname, i->ip.addr, (uint8_t)ip4_mask_len(i->ip.mask));
	for (size_t k = 0; a == NULL && k < b->naddrs; k++)
		if (strcmp(b->addrs[k].ifname, l->ifname) == 0)
			a = &b->addrs[k];
	return a;
}

static uint64_t ago_s(uint64_t then_us, uint64_t now_us)
{
	return then_us == 0 ? UINT64_MAX : (now_us - then_us) / 1000000;
}

/* An exponential average never ends: what is below one error in 510 frames is none. */
static uint8_t reliability(const struct counters_of *n)
{
	double all = n->rx_pps + n->tx_pps + n->error_pps;

	return all > 0 ? (uint8_t)(255 * (all - n->error_pps) / all + 0.5) : 255;
}

static void fill_rates(struct platm_interface *out, const struct counters_of *n, uint64_t now_us)
{
	out->rx_bps = (uint64_t)(n->rx_bps + 0.5);
	out->rx_pps = (uint64_t)(n->rx_pps + 0.5);
	out->tx_bps = (uint64_t)(n->tx_bps + 0.5);
	out->tx_pps = (uint64_t)(n->tx_pps + 0.5);
	out->reliability = reliability(n);
	out->last_input_s = ago_s(n->input_us, now_us);
	out->last_output_s = ago_s(n->output_us, now_us);
}

void dump_interface(struct platm_interface *out, const struct cfg_interface *i, const struct box_link *l, const struct box *b,
	const struct counters_of *n, uint64_t now_us)
{
	const struct box_addr *a;

	memset(out, 0, sizeof(*out));
	out->last_input_s = out->last_output_s = UINT64_MAX;
	out->reliability = 255;
	if (i != NULL)
		memcpy(out->ifname, i->ifname, sizeof(out->ifname));
	else if (l != NULL)
		memcpy(out->ifname, l->ifname, sizeof(out->ifname));
	box_ios_name(out->name, out->ifname);
	if (l == NULL)
		return;
	out->present = 1;
	out->admin_up = l->up;
	out->line_up = box_line_up(l);
	memcpy(out->mac, l->mac, sizeof(out->mac));
	out->mtu = l->mtu;
	out->ip_mtu = i != NULL && i->ip_mtu != 0 ? i->ip_mtu : l->mtu;
	a = primary(i, l, b);
	if (a != NULL) {
		out->ip = addr_v4(a->addr);
		out->prefix_len = a->len;
	} else if (i != NULL && i->ip.mask != 0) { /* shut down: kept, not in use */
		out->ip = addr_v4(i->ip.addr);
		out->prefix_len = (uint8_t)ip4_mask_len(i->ip.mask);
	}
	out->count = l->stats;
	if (n != NULL)
		fill_rates(out, n, now_us);
}

struct rows {
	struct platm_route *r;
	size_t n, cap;
	bool full; /* no memory */
};

static struct platm_route *row(struct rows *t, uint8_t kind, uint32_t prefix, uint8_t len, const char *ifname)
{
	struct platm_route *r;

	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 32 : t->cap * 2;

		r = mem_realloc_array(t->r, cap, sizeof(*r));
		if (r == NULL) {
			t->full = true;
			return NULL;
		}
		t->r = r;
		t->cap = cap;
	}
	r = &t->r[t->n++];
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->prefix = addr_v4(prefix);
	r->prefix_len = len;
	box_ios_name(r->interface, ifname);
	return r;
}

/* Each address of an interface whose line is up: its network, and itself unless the network is just that. */
static void connected_rows(struct rows *t, const struct box *b)
{
	for (size_t i = 0; i < b->naddrs; i++) {
		const struct box_addr *a = &b->addrs[i];
		const struct box_link *l = box_link(b, a->ifname);

		if (l == NULL || !box_name_is_ours(a->ifname) || !box_line_up(l))
			continue;
		if (!a->below)
			row(t, 'C', a->addr & ip4_mask_of(a->len), a->len, a->ifname);
		if (a->len < 32)
			row(t, 'L', a->addr, 32, a->ifname);
	}
}

/* The next hop as it was configured, if the route is the one that we chose. */
static uint32_t configured_hop(const struct rib *rib, const struct box_route *r, const struct box_hop *h)
{
	for (size_t i = 0; rib != NULL && i < rib->n; i++) {
		const struct box_route *want = &rib->routes[i];

		if (!box_same_key(want, r))
			continue;
		for (int k = 0; k < want->nhops; k++)
			if (want->hops[k].gateway == h->gateway && strcmp(want->hops[k].ifname, h->ifname) == 0)
				return want->hops[k].via;
	}
	return h->gateway;
}

static void static_rows(struct rows *t, const struct box_route *r, const struct rib *rib)
{
	uint8_t distance = (uint8_t)(r->metric == 0 ? 1 : r->metric > 255 ? 255 : r->metric);
	struct platm_route *out;

	if (r->blackhole && (out = row(t, 'S', r->prefix, r->len, "Null0")) != NULL)
		out->distance = distance;
	for (int i = 0; i < r->nhops; i++) {
		uint32_t via = configured_hop(rib, r, &r->hops[i]);

		if (!box_name_is_ours(r->hops[i].ifname) || (out = row(t, 'S', r->prefix, r->len, r->hops[i].ifname)) == NULL)
			continue;
		out->distance = distance;
		if (via != 0)
			out->next_hop = addr_v4(via);
	}
}

static int cmp_rows(const void *x, const void *y)
{
	const struct platm_route *a = x, *b = y;
	int c = addr_cmp(a->prefix, b->prefix);

	if (c == 0)
		c = (int)a->prefix_len - b->prefix_len;
	return c != 0 ? c : addr_cmp(a->next_hop, b->next_hop);
}

size_t dump_routes(struct platm_route **out, const struct box *b, const struct rib *rib)
{
	struct rows t = { 0 };

	connected_rows(&t, b);
	for (size_t i = 0; i < b->nroutes; i++) {
		const struct box_route *r = &b->routes[i];

		/* Connected ones are listed already: the kernel's own, and ours that carry an `ip mtu`. */
		if (!r->dead && r->protocol != RTPROT_KERNEL && !(r->protocol == BOX_PROTO && r->metric == 0))
			static_rows(&t, r, rib);
	}
	if (t.full) {
		mem_free(t.r);
		return SIZE_MAX;
	}
	if (t.n > 0)
		qsort(t.r, t.n, sizeof(*t.r), cmp_rows);
	*out = t.r;
	return t.n;
}
