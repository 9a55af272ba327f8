/* What lies below an SA payload: chains of proposals and transforms (RFC 2408 3.5, 3.6; RFC 7296 3.3), and attributes.
 *
 * A member begins with the generic header: its first byte is the number of the member's own kind if another one follows,
 * else 0. Every member takes at least four bytes from the reader, so each loop ends within the length of its input.
 */
#include "ikemgr/codec/fields.h"

#define ATTRIBUTE_BASIC 0x8000

struct chain chain_of(struct span s, enum payload_kind kind)
{
	return (struct chain){ .r = reader_of(s), .def = payload_def(kind), .last = false, .failed = false };
}

bool chain_next(struct chain *c, union payload_value *v)
{
	uint8_t next;
	uint16_t len;
	struct span body;

	if (c->failed)
		return false;
	if (c->last) {
		c->failed = reader_left(&c->r) != 0;
		return false;
	}
	next = reader_u8(&c->r);
	if (reader_u8(&c->r) != 0)
		c->failed = true;
	len = reader_u16(&c->r);
	if (len < ISAKMP_GENERIC_LEN)
		c->failed = true;
	body = reader_bytes(&c->r, len - (c->failed ? len : ISAKMP_GENERIC_LEN));
	if (c->r.failed || (next != 0 && next != c->def->number))
		c->failed = true;
	c->last = next == 0;
	if (!c->failed && payload_decode(v, c->def, body) != ERR_OK)
		c->failed = true;
	return !c->failed;
}

void chain_put(struct writer *w, enum payload_kind kind, bool more, const union payload_value *v)
{
	const struct payload_def *def = payload_def(kind);
	size_t field;

	writer_u8(w, more ? def->number : 0);
	writer_u8(w, 0);
	field = writer_begin_u16(w);
	payload_encode(w, def, v);
	writer_end_u16(w, field, ISAKMP_GENERIC_LEN);
}

bool attribute_next(struct reader *r, struct attribute *a)
{
	uint16_t type, len;
	struct reader number;

	if (reader_left(r) == 0)
		return false;
	type = reader_u16(r);
	len = reader_u16(r);
	a->type = type & ~ATTRIBUTE_BASIC;
	a->basic = (type & ATTRIBUTE_BASIC) != 0;
	a->value = (struct span){ 0 };
	a->number = len;
	if (!a->basic) {
		a->value = reader_bytes(r, len);
		number = reader_of(a->value);
		a->number = len <= 8 ? 0 : UINT64_MAX;
		while (len <= 8 && reader_left(&number) > 0)
			a->number = a->number << 8 | reader_u8(&number);
	}
	return !r->failed;
}

void attribute_encode(struct writer *w, uint16_t type, uint32_t number)
{
	if (number <= UINT16_MAX) {
		writer_u16(w, type | ATTRIBUTE_BASIC);
		writer_u16(w, (uint16_t)number);
		return;
	}
	writer_u16(w, type);
	writer_u16(w, 4);
	writer_u32(w, number);
}

void attribute_put(struct writer *w, uint16_t type, struct span value)
{
	if (value.len > UINT16_MAX)
		w->failed = true;
	writer_u16(w, type);
	writer_u16(w, (uint16_t)value.len);
	writer_span_put(w, value);
}

bool attributes_valid(struct span s)
{
	struct reader r = reader_of(s);
	struct attribute a;

	while (attribute_next(&r, &a))
		;
	return !r.failed;
}

static bool proposal_valid(const struct payload_proposal *p, unsigned version)
{
	struct chain c = chain_of(p->transforms, version == 1 ? PAYLOAD_TRANSFORM : PAYLOAD_TRANSFORM2);
	union payload_value t;
	unsigned n = 0;

	while (chain_next(&c, &t)) {
		n++;
		if (!attributes_valid(t.transform.attributes))
			return false;
	}
	return !c.failed && n == p->ntransforms;
}

bool sa_tree_valid(struct span proposals, unsigned version)
{
	struct chain c = chain_of(proposals, version == 1 ? PAYLOAD_PROPOSAL : PAYLOAD_PROPOSAL2);
	union payload_value p;

	while (chain_next(&c, &p))
		if (!proposal_valid(&p.proposal, version))
			return false;
	return !c.failed;
}
