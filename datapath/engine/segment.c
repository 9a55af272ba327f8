/* From one packet of the TAP to packets that fit the path: super-packets are cut into segments (their virtio header says how),
 * unfinished checksums are finished, what is too big is fragmented or refused (RFC 4301, 8). */
#include "datapath/engine/csum.h"
#include "datapath/engine/out.h"

#include <netinet/tcp.h>
#include <string.h>

#define NO_GSO(c) ((c)->vnet->gso_type == VIRTIO_NET_HDR_GSO_NONE)

static void finish_checksum(struct clear *c)
{
	uint32_t start = c->vnet->csum_start, at = start + c->vnet->csum_offset;
	uint8_t *l4;
	uint16_t sum;

	/* csum_start counts from the Ethernet header. */
	if (!(c->vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || start < TAP_ETHERNET || at + 2 > TAP_ETHERNET + (uint32_t)c->in.len)
		return;
	l4 = c->packet + start - TAP_ETHERNET;
	sum = csum_finish(csum_add(0, l4, c->in.len - (start - TAP_ETHERNET)));
	if (sum == 0 && c->in.protocol == IPPROTO_UDP)
		sum = 0xffff;
	memcpy(l4 + c->vnet->csum_offset, &sum, 2);
}

static void put_upper_checksum(uint8_t *l4, const struct inner *in, uint16_t len, size_t at, uint64_t sum)
{
	uint16_t check;

	sum += csum_pseudo(in->src, in->dst, in->protocol, len);
	check = csum_finish(sum);
	if (check == 0 && in->protocol == IPPROTO_UDP)
		check = 0xffff;
	memcpy(l4 + at, &check, 2);
}

uint32_t segment_build(
	const struct inner *in, const uint8_t *packet, uint8_t *to, uint32_t header, uint32_t from, uint32_t size, uint32_t i)
{
	uint8_t *l4 = to + in->header_len;
	uint32_t upper = header - in->header_len;
	bool last = from + size == in->len;
	uint64_t sum;

	memcpy(to, packet, header);
	put16(to + 2, (uint16_t)(header + size));
	put16(to + 4, (uint16_t)(in->id + i));
	ip4_checksum(to, in->header_len);
	sum = csum_copy(0, to + header, packet + from, size);
	if (in->protocol == IPPROTO_TCP) {
		put32(l4 + 4, get32(l4 + 4) + (from - header));
		if (!last)
			l4[13] &= (uint8_t) ~(TH_FIN | TH_PUSH);
		if (i > 0)
			l4[13] &= 0x7f; /* CWR stands on the first only */
		l4[16] = l4[17] = 0;
		put_upper_checksum(l4, in, (uint16_t)(upper + size), 16, csum_add(sum, l4, upper));
	} else {
		put16(l4 + 4, (uint16_t)(upper + size));
		l4[6] = l4[7] = 0;
		put_upper_checksum(l4, in, (uint16_t)(upper + size), 6, csum_add(sum, l4, upper));
	}
	return header + size;
}

/* The packet in pieces that fit, each sealed by itself: the other end need not put outer fragments together. */
static void fragment_before(struct out *o, const struct clear *c, uint8_t *packet, uint32_t len)
{
	uint32_t header = c->in.header_len, step = (c->plain_mtu - header) / 8 * 8;
	uint16_t old = get16(packet + 6);

	for (uint32_t at = header, n; at < len; at += n) {
		uint8_t *to = seal_room(o, c, header + step);

		n = len - at < step ? len - at : step;
		memcpy(to, packet, header);
		memcpy(to + header, packet + at, n);
		if (at > header)
			ip4_blank_options(to, header);
		put16(to + 2, (uint16_t)(header + n));
		put16(to + 6,
			(uint16_t)((old & IP4_MF) | (at + n < len ? IP4_MF : 0) | ((old & IP4_OFFSET_MASK) + (at - header) / 8)));
		ip4_checksum(to, header);
		seal_add(o, c, header + n, c->in.tos, false);
	}
}

/* One packet that is too big; it may not be refused. What is cut after sealing has no DF in its outer header, whatever `df-bit`
 * says: a datagram with it has no fragments (RFC 791, 2.3). */
static void fragment(struct out *o, const struct clear *c, uint8_t *packet, uint32_t len)
{
	bool after = c->sa->transport || c->in.df || c->sa->sel.ports || c->sa->conf.fragment_after;

	if (!after && c->plain_mtu >= c->in.header_len + 8u) {
		fragment_before(o, c, packet, len);
		return;
	}
	memcpy(seal_room(o, c, len), packet, len);
	seal_add(o, c, len, c->in.tos, true);
}

/* The sender learns what fits; the control thread writes the message. */
static void refuse(struct out *o, const struct clear *c)
{
	struct note *n;
	bool error = c->in.protocol == IPPROTO_ICMP && c->in.icmp_type != 8 && c->in.icmp_type != 0;

	out_drop(o, DP_DROP_TOO_BIG, c, c->segments);
	if (error || c->in.later || c->in.src == 0 || c->in.src >> 28 >= 14 || c->plain_mtu == 0)
		return;
	n = note_take(&o->w->up);
	if (!n)
		return;
	n->kind = NOTE_TOO_BIG;
	n->mtu = c->plain_mtu;
	n->len = c->in.len < 548 ? c->in.len : 548;
	memcpy(n->packet.bytes, c->packet, n->len);
	note_put(&o->w->up);
}

static void one(struct out *o, struct clear *c)
{
	finish_checksum(c);
	if (c->in.len > c->plain_mtu) {
		fragment(o, c, c->packet, c->in.len);
		return;
	}
	memcpy(seal_room(o, c, c->in.len), c->packet, c->in.len);
	seal_add(o, c, c->in.len, c->in.tos, false);
}

static void many(struct out *o, struct clear *c, uint32_t header, uint32_t size)
{
	uint32_t i = 0;

	/* TCP may be cut anywhere: smaller segments instead of fragments. */
	if (header + size > c->plain_mtu && c->in.protocol == IPPROTO_TCP && !c->in.df && c->plain_mtu > header + 8)
		size = c->plain_mtu - header;
	for (uint32_t at = header; at < c->in.len; at += size, i++) {
		uint32_t n = c->in.len - at < size ? c->in.len - at : size;

		if (header + n > c->plain_mtu) {
			fragment(o, c, o->scratch, segment_build(&c->in, c->packet, o->scratch, header, at, n, i));
			continue;
		}
		segment_build(&c->in, c->packet, seal_room(o, c, header + n), header, at, n, i);
		seal_add(o, c, header + n, c->in.tos, false);
	}
}

void segment(struct out *o, struct clear *c)
{
	uint32_t header, size = c->vnet->gso_size;
	uint8_t type = c->vnet->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	bool gso = !NO_GSO(c);

	header = c->in.header_len + (c->in.protocol == IPPROTO_TCP ? c->in.tcp_header_len : 8u);
	if (gso &&
		((type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_UDP_L4) || size == 0 || !c->in.upper ||
			header > c->in.len || c->in.protocol != (type == VIRTIO_NET_HDR_GSO_TCPV4 ? IPPROTO_TCP : IPPROTO_UDP))) {
		out_drop(o, DP_DROP_MALFORMED, c, c->segments);
		return;
	}
	if (gso && header + size >= c->in.len)
		gso = false; /* one segment: only its checksum is open */
	if ((gso ? header + size : c->in.len) > c->plain_mtu && c->in.df && (c->sa->transport || c->sa->conf.df != DF_CLEAR)) {
		refuse(o, c);
		return;
	}
	if (c->hop->ifindex == 0) {
		out_drop(o, DP_DROP_NO_ROUTE, c, c->segments);
		return;
	}
	if (gso)
		many(o, c, header, size);
	else
		one(o, c);
}
