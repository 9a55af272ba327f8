/* The batch: packets enter one by one, are sealed together, and go to the wire together.
 *
 *   tunnel      ... room ... | ESP header, IV | clear packet | trailer, ICV
 *   transport   ... room ... | ESP header, IV | payload      | trailer, ICV      the clear packet's header stood on the left of the
 *                                                                               payload, where the ESP header is written
 */
#include "datapath/engine/out.h"

#include <string.h>

#define SEQ_WARN     0xf0000000u /* time for a new SA: 2^28 packets before the end */
#define SEQ_WARN_ESN (UINT64_MAX - 0x10000000u)

uint8_t *seal_room(struct out *o, const struct clear *c, uint32_t inner_len)
{
	uint32_t need = OUT_ROOM + c->sa->lead + esp_len(&c->sa->size, inner_len);
	uint8_t *payload;

	if (o->n == OUT_PACKETS || o->used + need > OUT_ARENA)
		seal_flush(o);
	payload = o->arena + o->used + OUT_ROOM + c->sa->lead;
	return c->sa->transport ? payload - c->in.header_len : payload;
}

/* The next sequence number, or 0 when there is none: they are never used twice (RFC 4303, 3.3.3). */
static uint64_t next_seq(struct out *o, struct sa *sa)
{
	struct sa_state *st = sa->state;
	uint64_t last = sa->conf.esn ? UINT64_MAX : UINT32_MAX, warn = sa->conf.esn ? SEQ_WARN_ESN : SEQ_WARN;

	if (st->seq >= last)
		return 0;
	COUNT_ADD(st->seq, 1);
	if (st->seq >= warn && !st->cycle_told)
		st->cycle_told = worker_expire(o->w, sa, DP_EXPIRE_SEQUENCE);
	return st->seq;
}

/* Its limits allow the packet, and there is a number for it. */
static bool admitted(struct out *o, const struct clear *c, struct sa *sa, uint32_t inner_len, uint64_t *seq)
{
	if (!worker_volume(o->w, sa, inner_len)) {
		out_drop(o, DP_DROP_EXPIRED, c, 1);
		return false;
	}
	*seq = next_seq(o, sa);
	if (*seq == 0)
		out_drop(o, DP_DROP_SEQ_CYCLE, c, 1);
	return *seq != 0;
}

static void count_sealed(struct out *o, struct sa *sa, uint32_t inner_len)
{
	COUNT_ADD(sa->state->count.packets, 1);
	COUNT_ADD(sa->state->count.bytes, inner_len);
	COUNT_ADD(sa->state->last_us, o->w->now_us - sa->state->last_us);
}

void seal_add(struct out *o, const struct clear *c, uint32_t inner_len, uint8_t tos, bool fragment)
{
	struct sa *sa = c->sa;
	uint8_t *start = o->arena + o->used + OUT_ROOM, header[60], next = ESP_NEXT_IPV4;
	struct out_packet *p = &o->packets[o->n];
	uint64_t seq, ah_seq = 0;
	uint32_t len = inner_len;

	if (!admitted(o, c, sa, inner_len, &seq) || (c->around && !admitted(o, c, c->around, inner_len, &ah_seq)))
		return;
	if (sa->transport) {
		next = c->in.protocol;
		len -= c->in.header_len;
		memcpy(header, start + sa->lead - c->in.header_len, c->in.header_len);
	}
	*p = (struct out_packet){ .sa = sa, .hop = c->hop, .esp = start, .tos = tos, .encap = sa->conf.udp_encap };
	p->fragment = fragment;
	p->df = !fragment && (sa->transport ? c->in.df : sa->conf.df == DF_SET || (sa->conf.df == DF_COPY && c->in.df));
	if (sa->ah) {
		p->len = sa->lead + len;
		wrap(o, c, header, seq, next);
	} else {
		len = esp_frame(start, &sa->size, sa->conf.key.spi, (uint32_t)seq, len, next);
		cipher_iv(o->w->cipher, sa->state->key, start + ESP_HEADER, seq);
		o->job_packet[o->njobs] = (uint16_t)o->n;
		o->jobs[o->njobs++] =
			(struct cipher_job){ .key = sa->state->key, .esp = start, .len = len, .seq_high = (uint32_t)(seq >> 32) };
		p->len = len + sa->size.icv;
		if (c->around || (sa->transport && !p->encap))
			wrap(o, c, header, ah_seq, IPPROTO_ESP);
	}
	o->n++;
	o->used = (size_t)(p->esp + p->len - o->arena + 15) & ~(size_t)15;
	count_sealed(o, sa, inner_len);
	if (c->around)
		count_sealed(o, c->around, inner_len);
	COUNT_ADD(c->policy->sealed.packets, 1);
	COUNT_ADD(c->policy->sealed.bytes, inner_len);
	COUNT_ADD(o->w->packets, 1);
}

void seal_flush(struct out *o)
{
	if (o->n > 0) {
		cipher_seal(o->w->cipher, o->jobs, o->njobs);
		for (size_t i = 0; i < o->njobs; i++)
			if (!o->jobs[i].ok)
				o->packets[o->job_packet[i]].len = 0; /* it may be in clear: never sent */
		if (o->nah > 0)
			wrap_seal(o);
		send_batch(o);
	}
	o->n = 0;
	o->njobs = 0;
	o->nah = 0;
	o->used = 0;
}
