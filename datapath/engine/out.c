/* The out worker: from the TAP to the wire.
 *
 * Reads until there is nothing more or the batch is full, seals the batch, sends it. No timer: a lone packet goes at once.
 */
#include "datapath/engine/out.h"

#include "platform/base/mem.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define HOLD_POLL_MS 500ull /* how often packets that are too old are looked for */
#define READS        64     /* before the worker lets the control thread in between */

void out_drop(struct out *o, enum dp_drop reason, const struct clear *c, uint64_t n)
{
	struct drop_about a = {
		.sa = c->sa,
		.policy = c->policy ? &c->policy->sealed : NULL,
		.local = c->in.src,
		.remote = c->in.dst,
		.protocol = c->in.protocol,
	};

	worker_drop(o->w, reason, n, &a);
}

/* How many packets a super-packet becomes. */
static uint32_t count_segments(const struct clear *c)
{
	uint32_t header = c->in.header_len, size = c->vnet->gso_size;

	if (c->vnet->gso_type == VIRTIO_NET_HDR_GSO_NONE || size == 0)
		return 1;
	header += c->in.protocol == IPPROTO_TCP ? c->in.tcp_header_len : 8;
	return c->in.len <= header + size ? 1 : (c->in.len - header + size - 1) / size;
}

static bool read_frame(struct clear *c, uint8_t *frame, uint32_t len)
{
	const uint32_t head = sizeof(struct virtio_net_hdr) + TAP_ETHERNET;

	*c = (struct clear){ .vnet = (struct virtio_net_hdr *)(void *)frame, .segments = 1 };
	if (len < head)
		return false;
	c->packet = frame + head;
	if (get16(frame + head - 2) != 0x0800 || !inner_parse(&c->in, span_of(c->packet, len - head)))
		return false;
	c->segments = count_segments(c);
	return true;
}

static void count_lines(const struct verdict *v, uint32_t n)
{
	for (uint8_t i = 0; i < v->nlines; i++)
		COUNT_ADD(v->lines[i]->matches, n);
}

static int out_interface(struct out *o, const uint8_t *frame)
{
	return policy_interface_by_mac(RCU_GET(o->b->set), frame + sizeof(struct virtio_net_hdr) + 6);
}

void out_frame(struct out *o, uint8_t *frame, uint32_t len, int ifindex, uint64_t since_us)
{
	struct clear c;
	struct verdict v;

	if (!read_frame(&c, frame, len)) {
		out_drop(o, DP_DROP_POLICY, &c, 1);
		return;
	}
	v = flow_classify(o, &c.in, ifindex);
	c.policy = v.policy;
	if (!c.policy) {
		out_drop(o, DP_DROP_POLICY, &c, c.segments);
		return;
	}
	if (since_us == 0)
		count_lines(&v, c.segments);
	c.sa = sa_outbound(c.policy, &c.in, &c.around);
	if (!c.sa) {
		hold_put(o, &c, frame, len, ifindex, since_us ? since_us : o->w->now_us);
		return;
	}
	if (c.sa->transport && (c.in.more || c.in.later)) {
		frame = whole_add(o, &c, frame, &len);
		if (frame)
			out_frame(o, frame, len, ifindex, o->w->now_us);
		return;
	}
	c.hop = RCU_GET(RCU_GET(c.sa->hop)->data);
	c.plain_mtu = sa_plain_mtu(c.sa, c.around, c.hop->mtu, c.in.header_len);
	segment(o, &c);
}

static bool read_tap(struct out *o)
{
	for (int i = 0; i < READS; i++) {
		ssize_t n = read(o->tap.fd, o->frame, TAP_FRAME_MAX);

		if (n <= 0)
			return false;
		out_frame(o, o->frame, (uint32_t)n,
			(size_t)n >= sizeof(struct virtio_net_hdr) + TAP_ETHERNET ? out_interface(o, o->frame) : 0, 0);
	}
	return true;
}

void *out_run(void *arg)
{
	struct out *o = arg;
	uint64_t held_us = 0;
	bool woken = false;
	struct pollfd fds[2] = { { .fd = o->tap.fd, .events = POLLIN }, { .fd = o->w->down.fd, .events = POLLIN } };

	while (!FLAG_GET(o->w->stop)) {
		bool more;

		rcu_online(&o->b->rcu, &o->w->rcu);
		o->w->now_us = engine_now();
		if (o->holding && (woken || o->w->now_us - held_us > HOLD_POLL_MS * 1000)) {
			hold_run(o);
			held_us = o->w->now_us;
		}
		woken = false;
		more = read_tap(o);
		seal_flush(o);
		rcu_offline(&o->w->rcu);
		more = more || worker_lingers(o->w);
		if (more && poll(&fds[1], 1, 0) == 0)
			continue;
		if (!more)
			poll(fds, 2, o->holding ? (int)HOLD_POLL_MS : -1);
		woken = fds[1].revents & POLLIN;
		if (woken)
			note_clear(&o->w->down);
	}
	return NULL;
}

enum err out_open(struct out **out, struct backend *b)
{
	struct out *o = mem_zalloc(sizeof(*o));

	if (!o)
		return ERR_NOMEM;
	o->w = &b->out_worker;
	o->b = b;
	o->tap = b->tap;
	o->udp_gso = b->sockets.udp_gso;
	o->arena = mem_zalloc(OUT_ARENA);
	o->frame = mem_zalloc(TAP_FRAME_MAX);
	o->scratch = mem_zalloc(65536);
	*out = o;
	return o->arena && o->frame && o->scratch ? ERR_OK : ERR_NOMEM;
}

void out_close(struct out *o)
{
	if (!o)
		return;
	mem_free(o->arena);
	mem_free(o->frame);
	mem_free(o->scratch);
	whole_free(o->whole);
	mem_free(o);
}
