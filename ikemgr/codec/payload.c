/* Payload bodies by their field tables: the one decoder and the one encoder of all payloads. */
#include "ikemgr/codec/fields.h"

#include <string.h>

static uint8_t size_of(const union payload_value *v, const struct field *f)
{
	return ((const uint8_t *)v)[f->size_at];
}

static size_t array_len(const union payload_value *v, const struct field *f)
{
	uint16_t count;

	memcpy(&count, (const uint8_t *)v + f->count_at, sizeof(count));
	return (size_t)size_of(v, f) * count;
}

static void span_set(void *at, struct span s)
{
	memcpy(at, &s, sizeof(s));
}

static void field_decode(union payload_value *v, const struct field *f, struct reader *r)
{
	void *at = (uint8_t *)v + f->at;
	uint16_t n16;
	uint32_t n32;

	switch ((enum field_kind)f->kind) {
	case FIELD_U8:
		*(uint8_t *)at = reader_u8(r);
		break;
	case FIELD_U16:
		n16 = reader_u16(r);
		memcpy(at, &n16, sizeof(n16));
		break;
	case FIELD_U32:
		n32 = reader_u32(r);
		memcpy(at, &n32, sizeof(n32));
		break;
	case FIELD_RESERVED:
		reader_skip(r, f->arg);
		break;
	case FIELD_REST:
		span_set(at, reader_bytes(r, reader_left(r)));
		break;
	case FIELD_SIZED:
		span_set(at, reader_bytes(r, size_of(v, f)));
		break;
	case FIELD_ARRAY:
		span_set(at, reader_bytes(r, array_len(v, f)));
		break;
	case FIELD_END:
		break;
	}
}

enum err payload_decode(union payload_value *v, const struct payload_def *def, struct span body)
{
	struct reader r = reader_of(body);

	memset(v, 0, sizeof(*v));
	for (const struct field *f = def->fields; f->kind != FIELD_END; f++)
		field_decode(v, f, &r);
	if (r.failed)
		return ERR_TRUNCATED;
	return reader_left(&r) == 0 ? ERR_OK : ERR_INVALID;
}

static void field_encode(struct writer *w, const struct field *f, const union payload_value *v)
{
	const uint8_t *at = (const uint8_t *)v + f->at;
	struct span s = { 0 };
	uint16_t n16;
	uint32_t n32;

	if (f->kind >= FIELD_REST)
		memcpy(&s, at, sizeof(s));
	switch ((enum field_kind)f->kind) {
	case FIELD_U8:
		writer_u8(w, *at);
		break;
	case FIELD_U16:
		memcpy(&n16, at, sizeof(n16));
		writer_u16(w, n16);
		break;
	case FIELD_U32:
		memcpy(&n32, at, sizeof(n32));
		writer_u32(w, n32);
		break;
	case FIELD_RESERVED:
		writer_zero(w, f->arg);
		break;
	case FIELD_SIZED:
		if (s.len != size_of(v, f))
			w->failed = true;
		break;
	case FIELD_ARRAY:
		if (s.len != array_len(v, f))
			w->failed = true;
		break;
	case FIELD_REST:
	case FIELD_END:
		break;
	}
	if (f->kind >= FIELD_REST)
		writer_span_put(w, s);
}

void payload_encode(struct writer *w, const struct payload_def *def, const union payload_value *v)
{
	for (const struct field *f = def->fields; f->kind != FIELD_END; f++)
		field_encode(w, f, v);
}

const struct payload_def *payload_def(enum payload_kind kind)
{
	/* The second ID is drawn like the first. */
	if (kind == PAYLOAD_ID_SECOND)
		kind = PAYLOAD_ID;
	return kind > PAYLOAD_NONE && kind < PAYLOAD_ID_SECOND ? &payload_table[kind] : NULL;
}

const struct payload_def *payload_def_of(unsigned version, uint8_t number)
{
	for (const struct payload_def *d = payload_table + 1; d->kind != PAYLOAD_UNKNOWN; d++)
		if (d->version == version && d->number == number)
			return d;
	return NULL;
}

const char *payload_name(const struct payload_def *def)
{
	return def == NULL ? "unknown" : def->name;
}
