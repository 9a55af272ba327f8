/* show ip route: the kernel's table, grouped under the classful networks as IOS does. */
#include "cli/exec.h"
#include "cli/exec/interfaces.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int class_len(uint32_t ip)
{
	return ip < 0x80000000U ? 8 : ip < 0xc0000000U ? 16 : ip < 0xe0000000U ? 24 : 32;
}

static uint32_t major_of(const struct platm_route *r)
{
	uint32_t ip = addr_to_v4(r->prefix);

	return ip & ip4_mask_of(class_len(ip));
}

static int by_prefix(const void *a, const void *b)
{
	const struct platm_route *x = a, *y = b;
	int c = addr_cmp(x->prefix, y->prefix);

	return c != 0                           ? c
	       : x->prefix_len != y->prefix_len ? (int)x->prefix_len - y->prefix_len
						: addr_cmp(x->next_hop, y->next_hop);
}

static bool is_default(const struct platm_route *r)
{
	return r->prefix_len == 0;
}

static void gateway(struct out *o, const struct platm_route *rows, size_t n)
{
	char ip[ADDR_TEXT];

	for (size_t i = 0; i < n; i++) {
		if (!is_default(&rows[i]))
			continue;
		out_printf(o, "Gateway of last resort is %s to network 0.0.0.0\n\n",
			addr_is_set(rows[i].next_hop) ? addr_print(ip, rows[i].next_hop) : "0.0.0.0");
		return;
	}
	out_printf(o, "Gateway of last resort is not set\n\n");
}

static void one_route(struct out *o, const struct platm_route *r, bool again)
{
	char prefix[ADDR_TEXT], via[ADDR_TEXT], head[64];

	snprintf(head, sizeof(head), "%c%c       %s/%u", r->kind, is_default(r) ? '*' : ' ', addr_print(prefix, r->prefix),
		r->prefix_len);
	if (again)
		memset(head, ' ', strlen(head));
	if (is_default(r) && !again)
		snprintf(head, sizeof(head), "%c*    0.0.0.0/0", r->kind);
	out_printf(o, "%s", head);
	if (addr_is_set(r->next_hop))
		out_printf(o, " [%u/0] via %s\n", r->distance, addr_print(via, r->next_hop));
	else
		out_printf(o, " is directly connected, %s\n", r->interface);
}

/* "192.168.1.0/24 is variably subnetted, 2 subnets, 2 masks" above the routes of one classful network. */
static void heading(struct out *o, const struct platm_route *rows, size_t n)
{
	uint32_t major = major_of(&rows[0]);
	uint64_t masks = 0;
	size_t subnets = 0, kinds = 0;
	char ip[16];

	for (size_t i = 0; i < n; i++) {
		subnets +=
			i == 0 || !addr_equal(rows[i].prefix, rows[i - 1].prefix) || rows[i].prefix_len != rows[i - 1].prefix_len;
		kinds += (masks >> rows[i].prefix_len & 1) == 0;
		masks |= 1ULL << rows[i].prefix_len;
	}
	if (rows[0].prefix_len <= class_len(major) && subnets == 1)
		return; /* the network itself, not subnetted */
	if (kinds == 1)
		out_printf(o, "      %s/%u is subnetted, %zu subnets\n", ip4_print(ip, major), rows[0].prefix_len, subnets);
	else
		out_printf(o, "      %s/%d is variably subnetted, %zu subnets, %zu masks\n", ip4_print(ip, major), class_len(major),
			subnets, kinds);
}

/* The routes of a kind, to the front: "static", or "connected" with the router's own addresses; null: all. Returns how many. */
static size_t keep_kind(struct platm_route *rows, size_t n, const char *kind)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (kind == NULL || (strcmp(kind, "static") == 0) == (rows[i].kind == 'S'))
			rows[kept++] = rows[i];
	return kept;
}

