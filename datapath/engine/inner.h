/* What the engine knows of a clear IPv4 packet: its headers, read once with all bounds checked. */
#ifndef POSTERN_ENGINE_INNER_H
#define POSTERN_ENGINE_INNER_H

#include "platform/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define IP4_DF          0x4000
#define IP4_MF          0x2000
#define IP4_OFFSET_MASK 0x1fff

struct inner {
	uint32_t src, dst;           /* host order */
	uint16_t src_port, dst_port; /* TCP, UDP, SCTP, UDP-Lite; 0 where there are none or they are not in this fragment */
	uint16_t len;                /* total length as the header says */
	uint16_t id;
	uint8_t protocol, tos;
	uint8_t header_len;
	uint8_t tcp_flags, tcp_header_len;
	uint8_t icmp_type, icmp_code;
	bool df, more; /* more fragments */
	bool later;    /* a fragment, not the first: no upper header */
	bool upper;    /* the upper header's part that the fields above need was there */
};

/* False if it is no sound IPv4 packet. `len` of the span may exceed the packet (padding). Super-packets pass too. */
bool inner_parse(struct inner *in, struct span packet);

/* From a TCP or UDP super-packet, segment number `i` with `size` bytes from `from` on, at `to` with its `header` bytes of IP and
 * upper header before; checksums are made. Returns its length. (segment.c) */
uint32_t segment_build(
	const struct inner *in, const uint8_t *packet, uint8_t *to, uint32_t header, uint32_t from, uint32_t size, uint32_t i);

/* Writes the checksum of the IPv4 header. */
void ip4_checksum(uint8_t *header, size_t header_len);
/* Overwrites the options that only the first fragment has: RFC 791, 3.1. */
void ip4_blank_options(uint8_t *header, uint32_t header_len);
/* Changes the TOS byte, and the checksum with it. */
void ip4_set_tos(uint8_t *header, uint8_t tos);

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

#endif
