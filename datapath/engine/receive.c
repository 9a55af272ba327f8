/* ESP and AH from the wire, by the three ways they come. */
#include "datapath/engine/in.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <string.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define RING_BATCH 256

/* Not ESP after all: the kernel joins datagrams of one flow by size, not by content. */
static void pass_ike(struct in *in, struct span s, const struct outer *o)
{
	struct note *n = s.len <= NOTE_BYTES ? note_take(&in->w->up) : NULL;

	if (!n)
		return;
	n->kind = NOTE_PASSED_IKE;
	n->packet.local = addr_v4(o->local);
	n->packet.remote = addr_v4(o->remote);
	n->packet.local_port = o->local_port;
	n->packet.remote_port = o->remote_port;
	n->len = (uint16_t)s.len;
	memcpy(n->packet.bytes, s.data, s.len);
	note_put(&in->w->up);
}

static void datagram(struct in *in, struct span s, const struct outer *o)
{
	struct reader r = reader_of(s);

	if (s.len == 1 && s.data[0] == 0xff)
		return; /* keepalive: RFC 3948, 2.3 */
	if (reader_u32(&r) == 0 && !r.failed)
		pass_ike(in, s, o);
	else
		open_add(in, s, o);
}

static void read_control(struct msghdr *h, struct outer *o, uint32_t *segment)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			o->local = ntohl(info.ipi_addr.s_addr);
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
			o->tos = *CMSG_DATA(c);
		} else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			int size;

			memcpy(&size, CMSG_DATA(c), sizeof(size));
			*segment = size > 0 ? (uint32_t)size : 0;
		}
	}
}

static void message(struct in *in, size_t i)
{
	struct outer o = { .local_port = PORT_NATT };
	uint32_t len = in->msgs[i].msg_len, segment = 0;

	if (in->msgs[i].msg_hdr.msg_flags & MSG_TRUNC)
		return;
	o.remote = ntohl(in->names[i].sin_addr.s_addr);
	o.remote_port = ntohs(in->names[i].sin_port);
	read_control(&in->msgs[i].msg_hdr, &o, &segment);
	if (segment == 0)
		segment = len;
	for (uint32_t at = 0; at < len; at += segment)
		datagram(in, span_of(in->buffers[i] + at, len - at < segment ? len - at : segment), &o);
}

static int receive(struct in *in, int fd)
{
	for (size_t i = 0; i < IN_MESSAGES; i++) {
		in->iovs[i] = (struct iovec){ in->buffers[i], IN_BUFFER };
		in->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &in->names[i],
			.msg_namelen = sizeof(in->names[i]),
			.msg_iov = &in->iovs[i],
			.msg_iovlen = 1,
			.msg_control = in->control[i],
			.msg_controllen = sizeof(in->control[i]) };
	}
	return recvmmsg(fd, in->msgs, IN_MESSAGES, MSG_DONTWAIT, NULL);
}

bool receive_udp(struct in *in)
{
	int n = receive(in, in->b->sockets.udp);

	for (int i = 0; i < n; i++)
		message(in, (size_t)i);
	open_batch(in);
	return n == IN_MESSAGES;
}

void receive_native(struct in *in, struct span packet, int ifindex)
{
	struct inner ip;
	struct outer o = { 0 };
	struct span body;

	if (!inner_parse(&ip, packet) || (ip.protocol != IPPROTO_ESP && ip.protocol != IPPROTO_AH) || ip.more || ip.later)
		return;
	if (ifindex && !policy_admits_ipsec(RCU_GET(in->b->set), ifindex, &ip))
		return;
	o.local = ip.dst;
	o.remote = ip.src;
	o.tos = ip.tos;
	o.sniffed = ifindex != 0;
	o.header = packet.data;
	o.header_len = ip.header_len;
	body = span_of(packet.data + ip.header_len, (size_t)ip.len - ip.header_len);
	if (ip.protocol == IPPROTO_AH)
		open_add_ah(in, body, &o);
	else
		open_add(in, body, &o);
}

bool receive_raw(struct in *in, int fd)
{
	int n = receive(in, fd);

	for (int i = 0; i < n; i++)
		receive_native(in, span_of(in->buffers[i], in->msgs[i].msg_len), 0);
	open_batch(in);
	return n == IN_MESSAGES;
}

bool receive_ring(struct in *in, struct ring *r)
{
	struct span packet;
	int n = 0;

	while (n < RING_BATCH && ring_next(r, &packet)) {
		receive_native(in, packet, r->ifindex);
		n++;
	}
	open_batch(in);
	ring_release(r);
	return n == RING_BATCH;
}

void receive_passed(struct in *in)
{
	for (struct note *n; (n = note_next(&in->w->down)) != NULL; note_done(&in->w->down)) {
		struct outer o = { .local = addr_to_v4(n->packet.local),
			.remote = addr_to_v4(n->packet.remote),
			.local_port = n->packet.local_port,
			.remote_port = n->packet.remote_port };

		open_add(in, span_of(n->packet.bytes, n->len), &o);
		open_batch(in); /* before its bytes are given back */
	}
}
