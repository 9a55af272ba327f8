/* rtnetlink, reading: dumps become tables, notifications become one call. Writing is in kernel_do.c. */
#include "platform/daemon/kernel_nl.h"

#include "platform/base/addr.h"
#include "platform/base/mem.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <string.h>
#include <sys/socket.h>

#define TRIES          5 /* of a dump that changes interrupted */
#define RECEIVE_BUFFER (1 << 20)
#define LOWER_UP       (1u << 16) /* IFF_LOWER_UP: linux/if.h does not go with net/if.h */

enum err kernel_open(struct kernel **out)
{
	struct kernel *k = mem_zalloc(sizeof(*k));

	if (k == NULL)
		return ERR_NOMEM;
	k->ask = nl_socket_alloc();
	k->hear = nl_socket_alloc();
	if (k->ask == NULL || k->hear == NULL || nl_connect(k->ask, NETLINK_ROUTE) < 0) {
		kernel_close(k);
		return ERR_SYS;
	}
	nl_socket_set_buffer_size(k->ask, RECEIVE_BUFFER, 0);
	*out = k;
	return ERR_OK;
}

void kernel_close(struct kernel *k)
{
	if (k == NULL)
		return;
	loop_fd_del(k->watch);
	nl_socket_free(k->ask);
	nl_socket_free(k->hear);
	mem_free(k);
}

enum err kernel_err(int nl)
{
	switch (nl < 0 ? -nl : nl) {
	case 0:
		return ERR_OK;
	case NLE_NOMEM:
		return ERR_NOMEM;
	case NLE_EXIST:
		return ERR_EXISTS;
	case NLE_NOADDR:
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return ERR_NOT_FOUND;
	case NLE_PERM:
	case NLE_NOACCESS:
		return ERR_DENIED;
	default:
		return ERR_SYS;
	}
}

static void name_of(char out[BOX_IFNAME], const struct box *b, int index)
{
	out[0] = '\0';
	for (size_t i = 0; i < b->nlinks; i++)
		if (b->links[i].index == index)
			memcpy(out, b->links[i].ifname, BOX_IFNAME);
}

static uint32_t ip4_of(struct nl_addr *a)
{
	uint32_t ip = 0;

	if (a != NULL && nl_addr_get_len(a) == sizeof(ip))
		memcpy(&ip, nl_addr_get_binary_addr(a), sizeof(ip));
	return ntohl(ip);
}

static void read_stats(struct platm_counters *s, struct rtnl_link *from)
{
	const struct {
		uint64_t *to;
		rtnl_link_stat_id_t id;
	} all[] = {
		{ &s->rx_packets, RTNL_LINK_RX_PACKETS },
		{ &s->rx_bytes, RTNL_LINK_RX_BYTES },
		{ &s->rx_errors, RTNL_LINK_RX_ERRORS },
		{ &s->rx_dropped, RTNL_LINK_RX_DROPPED },
		{ &s->rx_multicast, RTNL_LINK_MULTICAST },
		{ &s->rx_length, RTNL_LINK_RX_LEN_ERR },
		{ &s->rx_crc, RTNL_LINK_RX_CRC_ERR },
		{ &s->rx_frame, RTNL_LINK_RX_FRAME_ERR },
		{ &s->rx_over, RTNL_LINK_RX_OVER_ERR },
		{ &s->rx_fifo, RTNL_LINK_RX_FIFO_ERR },
		{ &s->rx_missed, RTNL_LINK_RX_MISSED_ERR },
		{ &s->tx_packets, RTNL_LINK_TX_PACKETS },
		{ &s->tx_bytes, RTNL_LINK_TX_BYTES },
		{ &s->tx_errors, RTNL_LINK_TX_ERRORS },
		{ &s->tx_dropped, RTNL_LINK_TX_DROPPED },
		{ &s->tx_fifo, RTNL_LINK_TX_FIFO_ERR },
		{ &s->tx_carrier, RTNL_LINK_TX_CARRIER_ERR },
		{ &s->collisions, RTNL_LINK_COLLISIONS },
	};
	uint32_t changes;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		*all[i].to = rtnl_link_get_stat(from, all[i].id);
	if (rtnl_link_get_carrier_changes(from, &changes) == 0)
		s->carrier_changes = changes;
}

static void add_link(struct nl_object *o, void *ctx)
{
	struct rtnl_link *from = (struct rtnl_link *)o;
	struct kernel_fill *f = ctx;
	struct box_link l = { .index = rtnl_link_get_ifindex(from), .mtu = rtnl_link_get_mtu(from) };
	const char *kind = rtnl_link_get_type(from);
	struct nl_addr *mac = rtnl_link_get_addr(from);

	strncpy(l.ifname, rtnl_link_get_name(from), sizeof(l.ifname) - 1);
	l.up = rtnl_link_get_flags(from) & IFF_UP;
	/* The wire itself: IFF_RUNNING follows up to a second later. */
	l.carrier = rtnl_link_get_flags(from) & LOWER_UP;
	l.bridge = kind != NULL && strcmp(kind, "bridge") == 0;
	if (mac != NULL && nl_addr_get_len(mac) == sizeof(l.mac))
		memcpy(l.mac, nl_addr_get_binary_addr(mac), sizeof(l.mac));
	read_stats(&l.stats, from);
	if (f->err == ERR_OK)
		f->err = box_add_link(f->box, &l);
}

