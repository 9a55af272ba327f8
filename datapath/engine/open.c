/* A batch of ESP and AH packets is opened: RFC 4303, 3.4; RFC 4302, 3.4.
 *
 *   SPI -> SA, length, window (only looked at)      open_add, open_add_ah
 *   ICV, decryption, all together                   cipher_open
 *   window (moved)                                  finish
 *   what is inside                                  deliver.c
 *   ESP inside AH: the same again                   open_add_inner
 */
#include "datapath/engine/ah.h"
#include "datapath/engine/in.h"

#include <string.h>

#define SPI_RATE_US 1000000

void open_drop(struct in *in, enum dp_drop reason, struct sa *sa, uint32_t remote, uint32_t seq)
{
	struct drop_about a = {
		.sa = sa, .policy = &sa->policy->opened, .remote = remote, .seq = seq, .protocol = sa->conf.key.protocol
	};

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

static void unknown_spi(struct in *in, uint8_t protocol, uint32_t spi, uint32_t seq, const struct outer *o)
{
	struct drop_about a = { .local = o->local, .remote = o->remote, .spi = spi, .seq = seq, .protocol = protocol };
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
	n->event.invalid_spi = (struct dpm_invalid_spi){
		.local = addr_v4(o->local), .remote = addr_v4(o->remote), .spi = spi, .protocol = protocol
	};
	note_put(&w->up);
}

/* The SA that may open the packet, and the packet's number; NULL: dropped. */
static struct sa *sa_for(struct in *in, uint8_t protocol, uint32_t spi, uint32_t low, const struct outer *o, uint64_t *seq)
{
	struct sa *sa = sa_inbound(&in->b->sas, protocol, spi, o->local);

	if (!sa) {
		unknown_spi(in, protocol, spi, low, o);
		return NULL;
	}
	*seq = replay_check(&sa->state->replay, low);
	if (*seq != 0 && !FLAG_GET(sa->dead))
		return sa;
	open_drop(in, *seq == 0 ? DP_DROP_REPLAY : DP_DROP_EXPIRED, sa, o->remote, low);
	return NULL;
}

static void too_short(struct in *in, uint8_t protocol, const struct outer *o)
{
	worker_drop(
		in->w, DP_DROP_MALFORMED, 1, &(struct drop_about){ .local = o->local, .remote = o->remote, .protocol = protocol });
}

static void put_esp(struct in *in, struct in_batch *b, struct span esp, const struct outer *o, const struct sa *around)
{
	struct reader r = reader_of(esp);
	uint32_t spi = reader_u32(&r), low = reader_u32(&r);
	struct in_packet *p = &b->packets[b->n];
	struct sa *sa;
	uint64_t seq;

	if (r.failed) {
		too_short(in, IPPROTO_ESP, o);
		return;
	}
	sa = sa_for(in, IPPROTO_ESP, spi, low, o, &seq);
	if (!sa)
		return;
	/* ESP of a bundle comes inside its own AH and not otherwise, and other ESP not inside AH. */
	if (sa->conf.bundle_spi != (around ? around->conf.key.spi : 0)) {
		open_drop(in, DP_DROP_BUNDLE, sa, o->remote, low);
		return;
	}
	if (!esp_len_valid(&sa->size, (uint32_t)esp.len)) {
		open_drop(in, DP_DROP_MALFORMED, sa, o->remote, low);
		return;
	}
	*p = (struct in_packet){
		.sa = sa, .esp = esp.data, .len = (uint32_t)esp.len, .header = o->header, .seq = seq, .tos = o->tos
	};
	p->from = place_of(o->remote, o->remote_port);
	b->jobs[b->n++] = (struct cipher_job){
		.key = sa->state->key, .esp = esp.data, .len = p->len - sa->size.icv, .seq_high = (uint32_t)(seq >> 32)
	};
}

void open_add(struct in *in, struct span esp, const struct outer *o)
{
	if (in->outer.n == IN_PACKETS)
		open_batch(in);
	put_esp(in, &in->outer, esp, o, NULL);
}

void open_add_inner(struct in *in, struct span esp, const struct outer *o, const struct sa *around)
{
	put_esp(in, &in->inner, esp, o, around); /* not more than the outer batch had */
}

void open_add_ah(struct in *in, struct span ah, const struct outer *o)
{
	struct reader r = reader_of(ah);
	uint32_t len, spi, low;
	struct in_packet *p;
	struct sa *sa;
	uint64_t seq;

	reader_skip(&r, 1);
	len = (reader_u8(&r) + 2u) * 4;
	reader_skip(&r, 2);
	spi = reader_u32(&r);
	low = reader_u32(&r);
	if (r.failed) {
		too_short(in, IPPROTO_AH, o);
		return;
	}
	sa = sa_for(in, IPPROTO_AH, spi, low, o, &seq);
	if (!sa)
		return;
	if (in->outer.n == IN_PACKETS)
		open_batch(in);
	memcpy(in->headers[in->outer.n], o->header, o->header_len);
	if (!ah_len_valid(sa->size.icv, len) || len > ah.len || !ah_mute(o->header, o->header_len)) {
		open_drop(in, DP_DROP_MALFORMED, sa, o->remote, low);
		return;
	}
	p = &in->outer.packets[in->outer.n];
	*p = (struct in_packet){ .sa = sa, .esp = ah.data, .len = (uint32_t)ah.len, .seq = seq, .tos = o->tos };
	p->header = in->headers[in->outer.n];
	p->from = place_of(o->remote, 0);
	in->outer.jobs[in->outer.n++] = (struct cipher_job){ .key = sa->state->key,
		.esp = o->header,
		.len = o->header_len + p->len,
		.seq_high = (uint32_t)(seq >> 32),
		.icv = ah.data + AH_FIXED };
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

/* The SPI is ours and the ICV is not right. AH covers the outer addresses: when the source is not the peer's, a NAT on the way is
 * the likely reason (RFC 4302, 3.3.3.1.1), and that is told apart. */
static enum dp_drop bad_icv(const struct in_packet *p)
{
	bool translated = p->sa->ah && place_address(p->from) != place_address(RCU_GET(p->sa->remote));

	return translated ? DP_DROP_AH_NAT : DP_DROP_BAD_ICV;
}

static void finish(struct in *in, const struct in_packet *p, const struct cipher_job *j)
{
	struct sa *sa = p->sa;
	uint32_t remote = place_address(p->from);

	if (!j->ok) {
		open_drop(in, bad_icv(p), sa, remote, (uint32_t)p->seq);
		return;
	}
	if (!replay_accept(&sa->state->replay, p->seq)) {
		open_drop(in, DP_DROP_REPLAY, sa, remote, (uint32_t)p->seq);
		return;
	}
	moved(in, p);
	if (sa->ah)
		deliver_ah(in, p);
	else
		deliver_esp(in, p, j);
}

static void run(struct in *in, struct in_batch *b)
{
	cipher_open(in->w->cipher, b->jobs, b->n);
	for (size_t i = 0; i < b->n; i++)
		finish(in, &b->packets[i], &b->jobs[i]);
	b->n = 0;
}

void open_batch(struct in *in)
{
	uint64_t refused;

	if (in->outer.n == 0)
		return;
	run(in, &in->outer);
	if (in->inner.n > 0)
		run(in, &in->inner);
	refused = join_flush(&in->join);
	in->used = 0;
	if (refused > 0)
		worker_drop(in->w, DP_DROP_SEND, refused, &(struct drop_about){ .protocol = 0 });
}
