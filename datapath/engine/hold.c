/* First packets wait here for their SA: bounded, oldest out first, released in order. */
#include "datapath/engine/out.h"

#include "platform/base/mem.h"

#include <string.h>

#define ALL_BYTES    (16u * 1024 * 1024) /* over all policies */
#define ASK_AGAIN_US 10000000            /* nobody answered the last acquire */

static struct held *take_first(struct out *o, struct policy *p)
{
	struct hold *h = &p->hold;
	struct held *f = h->first;

	h->first = f->next;
	if (!h->first)
		h->last = &h->first;
	COUNT_ADD(h->packets, -1u);
	h->bytes -= f->len;
	o->held_bytes -= f->len;
	return f;
}

static void drop_first(struct out *o, struct policy *p)
{
	struct drop_about a = { .policy = &p->sealed };

	worker_drop(o->w, DP_DROP_NO_SA, 1, &a);
	mem_free(take_first(o, p));
}

static void acquire(struct out *o, struct policy *p, const struct inner *in)
{
	uint64_t asked = FLAG_GET(p->acquire_us);
	struct note *n;

	if (asked != 0 && o->w->now_us - asked < ASK_AGAIN_US)
		return;
	n = note_take(&o->w->up);
	if (!n)
		return;
	n->kind = NOTE_EVENT;
	n->event = (struct backend_event){ .kind = BACKEND_ACQUIRE };
	n->event.acquire.policy = p->id;
	n->event.acquire.src = addr_v4(in->src);
	n->event.acquire.dst = addr_v4(in->dst);
	n->event.acquire.src_port = in->src_port;
	n->event.acquire.dst_port = in->dst_port;
	n->event.acquire.protocol = in->protocol;
	FLAG_SET(p->acquire_us, o->w->now_us);
	note_put(&o->w->up);
}

void hold_put(struct out *o, struct clear *c, const uint8_t *frame, uint32_t len, int ifindex, uint64_t since_us)
{
	struct policy *p = c->policy;
	struct hold *h = &p->hold;
	struct held *f;

	if (o->w->now_us < FLAG_GET(p->hold_off_us)) {
		out_drop(o, DP_DROP_NO_SA, c, c->segments);
		return;
	}
	acquire(o, p, &c->in);
	while (h->first && (h->packets >= HOLD_PACKETS || h->bytes + len > HOLD_BYTES))
		drop_first(o, p);
	f = o->held_bytes + len <= ALL_BYTES ? mem_zalloc(sizeof(*f) + len) : NULL;
	if (!f) {
		out_drop(o, DP_DROP_NOMEM, c, c->segments);
		return;
	}
	f->since_us = since_us;
	f->ifindex = ifindex;
	f->len = len;
	memcpy(f->frame, frame, len);
	*h->last = f;
	h->last = &f->next;
	COUNT_ADD(h->packets, 1);
	h->bytes += len;
	o->held_bytes += len;
	if (!h->listed) {
		h->next = o->holding;
		o->holding = p;
		FLAG_SET(h->listed, true);
	}
}

/* Everything that was held at the start is tried once; what still finds no SA goes back to the end, so the order stays. */
static void retry(struct out *o, struct policy *p)
{
	for (uint32_t n = p->hold.packets; n > 0 && p->hold.first; n--) {
		struct held *f = take_first(o, p);

		out_frame(o, f->frame, f->len, f->ifindex, f->since_us);
		mem_free(f);
	}
}

static void run_one(struct out *o, struct policy *p)
{
	uint32_t failures = FLAG_GET(p->failures);

	if (failures != p->failures_seen) {
		p->failures_seen = failures;
		while (p->hold.first)
			drop_first(o, p);
	}
	while (p->hold.first && o->w->now_us - p->hold.first->since_us > HOLD_US)
		drop_first(o, p);
	retry(o, p);
}

void hold_run(struct out *o)
{
	struct policy *todo = o->holding;

	/* A packet may come to be held under another policy meanwhile: a new list grows behind our back. */
	o->holding = NULL;
	while (todo) {
		struct policy *p = todo;

		todo = p->hold.next;
		FLAG_SET(p->hold.listed, true);
		run_one(o, p);
		if (p->hold.first) {
			p->hold.next = o->holding;
			o->holding = p;
		} else {
			FLAG_SET(p->hold.listed, false);
		}
	}
}