void show_ip_route_format(struct out *o, struct platm_route *rows, size_t n, const char *kind)
{
	out_printf(o, "Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP\n"
		      "       D - EIGRP, EX - EIGRP external, O - OSPF, IA - OSPF inter area \n"
		      "       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2\n"
		      "       E1 - OSPF external type 1, E2 - OSPF external type 2\n"
		      "       i - IS-IS, su - IS-IS summary, L1 - IS-IS level-1, L2 - IS-IS level-2\n"
		      "       ia - IS-IS inter area, * - candidate default, U - per-user static route\n"
		      "       o - ODR, P - periodic downloaded static route, H - NHRP, l - LISP\n"
		      "       a - application route\n"
		      "       + - replicated route, %% - next hop override\n\n");
	gateway(o, rows, n);
	n = keep_kind(rows, n, kind);
	for (size_t i = 0; i < n && !o->stopped;) {
		size_t end = i + 1;

		while (end < n && is_default(&rows[end]) == is_default(&rows[i]) && major_of(&rows[end]) == major_of(&rows[i]))
			end++;
		if (!is_default(&rows[i]))
			heading(o, rows + i, end - i);
		for (size_t k = i; k < end; k++)
			one_route(o, &rows[k],
				k > i && addr_equal(rows[k].prefix, rows[k - 1].prefix) &&
					rows[k].prefix_len == rows[k - 1].prefix_len && rows[k].kind == rows[k - 1].kind);
		i = end;
	}
}

/* The longest prefixes that hold the address, to the front. Returns how many (one per next hop). */
static size_t keep_best(struct platm_route *rows, size_t n, uint32_t ip)
{
	int best = ip == 0 ? -1 : 0; /* the default route only by its name: IOS does not show it for a network it does not know */
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].prefix_len > best && (ip & ip4_mask_of(rows[i].prefix_len)) == addr_to_v4(rows[i].prefix))
			best = rows[i].prefix_len;
	for (size_t i = 0; i < n && best >= (ip == 0 ? 0 : 1); i++)
		if (rows[i].prefix_len == best && (ip & ip4_mask_of(best)) == addr_to_v4(rows[i].prefix))
			rows[kept++] = rows[i];
	return kept;
}

void show_ip_route_entry_format(struct out *o, const struct platm_route *rows, size_t n)
{
	bool is_static = rows[0].kind == 'S';
	char ip[ADDR_TEXT];

	out_printf(o, "Routing entry for %s/%u%s\n", addr_print(ip, rows[0].prefix), rows[0].prefix_len,
		is_default(&rows[0]) ? ", supernet" : "");
	out_printf(o, "  Known via \"%s\", distance %u, metric 0%s%s\n", is_static ? "static" : "connected",
		is_static ? rows[0].distance : 0, is_static ? "" : " (connected, via interface)",
		is_default(&rows[0]) ? ", candidate default path" : "");
	out_printf(o, "  Routing Descriptor Blocks:\n");
	for (size_t i = 0; i < n; i++) {
		if (addr_is_set(rows[i].next_hop))
			out_printf(o, "  %c %s\n", i == 0 ? '*' : ' ', addr_print(ip, rows[i].next_hop));
		else
			out_printf(o, "  %c directly connected, via %s\n", i == 0 ? '*' : ' ', rows[i].interface);
		out_printf(o, "      Route metric is 0, traffic share count is 1\n");
	}
}

static bool show_route(struct exec_call *c)
{
	const char *to = exec_arg(c, "network");
	struct platm_route *rows;
	struct addr wanted;
	size_t n;

	if (to != NULL && addr_parse(&wanted, to) != ERR_OK)
		return false;
	if (!exec_rows_of(c, DAEMON_PLATFORM, PLATM_ROUTE_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, &n))
		return false;
	if (to != NULL)
		n = keep_best(rows, n, addr_to_v4(wanted));
	if (n > 0)
		qsort(rows, n, sizeof(*rows), by_prefix);
	if (to == NULL)
		show_ip_route_format(c->out, rows, n, exec_arg(c, "kind"));
	else if (n == 0)
		out_printf(c->out, "%% Network not in table\n");
	else
		show_ip_route_entry_format(c->out, rows, n);
	mem_free(rows);
	return to == NULL || n > 0;
}

const struct exec_row exec_rows_ip[] = {
	{ "show ip route [A.B.C.D$network]",
		EXEC_HELP("Show running system information", "IP information", "IP routing table",
			"Network to display information about"),
		0, EXEC_PIPE, show_route, 0 },
	{ "show ip route <connected|static>$kind",
		EXEC_HELP("Show running system information", "IP information", "IP routing table", "Connected", "Static routes"), 0,
		EXEC_PIPE, show_route, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
