/* IKEv1 fragmentation, as Cisco and Microsoft have it ([MS-IKEE] 2.2.11, 3.x): a message too long for a path that loses IP
 * fragments goes out in pieces, each a message in clear with one payload 132.
 *
 *   ISAKMP header, next payload 132 | 0 | 0 | length | id (16) | number (8), from 1 | flags (8), 1: the last | piece
 *
 * The pieces together are the whole message with its own header. Nobody proves anything by a piece: so they are taken only for
 * an IKE SA that is there, from its peer's address, after both ends have said that they can; one set per SA, and a bound over
 * all, beyond which the oldest set goes.
 *
 * Outwards: a long message goes out whole first; only when it must be repeated, in pieces.
 */
#include "ikemgr/core.h"

#include "platform/base/mem.h"

#include <string.h>

#define FRAGMENT_HEAD 8
#define FRAGMENT_LAST 1
#define PARTS_MAX     64
#define SET_BYTES_MAX OUT_MAX       /* of one message */
#define ALL_BYTES_MAX (1024 * 1024) /* of all sets */
#define SETS_MAX      256
#define SET_S         30

struct frag_set {
	struct link link; /* of ike->frag_sets, oldest first */
	struct ike_sa *sa;
	uint64_t began_us;
	uint16_t id;
	uint8_t last; /* number of the last one; 0: not seen yet */
	uint8_t have;
	size_t bytes;
	struct {
		uint8_t *data;
		uint16_t len;
	} part[PARTS_MAX];
};

void fragments_free(struct ike_sa *sa)
{
	struct frag_set *f = sa->fragments;

	if (f == NULL)
		return;
	for (int i = 0; i < PARTS_MAX; i++)
		mem_free(f->part[i].data);
	sa->k->frag_bytes -= f->bytes;
	sa->k->frag_count--;
	link_del(&f->link);
	mem_free(f);
	sa->fragments = NULL;
}

bool fragments_can(const struct ike *k, const struct sa_state *s)
{
	return k->cfg != NULL && k->cfg->isakmp.fragmentation && s->peer_fragments;
}

/* Room for so many bytes more: sets that are old, then the oldest, go. False when the one at hand has gone. */
static bool room_make(struct ike *k, const struct frag_set *mine, size_t bytes)
{
	while (k->frag_sets.next != &k->frag_sets) {
		struct frag_set *oldest = OWNER(k->frag_sets.next, struct frag_set, link);
		bool old = oldest->began_us + SET_S * SECOND < now_us(k);

		if (!old && k->frag_bytes + bytes <= ALL_BYTES_MAX && k->frag_count <= SETS_MAX)
			return true;
		count(k, STAT_FRAGMENTS_DROPPED);
		if (oldest == mine) {
			fragments_free(oldest->sa);
			return false;
		}
		fragments_free(oldest->sa);
	}
	return true;
}

static struct frag_set *set_for(struct ike_sa *sa, uint16_t id)
{
	struct ike *k = sa->k;

	if (sa->fragments != NULL && sa->fragments->id == id)
		return sa->fragments;
	fragments_free(sa);
	sa->fragments = mem_zalloc(sizeof(*sa->fragments));
	if (sa->fragments == NULL) {
		count(k, STAT_NOMEM);
		return NULL;
	}
	sa->fragments->sa = sa;
	sa->fragments->id = id;
	sa->fragments->began_us = now_us(k);
	link_add(&k->frag_sets, &sa->fragments->link);
	k->frag_count++;
	return sa->fragments;
}

struct fragment {
	uint16_t id;
	uint8_t number, flags;
	struct span data;
};

static bool fragment_read(struct fragment *f, struct span body)
{
	struct reader r = reader_of(body);
	uint8_t next = reader_u8(&r);

	reader_u8(&r);
	if (reader_u16(&r) != body.len || next != 0)
		return false;
	f->id = reader_u16(&r);
	f->number = reader_u8(&r);
	f->flags = reader_u8(&r);
	f->data = reader_bytes(&r, reader_left(&r));
	return !r.failed && f->data.len > 0 && f->number >= 1 && f->number <= PARTS_MAX && f->data.len <= SET_BYTES_MAX;
}

