/* Joining segments, and writing to the TAP. */
#include "datapath/engine/join.h"

#include "datapath/engine/csum.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define JOIN_BYTES 65000

void join_init(struct join *j, const struct tap *t)
{
	j->fd = t->fd;
	j->tso = t->tso;
	j->uso = t->uso;
	j->n = 0;
	j->failed = 0;
	/* From a local address of no device to the TAP's own. */
	memcpy(j->ethernet, t->mac, 6);
	memcpy(j->ethernet + 6, "\x02\x00\x00\x00\x00\x32", 6);
	j->ethernet[12] = 0x08;
	j->ethernet[13] = 0x00;
}

static void write_parts(struct join *j, struct virtio_net_hdr *vnet, struct iovec *iov, int n, uint64_t packets)
{
	iov[0] = (struct iovec){ vnet, sizeof(*vnet) };
	iov[1] = (struct iovec){ j->ethernet, TAP_ETHERNET };
	if (writev(j->fd, iov, n) < 0)
		j->failed += packets;
}

static void write_one(struct join *j, uint8_t *packet, uint32_t len)
{
	struct virtio_net_hdr vnet = { 0 };
	struct iovec iov[3];

	iov[2] = (struct iovec){ packet, len };
	write_parts(j, &vnet, iov, 3, 1);
}

/* The checksum field holds the pseudo header's sum: the kernel adds the rest (virtio 1.2, 5.1.6.2). */
static void open_checksum(const struct joined *f, struct virtio_net_hdr *vnet, uint16_t offset, uint32_t upper)
{
	uint16_t sum = csum_fold(csum_pseudo(f->in.src, f->in.dst, f->in.protocol, (uint16_t)(upper + f->total)));

	memcpy(f->head + f->in.header_len + offset, &sum, 2);
	vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	vnet->csum_start = TAP_ETHERNET + f->in.header_len;
	vnet->csum_offset = offset;
}

static void write_joined(struct join *j, struct joined *f)
{
	struct virtio_net_hdr vnet = { 0 };
	struct iovec iov[3 + JOIN_SEGMENTS];
	bool tcp = f->in.protocol == IPPROTO_TCP;

	if (f->n == 1) {
		write_one(j, f->head, f->in.len);
		return;
	}
	put16(f->head + 2, (uint16_t)(f->header + f->total));
	ip4_checksum(f->head, f->in.header_len);
	if (!tcp)
		put16(f->head + f->in.header_len + 4, (uint16_t)(8 + f->total));
	open_checksum(f, &vnet, tcp ? 16 : 6, f->header - f->in.header_len);
	vnet.gso_type = tcp ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_UDP_L4;
	vnet.gso_size = (uint16_t)f->size;
	vnet.hdr_len = (uint16_t)(TAP_ETHERNET + f->header);
	iov[2] = (struct iovec){ f->head, f->header };
	memcpy(&iov[3], f->parts, f->n * sizeof(f->parts[0]));
	write_parts(j, &vnet, iov, 3 + f->n, f->n);
}

static void write_first(struct join *j)
{
	write_joined(j, &j->flows[0]);
	j->n--;
	memmove(&j->flows[0], &j->flows[1], j->n * sizeof(j->flows[0]));
}

static bool checksum_right(const uint8_t *packet, const struct inner *in)
{
	uint32_t upper = (uint32_t)in->len - in->header_len;
	uint64_t sum = csum_pseudo(in->src, in->dst, in->protocol, (uint16_t)upper);

	return csum_fold(csum_add(sum, packet + in->header_len, upper)) == 0xffff;
}

