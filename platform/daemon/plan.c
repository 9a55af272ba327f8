/* Wanted against actual: the operations that make up the difference. */
#include "platform/daemon/plan.h"

#include "platform/base/addr.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_MTU 1500

void box_plan_free(struct plan *p)
{
	mem_free(p->ops);
	memset(p, 0, sizeof(*p));
}

static enum err put(struct plan *p, const struct plan_op *op)
{
	if (p->n == p->cap) {
		size_t cap = p->cap == 0 ? 16 : p->cap * 2;
		struct plan_op *ops = mem_realloc_array(p->ops, cap, sizeof(*ops));

		if (ops == NULL)
			return ERR_NOMEM;
		p->ops = ops;
		p->cap = cap;
	}
	p->ops[p->n++] = *op;
	return ERR_OK;
}

static enum err put_link(struct plan *p, enum plan_kind kind, const char *ifname, uint32_t mtu)
{
	struct plan_op op = { .kind = kind, .mtu = mtu };

	snprintf(op.ifname, sizeof(op.ifname), "%s", ifname);
	return put(p, &op);
}

static enum err put_addr(struct plan *p, enum plan_kind kind, const struct box_addr *a)
{
	struct plan_op op = { .kind = kind, .addr = *a };

	memcpy(op.ifname, a->ifname, sizeof(op.ifname));
	return put(p, &op);
}

static enum err put_route(struct plan *p, enum plan_kind kind, const struct box_route *r, bool replaces)
{
	struct plan_op op = { .kind = kind, .route = *r, .replaces = replaces };

	return put(p, &op);
}

const char *plan_fault(const struct cfg_interface *i, const struct box *have)
{
	const struct box_link *l = box_link(have, i->ifname);

	if (l == NULL)
		return i->loopback ? NULL : "no such device";
	if (i->loopback && !l->bridge)
		return "a device of another kind has this name";
	return NULL;
}

/* The addresses of one interface as the kernel shall list them. */
struct wanted {
	struct box_addr *a;
	size_t n;
};

static void want_addr(struct wanted *w, const struct cfg_interface *i, struct cfg_ip ip)
{
	struct box_addr *a = &w->a[w->n];

	if (ip.mask == 0)
		return;
	memset(a, 0, sizeof(*a));
	memcpy(a->ifname, i->ifname, sizeof(a->ifname));
	a->addr = ip.addr;
	a->len = (uint8_t)ip4_mask_len(ip.mask);
	a->bare = i->ip_mtu != 0 && a->len < 32;
	for (size_t k = 0; k < w->n; k++)
		a->below |= w->a[k].len == a->len && ((w->a[k].addr ^ a->addr) & ip.mask) == 0;
	w->n++;
}

/* None while it is shut down: the kernel would go on answering to them through the other interfaces. */
static enum err wanted_addrs(struct wanted *w, const struct cfg_interface *i)
{
	w->n = 0;
	if (i->shutdown) {
		w->a = NULL;
		return ERR_OK;
	}
	w->a = mem_calloc(i->nsecondary + 1, sizeof(*w->a));
	if (w->a == NULL)
		return ERR_NOMEM;
	want_addr(w, i, i->ip);
	for (size_t k = 0; k < i->nsecondary; k++)
		want_addr(w, i, i->secondary[k]);
	return ERR_OK;
}

static bool same_addr(const struct box_addr *a, const struct box_addr *b)
{
	return a->addr == b->addr && a->len == b->len && a->below == b->below && a->bare == b->bare;
}

static bool is_wanted(const struct wanted *w, const struct box_addr *a)
{
	for (size_t i = 0; i < w->n; i++)
		if (same_addr(&w->a[i], a))
			return true;
	return false;
}

/* The addresses of `ifname` that are there and not wanted; `i` is NULL when it is not configured at all. */
static enum err surplus_addrs(struct plan *p, const char *ifname, const struct cfg_interface *i, const struct box *have)
{
	struct wanted w = { 0 };
	enum err e = i == NULL ? ERR_OK : wanted_addrs(&w, i);

	for (size_t k = 0; e == ERR_OK && k < have->naddrs; k++)
		if (strcmp(have->addrs[k].ifname, ifname) == 0 && !is_wanted(&w, &have->addrs[k]))
			e = put_addr(p, PLAN_ADDR_DEL, &have->addrs[k]);
	mem_free(w.a);
	return e;
}

static enum err missing_addrs(struct plan *p, const struct cfg_interface *i, const struct box *have)
{
	struct wanted w;
	enum err e = wanted_addrs(&w, i);

	for (size_t k = 0; e == ERR_OK && k < w.n; k++) {
		const struct box_addr *a = box_find_addr(have, i->ifname, w.a[k].addr, w.a[k].len);

		if (a == NULL || !same_addr(a, &w.a[k]))
			e = put_addr(p, PLAN_ADDR_ADD, &w.a[k]);
	}
	mem_free(w.a);
	return e;
}

