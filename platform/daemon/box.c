/* Tables of the box: growing, finding, names. */
#include "platform/daemon/box.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

void box_free(struct box *b)
{
	mem_free(b->links);
	mem_free(b->addrs);
	mem_free(b->routes);
	memset(b, 0, sizeof(*b));
}

/* Room for one more element, or NULL. */
static void *grown(void *array, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap == 0 ? 16 : *cap * 2;
	void *p;

	if (n < *cap)
		return array;
	p = mem_realloc_array(array, want, size);
	if (p != NULL)
		*cap = want;
	return p;
}

enum err box_add_link(struct box *b, const struct box_link *l)
{
	struct box_link *p = grown(b->links, b->nlinks, &b->links_cap, sizeof(*p));

	if (p == NULL)
		return ERR_NOMEM;
	b->links = p;
	p[b->nlinks++] = *l;
	return ERR_OK;
}

enum err box_add_addr(struct box *b, const struct box_addr *a)
{
	struct box_addr *p = grown(b->addrs, b->naddrs, &b->addrs_cap, sizeof(*p));

	if (p == NULL)
		return ERR_NOMEM;
	b->addrs = p;
	p[b->naddrs++] = *a;
	return ERR_OK;
}

enum err box_add_route(struct box *b, const struct box_route *r)
{
	struct box_route *p = grown(b->routes, b->nroutes, &b->routes_cap, sizeof(*p));

	if (p == NULL)
		return ERR_NOMEM;
	b->routes = p;
	p[b->nroutes++] = *r;
	return ERR_OK;
}

const struct box_link *box_link(const struct box *b, const char *ifname)
{
	for (size_t i = 0; i < b->nlinks; i++)
		if (strcmp(b->links[i].ifname, ifname) == 0)
			return &b->links[i];
	return NULL;
}

const struct box_addr *box_find_addr(const struct box *b, const char *ifname, uint32_t addr, uint8_t len)
{
	for (size_t i = 0; i < b->naddrs; i++)
		if (b->addrs[i].addr == addr && b->addrs[i].len == len && strcmp(b->addrs[i].ifname, ifname) == 0)
			return &b->addrs[i];
	return NULL;
}

bool box_same_key(const struct box_route *a, const struct box_route *b)
{
	return a->prefix == b->prefix && a->len == b->len && a->metric == b->metric;
}

static bool has_hop(const struct box_route *r, const struct box_hop *h)
{
	for (int i = 0; i < r->nhops; i++)
		if (r->hops[i].gateway == h->gateway && strcmp(r->hops[i].ifname, h->ifname) == 0)
			return true;
	return false;
}

bool box_same_route(const struct box_route *a, const struct box_route *b)
{
	if (!box_same_key(a, b) || a->blackhole != b->blackhole || a->mtu != b->mtu || a->source != b->source ||
		a->nhops != b->nhops)
		return false;
	for (int i = 0; i < a->nhops; i++)
		if (!has_hop(b, &a->hops[i]))
			return false;
	return true;
}

/* The number behind `prefix`, or NULL if the name is another one. */
static const char *number_after(const char *ifname, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(ifname, prefix, n) != 0 || ifname[n] == '\0' || strspn(ifname + n, "0123456789") != strlen(ifname + n))
		return NULL;
	return ifname + n;
}

bool box_name_is_loopback(const char *ifname)
{
	return number_after(ifname, "loop") != NULL;
}

bool box_name_is_ours(const char *ifname)
{
	return number_after(ifname, "gi0-") != NULL || box_name_is_loopback(ifname);
}

void box_ios_name(char out[CFG_NAME], const char *ifname)
{
	const char *number;

	if ((number = number_after(ifname, "gi0-")) != NULL)
		snprintf(out, CFG_NAME, "GigabitEthernet0/%s", number);
	else if ((number = number_after(ifname, "loop")) != NULL)
		snprintf(out, CFG_NAME, "Loopback%s", number);
	else
		snprintf(out, CFG_NAME, "%s", ifname);
}

bool box_line_up(const struct box_link *l)
{
	return l->up && (l->carrier || box_name_is_loopback(l->ifname));
}
