/* A sealed batch goes to the wire: packets in a row with the same way out make one system call, and in UDP one super-packet.
 *
 *   in UDP         UDP_SEGMENT: up to 64 packets of one size, one message
 *   native         AF_PACKET with our own headers, when the next hop is resolved and the packet fits
 *   native, else   the raw socket: the kernel routes, asks for the neighbour, and fragments
 *   with a header that is under an ICV or the clear packet's own, else: the raw socket that takes headers
 */
#include "datapath/engine/csum.h"
#include "datapath/engine/out.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#define GSO_SEGMENTS 64
#define GSO_BYTES    64000

enum way { WAY_UDP, WAY_UDP_DF, WAY_RAW, WAY_RAW_DF, WAY_PACKET, WAY_HEADER };

static enum way way_of(const struct out_packet *p)
{
	if (p->encap)
		return p->df ? WAY_UDP_DF : WAY_UDP;
	if (p->hop->resolved && !p->fragment)
		return WAY_PACKET;
	if (p->header)
		return WAY_HEADER;
	return p->df ? WAY_RAW_DF : WAY_RAW;
}

static int socket_of(const struct sockets *s, enum way w)
{
	const int fds[] = { s->udp, s->udp_df, s->raw, s->raw_df, s->packet, s->header };

	return fds[w];
}

void out_send_drop(struct out *o, const struct out_packet *p)
{
	struct drop_about a = { .sa = p->sa, .policy = &p->sa->policy->sealed, .protocol = p->sa->conf.key.protocol };

	worker_drop(o->w, DP_DROP_SEND, 1, &a);
}

static void *control_put(struct msghdr *h, int level, int type, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)((uint8_t *)h->msg_control + h->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	h->msg_controllen += CMSG_SPACE(len);
	memset(CMSG_DATA(c), 0, len);
	return CMSG_DATA(c);
}

static void message_ip(struct out *o, size_t m, const struct out_packet *p, size_t segments)
{
	struct msghdr *h = &o->msgs[m].msg_hdr;
	struct sockaddr_in *to = (struct sockaddr_in *)&o->names[m];
	struct in_pktinfo *info;
	int tos = p->tos;

	*to = sa_place(p->sa);
	h->msg_name = to;
	h->msg_namelen = sizeof(*to);
	h->msg_control = o->control[m];
	h->msg_controllen = 0;
	info = control_put(h, IPPROTO_IP, IP_PKTINFO, sizeof(*info));
	info->ipi_spec_dst.s_addr = htonl(p->sa->local);
	memcpy(control_put(h, IPPROTO_IP, IP_TOS, sizeof(tos)), &tos, sizeof(tos));
	if (segments > 1) {
		uint16_t size = (uint16_t)p->len;

		memcpy(control_put(h, SOL_UDP, UDP_SEGMENT, sizeof(size)), &size, sizeof(size));
	}
}

static void header_tunnel(struct out *o, uint8_t *ip, const struct out_packet *p)
{
	ip[0] = 0x45;
	ip[1] = p->tos;
	put16(ip + 2, (uint16_t)(20 + p->len));
	put16(ip + 4, o->ip_id++);
	put16(ip + 6, p->df ? IP4_DF : 0);
	ip[8] = OUTER_TTL;
	ip[9] = IPPROTO_ESP;
	put32(ip + 12, p->sa->local);
	put32(ip + 16, place_address(RCU_GET(p->sa->remote)));
	ip4_checksum(ip, 20);
}

static void message_packet(struct out *o, size_t m, const struct out_packet *p)
{
	struct msghdr *h = &o->msgs[m].msg_hdr;
	struct sockaddr_ll *to = (struct sockaddr_ll *)&o->names[m];
	uint8_t *ip = p->esp - (p->header ? p->header : 20), *frame = ip - 14;

	memcpy(frame, p->hop->ethernet, 14);
	if (!p->header)
		header_tunnel(o, ip, p);
	o->iovs[o->first[m]] = (struct iovec){ frame, (size_t)(p->esp + p->len - frame) };
	*to = (struct sockaddr_ll){
		.sll_family = AF_PACKET, .sll_protocol = htons(0x0800), .sll_ifindex = p->hop->ifindex, .sll_halen = 6
	};
	memcpy(to->sll_addr, frame, 6);
	h->msg_name = to;
	h->msg_namelen = sizeof(*to);
	h->msg_control = NULL;
	h->msg_controllen = 0;
}