static enum err plan_surplus(struct plan *p, const struct cfg *want, const struct box *have)
{
	enum err e = ERR_OK;

	for (size_t k = 0; e == ERR_OK && k < have->nlinks; k++) {
		const struct box_link *l = &have->links[k];
		const struct cfg_interface *i = cfg_interface_by_ifname(want, l->ifname);

		if (!box_name_is_ours(l->ifname) || (i != NULL && plan_fault(i, have) != NULL))
			continue;
		if (i == NULL && box_name_is_loopback(l->ifname)) {
			if (l->bridge)
				e = put_link(p, PLAN_LOOPBACK_DEL, l->ifname, 0);
			continue;
		}
		e = surplus_addrs(p, l->ifname, i, have);
		/* As on IOS, an interface that nobody configured is shut down. */
		if (e == ERR_OK && i == NULL && l->up)
			e = put_link(p, PLAN_DOWN, l->ifname, 0);
	}
	return e;
}

static enum err plan_configured(struct plan *p, const struct cfg_interface *i, const struct box *have)
{
	const struct box_link *l = box_link(have, i->ifname);
	uint32_t mtu = i->mtu != 0 ? i->mtu : DEFAULT_MTU;
	enum err e = ERR_OK;

	if (plan_fault(i, have) != NULL)
		return ERR_OK;
	if (l == NULL)
		e = put_link(p, PLAN_LOOPBACK_ADD, i->ifname, 0);
	if (e == ERR_OK && !i->loopback && l->mtu != mtu)
		e = put_link(p, PLAN_MTU, i->ifname, mtu);
	if (e == ERR_OK && i->shutdown && l != NULL && l->up)
		e = put_link(p, PLAN_DOWN, i->ifname, 0);
	if (e == ERR_OK)
		e = missing_addrs(p, i, have);
	if (e == ERR_OK && !i->shutdown && (l == NULL || !l->up))
		e = put_link(p, PLAN_UP, i->ifname, 0);
	return e;
}

enum err plan_interfaces(struct plan *p, const struct cfg *want, const struct box *have)
{
	/* All that goes before all that comes: an address may move from one interface to another. */
	enum err e = plan_surplus(p, want, have);

	for (size_t k = 0; e == ERR_OK && k < want->ninterfaces; k++)
		e = plan_configured(p, &want->interfaces[k], have);
	return e;
}

static const struct box_route *find_ours(const struct box_route *r, const struct box *have)
{
	for (size_t i = 0; i < have->nroutes; i++)
		if (have->routes[i].protocol == BOX_PROTO && box_same_key(&have->routes[i], r))
			return &have->routes[i];
	return NULL;
}

static bool keeps_key(const struct box_route *r, const struct box_route *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (box_same_key(&want[i], r))
			return true;
	return false;
}

enum err plan_routes(struct plan *p, const struct box_route *want, size_t n, const struct box *have)
{
	enum err e = ERR_OK;

	/* New ones first: traffic never finds a gap in which a wider route would take it. */
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		const struct box_route *now = find_ours(&want[i], have);

		if (now == NULL || !box_same_route(now, &want[i]))
			e = put_route(p, PLAN_ROUTE_PUT, &want[i], now != NULL);
	}
	for (size_t i = 0; e == ERR_OK && i < have->nroutes; i++)
		if (have->routes[i].protocol == BOX_PROTO && !keeps_key(&have->routes[i], want, n))
			e = put_route(p, PLAN_ROUTE_DEL, &have->routes[i], false);
	return e;
}

void plan_describe(char *out, size_t size, const struct plan_op *op)
{
	static const char *const words[] = { [PLAN_LOOPBACK_DEL] = "removal",
		[PLAN_LOOPBACK_ADD] = "creation",
		[PLAN_DOWN] = "shutdown",
		[PLAN_UP] = "no shutdown" };
	char ip[16];

	switch (op->kind) {
	case PLAN_MTU:
		snprintf(out, size, "mtu %u", op->mtu);
		break;
	case PLAN_ADDR_ADD:
	case PLAN_ADDR_DEL:
		snprintf(out, size, "%s %s/%u", op->kind == PLAN_ADDR_ADD ? "address" : "removal of address",
			ip4_print(ip, op->addr.addr), op->addr.len);
		break;
	case PLAN_ROUTE_PUT:
	case PLAN_ROUTE_DEL:
		snprintf(out, size, "%s %s/%u", op->kind == PLAN_ROUTE_PUT ? "route" : "removal of route",
			ip4_print(ip, op->route.prefix), op->route.len);
		break;
	default:
		snprintf(out, size, "%s", words[op->kind]);
	}
}
