/* The netlink side of `log group`.
 *
 * Netlink's headers are in the machine's byte order, the values inside in network order; attributes are padded to four bytes. */
#include "datapath/filter/nflog.h"

#include "platform/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PER_WAKE 64 /* messages taken at once, so that a flood does not keep the loop */

struct nflog {
	int fd;
	struct loop_fd *event;
	void (*fn)(void *ctx, struct span message);
	void *ctx;
};

static void attribute(struct nflog_packet *p, uint16_t type, struct span value)
{
	struct reader r = reader_of(value);
	size_t n;

	switch (type) {
	case NFULA_PREFIX:
		n = value.len < sizeof(p->prefix) ? value.len : sizeof(p->prefix) - 1;
		memcpy(p->prefix, value.data, n);
		p->prefix[n] = '\0';
		break;
	case NFULA_IFINDEX_INDEV:
		p->ifindex = reader_u32(&r);
		break;
	case NFULA_HWADDR:
		/* struct nfulnl_msg_packet_hw: length, padding, eight bytes */
		if (reader_u16(&r) == sizeof(p->mac) && reader_left(&r) >= 2 + sizeof(p->mac)) {
			p->has_mac = true;
			memcpy(p->mac, value.data + 4, sizeof(p->mac));
		}
		break;
	case NFULA_PAYLOAD:
		p->packet = value;
		break;
	default:
		break;
	}
}

bool nflog_parse(struct nflog_packet *p, struct span message)
{
	struct reader r = reader_of(message);
	struct nlmsghdr h;
	struct nlattr a;

	memset(p, 0, sizeof(*p));
	if (reader_left(&r) < sizeof(h) + sizeof(struct nfgenmsg))
		return false;
	memcpy(&h, reader_bytes(&r, sizeof(h)).data, sizeof(h));
	if (h.nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return false;
	reader_skip(&r, sizeof(struct nfgenmsg));
	while (reader_left(&r) >= sizeof(a)) {
		memcpy(&a, reader_bytes(&r, sizeof(a)).data, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len - sizeof(a) > reader_left(&r))
			return false;
		struct span value = reader_bytes(&r, a.nla_len - sizeof(a));
		size_t pad = NLA_ALIGN(a.nla_len) - a.nla_len;

		if (value.len)
			attribute(p, a.nla_type & NLA_TYPE_MASK, value);
		reader_skip(&r, pad < reader_left(&r) ? pad : reader_left(&r));
	}
	return p->packet.len > 0;
}

static void on_read(void *ctx, int fd, int what)
{
	struct nflog *n = ctx;
	static uint8_t buf[65536];

	(void)what;
	for (int i = 0; i < PER_WAKE; i++) {
		ssize_t len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		const uint8_t *at = buf;

		if (len <= 0)
			return;
		/* Several messages may stand in one datagram. */
		while (len >= (ssize_t)sizeof(struct nlmsghdr)) {
			struct nlmsghdr h;

			memcpy(&h, at, sizeof(h));
			if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > (size_t)len)
				break;
			n->fn(n->ctx, span_of(at, h.nlmsg_len));
			size_t step = NLMSG_ALIGN(h.nlmsg_len);

			step = step < (size_t)len ? step : (size_t)len;
			at += step;
			len -= (ssize_t)step;
		}
	}
}

struct config {
	struct nlmsghdr h;
	struct nfgenmsg g;
	struct nlattr a;
	struct nfulnl_msg_config_cmd cmd;
	uint8_t pad[3];
	struct nlattr m;
	struct nfulnl_msg_config_mode mode;
	uint8_t pad2[2];
};

/* Binds the group, asking for packets and not only for their names, and waits for the kernel's answer. */
static bool bind_group(int fd, uint16_t group)
{
	struct config c = {
		.h = { .nlmsg_len = sizeof(c),
			.nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
			.nlmsg_seq = 1 },
		.g = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(group) },
		.a = { .nla_len = sizeof(struct nlattr) + sizeof(struct nfulnl_msg_config_cmd), .nla_type = NFULA_CFG_CMD },
		.cmd = { .command = NFULNL_CFG_CMD_BIND },
		.m = { .nla_len = sizeof(struct nlattr) + sizeof(struct nfulnl_msg_config_mode), .nla_type = NFULA_CFG_MODE },
		.mode = { .copy_range = htonl(256), .copy_mode = NFULNL_COPY_PACKET },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		uint8_t more[256];
	} answer;
	ssize_t n;

	if (sendto(fd, &c, sizeof(c), 0, (struct sockaddr *)&kernel, sizeof(kernel)) != (ssize_t)sizeof(c))
		return false;
	n = recv(fd, &answer, sizeof(answer), 0);
	return n >= (ssize_t)(sizeof(answer.h) + sizeof(answer.e)) && answer.h.nlmsg_type == NLMSG_ERROR && answer.e.error == 0;
}

struct nflog *nflog_open(struct loop *l, uint16_t group, void (*fn)(void *ctx, struct span message), void *ctx)
{
	struct nflog *n = mem_zalloc(sizeof(*n));
	struct timeval patience = { .tv_sec = 1 };

	if (!n)
		return NULL;
	n->fn = fn;
	n->ctx = ctx;
	n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (n->fd >= 0 && setsockopt(n->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 && bind_group(n->fd, group))
		n->event = loop_fd_add(l, n->fd, LOOP_READ, on_read, n);
	if (!n->event) {
		nflog_close(n);
		return NULL;
	}
	return n;
}

void nflog_close(struct nflog *n)
{
	if (!n)
		return;
	loop_fd_del(n->event);
	if (n->fd >= 0)
		close(n->fd);
	mem_free(n);
}
