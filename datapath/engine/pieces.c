/* A sealed packet with a header of its own that is larger than the path: IP fragments (RFC 791, 2.3). Behind AH the kernel cannot
 * do it, since it would choose another identification, which is under the ICV. */
#include "datapath/engine/out.h"

#include <string.h>

static bool send_piece(struct out *o, const struct out_packet *p, const uint8_t *header, uint8_t *from, uint32_t n)
{
	uint8_t head[14 + 60];
	struct iovec iov[2] = { { head, 14u + p->header }, { from, n } };
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0800), .sll_halen = 6 };
	struct sockaddr_in to = sa_place(p->sa);
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2, .msg_name = &link, .msg_namelen = sizeof(link) };

	memcpy(head, p->hop->ethernet, 14);
	memcpy(head + 14, header, p->header);
	link.sll_ifindex = p->hop->ifindex;
	memcpy(link.sll_addr, head, 6);
	if (!p->hop->resolved) {
		iov[0] = (struct iovec){ head + 14, p->header };
		m.msg_name = &to;
		m.msg_namelen = sizeof(to);
	}
	return sendmsg(p->hop->resolved ? o->b->sockets.packet : o->b->sockets.header, &m, 0) >= 0;
}

void send_pieces(struct out *o, const struct out_packet *p)
{
	uint8_t header[60];
	uint32_t room = p->hop->mtu > p->header + 8u ? (p->hop->mtu - p->header) / 8u * 8u : 8;

	memcpy(header, p->esp - p->header, p->header);
	for (uint32_t at = 0, n; at < p->len; at += n) {
		n = p->len - at < room ? p->len - at : room;
		if (at > 0)
			ip4_blank_options(header, p->header);
		put16(header + 2, (uint16_t)(p->header + n));
		put16(header + 6, (uint16_t)((at + n < p->len ? IP4_MF : 0) | at / 8));
		ip4_checksum(header, p->header);
		if (!send_piece(o, p, header, p->esp + at, n)) {
			out_send_drop(o, p);
			return;
		}
	}
}
