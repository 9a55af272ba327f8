/* Outer headers that the engine writes itself, since the ICV of AH covers them or since they are the clear packet's own
 * (transport mode), and AH.
 *
 *   AH, tunnel           new IP | AH | clear packet
 *   AH, transport        IP     | AH | payload
 *   AH around ESP        IP     | AH | ESP ...                 IP: new one in tunnel mode, the clear packet's in transport mode
 *   ESP, transport       IP     | ESP ...
 */
#include "datapath/engine/ah.h"
#include "datapath/engine/out.h"

#include <string.h>

/* A packet with AH needs a number of its own: the kernel would replace 0, and the ICV covers it. */
static uint16_t next_id(struct out *o)
{
	if (++o->ip_id == 0)
		o->ip_id = 1;
	return o->ip_id;
}

static void header_new(struct out *o, uint8_t *ip, const struct out_packet *p)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = p->tos;
	put16(ip + 4, next_id(o));
	ip[8] = OUTER_TTL;
	put32(ip + 12, p->sa->local);
	put32(ip + 16, place_address(RCU_GET(p->sa->remote)));
}

/* The header, without checksum, before p->esp. */
static uint8_t *header_put(struct out *o, struct out_packet *p, const struct clear *c, const uint8_t *clear, uint8_t protocol)
{
	uint8_t *ip;

	p->header = p->sa->transport ? c->in.header_len : 20;
	ip = p->esp - p->header;
	if (p->sa->transport)
		memcpy(ip, clear, p->header);
	else
		header_new(o, ip, p);
	if (get16(ip + 4) == 0)
		put16(ip + 4, next_id(o));
	put16(ip + 2, (uint16_t)(p->header + p->len));
	put16(ip + 6, p->df ? IP4_DF : 0);
	ip[9] = protocol;
	return ip;
}

void wrap(struct out *o, const struct clear *c, const uint8_t *clear, uint64_t ah_seq, uint8_t next)
{
	struct out_packet *p = &o->packets[o->n];
	struct sa *ah = c->around ? c->around : p->sa;
	struct out_ah *a = &o->ah[o->nah];
	uint8_t *ip;

	if (!ah->ah) {
		ip = header_put(o, p, c, clear, IPPROTO_ESP);
		ip4_checksum(ip, p->header);
		return;
	}
	if (c->around) {
		p->esp -= ah->lead;
		p->len += ah->lead;
	}
	ah_frame(p->esp, ah->size.icv, next, ah->conf.key.spi, (uint32_t)ah_seq);
	ip = header_put(o, p, c, clear, IPPROTO_AH);
	ip4_checksum(ip, p->header);
	a->packet = (uint16_t)o->n;
	memcpy(a->header, ip, p->header);
	(void)!ah_mute(ip, p->header); /* options that are not sound: the other end cannot read them either */
	o->ah_jobs[o->nah++] = (struct cipher_job){ .key = ah->state->key,
		.esp = ip,
		.len = p->header + p->len,
		.seq_high = (uint32_t)(ah_seq >> 32),
		.icv = p->esp + AH_FIXED };
}

void wrap_seal(struct out *o)
{
	cipher_seal(o->w->cipher, o->ah_jobs, o->nah);
	for (size_t i = 0; i < o->nah; i++) {
		struct out_packet *p = &o->packets[o->ah[i].packet];

		if (!o->ah_jobs[i].ok)
			p->len = 0;
		memcpy(p->esp - p->header, o->ah[i].header, p->header);
	}
}
