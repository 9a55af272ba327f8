/* Routes by rtnetlink: a dump, and additions and deletions one by one. */
#include "datapath/routes.h"

#include "datapath/engine/netlink.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct kernel_route {
	uint32_t prefix, mask, gateway;
	int ifindex;
	bool wanted;
};

struct routes {
	int requests, events;
	uint32_t seq;
	struct loop_fd *watch;
	void (*changed)(void *ctx);
	void *ctx;
	struct kernel_route *have;
	size_t n, room;
};

static void on_event(void *ctx, int fd, int what)
{
	struct routes *r = ctx;

	(void)what;
	netlink_discard(fd);
	r->changed(r->ctx);
}

struct routes *routes_open(struct loop *l, void (*changed)(void *ctx), void *ctx)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE };
	struct routes *r = mem_zalloc(sizeof(*r));

	if (!r)
		return NULL;
	r->changed = changed;
	r->ctx = ctx;
	r->requests = netlink_requests();
	r->events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (r->requests >= 0 && r->events >= 0 && bind(r->events, (struct sockaddr *)&a, sizeof(a)) == 0)
		r->watch = loop_fd_add(l, r->events, LOOP_READ, on_event, r);
	if (!r->watch) {
		routes_close(r);
		return NULL;
	}
	return r;
}

void routes_close(struct routes *r)
{
	if (!r)
		return;
	loop_fd_del(r->watch);
	if (r->requests >= 0)
		close(r->requests);
	if (r->events >= 0)
		close(r->events);
	mem_free(r->have);
	mem_free(r);
}

static bool keep(struct routes *r, const struct kernel_route *k)
{
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 32;
		struct kernel_route *grown = mem_realloc_array(r->have, room, sizeof(*grown));

		if (!grown)
			return false;
		r->have = grown;
		r->room = room;
	}
	r->have[r->n++] = *k;
	return true;
}

/* Of the main table, ours. */
static bool take(struct routes *r, const struct nlmsghdr *h)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
	struct kernel_route k = { 0 };
	uint32_t v;

	if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->rtm_protocol != ROUTES_PROTO ||
		m->rtm_table != RT_TABLE_MAIN || m->rtm_family != AF_INET)
		return true;
	k.mask = ip4_mask_of(m->rtm_dst_len);
	for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (RTA_PAYLOAD(a) != sizeof(v))
			continue;
		memcpy(&v, RTA_DATA(a), sizeof(v));
		if (a->rta_type == RTA_DST)
			k.prefix = ntohl(v);
		else if (a->rta_type == RTA_GATEWAY)
			k.gateway = ntohl(v);
		else if (a->rta_type == RTA_OIF)
			k.ifindex = (int)v;
	}
	return keep(r, &k);
}

static enum err table_read(struct routes *r)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
	} q = { .head = { sizeof(q), RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, ++r->seq, 0 }, .route = { .rtm_family = AF_INET } };
	static uint8_t buf[32768] __attribute__((aligned(8)));

	r->n = 0;
	if (send(r->requests, &q, sizeof(q), 0) < 0)
		return ERR_SYS;
	for (;;) {
		ssize_t got = recv(r->requests, buf, sizeof(buf), 0);
		size_t left = got > 0 ? (size_t)got : 0;

		if (got <= 0)
			return ERR_SYS;
		for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_seq != r->seq)
				continue;
			if (h->nlmsg_type == NLMSG_DONE)
				return ERR_OK;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ERR_SYS;
			if (!take(r, h))
				return ERR_NOMEM;
		}
	}
}

struct change {
	struct nlmsghdr head;
	struct rtmsg route;
	uint8_t attrs[32];
};

