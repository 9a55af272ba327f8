/* Whole messages: the header, the walk along the next-payload chain, and the builder. */
#include "ikemgr/codec/fields.h"

#include <string.h>

enum err header_decode(struct isakmp_header *h, struct span datagram)
{
	struct reader r = reader_of(datagram);

	h->cookie_i = reader_u64(&r);
	h->cookie_r = reader_u64(&r);
	h->next = reader_u8(&r);
	h->version = reader_u8(&r);
	h->exchange = reader_u8(&r);
	h->flags = reader_u8(&r);
	h->message_id = reader_u32(&r);
	h->length = reader_u32(&r);
	if (r.failed || h->length > datagram.len)
		return ERR_TRUNCATED;
	return h->length < ISAKMP_HEADER_LEN ? ERR_INVALID : ERR_OK;
}

void header_encode(struct writer *w, const struct isakmp_header *h)
{
	writer_u64(w, h->cookie_i);
	writer_u64(w, h->cookie_r);
	writer_u8(w, h->next);
	writer_u8(w, h->version);
	writer_u8(w, h->exchange);
	writer_u8(w, h->flags);
	writer_u32(w, h->message_id);
	writer_u32(w, h->length);
}

/* The kind that a payload counts as in this message, after `have` others of the same number. */
static enum payload_kind kind_in(const struct payload_def *def, size_t have)
{
	return def->kind == PAYLOAD_ID && have == 1 ? PAYLOAD_ID_SECOND : def->kind;
}

static size_t count_number(const struct message *m, uint8_t number)
{
	size_t n = 0;

	for (size_t i = 0; i < m->npayloads; i++)
		n += m->payloads[i].number == number;
	return n;
}

static enum err payload_read(struct message *m, unsigned version, uint8_t number, struct payload *p, const char **why)
{
	size_t have = count_number(m, number);

	p->number = number;
	p->def = payload_def_of(version, number);
	p->kind = PAYLOAD_UNKNOWN;
	if (p->def == NULL)
		return ERR_OK;
	if (have >= p->def->most) {
		*why = "a payload occurs too often, or out of its place";
		return ERR_LIMIT;
	}
	p->kind = kind_in(p->def, have);
	if (payload_decode(&p->v, p->def, p->body) != ERR_OK) {
		*why = "a payload is malformed";
		return ERR_INVALID;
	}
	if ((p->kind == PAYLOAD_SA && !sa_tree_valid(p->v.sa.proposals, 1)) ||
		(p->kind == PAYLOAD_SA2 && !sa_tree_valid(p->v.sa2.proposals, 2))) {
		*why = "the SA payload is malformed";
		return ERR_INVALID;
	}
	if (p->kind == PAYLOAD_CONFIG && !attributes_valid(p->v.config.attributes)) {
		*why = "the attributes of a CONFIG payload are malformed";
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* The generic header; RFC 2408 3.2 (reserved must be zero), RFC 7296 3.2 (critical bit). */
static enum err generic_read(struct reader *r, unsigned version, struct payload *p, uint8_t *next, const char **why)
{
	const uint8_t *start = r->at;
	uint8_t flags;
	uint16_t len;

	memset(p, 0, sizeof(*p));
	*next = reader_u8(r);
	flags = reader_u8(r);
	len = reader_u16(r);
	if (version == 1 && flags != 0) {
		*why = "reserved byte of a payload is not zero";
		return ERR_INVALID;
	}
	p->critical = version == 2 && (flags & 0x80);
	if (r->failed || len < ISAKMP_GENERIC_LEN || (size_t)len - ISAKMP_GENERIC_LEN > reader_left(r)) {
		*why = "length of a payload does not fit the message";
		return ERR_INVALID;
	}
	p->body = reader_bytes(r, len - ISAKMP_GENERIC_LEN);
	p->whole = span_of(start, len);
	return ERR_OK;
}

/* libreswan fills also what goes out in clear up to a multiple of four octets. */
static bool filled_up(unsigned version, struct span body, struct span rest)
{
	for (size_t i = 0; i < rest.len; i++)
		if (rest.data[i] != 0)
			return false;
	return version == 1 && rest.len < 4 && body.len % 4 == 0;
}

enum err message_decode(struct message *m, unsigned version, uint8_t first, struct span body, bool padded, const char **why)
{
	struct reader r = reader_of(body);
	uint8_t number = first, next;
	enum err e;

	m->npayloads = 0;
	m->set = 0;
	*why = "";
	while (number != 0) {
		struct payload *p = &m->payloads[m->npayloads];

		if (m->npayloads == MESSAGE_PAYLOADS) {
			*why = "too many payloads";
			return ERR_LIMIT;
		}
		e = generic_read(&r, version, p, &next, why);
		if (e == ERR_OK)
			e = payload_read(m, version, number, p, why);
		if (e != ERR_OK)
			return e;
		m->set |= UINT64_C(1) << p->kind;
		m->npayloads++;
		number = next;
	}
	if (!padded && reader_left(&r) != 0 && !filled_up(version, body, reader_bytes(&r, reader_left(&r)))) {
		*why = "bytes behind the last payload";
		return ERR_INVALID;
	}
	return ERR_OK;
}

const struct payload *message_find(const struct message *m, enum payload_kind kind, size_t n)
{
	for (size_t i = 0; i < m->npayloads; i++)
		if (m->payloads[i].kind == kind && n-- == 0)
			return &m->payloads[i];
	return NULL;
}

void build_start(struct build *b, void *buf, size_t size, const struct isakmp_header *h)
{
	struct isakmp_header head = *h;

	head.next = 0;
	b->w = writer_of(buf, size);
	b->start = 0;
	header_encode(&b->w, &head);
	b->next = (uint8_t *)buf + 16;
}

struct span build_payload(struct build *b, enum payload_kind kind, const union payload_value *v)
{
	const struct payload_def *def = payload_def(kind);
	uint8_t *start = b->w.at;
	size_t field;

	if (b->w.failed)
		return (struct span){ 0 };
	writer_u8(&b->w, 0);
	writer_u8(&b->w, 0);
	field = writer_begin_u16(&b->w);
	payload_encode(&b->w, def, v);
	writer_end_u16(&b->w, field, ISAKMP_GENERIC_LEN);
	if (b->w.failed)
		return (struct span){ 0 };
	*b->next = def->number;
	b->next = start;
	return span_of(start, (size_t)(b->w.at - start));
}

struct span build_data(struct build *b, enum payload_kind kind, struct span bytes)
{
	union payload_value v = { .data = { .data = bytes } };

	return build_payload(b, kind, &v);
}

struct span build_end(struct build *b)
{
	struct span s = writer_span(&b->w);
	struct writer w;

	if (s.len < ISAKMP_HEADER_LEN)
		return (struct span){ 0 };
	w = writer_of(s.data + 24, 4);
	writer_u32(&w, (uint32_t)s.len);
	return s;
}
