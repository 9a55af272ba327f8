/*  port 500     | ISAKMP message …
 *  port 4500    | 0 0 0 0 | ISAKMP message …        non-ESP marker
 *               | SPI, never 0 | ESP …              stray: the socket filter should have kept it
 *               | ff                                keepalive
 */
#include "ikemgr/proc/udp.h"

#include "platform/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH        32
#define TURNS        4 /* batches of one socket before the loop's other business */
#define DATAGRAM_MAX 16384
#define MARKER       4
#define KEEPALIVE    0xff

struct slot {
	uint8_t bytes[DATAGRAM_MAX];
	struct sockaddr_storage from;
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + 64];
	} control;
	struct iovec iov;
};

struct udp_socket {
	struct udp *udp;
	int fd;
	uint16_t port;
	struct loop_fd *watch;
};

struct udp {
	const struct udp_handlers *h;
	void *ctx;
	struct udp_socket sockets[2];
	struct udp_stats stats;
	struct mmsghdr heads[BATCH];
	struct slot slots[BATCH];
};

/* Where the datagram came from and to which address of ours. */
static bool path_of(struct ike_path *path, struct mmsghdr *m, const struct slot *s, uint16_t port)
{
	*path = (struct ike_path){ .local_port = port };
	if (addr_from_sockaddr(&path->remote, &path->remote_port, &s->from) != ERR_OK)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m->msg_hdr); c; c = CMSG_NXTHDR(&m->msg_hdr, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			path->local = addr_v4(ntohl(info.ipi_addr.s_addr));
			return true;
		}
	}
	return false;
}

static void take(struct udp_socket *s, struct mmsghdr *m, struct slot *slot)
{
	struct udp *u = s->udp;
	struct span packet = span_of(slot->bytes, m->msg_len);
	struct ike_path path;

	u->stats.received++;
	if (m->msg_hdr.msg_flags & MSG_TRUNC || packet.len == 0 || !path_of(&path, m, slot, s->port)) {
		u->stats.malformed++;
		return;
	}
	if (s->port == UDP_IKE) {
		u->h->ike(u->ctx, &path, packet);
	} else if (packet.len == 1 && packet.data[0] == KEEPALIVE) {
		u->stats.keepalives++;
	} else if (packet.len <= MARKER) {
		u->stats.malformed++;
	} else if (memcmp(packet.data, (const uint8_t[MARKER]){ 0 }, MARKER) == 0) {
		u->h->ike(u->ctx, &path, span_of(packet.data + MARKER, packet.len - MARKER));
	} else {
		u->h->esp(u->ctx, &path, packet);
	}
}

static int receive(struct udp_socket *s)
{
	struct udp *u = s->udp;

	for (int i = 0; i < BATCH; i++) {
		struct slot *slot = &u->slots[i];
		slot->iov = (struct iovec){ .iov_base = slot->bytes, .iov_len = sizeof(slot->bytes) };
		u->heads[i].msg_hdr = (struct msghdr){ .msg_name = &slot->from,
			.msg_namelen = sizeof(slot->from),
			.msg_iov = &slot->iov,
			.msg_iovlen = 1,
			.msg_control = &slot->control,
			.msg_controllen = sizeof(slot->control) };
	}
	return recvmmsg(s->fd, u->heads, BATCH, MSG_DONTWAIT, NULL);
}

static void on_readable(void *ctx, int fd, int what)
{
	struct udp_socket *s = ctx;
	struct udp *u = s->udp;

	(void)fd;
	(void)what;
	for (int turn = 0; turn < TURNS; turn++) {
		int n = receive(s);
		for (int i = 0; i < n; i++)
			take(s, &u->heads[i], &u->slots[i]);
		if (n < BATCH)
			break;
	}
	u->h->batch_end(u->ctx);
}

static bool prepare(int fd)
{
	const int on = 1, off = 0, fragment = IP_PMTUDISC_DONT;
	int flags = fcntl(fd, F_GETFL);

	(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &off, sizeof(off));
	/* IKE has no path MTU of its own: what is too long is fragmented on the way. */
	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &fragment, sizeof(fragment));
	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0;
}

struct udp *udp_new(struct loop *l, int ike_fd, int natt_fd, const struct udp_handlers *h, void *ctx)
{
	struct udp *u = mem_zalloc(sizeof(*u));

	if (!u) {
		close(ike_fd);
		close(natt_fd);
		return NULL;
	}
	u->h = h;
	u->ctx = ctx;
	u->sockets[0] = (struct udp_socket){ .udp = u, .fd = ike_fd, .port = UDP_IKE };
	u->sockets[1] = (struct udp_socket){ .udp = u, .fd = natt_fd, .port = UDP_NATT };
	for (int i = 0; i < 2; i++) {
		struct udp_socket *s = &u->sockets[i];
		if (prepare(s->fd))
			s->watch = loop_fd_add(l, s->fd, LOOP_READ, on_readable, s);
		if (!s->watch) {
			udp_free(u);
			return NULL;
		}
	}
	return u;
}

void udp_free(struct udp *u)
{
	if (!u)
		return;
	for (int i = 0; i < 2; i++) {
		loop_fd_del(u->sockets[i].watch);
		close(u->sockets[i].fd);
	}
	mem_free(u);
}

static void transmit(struct udp *u, const struct ike_path *path, struct iovec *iov, size_t niov)
{
	struct sockaddr_storage to;
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(addr_to_v4(path->local)) };
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(info))];
	} control = { 0 };
	struct msghdr m = {
		.msg_name = &to, .msg_iov = iov, .msg_iovlen = niov, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	m.msg_namelen = addr_to_sockaddr(&to, path->remote, path->remote_port);
	*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(info)) };
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	int fd = u->sockets[path->local_port == UDP_NATT].fd;
	if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		u->stats.send_failed++;
	else
		u->stats.sent++;
}

void udp_send(struct udp *u, const struct ike_path *path, struct span packet)
{
	uint8_t marker[MARKER] = { 0 };
	struct iovec iov[2] = { { marker, sizeof(marker) }, { packet.data, packet.len } };
	bool natt = path->local_port == UDP_NATT;

	transmit(u, path, natt ? iov : iov + 1, natt ? 2 : 1);
}

void udp_keepalive(struct udp *u, const struct ike_path *path)
{
	uint8_t byte = KEEPALIVE;
	struct iovec iov = { &byte, 1 };

	transmit(u, path, &iov, 1);
}

const struct udp_stats *udp_stats(const struct udp *u)
{
	return &u->stats;
}