/* May this packet be part of a super-packet at all? */
static bool joinable(const struct join *j, const uint8_t *packet, const struct inner *in)
{
	const uint8_t *l4 = packet + in->header_len;

	if (in->header_len != 20 || in->more || in->later || !in->upper)
		return false;
	if (in->protocol == IPPROTO_TCP)
		return j->tso && !(in->tcp_flags & (uint8_t) ~(TH_ACK | TH_PUSH)) && (in->tcp_flags & TH_ACK) &&
		       in->len > in->header_len + in->tcp_header_len;
	return in->protocol == IPPROTO_UDP && j->uso && in->len > in->header_len + 8u &&
	       get16(l4 + 4) == in->len - in->header_len && get16(l4 + 6) != 0;
}

static bool same_flow(const struct joined *f, const struct inner *in)
{
	return f->in.src == in->src && f->in.dst == in->dst && f->in.src_port == in->src_port && f->in.dst_port == in->dst_port &&
	       f->in.protocol == in->protocol;
}

/* Does it follow the last segment, with the same headers otherwise? */
static bool follows(const struct joined *f, const uint8_t *packet, const struct inner *in, uint32_t payload)
{
	const uint8_t *l4 = packet + in->header_len, *first = f->head + in->header_len;

	if (f->closed || f->n == JOIN_SEGMENTS || payload > f->size || f->total + payload + f->header > JOIN_BYTES)
		return false;
	if (in->tos != f->in.tos || packet[8] != f->head[8] || in->df != f->in.df)
		return false;
	if (in->protocol == IPPROTO_UDP)
		return true;
	return in->tcp_header_len == f->in.tcp_header_len && get32(l4 + 4) == f->next_seq && memcmp(l4 + 8, first + 8, 4) == 0 &&
	       memcmp(l4 + 14, first + 14, 2) == 0 && memcmp(l4 + 20, first + 20, in->tcp_header_len - 20u) == 0;
}

static void append(struct joined *f, uint8_t *packet, const struct inner *in, uint32_t payload)
{
	f->parts[f->n++] = (struct iovec){ packet + f->header, payload };
	f->total += payload;
	f->next_seq += payload;
	f->closed = payload < f->size || (in->protocol == IPPROTO_TCP && (in->tcp_flags & TH_PUSH));
	if (in->protocol == IPPROTO_TCP)
		f->head[f->in.header_len + 13] |= in->tcp_flags & TH_PUSH;
}

static void start(struct join *j, uint8_t *packet, const struct inner *in, uint32_t header)
{
	struct joined *f = &j->flows[j->n++];

	*f = (struct joined){ .in = *in, .head = packet, .header = header, .size = in->len - header };
	f->next_seq = in->protocol == IPPROTO_TCP ? get32(packet + in->header_len + 4) : 0;
	append(f, packet, in, in->len - header);
}

/* What must not overtake: earlier packets of the same flow go first. */
static void flush_flow(struct join *j, const struct inner *in)
{
	for (size_t i = 0; i < j->n; i++)
		if (same_flow(&j->flows[i], in) || in->later || in->more) {
			write_joined(j, &j->flows[i]);
			j->n--;
			memmove(&j->flows[i], &j->flows[i + 1], (j->n - i) * sizeof(j->flows[0]));
			i--;
		}
}

void join_add(struct join *j, uint8_t *packet, const struct inner *in)
{
	uint32_t header = in->header_len + (in->protocol == IPPROTO_TCP ? in->tcp_header_len : 8u);

	if (!joinable(j, packet, in) || !checksum_right(packet, in)) {
		flush_flow(j, in);
		write_one(j, packet, in->len);
		return;
	}
	for (size_t i = 0; i < j->n; i++)
		if (same_flow(&j->flows[i], in) && follows(&j->flows[i], packet, in, in->len - header)) {
			append(&j->flows[i], packet, in, in->len - header);
			return;
		}
	flush_flow(j, in);
	if (j->n == JOIN_FLOWS)
		write_first(j);
	start(j, packet, in, header);
}

uint64_t join_flush(struct join *j)
{
	uint64_t failed;

	while (j->n > 0)
		write_first(j);
	failed = j->failed;
	j->failed = 0;
	return failed;
}