static void attr_add(struct change *q, uint16_t type, uint32_t v)
{
	struct rtattr *a = (struct rtattr *)(void *)((uint8_t *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(sizeof(v));
	memcpy(RTA_DATA(a), &v, sizeof(v));
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* Returns 0 or an errno. One of another protocol for the same prefix is let alone: EEXIST. */
static int change(struct routes *r, uint16_t type, const struct kernel_route *k)
{
	uint16_t flags = NLM_F_REQUEST | NLM_F_ACK | (type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct change q = { .head = { NLMSG_LENGTH(sizeof(struct rtmsg)), type, flags, ++r->seq, 0 },
		.route = { .rtm_family = AF_INET,
			.rtm_dst_len = (uint8_t)ip4_mask_len(k->mask),
			.rtm_table = RT_TABLE_MAIN,
			.rtm_protocol = ROUTES_PROTO,
			.rtm_scope = RT_SCOPE_UNIVERSE,
			.rtm_type = RTN_UNICAST,
			.rtm_flags = RTNH_F_ONLINK } };
	uint8_t buf[1024] __attribute__((aligned(8)));

	attr_add(&q, RTA_DST, htonl(k->prefix));
	attr_add(&q, RTA_GATEWAY, htonl(k->gateway));
	attr_add(&q, RTA_OIF, (uint32_t)k->ifindex);
	if (send(r->requests, &q, q.head.nlmsg_len, 0) < 0)
		return errno;
	for (int i = 0; i < 16; i++) {
		ssize_t n = recv(r->requests, buf, sizeof(buf), 0);
		const struct nlmsghdr *h = (const void *)buf;

		if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
			return EIO;
		if (h->nlmsg_seq == r->seq && h->nlmsg_type == NLMSG_ERROR)
			return -((const struct nlmsgerr *)NLMSG_DATA(h))->error;
	}
	return EIO;
}

static struct kernel_route *find(struct routes *r, const struct kernel_route *k)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->have[i].prefix == k->prefix && r->have[i].mask == k->mask && r->have[i].gateway == k->gateway &&
			r->have[i].ifindex == k->ifindex)
			return &r->have[i];
	return NULL;
}

static bool resolve(struct routes *r, const struct rri_route *want, struct kernel_route *out)
{
	struct netlink_route way;

	if (!netlink_route(r->requests, &r->seq, 0, want->peer, &way))
		return false;
	*out = (struct kernel_route){ want->prefix, want->mask, way.gateway ? way.gateway : want->peer, way.ifindex, true };
	return true;
}

enum err routes_set(struct routes *r, const struct rri_list *want)
{
	struct kernel_route *missing = mem_calloc(want->n + 1, sizeof(*missing));
	enum err e = missing ? table_read(r) : ERR_NOMEM;
	size_t nmissing = 0, kept = 0;
	char net[16];

	for (size_t i = 0; e == ERR_OK && i < want->n; i++) {
		struct kernel_route k, *have;

		if (!resolve(r, &want->routes[i], &k))
			continue;
		have = find(r, &k);
		if (have)
			have->wanted = true;
		else
			missing[nmissing++] = k;
	}
	/* First what is no longer true: the kernel has one route of a prefix and metric. */
	for (size_t i = 0; e == ERR_OK && i < r->n; i++) {
		if (!r->have[i].wanted && change(r, RTM_DELROUTE, &r->have[i]) == 0)
			continue;
		r->have[kept++] = r->have[i];
	}
	r->n = e == ERR_OK ? kept : r->n;
	for (size_t i = 0; e == ERR_OK && i < nmissing; i++) {
		int failed = change(r, RTM_NEWROUTE, &missing[i]);

		if (failed == 0 && !keep(r, &missing[i]))
			e = ERR_NOMEM;
		if (failed != 0 && failed != EEXIST)
			log_msg("POSTERN", LOG_SEV_WARNING, "REVERSE_ROUTE", "the route to %s/%d is refused: %s",
				ip4_print(net, missing[i].prefix), ip4_mask_len(missing[i].mask), strerror(failed));
	}
	mem_free(missing);
	return e;
}

size_t routes_count(const struct routes *r)
{
	return r->n;
}
