/* Transport mode, inwards. */
#include "datapath/engine/transport.h"

#include "datapath/engine/csum.h"

#include <arpa/inet.h>
#include <string.h>

#define MADE_UP_TTL 64

static uint32_t header_copy(uint8_t *ip, const struct in_packet *p)
{
	uint32_t len = (p->header[0] & 15u) * 4u;

	memcpy(ip, p->header, len);
	return len;
}

/* The header that UDP took the place of is gone: RFC 3948, 3.1. */
static uint32_t header_made_up(uint8_t *ip, const struct in_packet *p)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = p->tos;
	ip[8] = MADE_UP_TTL;
	put32(ip + 12, place_address(p->from));
	put32(ip + 16, p->sa->local);
	return 20;
}

struct span transport_packet(struct in *in, const struct in_packet *p, uint8_t protocol, struct span payload)
{
	uint32_t header, need = 60 + (uint32_t)payload.len;
	uint8_t *ip;
	uint64_t refused;

	if (payload.len > 65535 - 60)
		return (struct span){ NULL, 0 };
	if (in->used + need > IN_ARENA) {
		refused = join_flush(&in->join);
		in->used = 0;
		if (refused > 0)
			worker_drop(in->w, DP_DROP_SEND, refused, &(struct drop_about){ .protocol = 0 });
	}
	ip = in->arena + in->used;
	header = p->header ? header_copy(ip, p) : header_made_up(ip, p);
	memcpy(ip + header, payload.data, payload.len);
	put16(ip + 2, (uint16_t)(header + payload.len));
	put16(ip + 6, get16(ip + 6) & IP4_DF);
	ip[9] = protocol;
	ip4_checksum(ip, header);
	in->used = (in->used + need + 15) & ~(size_t)15;
	return span_of(ip, header + payload.len);
}

/* The checksum field, NULL where there is none or it is not used. */
static uint8_t *checksum_field(uint8_t *packet, const struct inner *in)
{
	uint8_t *upper = packet + in->header_len;

	if (!in->upper)
		return NULL;
	if (in->protocol == IPPROTO_TCP)
		return upper + 16 + 2 <= packet + in->len ? upper + 16 : NULL;
	if (in->protocol == IPPROTO_UDP)
		return in->len >= in->header_len + 8u && get16(upper + 6) != 0 ? upper + 6 : NULL;
	return NULL;
}

/* RFC 1624: what the sum loses and what it gains. */
static void replace_address(uint8_t *field, uint32_t was, uint32_t is)
{
	uint16_t old;
	uint64_t sum;

	was = htonl(was);
	is = htonl(is);
	memcpy(&old, field, 2);
	sum = (uint16_t)~old;
	sum = csum_add(sum, &is, 4);
	was = ~was;
	sum = csum_add(sum, &was, 4);
	old = csum_finish(sum);
	memcpy(field, &old, 2);
}

bool transport_checksum(const struct sa *sa, uint8_t *packet, const struct inner *in)
{
	uint8_t *field = checksum_field(packet, in);
	uint32_t upper = (uint32_t)in->len - in->header_len;

	if (!field)
		return true;
	if (addr_is_set(sa->conf.nat_oa_remote))
		replace_address(field, addr_to_v4(sa->conf.nat_oa_remote), in->src);
	if (addr_is_set(sa->conf.nat_oa_local))
		replace_address(field, addr_to_v4(sa->conf.nat_oa_local), in->dst);
	if (in->protocol == IPPROTO_UDP && get16(field) == 0)
		put16(field, 0xffff);
	return csum_fold(csum_add(csum_pseudo(in->src, in->dst, in->protocol, (uint16_t)upper), packet + in->header_len, upper)) ==
	       0xffff;
}
