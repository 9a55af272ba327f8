/* Choosing static routes.
 *
 * Next hops may be found through other static routes, and those may come and go with the choice: so the choice is repeated
 * against its own result until it stands, or a few times when two routes chase each other.
 */
#include "platform/daemon/rib.h"

#include "platform/base/addr.h"
#include "platform/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS   16
#define UNUSABLE 255

struct table {
	struct box_route *r; /* sorted by length, then prefix; one per prefix */
	size_t n;
};

static int cmp_key(const struct box_route *a, const struct box_route *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->prefix < b->prefix ? -1 : a->prefix > b->prefix;
}

static int cmp_routes(const void *a, const void *b)
{
	const struct box_route *x = a, *y = b;
	int c = cmp_key(x, y);

	return c != 0 ? c : x->metric < y->metric ? -1 : x->metric > y->metric;
}

static const struct box_route *find(const struct table *t, uint32_t prefix, uint8_t len)
{
	const struct box_route key = { .prefix = prefix, .len = len };
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = cmp_key(&t->r[mid], &key);

		if (c == 0)
			return &t->r[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Longest match, in the connected networks first when they are as long. */
static const struct box_route *lookup(const struct table *connected, const struct table *chosen, uint32_t ip)
{
	for (int len = 32; len >= 0; len--) {
		const struct box_route *r = find(connected, ip & ip4_mask_of(len), (uint8_t)len);

		if (r == NULL)
			r = find(chosen, ip & ip4_mask_of(len), (uint8_t)len);
		if (r != NULL)
			return r;
	}
	return NULL;
}

/* How `next_hop` of `r` is reached now. False: not at all. */
static bool resolve(struct box_hop *hop, const struct box_route *r, uint32_t next_hop, const struct table *connected,
	const struct table *chosen)
{
	const struct box_route *via = lookup(connected, chosen, next_hop);

	/* Not through itself, and not into a hole. */
	if (via == NULL || via->nhops == 0 || (via->metric != 0 && via->len == r->len && via->prefix == r->prefix))
		return false;
	memcpy(hop->ifname, via->hops[0].ifname, sizeof(hop->ifname));
	hop->gateway = via->hops[0].gateway != 0 ? via->hops[0].gateway : next_hop;
	hop->via = next_hop;
	return true;
}

static uint32_t ip_mtu_of(const struct cfg *want, const char *ifname)
{
	const struct cfg_interface *i = cfg_interface_by_ifname(want, ifname);

	return i != NULL ? i->ip_mtu : 0;
}

static bool by_interface(
	struct box_route *r, struct box_hop *hop, const struct cfg_route *c, const struct cfg *want, const struct box *have)
{
	const struct cfg_interface *i;
	const struct box_link *l;

	if (strcmp(c->interface, "Null0") == 0) {
		r->blackhole = true;
		return true;
	}
	i = cfg_interface(want, c->interface);
	l = i != NULL ? box_link(have, i->ifname) : NULL;
	if (l == NULL || !box_line_up(l))
		return false;
	memcpy(hop->ifname, i->ifname, sizeof(hop->ifname));
	hop->gateway = hop->via = c->next_hop;
	return true;
}

/* `c` as a route with one path, if it is usable now. */
static bool usable(struct box_route *r, const struct cfg_route *c, const struct cfg *want, const struct box *have,
	const struct table *connected, const struct table *chosen)
{
	struct box_hop hop = { 0 };

	*r = (struct box_route){
		.prefix = c->prefix & c->mask, .len = (uint8_t)ip4_mask_len(c->mask), .metric = c->distance, .protocol = BOX_PROTO
	};
	/* Distance 255: believed by nobody. */
	if (c->distance == UNUSABLE || find(connected, r->prefix, r->len) != NULL)
		return false;
	if (c->interface[0] != '\0' ? !by_interface(r, &hop, c, want, have) : !resolve(&hop, r, c->next_hop, connected, chosen))
		return false;
	if (!r->blackhole) {
		r->hops[r->nhops++] = hop;
		r->mtu = ip_mtu_of(want, hop.ifname);
	}
	return true;
}

static void join(struct box_route *into, const struct box_route *r)
{
	if (r->blackhole || into->nhops == BOX_HOPS)
		return;
	if (into->blackhole) {
		*into = *r;
		return;
	}
	for (int i = 0; i < into->nhops; i++)
		if (into->hops[i].gateway == r->hops[0].gateway && strcmp(into->hops[i].ifname, r->hops[0].ifname) == 0)
			return;
	into->hops[into->nhops++] = r->hops[0];
	if (r->mtu != 0 && (into->mtu == 0 || r->mtu < into->mtu))
		into->mtu = r->mtu;
}

/* One round: every usable route, then the best of each prefix. */
static void choose(struct table *out, const struct cfg *want, const struct box *have, const struct table *connected,
	const struct table *before)
{
	size_t kept = 0;

	out->n = 0;
	for (size_t i = 0; i < want->nroutes; i++)
		if (usable(&out->r[out->n], &want->routes[i], want, have, connected, before))
			out->n++;
	if (out->n > 0)
		qsort(out->r, out->n, sizeof(*out->r), cmp_routes);
	for (size_t i = 0; i < out->n; i++) {
		if (kept == 0 || cmp_key(&out->r[kept - 1], &out->r[i]) != 0)
			out->r[kept++] = out->r[i];
		else if (out->r[kept - 1].metric == out->r[i].metric)
			join(&out->r[kept - 1], &out->r[i]);
	}
	out->n = kept;
}

static bool same_table(const struct table *a, const struct table *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!box_same_route(&a->r[i], &b->r[i]))
			return false;
	return true;
}

/* The networks of our interfaces whose line is up. */
static enum err connected_of(struct table *t, const struct cfg *want, const struct box *have)
{
	t->n = 0;
	t->r = mem_calloc(have->naddrs, sizeof(*t->r));
	if (t->r == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < have->naddrs; i++) {
		const struct box_addr *a = &have->addrs[i];
		const struct box_link *l = box_link(have, a->ifname);
		struct box_route *r = &t->r[t->n];

		if (l == NULL || !box_name_is_ours(a->ifname) || !box_line_up(l))
			continue;
		r->prefix = a->addr & ip4_mask_of(a->len);
		r->len = a->len;
		r->protocol = BOX_PROTO;
		r->source = a->addr;
		/* Only what has no route of the kernel's needs one of ours. */
		r->mtu = a->bare ? ip_mtu_of(want, a->ifname) : 0;
		r->nhops = 1;
		memcpy(r->hops[0].ifname, a->ifname, sizeof(a->ifname));
		t->n++;
	}
	if (t->n > 0)
		qsort(t->r, t->n, sizeof(*t->r), cmp_routes);
	return ERR_OK;
}

/* Connected networks with an `ip mtu`, then the chosen routes, in one array. */
static enum err result(struct rib *out, const struct table *connected, const struct table *chosen)
{
	struct box_route *all = mem_calloc(connected->n + chosen->n, sizeof(*all));
	size_t n = 0;

	if (all == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < connected->n; i++)
		if (connected->r[i].mtu != 0 && (n == 0 || cmp_key(&all[n - 1], &connected->r[i]) != 0))
			all[n++] = connected->r[i];
	for (size_t i = 0; i < chosen->n; i++)
		all[n++] = chosen->r[i];
	*out = (struct rib){ all, n };
	return ERR_OK;
}

void rib_free(struct rib *r)
{
	mem_free(r->routes);
	*r = (struct rib){ 0 };
}

enum err rib_select(struct rib *out, const struct cfg *want, const struct box *have)
{
	struct table connected, now = { mem_calloc(want->nroutes, sizeof(*now.r)), 0 },
				next = { mem_calloc(want->nroutes, sizeof(*next.r)), 0 }, swap;
	enum err e = connected_of(&connected, want, have);

	if (now.r == NULL || next.r == NULL)
		e = ERR_NOMEM;
	for (int round = 0; e == ERR_OK && round < ROUNDS; round++) {
		choose(&next, want, have, &connected, &now);
		swap = now;
		now = next;
		next = swap;
		if (same_table(&now, &next))
			break;
	}
	if (e == ERR_OK)
		e = result(out, &connected, &now);
	mem_free(connected.r);
	mem_free(now.r);
	mem_free(next.r);
	return e;
}