/* False: it does not belong to what is there, or is there already. */
static bool set_add(struct frag_set *s, const struct fragment *f)
{
	bool last = (f->flags & FRAGMENT_LAST) != 0;
	uint8_t *copy;

	if (s->part[f->number - 1].data != NULL || (s->last != 0 && (last || f->number > s->last)) ||
		s->bytes + f->data.len > SET_BYTES_MAX)
		return false;
	for (int i = f->number; last && i < PARTS_MAX; i++)
		if (s->part[i].data != NULL)
			return false;
	copy = mem_dup(f->data.data, f->data.len);
	if (copy == NULL)
		return false;
	s->part[f->number - 1].data = copy;
	s->part[f->number - 1].len = (uint16_t)f->data.len;
	s->bytes += f->data.len;
	s->sa->k->frag_bytes += f->data.len;
	s->have++;
	if (last)
		s->last = f->number;
	return true;
}

static struct span set_join(struct ike *k, const struct frag_set *s)
{
	struct writer w = writer_of(k->joined, sizeof(k->joined));

	for (int i = 0; i < s->last; i++)
		writer_bytes(&w, s->part[i].data, s->part[i].len);
	return w.failed ? (struct span){ 0 } : writer_span(&w);
}

struct span fragment_take(struct ike_sa *sa, struct span packet)
{
	struct ike *k = sa->k;
	struct fragment f;
	struct frag_set *s;
	struct span whole;

	if (!fragments_can(k, &sa->st) ||
		!fragment_read(&f, span_of(packet.data + ISAKMP_HEADER_LEN, packet.len - ISAKMP_HEADER_LEN))) {
		count(k, STAT_FRAGMENTS_DROPPED);
		return (struct span){ 0 };
	}
	count(k, STAT_FRAGMENTS_IN);
	s = set_for(sa, f.id);
	if (s == NULL || !room_make(k, s, f.data.len) || !set_add(s, &f)) {
		count(k, STAT_FRAGMENTS_DROPPED);
		return (struct span){ 0 };
	}
	if (s->last == 0 || s->have < s->last)
		return (struct span){ 0 };
	whole = set_join(k, s);
	fragments_free(sa);
	return whole;
}

/* --- outwards --- */

static void piece_send(struct ike *k, const struct ike_path *path, const struct isakmp_header *h, const struct fragment *f)
{
	struct writer w = writer_of(k->out, sizeof(k->out));

	header_encode(&w, h);
	writer_u16(&w, 0);
	writer_u16(&w, (uint16_t)(FRAGMENT_HEAD + f->data.len));
	writer_u16(&w, f->id);
	writer_u8(&w, f->number);
	writer_u8(&w, f->flags);
	writer_span_put(&w, f->data);
	if (!w.failed)
		packet_send(k, path, writer_span(&w));
}

bool fragments_send(struct ike *k, const struct ike_path *path, struct span packet)
{
	size_t most = k->frag_size - ISAKMP_HEADER_LEN - FRAGMENT_HEAD, n = (packet.len + most - 1) / most;
	struct isakmp_header h;

	if (packet.len <= k->frag_size || n > PARTS_MAX || header_decode(&h, packet) != ERR_OK)
		return false;
	h.next = PAYLOAD_FRAGMENT;
	h.flags &= (uint8_t)~FLAG_ENCRYPTED;
	k->frag_id++;
	for (size_t i = 0; i < n; i++) {
		size_t len = i + 1 < n ? most : packet.len - i * most;
		struct fragment f = { .id = k->frag_id,
			.number = (uint8_t)(i + 1),
			.flags = i + 1 == n ? FRAGMENT_LAST : 0,
			.data = span_of(packet.data + i * most, len) };

		h.length = (uint32_t)(ISAKMP_HEADER_LEN + FRAGMENT_HEAD + len);
		piece_send(k, path, &h, &f);
	}
	count(k, STAT_FRAGMENTED);
	return true;
}
