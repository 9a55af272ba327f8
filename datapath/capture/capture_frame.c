/* What the kernel keeps together until the driver has it (or put together after it) is taken apart again. */
#include "datapath/capture/capture_frame.h"

#include "datapath/engine/csum.h"
#include "datapath/engine/policy.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

/* The IPv4 packet of a frame; empty if it has none. */
static struct span packet_of(struct span frame)
{
	if (frame.len <= CAPTURE_ETHERNET || get16(frame.data + 12) != ETHERTYPE_IP)
		return span_of(NULL, 0);
	return span_of(frame.data + CAPTURE_ETHERNET, frame.len - CAPTURE_ETHERNET);
}

static void finish_checksum(struct span frame, const struct virtio_net_hdr *v)
{
	size_t start = v->csum_start, at = start + v->csum_offset;
	uint16_t sum;

	if (!(v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || at + 2 > frame.len)
		return;
	sum = csum_finish(csum_add(0, frame.data + start, frame.len - start));
	if (sum == 0)
		sum = 0xffff; /* for UDP zero means none; for TCP both are right */
	memcpy(frame.data + at, &sum, 2);
}

/* Length of the headers that each segment gets, 0: not a super-packet that we can cut. */
static uint32_t headers(const struct inner *in, const struct virtio_net_hdr *v)
{
	uint8_t type = v->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	uint32_t len = in->header_len + (in->protocol == IPPROTO_TCP ? in->tcp_header_len : 8u);

	if (type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_UDP_L4)
		return 0;
	if (in->protocol != (type == VIRTIO_NET_HDR_GSO_TCPV4 ? IPPROTO_TCP : IPPROTO_UDP) || !in->upper || v->gso_size == 0)
		return 0;
	return len < in->len ? len : 0;
}

void capture_frame(
	struct span frame, const struct virtio_net_hdr *v, uint8_t *scratch, void (*each)(void *ctx, struct span frame), void *ctx)
{
	struct span packet = packet_of(frame);
	struct inner in;
	uint32_t header = packet.len && inner_parse(&in, packet) ? headers(&in, v) : 0, i = 0;

	if (header == 0) {
		finish_checksum(frame, v);
		each(ctx, frame);
		return;
	}
	memcpy(scratch, frame.data, CAPTURE_ETHERNET);
	for (uint32_t at = header; at < in.len; at += v->gso_size, i++) {
		uint32_t n = in.len - at < v->gso_size ? in.len - at : v->gso_size;

		n = segment_build(&in, packet.data, scratch + CAPTURE_ETHERNET, header, at, n, i);
		each(ctx, span_of(scratch, CAPTURE_ETHERNET + n));
	}
}

bool capture_permits(const struct cfg_acl *acl, struct span frame)
{
	struct span packet = packet_of(frame);
	struct inner in;

	if (!acl)
		return packet.len > 0;
	if (!packet.len || !inner_parse(&in, packet))
		return false;
	for (size_t i = 0; i < acl->nentries; i++)
		if (ace_matches(&acl->entries[i], &in))
			return acl->entries[i].permit;
	return false;
}
