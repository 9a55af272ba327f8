/* Our own packets put together again before transport mode: the kernel has cut them for the link before the egress hook. It sends
 * the fragments of a packet one behind the other and in order, so a packet whose next fragment is not the one expected is given
 * up, and few at a time are enough. */
#include "datapath/engine/out.h"

#include "platform/base/mem.h"

#include <string.h>

#define WHOLES 4
#define HEAD   (sizeof(struct virtio_net_hdr) + TAP_ETHERNET)

struct one_whole {
	uint32_t src, dst;
	uint16_t id;
	uint8_t protocol;
	uint32_t len; /* of frame so far; 0: free */
	uint32_t header_len;
	uint8_t frame[TAP_FRAME_MAX];
};

struct whole {
	struct one_whole slots[WHOLES];
	unsigned next;
};

static struct one_whole *slot_of(struct whole *w, const struct inner *in)
{
	for (int i = 0; i < WHOLES; i++) {
		struct one_whole *s = &w->slots[i];

		if (s->len && s->src == in->src && s->dst == in->dst && s->id == in->id && s->protocol == in->protocol)
			return s;
	}
	return NULL;
}

static void begin(struct out *o, struct whole *w, const struct clear *c, const uint8_t *frame)
{
	struct one_whole *s = &w->slots[w->next++ % WHOLES];

	if (s->len)
		out_drop(o, DP_DROP_MALFORMED, c, 1); /* of another packet, but told all the same */
	s->src = c->in.src;
	s->dst = c->in.dst;
	s->id = c->in.id;
	s->protocol = c->in.protocol;
	s->header_len = c->in.header_len;
	s->len = HEAD + c->in.len;
	memcpy(s->frame, frame, s->len);
	memset(s->frame, 0, sizeof(struct virtio_net_hdr));
}

/* True: this was the last one. */
static bool append(struct one_whole *s, const struct clear *c)
{
	uint32_t offset = (get16(c->packet + 6) & IP4_OFFSET_MASK) * 8u, n = c->in.len - (uint32_t)c->in.header_len;

	if (offset != s->len - HEAD - s->header_len || s->len - HEAD + n > 65535) {
		s->len = 0;
		return false;
	}
	memcpy(s->frame + s->len, c->packet + c->in.header_len, n);
	s->len += n;
	return !c->in.more;
}

uint8_t *whole_add(struct out *o, const struct clear *c, const uint8_t *frame, uint32_t *len)
{
	struct one_whole *s;
	uint8_t *ip;

	if (!o->whole)
		o->whole = mem_zalloc(sizeof(*o->whole));
	if (!o->whole) {
		out_drop(o, DP_DROP_NOMEM, c, 1);
		return NULL;
	}
	s = slot_of(o->whole, &c->in);
	if (!c->in.later) {
		if (s)
			s->len = 0;
		begin(o, o->whole, c, frame);
		return NULL;
	}
	if (!s || !append(s, c)) {
		if (!s || !s->len)
			out_drop(o, DP_DROP_MALFORMED, c, 1);
		return NULL;
	}
	ip = s->frame + HEAD;
	put16(ip + 2, (uint16_t)(s->len - HEAD));
	put16(ip + 6, 0);
	ip4_checksum(ip, s->header_len);
	*len = s->len;
	s->len = 0;
	return s->frame;
}

void whole_free(struct whole *w)
{
	mem_free(w);
}
