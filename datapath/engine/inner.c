/* Clear packets: reading their headers. */
#include "datapath/engine/inner.h"

#include "datapath/engine/csum.h"

#include <netinet/in.h>
#include <string.h>

static void read_tcp(struct inner *in, struct reader *r)
{
	in->src_port = reader_u16(r);
	in->dst_port = reader_u16(r);
	reader_skip(r, 8);
	in->tcp_header_len = (uint8_t)((reader_u8(r) >> 4) * 4);
	in->tcp_flags = reader_u8(r);
	in->upper = !r->failed && in->tcp_header_len >= 20;
}

static void read_ports(struct inner *in, struct reader *r)
{
	in->src_port = reader_u16(r);
	in->dst_port = reader_u16(r);
	in->upper = !r->failed;
}

static void read_icmp(struct inner *in, struct reader *r)
{
	in->icmp_type = reader_u8(r);
	in->icmp_code = reader_u8(r);
	in->upper = !r->failed;
}

static void read_upper(struct inner *in, struct reader *r)
{
	switch (in->protocol) {
	case IPPROTO_TCP:
		read_tcp(in, r);
		break;
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
		read_ports(in, r);
		break;
	case IPPROTO_ICMP:
		read_icmp(in, r);
		break;
	default:
		in->upper = true;
	}
	if (!in->upper) {
		in->src_port = in->dst_port = 0;
		in->tcp_flags = in->icmp_type = in->icmp_code = 0;
	}
}

bool inner_parse(struct inner *in, struct span packet)
{
	struct reader r = reader_of(packet), upper;
	uint8_t first = reader_u8(&r);
	uint16_t frag;

	memset(in, 0, sizeof(*in));
	in->tos = reader_u8(&r);
	in->len = reader_u16(&r);
	in->id = reader_u16(&r);
	frag = reader_u16(&r);
	reader_skip(&r, 1);
	in->protocol = reader_u8(&r);
	reader_skip(&r, 2);
	in->src = reader_u32(&r);
	in->dst = reader_u32(&r);
	in->header_len = (uint8_t)((first & 15) * 4);
	if (r.failed || first >> 4 != 4 || in->header_len < 20 || in->len < in->header_len || in->len > packet.len)
		return false;
	in->df = frag & IP4_DF;
	in->more = frag & IP4_MF;
	in->later = (frag & IP4_OFFSET_MASK) != 0;
	reader_skip(&r, in->header_len - 20u);
	upper = reader_sub(&r, (size_t)in->len - in->header_len);
	if (upper.failed)
		return false;
	if (!in->later)
		read_upper(in, &upper);
	return true;
}

void ip4_checksum(uint8_t *header, size_t header_len)
{
	uint16_t sum;

	header[10] = header[11] = 0;
	sum = csum_finish(csum_add(0, header, header_len));
	memcpy(header + 10, &sum, 2);
}

void ip4_blank_options(uint8_t *header, uint32_t header_len)
{
	for (uint32_t i = 20; i < header_len && header[i] != 0;) {
		uint32_t len = header[i] == 1 ? 1 : i + 1 < header_len ? header[i + 1] : 0;

		if (len == 0 || (header[i] != 1 && len < 2) || i + len > header_len)
			return;
		if (!(header[i] & 0x80))
			memset(header + i, 1, len);
		i += len;
	}
}

void ip4_set_tos(uint8_t *header, uint8_t tos)
{
	if (header[1] == tos)
		return;
	header[1] = tos;
	ip4_checksum(header, (header[0] & 15u) * 4u);
}
