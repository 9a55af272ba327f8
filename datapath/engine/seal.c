/* The batch: packets enter one by one, are sealed together, and go to the wire together. */
#include "datapath/engine/out.h"

#include <string.h>

#define SEQ_WARN 0xf0000000u /* without extended numbers: time for a new SA */

uint8_t *seal_room(struct out *o, const struct clear *c, uint32_t inner_len)
{
	uint32_t need = OUT_ROOM + esp_len(&c->sa->size, inner_len);

	if (o->n == OUT_PACKETS || o->used + need > OUT_ARENA)
		seal_flush(o);
	return o->arena + o->used + OUT_ROOM + ESP_HEADER + c->sa->size.iv;
}

/* The next sequence number, or 0 when there is none: they are never used twice (RFC 4303, 3.3.3). */
static uint64_t next_seq(struct out *o, struct sa *sa)
{
	struct sa_state *st = sa->state;
	uint64_t last = sa->conf.esn ? UINT64_MAX : UINT32_MAX;

	if (st->seq >= last)
		return 0;
	COUNT_ADD(st->seq, 1);
	if (!sa->conf.esn && st->seq >= SEQ_WARN && !st->cycle_told)
		st->cycle_told = worker_expire(o->w, sa, DP_EXPIRE_SEQUENCE);
	return st->seq;
}

void seal_add(struct out *o, const struct clear *c, uint32_t inner_len, uint8_t tos, bool fragment)
{
	struct sa *sa = c->sa;
	uint8_t *esp = o->arena + o->used + OUT_ROOM;
	struct out_packet *p = &o->packets[o->n];
	uint64_t seq;
	uint32_t len;

	if (!worker_volume(o->w, sa, inner_len)) {
		out_drop(o, DP_DROP_EXPIRED, c, 1);
		return;
	}
	seq = next_seq(o, sa);
	if (seq == 0) {
		out_drop(o, DP_DROP_SEQ_CYCLE, c, 1);
		return;
	}
	len = esp_frame(esp, &sa->size, sa->conf.key.spi, (uint32_t)seq, inner_len);
	cipher_iv(o->w->cipher, sa->state->key, esp + ESP_HEADER, seq);
	o->jobs[o->n] = (struct cipher_job){ .key = sa->state->key, .esp = esp, .len = len, .seq_high = (uint32_t)(seq >> 32) };
	*p = (struct out_packet){
		.sa = sa, .hop = c->hop, .esp = esp, .len = len + sa->size.icv, .tos = tos, .encap = sa->conf.udp_encap
	};
	p->fragment = fragment;
	p->df = !fragment && (sa->conf.df == DF_SET || (sa->conf.df == DF_COPY && c->in.df));
	o->n++;
	o->used = (o->used + OUT_ROOM + p->len + 15) & ~(size_t)15;
	COUNT_ADD(sa->state->count.packets, 1);
	COUNT_ADD(sa->state->count.bytes, inner_len);
	COUNT_ADD(c->policy->sealed.packets, 1);
	COUNT_ADD(c->policy->sealed.bytes, inner_len);
	COUNT_ADD(o->w->packets, 1);
	COUNT_ADD(sa->state->last_us, o->w->now_us - sa->state->last_us);
}

void seal_flush(struct out *o)
{
	if (o->n > 0) {
		cipher_seal(o->w->cipher, o->jobs, o->n);
		send_batch(o);
	}
	o->n = 0;
	o->used = 0;
}
