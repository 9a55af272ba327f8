/* Field tables: what a payload's body consists of, in the order of the wire. For the codec's own files and its tests. */
#ifndef POSTERN_IKEMGR_CODEC_FIELDS_H
#define POSTERN_IKEMGR_CODEC_FIELDS_H

#include "ikemgr/codec/codec.h"

enum field_kind {
	FIELD_END,
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_RESERVED, /* `arg` zero bytes; ignored when read */
	FIELD_REST,     /* a span: all that is left */
	FIELD_SIZED,    /* a span of the bytes that the u8 at offset `size_at` says */
	FIELD_ARRAY     /* a span of size (u8 at size_at) times count (u16 at count_at) */
};

struct field {
	uint8_t kind; /* enum field_kind */
	uint8_t arg;
	uint8_t at; /* offset in the value's struct */
	uint8_t size_at, count_at;
	const char *label; /* NULL: not printed */
	const struct name *names;
};

struct payload_def {
	enum payload_kind kind;
	uint8_t version, number, most;
	const char *name;
	const struct field *fields; /* NULL: the body is not looked into */
};

extern const struct payload_def payload_table[]; /* by kind, PAYLOAD_NONE first; ends with kind PAYLOAD_UNKNOWN */

#endif
