/* What was inside an authentic packet: padding, headers, selectors, ECN, volume, and on to the TAP (RFC 4303, 3.4.4.1;
 * RFC 4301, 5.2). */
#include "datapath/engine/ah.h"
#include "datapath/engine/transport.h"

static void count_opened(struct in *in, struct sa *sa, uint32_t len)
{
	struct sa_state *st = sa->state;

	COUNT_ADD(st->count.packets, 1);
	COUNT_ADD(st->count.bytes, len);
	COUNT_ADD(st->last_us, in->w->now_us - st->last_us);
}

/* A clear packet, header and all, goes on, or is dropped with the reason returned; DP_DROP_COUNT: it went. */
static enum dp_drop forward(struct in *in, const struct in_packet *p, struct span clear)
{
	struct sa *sa = p->sa;
	struct inner inner;
	uint8_t tos;

	if (!inner_parse(&inner, clear))
		return DP_DROP_MALFORMED;
	tos = inner.tos;
	if (!sa_admits(sa, &inner) || (!sa->transport && !ecn_combine(&tos, p->tos)))
		return DP_DROP_SELECTOR;
	if (sa->transport && sa->conf.udp_encap && !transport_checksum(sa, clear.data, &inner))
		return DP_DROP_CHECKSUM;
	if (!worker_volume(in->w, sa, inner.len))
		return DP_DROP_EXPIRED;
	ip4_set_tos(clear.data, tos);
	inner.tos = tos;
	count_opened(in, sa, inner.len);
	COUNT_ADD(sa->policy->opened.packets, 1);
	COUNT_ADD(sa->policy->opened.bytes, inner.len);
	COUNT_ADD(in->w->packets, 1);
	join_add(&in->join, clear.data, &inner);
	return DP_DROP_COUNT;
}

/* `next`: what the payload is. */
static void deliver(struct in *in, const struct in_packet *p, uint8_t next, struct span payload)
{
	enum dp_drop reason = DP_DROP_MALFORMED;

	if (p->sa->transport)
		payload = transport_packet(in, p, next, payload);
	if (p->sa->transport ? payload.data != NULL : next == ESP_NEXT_IPV4)
		reason = forward(in, p, payload);
	if (reason != DP_DROP_COUNT)
		open_drop(in, reason, p->sa, place_address(p->from), (uint32_t)p->seq);
}

void deliver_esp(struct in *in, const struct in_packet *p, const struct cipher_job *j)
{
	struct span payload;
	uint8_t next;

	if (!esp_unframe(&payload, &next, p->esp, &p->sa->size, j->len))
		open_drop(in, DP_DROP_MALFORMED, p->sa, place_address(p->from), (uint32_t)p->seq);
	else if (next != ESP_NEXT_NONE)
		deliver(in, p, next, payload);
}

/* AH around ESP: what is inside must be ESP, whose SA then says the rest. */
static void inside(struct in *in, const struct in_packet *p, uint8_t next, struct span payload)
{
	struct outer o = { .local = p->sa->local, .remote = place_address(p->from), .tos = p->tos };

	/* Only copied from here on. */
	o.header = (uint8_t *)(uintptr_t)p->header;
	if (next != IPPROTO_ESP) {
		open_drop(in, DP_DROP_BUNDLE, p->sa, o.remote, (uint32_t)p->seq);
		return;
	}
	if (!worker_volume(in->w, p->sa, payload.len)) {
		open_drop(in, DP_DROP_EXPIRED, p->sa, o.remote, (uint32_t)p->seq);
		return;
	}
	count_opened(in, p->sa, (uint32_t)payload.len);
	open_add_inner(in, payload, &o, p->sa);
}

void deliver_ah(struct in *in, const struct in_packet *p)
{
	uint32_t len = (p->esp[1] + 2u) * 4;
	struct span payload = span_of(p->esp + len, p->len - len);
	uint8_t next = p->esp[0];

	if (p->sa->around)
		inside(in, p, next, payload);
	else
		deliver(in, p, next, payload);
}