static void message_header(struct out *o, size_t m, const struct out_packet *p)
{
	struct msghdr *h = &o->msgs[m].msg_hdr;
	struct sockaddr_in *to = (struct sockaddr_in *)&o->names[m];

	*to = sa_place(p->sa);
	o->iovs[o->first[m]] = (struct iovec){ p->esp - p->header, p->header + p->len };
	h->msg_name = to;
	h->msg_namelen = sizeof(*to);
}

/* How many packets from `i` on can go as one UDP super-packet: same SA and header, same size but for a shorter last one. */
static size_t run_length(const struct out *o, size_t i, enum way w)
{
	const struct out_packet *p = &o->packets[i];
	size_t n = 1, bytes = p->len;

	if (!p->encap || p->fragment || !o->gso_now)
		return 1;
	while (i + n < o->n && n < GSO_SEGMENTS) {
		const struct out_packet *q = &o->packets[i + n];

		if (q->sa != p->sa || q->tos != p->tos || q->fragment || way_of(q) != w || q->len > p->len || q->len == 0 ||
			bytes + q->len > GSO_BYTES)
			break;
		bytes += q->len;
		n++;
		if (q->len < p->len)
			break;
	}
	return n;
}

/* One message over packets [i, i + n). */
static void message(struct out *o, size_t m, size_t i, size_t n, enum way w)
{
	struct msghdr *h = &o->msgs[m].msg_hdr;

	memset(h, 0, sizeof(*h));
	o->first[m] = (uint16_t)i;
	o->runs[m] = (uint16_t)n;
	for (size_t k = i; k < i + n; k++)
		o->iovs[k] = (struct iovec){ o->packets[k].esp, o->packets[k].len };
	if (w == WAY_PACKET)
		message_packet(o, m, &o->packets[i]);
	else if (w == WAY_HEADER)
		message_header(o, m, &o->packets[i]);
	else
		message_ip(o, m, &o->packets[i], n);
	h->msg_iov = &o->iovs[i];
	h->msg_iovlen = n;
}

/* A message was refused as a super-packet (no checksum offload on the way: kernels before 6.10): one by one, from now on all. */
static void send_singly(struct out *o, size_t m, enum way w)
{
	size_t first = o->first[m], n = o->runs[m];
	int fd = socket_of(&o->b->sockets, w);

	if (errno == EIO || errno == EINVAL)
		o->udp_gso = o->gso_now = false;
	for (size_t i = 0; i < n; i++) {
		message(o, m, first + i, 1, w);
		if (sendmsg(fd, &o->msgs[m].msg_hdr, 0) < 0)
			out_send_drop(o, &o->packets[first + i]);
	}
}

static void send_messages(struct out *o, size_t count, enum way w)
{
	int fd = socket_of(&o->b->sockets, w);

	for (size_t at = 0; at < count;) {
		int n = sendmmsg(fd, o->msgs + at, (unsigned)(count - at), 0);

		if (n > 0) {
			at += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (o->runs[at] > 1 && errno != EAGAIN)
			send_singly(o, at, w);
		else
			for (size_t i = 0; i < o->runs[at]; i++)
				out_send_drop(o, &o->packets[o->first[at] + i]);
		at++;
	}
}

void send_batch(struct out *o)
{
	size_t count = 0;
	enum way now = WAY_UDP;

	o->gso_now = o->udp_gso && !FLAG_GET(o->b->seen);
	for (size_t i = 0, n; i < o->n; i += n) {
		enum way w = way_of(&o->packets[i]);
		bool pieces = o->packets[i].fragment && o->packets[i].header;

		if (count > 0 && (w != now || pieces)) {
			send_messages(o, count, now);
			count = 0;
		}
		n = 1;
		if (o->packets[i].len == 0)
			out_send_drop(o, &o->packets[i]);
		else if (pieces)
			send_pieces(o, &o->packets[i]);
		if (o->packets[i].len == 0 || pieces)
			continue;
		now = w;
		n = run_length(o, i, w);
		message(o, count++, i, n, w);
	}
	send_messages(o, count, now);
}
