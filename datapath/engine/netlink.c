/* rtnetlink: route, link and neighbour, one question and one answer each. */
#include "datapath/engine/netlink.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct request {
	struct nlmsghdr head;
	union {
		struct rtmsg route;
		struct ifinfomsg link;
		struct ndmsg neighbour;
	};
	uint8_t attrs[64];
};

static void add(struct request *q, uint16_t type, const void *data, uint16_t len)
{
	struct rtattr *a = (struct rtattr *)(void *)((uint8_t *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static void add_v4(struct request *q, uint16_t type, uint32_t addr)
{
	uint32_t n = htonl(addr);

	add(q, type, &n, sizeof(n));
}

int netlink_requests(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct timeval wait = { 0, 200000 };

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

int netlink_events(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void netlink_discard(int fd)
{
	char buf[16384];

	for (int i = 0; i < 256 && recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0; i++)
		;
}

/* Sends and waits for the answer with the same number. NULL: an error, or none. */
static struct nlmsghdr *ask(int fd, uint32_t *seq, struct request *q, uint8_t *buf, size_t size)
{
	q->head.nlmsg_seq = ++*seq;
	if (send(fd, q, q->head.nlmsg_len, 0) < 0)
		return NULL;
	for (int i = 0; i < 16; i++) {
		ssize_t n = recv(fd, buf, size, 0);
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)buf;

		if (n < (ssize_t)sizeof(*h) || !NLMSG_OK(h, (size_t)n))
			return NULL;
		if (h->nlmsg_seq == *seq)
			return h->nlmsg_type == NLMSG_ERROR ? NULL : h;
	}
	return NULL;
}

#define EACH_ATTR(a, h, body)                                                                                                      \
	for (size_t left_ = (h)->nlmsg_len - NLMSG_LENGTH(sizeof(body)),                                                           \
		    step_ = (a = (struct rtattr *)(void *)((uint8_t *)NLMSG_DATA(h) + NLMSG_ALIGN(sizeof(body))), 0);              \
		RTA_OK(a, left_); step_++, a = RTA_NEXT(a, left_))

static uint32_t attr_u32(const struct rtattr *a)
{
	uint32_t v = 0;

	if (RTA_PAYLOAD(a) >= sizeof(v))
		memcpy(&v, RTA_DATA(a), sizeof(v));
	return v;
}

static uint16_t metric_mtu(struct rtattr *metrics)
{
	size_t left = RTA_PAYLOAD(metrics);

	for (struct rtattr *a = RTA_DATA(metrics); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == RTAX_MTU)
			return (uint16_t)(attr_u32(a) > 65535 ? 65535 : attr_u32(a));
	return 0;
}

/* The kernel believes any ICMP error about a protocol that we have a socket of, whatever its SPI: what it has learned so expires, and
 * is not the route's. */
static bool learned(struct rtattr *cacheinfo)
{
	struct rta_cacheinfo info = { 0 };

	if (RTA_PAYLOAD(cacheinfo) >= sizeof(info))
		memcpy(&info, RTA_DATA(cacheinfo), sizeof(info));
	return info.rta_expires != 0;
}

bool netlink_route(int fd, uint32_t *seq, uint32_t src, uint32_t dst, struct netlink_route *out)
{
	bool expires = false;
	struct request q = { .head = { NLMSG_LENGTH(sizeof(struct rtmsg)), RTM_GETROUTE, NLM_F_REQUEST, 0, 0 },
		.route = { .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_src_len = 32 } };
	uint8_t buf[4096] __attribute__((aligned(8)));
	struct nlmsghdr *h;
	struct rtattr *a;

	*out = (struct netlink_route){ 0 };
	add_v4(&q, RTA_DST, dst);
	add_v4(&q, RTA_SRC, src);
	h = ask(fd, seq, &q, buf, sizeof(buf));
	if (!h || h->nlmsg_type != RTM_NEWROUTE)
		return false;
	EACH_ATTR(a, h, struct rtmsg)
	{
		if (a->rta_type == RTA_OIF)
			out->ifindex = (int)attr_u32(a);
		else if (a->rta_type == RTA_GATEWAY)
			out->gateway = ntohl(attr_u32(a));
		else if (a->rta_type == RTA_METRICS)
			out->mtu = metric_mtu(a);
		else if (a->rta_type == RTA_CACHEINFO)
			expires = learned(a);
	}
	if (expires)
		out->mtu = 0;
	return out->ifindex != 0;
}

bool netlink_link(int fd, uint32_t *seq, int ifindex, struct netlink_link *out)
{
	struct request q = { .head = { NLMSG_LENGTH(sizeof(struct ifinfomsg)), RTM_GETLINK, NLM_F_REQUEST, 0, 0 },
		.link = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex } };
	uint8_t buf[16384] __attribute__((aligned(8)));
	struct nlmsghdr *h = ask(fd, seq, &q, buf, sizeof(buf));
	struct rtattr *a;

	*out = (struct netlink_link){ .mtu = 1500 };
	if (!h || h->nlmsg_type != RTM_NEWLINK)
		return false;
	out->ethernet = ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_type == ARPHRD_ETHER;
	EACH_ATTR(a, h, struct ifinfomsg)
	{
		if (a->rta_type == IFLA_MTU)
			out->mtu = (uint16_t)(attr_u32(a) > 65535 ? 65535 : attr_u32(a));
		else if (a->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(a) == 6)
			memcpy(out->mac, RTA_DATA(a), 6);
	}
	return true;
}

uint8_t netlink_neighbour(int fd, uint32_t *seq, int ifindex, uint32_t addr, uint8_t mac[6])
{
	struct request q = { .head = { NLMSG_LENGTH(sizeof(struct ndmsg)), RTM_GETNEIGH, NLM_F_REQUEST, 0, 0 },
		.neighbour = { .ndm_family = AF_INET, .ndm_ifindex = ifindex } };
	uint8_t buf[4096] __attribute__((aligned(8)));
	struct nlmsghdr *h;
	struct rtattr *a;
	bool known = false;

	add_v4(&q, NDA_DST, addr);
	h = ask(fd, seq, &q, buf, sizeof(buf));
	if (!h || h->nlmsg_type != RTM_NEWNEIGH)
		return 0;
	EACH_ATTR(a, h, struct ndmsg)
	{
		if (a->rta_type == NDA_LLADDR && RTA_PAYLOAD(a) == 6) {
			memcpy(mac, RTA_DATA(a), 6);
			known = true;
		}
	}
	return known ? (uint8_t)((struct ndmsg *)NLMSG_DATA(h))->ndm_state : 0;
}

void netlink_use_neighbour(int fd, uint32_t *seq, int ifindex, uint32_t addr)
{
	struct request q = { .head = { NLMSG_LENGTH(sizeof(struct ndmsg)), RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK,
				     0, 0 },
		.neighbour = { .ndm_family = AF_INET, .ndm_ifindex = ifindex, .ndm_flags = NTF_USE } };
	uint8_t buf[1024] __attribute__((aligned(8)));

	add_v4(&q, NDA_DST, addr);
	(void)ask(fd, seq, &q, buf, sizeof(buf));
}