static void add_addr(struct nl_object *o, void *ctx)
{
	struct rtnl_addr *from = (struct rtnl_addr *)o;
	struct kernel_fill *f = ctx;
	struct box_addr a = { .addr = ip4_of(rtnl_addr_get_local(from)) };
	unsigned flags = rtnl_addr_get_flags(from);

	if (rtnl_addr_get_family(from) != AF_INET)
		return;
	name_of(a.ifname, f->box, rtnl_addr_get_ifindex(from));
	a.len = (uint8_t)rtnl_addr_get_prefixlen(from);
	a.below = flags & IFA_F_SECONDARY;
	a.bare = flags & IFA_F_NOPREFIXROUTE;
	if (f->err == ERR_OK)
		f->err = box_add_addr(f->box, &a);
}

static void read_hops(struct box_route *r, struct rtnl_route *from, const struct box *b)
{
	int n = rtnl_route_get_nnexthops(from);

	r->dead = n > 0;
	for (int i = 0; i < n && r->nhops < BOX_HOPS; i++) {
		struct rtnl_nexthop *nh = rtnl_route_nexthop_n(from, i);
		struct box_hop *h = &r->hops[r->nhops++];

		name_of(h->ifname, b, rtnl_route_nh_get_ifindex(nh));
		h->gateway = h->via = ip4_of(rtnl_route_nh_get_gateway(nh));
		if (!(rtnl_route_nh_get_flags(nh) & (RTNH_F_DEAD | RTNH_F_LINKDOWN)))
			r->dead = false;
	}
}

static void add_route(struct nl_object *o, void *ctx)
{
	struct rtnl_route *from = (struct rtnl_route *)o;
	struct kernel_fill *f = ctx;
	struct nl_addr *dst = rtnl_route_get_dst(from);
	struct box_route r = { .prefix = ip4_of(dst) };
	unsigned mtu = 0;

	if (rtnl_route_get_table(from) != RT_TABLE_MAIN || rtnl_route_get_family(from) != AF_INET)
		return;
	/* What the kernel learned about one destination (a path MTU) is listed beside the routes, and is none. */
	if (rtnl_route_get_flags(from) & RTM_F_CLONED)
		return;
	r.len = dst != NULL ? (uint8_t)nl_addr_get_prefixlen(dst) : 0;
	r.metric = rtnl_route_get_priority(from);
	r.protocol = rtnl_route_get_protocol(from);
	r.source = ip4_of(rtnl_route_get_pref_src(from));
	r.blackhole = rtnl_route_get_type(from) == RTN_BLACKHOLE;
	if (rtnl_route_get_metric(from, RTAX_MTU, &mtu) == 0)
		r.mtu = mtu;
	if (r.blackhole)
		; /* the kernel lists the loopback device as its path */
	else if (rtnl_route_get_type(from) == RTN_UNICAST)
		read_hops(&r, from, f->box);
	else
		return;
	if (f->err == ERR_OK)
		f->err = box_add_route(f->box, &r);
}

static enum err each_of(struct nl_cache *c, void (*add)(struct nl_object *o, void *ctx), struct box *b)
{
	struct kernel_fill f = { b, ERR_OK };

	nl_cache_foreach(c, add, &f);
	nl_cache_free(c);
	return f.err;
}

static enum err read_once(struct kernel *k, struct box *out, bool links_only)
{
	struct nl_cache *c;
	int nl;
	enum err e;

	box_free(out);
	if ((nl = rtnl_link_alloc_cache(k->ask, AF_UNSPEC, &c)) < 0)
		return nl == -NLE_DUMP_INTR ? ERR_BUSY : kernel_err(nl);
	if ((e = each_of(c, add_link, out)) != ERR_OK || links_only)
		return e;
	if ((nl = rtnl_addr_alloc_cache(k->ask, &c)) < 0)
		return nl == -NLE_DUMP_INTR ? ERR_BUSY : kernel_err(nl);
	if ((e = each_of(c, add_addr, out)) != ERR_OK)
		return e;
	if ((nl = rtnl_route_alloc_cache(k->ask, AF_INET, 0, &c)) < 0)
		return nl == -NLE_DUMP_INTR ? ERR_BUSY : kernel_err(nl);
	return each_of(c, add_route, out);
}

static enum err read_box(struct kernel *k, struct box *out, bool links_only)
{
	enum err e = ERR_BUSY;

	for (int i = 0; e == ERR_BUSY && i < TRIES; i++)
		e = read_once(k, out, links_only);
	if (e != ERR_OK)
		box_free(out);
	return e;
}

enum err kernel_read(struct kernel *k, struct box *out)
{
	return read_box(k, out, false);
}

enum err kernel_read_links(struct kernel *k, struct box *out)
{
	return read_box(k, out, true);
}

/* What changed does not matter: the box is read anew. A lost notification (ENOBUFS) is one, too. */
static void on_news(void *ctx, int fd, int what)
{
	struct kernel *k = ctx;
	char buf[16384];

	(void)what;
	for (int i = 0; i < 64; i++)
		if (recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC) <= 0)
			break;
	k->changed(k->ctx);
}

enum err kernel_watch(struct kernel *k, struct loop *l, void (*changed)(void *ctx), void *ctx)
{
	k->changed = changed;
	k->ctx = ctx;
	nl_socket_disable_seq_check(k->hear);
	if (nl_connect(k->hear, NETLINK_ROUTE) < 0 || nl_socket_set_nonblocking(k->hear) < 0 ||
		nl_socket_add_memberships(k->hear, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, 0) < 0)
		return ERR_SYS;
	nl_socket_set_buffer_size(k->hear, RECEIVE_BUFFER, 0);
	k->watch = loop_fd_add(l, nl_socket_get_fd(k->hear), LOOP_READ, on_news, k);
	return k->watch != NULL ? ERR_OK : ERR_NOMEM;
}
