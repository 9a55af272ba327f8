#include "build.h"

#include "platform/base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->cfg.interfaces = w->interfaces;
	w->cfg.routes = w->routes;
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	struct world *w = *state;

	box_free(&w->box);
	box_plan_free(&w->plan);
	free(w);
	return 0;
}

uint32_t ip_of(const char *text)
{
	char copy[32];
	uint32_t ip;

	snprintf(copy, sizeof(copy), "%s", text);
	copy[strcspn(copy, "/")] = '\0';
	assert_int_equal(ip4_parse(&ip, copy), ERR_OK);
	return ip;
}

uint8_t len_of(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash != NULL ? (uint8_t)atoi(slash + 1) : 32;
}

static struct cfg_ip cfg_ip_of(const char *text)
{
	return (struct cfg_ip){ ip_of(text), ip4_mask_of(len_of(text)) };
}

struct cfg_interface *want_interface(struct world *w, const char *ifname, const char *ip)
{
	struct cfg_interface *i = &w->interfaces[w->cfg.ninterfaces];

	snprintf(i->ifname, sizeof(i->ifname), "%s", ifname);
	box_ios_name(i->name, ifname);
	i->loopback = box_name_is_loopback(ifname);
	i->secondary = w->secondary[w->cfg.ninterfaces++];
	if (ip != NULL)
		i->ip = cfg_ip_of(ip);
	return i;
}

void want_secondary(struct world *w, struct cfg_interface *i, const char *ip)
{
	(void)w;
	i->secondary[i->nsecondary++] = cfg_ip_of(ip);
}

struct cfg_route *want_route(struct world *w, const char *prefix, const char *to, uint8_t distance)
{
	struct cfg_route *r = &w->routes[w->cfg.nroutes++];
	const char *space = strchr(to, ' ');

	r->prefix = ip_of(prefix);
	r->mask = ip4_mask_of(len_of(prefix));
	r->distance = distance;
	if (to[0] >= '0' && to[0] <= '9') {
		r->next_hop = ip_of(to);
	} else {
		snprintf(r->interface, sizeof(r->interface), "%.*s", (int)(space != NULL ? space - to : (long)strlen(to)), to);
		r->next_hop = space != NULL ? ip_of(space + 1) : 0;
	}
	return r;
}

struct box_link *have_link(struct world *w, const char *ifname, bool up, bool carrier)
{
	struct box_link l = { .index = (int)w->box.nlinks + 1, .up = up, .carrier = carrier, .mtu = 1500 };

	snprintf(l.ifname, sizeof(l.ifname), "%s", ifname);
	l.bridge = box_name_is_loopback(ifname);
	assert_int_equal(box_add_link(&w->box, &l), ERR_OK);
	return &w->box.links[w->box.nlinks - 1];
}

struct box_addr *have_addr(struct world *w, const char *ifname, const char *ip)
{
	struct box_addr a = { .addr = ip_of(ip), .len = len_of(ip) };

	snprintf(a.ifname, sizeof(a.ifname), "%s", ifname);
	assert_int_equal(box_add_addr(&w->box, &a), ERR_OK);
	return &w->box.addrs[w->box.naddrs - 1];
}

struct box_route *have_route(struct world *w, const char *prefix, const char *gateway, const char *ifname, uint32_t metric)
{
	struct box_route r = {
		.prefix = ip_of(prefix), .len = len_of(prefix), .metric = metric, .protocol = BOX_PROTO, .nhops = 1
	};

	snprintf(r.hops[0].ifname, sizeof(r.hops[0].ifname), "%s", ifname);
	r.hops[0].gateway = r.hops[0].via = gateway != NULL ? ip_of(gateway) : 0;
	assert_int_equal(box_add_route(&w->box, &r), ERR_OK);
	return &w->box.routes[w->box.nroutes - 1];
}

const char *route_text(const struct box_route *r)
{
	static char out[512];
	char ip[16];
	int n = snprintf(out, sizeof(out), "%s/%u [%u]", ip4_print(ip, r->prefix), r->len, r->metric);

	if (r->blackhole)
		n += snprintf(out + n, sizeof(out) - (size_t)n, " Null0");
	for (int i = 0; i < r->nhops; i++)
		n += snprintf(out + n, sizeof(out) - (size_t)n, " %s@%s",
			r->hops[i].gateway != 0 ? ip4_print(ip, r->hops[i].gateway) : "", r->hops[i].ifname);
	if (r->mtu != 0)
		snprintf(out + n, sizeof(out) - (size_t)n, " mtu %u", r->mtu);
	return out;
}

const char *plan_text(struct world *w)
{
	static char out[4096];
	static const char *const verbs[] = { "remove", "del", "create", "mtu", "down", "add", "up", "put", "drop" };
	size_t n = 0;
	char ip[16];

	out[0] = '\0';
	for (size_t i = 0; i < w->plan.n; i++) {
		const struct plan_op *op = &w->plan.ops[i];

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", i > 0 ? "; " : "", verbs[op->kind]);
		if (op->kind == PLAN_ROUTE_PUT || op->kind == PLAN_ROUTE_DEL)
			n += (size_t)snprintf(out + n, sizeof(out) - n, " %s", route_text(&op->route));
		else
			n += (size_t)snprintf(out + n, sizeof(out) - n, " %s", op->ifname);
		if (op->kind == PLAN_MTU)
			n += (size_t)snprintf(out + n, sizeof(out) - n, " %u", op->mtu);
		if (op->kind == PLAN_ADDR_ADD || op->kind == PLAN_ADDR_DEL)
			n += (size_t)snprintf(out + n, sizeof(out) - n, " %s/%u%s", ip4_print(ip, op->addr.addr), op->addr.len,
				op->addr.bare ? " bare" : "");
	}
	return out;
}
