/* A batch of ESP packets is opened: RFC 4303, 3.4.
 *
 *   SPI -> SA, length, window (only looked at)      open_add
 *   ICV, decryption, all together                   cipher_open
 *   window (moved), padding, inner header, selectors, ECN, volume     finish
 */
#include "datapath/engine/in.h"

#define SPI_RATE_US 1000000

static void drop(struct in *in, enum dp_drop reason, struct sa *sa, uint32_t remote, uint32_t seq)
{
	struct drop_about a = { .sa = sa, .policy = &sa->policy->opened, .remote = remote, .seq = seq, .protocol = 50 };

	worker_drop(in->w, reason, 1, &a);
}

static bool own_address(const struct in *in, uint32_t addr)
{
	const struct policy_set *set = RCU_GET(in->b->set);

	for (uint32_t i = 0; i < set->ninterfaces; i++)
		if (set->interfaces[i].addr == addr)
			return true;
	return false;
}

static void unknown_spi(struct in *in, uint32_t spi, uint32_t seq, const struct outer *o)
{
	struct drop_about a = { .local = o->local, .remote = o->remote, .spi = spi, .seq = seq, .protocol = 50 };
	struct worker *w = in->w;
	struct note *n;

	if (o->sniffed && !own_address(in, o->local))
		return;
	worker_drop(w, DP_DROP_INVALID_SPI, 1, &a);
	if (w->rate_us != 0 && w->now_us - w->rate_us < SPI_RATE_US)
		return;
	n = note_take(&w->up);
	if (!n)
		return;
	w->rate_us = w->now_us;
	n->kind = NOTE_EVENT;
	n->event = (struct backend_event){ .kind = BACKEND_INVALID_SPI };
	n->event.invalid_spi =
		(struct dpm_invalid_spi){ .local = addr_v4(o->local), .remote = addr_v4(o->remote), .spi = spi, .protocol = 50 };
	note_put(&w->up);
}

void open_add(struct in *in, struct span esp, const struct outer *o)
{
	struct reader r = reader_of(esp);
	uint32_t spi = reader_u32(&r), low = reader_u32(&r);
	struct in_packet *p;
	struct sa *sa;
	uint64_t seq;

	if (r.failed) {
		worker_drop(in->w, DP_DROP_MALFORMED, 1,
			&(struct drop_about){ .local = o->local, .remote = o->remote, .protocol = 50 });
		return;
	}
	sa = sa_inbound(&in->b->sas, spi, o->local);
	if (!sa) {
		unknown_spi(in, spi, low, o);
		return;
	}
	if (!esp_len_valid(&sa->size, (uint32_t)esp.len)) {
		drop(in, DP_DROP_MALFORMED, sa, o->remote, low);
		return;
	}
	seq = replay_check(&sa->state->replay, low);
	if (seq == 0 || FLAG_GET(sa->dead)) {
		drop(in, seq == 0 ? DP_DROP_REPLAY : DP_DROP_EXPIRED, sa, o->remote, low);
		return;
	}
	if (in->n == IN_PACKETS)
		open_batch(in);
	p = &in->packets[in->n];
	*p = (struct in_packet){ .sa = sa, .esp = esp.data, .len = (uint32_t)esp.len, .seq = seq, .tos = o->tos };
	p->from = place_of(o->remote, o->remote_port);
	in->jobs[in->n++] = (struct cipher_job){
		.key = sa->state->key, .esp = esp.data, .len = p->len - sa->size.icv, .seq_high = (uint32_t)(seq >> 32)
	};
}

/* An authentic packet came from elsewhere: the peer's NAT has a new mapping (RFC 3947, 5). */
static void moved(struct in *in, const struct in_packet *p)
{
	struct sa *sa = p->sa;
	struct note *n;

	if (!sa->conf.udp_encap || place_port(p->from) == 0 || p->from == RCU_GET(sa->remote) || p->from == sa->state->mapping_told)
		return;
	n = note_take(&in->w->up);
	if (!n)
		return;
	sa->state->mapping_told = p->from;
	n->kind = NOTE_EVENT;
	n->event = (struct backend_event){ .kind = BACKEND_MAPPING };
	n->event.mapping = (struct dpm_mapping){ sa->conf.key, addr_v4(place_address(p->from)), place_port(p->from) };
	note_put(&in->w->up);
}

static void finish(struct in *in, const struct in_packet *p, const struct cipher_job *j)
{
	struct sa *sa = p->sa;
	struct sa_state *st = sa->state;
	uint32_t remote = place_address(p->from);
	struct inner inner;
	struct span clear;
	enum esp_content content;
	uint8_t tos;

	if (!j->ok) {
		drop(in, DP_DROP_BAD_ICV, sa, remote, (uint32_t)p->seq);
		return;
	}
	if (!replay_accept(&st->replay, p->seq)) {
		drop(in, DP_DROP_REPLAY, sa, remote, (uint32_t)p->seq);
		return;
	}
	moved(in, p);
	content = esp_unframe(&clear, p->esp, &sa->size, j->len);
	if (content == ESP_DUMMY)
		return;
	if (content != ESP_INNER || !inner_parse(&inner, clear)) {
		drop(in, DP_DROP_MALFORMED, sa, remote, (uint32_t)p->seq);
		return;
	}
	tos = inner.tos;
	if (!sa_admits(sa, &inner) || !ecn_combine(&tos, p->tos)) {
		drop(in, DP_DROP_SELECTOR, sa, remote, (uint32_t)p->seq);
		return;
	}
	if (!worker_volume(in->w, sa, inner.len)) {
		drop(in, DP_DROP_EXPIRED, sa, remote, (uint32_t)p->seq);
		return;
	}
	ip4_set_tos(clear.data, tos);
	inner.tos = tos;
	COUNT_ADD(st->count.packets, 1);
	COUNT_ADD(st->count.bytes, inner.len);
	COUNT_ADD(sa->policy->opened.packets, 1);
	COUNT_ADD(sa->policy->opened.bytes, inner.len);
	COUNT_ADD(in->w->packets, 1);
	COUNT_ADD(st->last_us, in->w->now_us - st->last_us);
	join_add(&in->join, clear.data, &inner);
}

void open_batch(struct in *in)
{
	uint64_t refused;

	if (in->n == 0)
		return;
	cipher_open(in->w->cipher, in->jobs, in->n);
	for (size_t i = 0; i < in->n; i++)
		finish(in, &in->packets[i], &in->jobs[i]);
	in->n = 0;
	refused = join_flush(&in->join);
	if (refused > 0)
		worker_drop(in->w, DP_DROP_SEND, refused, &(struct drop_about){ .protocol = 0 });
}
