/* Vendor IDs, RFC 2408 3.16. */
#include "ikemgr/codec/codec.h"

#define VENDOR_MAX 16
/* Compared in this many bytes: the last two of these carry a version (RFC 3706 5.1) or capabilities. */
#define DPD_STEM 14

struct vendor_bytes {
	uint8_t len;
	uint8_t bytes[VENDOR_MAX];
};

static const char *const vendor_hex[VENDOR_COUNT] = {
#define X(name, hex, text) hex,
	VENDORS(X)
#undef X
};
static const char *const vendor_texts[VENDOR_COUNT] = {
#define X(name, hex, text) text,
	VENDORS(X)
#undef X
};

static struct vendor_bytes bytes_of(enum vendor v)
{
	struct vendor_bytes b = { 0 };
	int n = hex_parse(b.bytes, sizeof(b.bytes), vendor_hex[v]);

	b.len = n < 0 ? 0 : (uint8_t)n;
	return b;
}

enum vendor vendor_find(struct span id)
{
	for (int v = 0; v < VENDOR_COUNT; v++) {
		struct vendor_bytes b = bytes_of((enum vendor)v);
		size_t n = v == VENDOR_DPD || v == VENDOR_UNITY ? DPD_STEM : b.len;

		/* Fragmentation is announced with and without four bytes of capabilities. */
		if (id.len < b.len || (id.len > b.len && v != VENDOR_FRAGMENTATION))
			continue;
		if (span_equal(span_of(id.data, n), span_of(b.bytes, n)))
			return (enum vendor)v;
	}
	return VENDOR_COUNT;
}

struct span vendor_id(enum vendor v)
{
	static struct vendor_bytes all[VENDOR_COUNT];

	if (all[v].len == 0)
		all[v] = bytes_of(v);
	return span_of(all[v].bytes, all[v].len);
}

const char *vendor_text(enum vendor v)
{
	return v < VENDOR_COUNT ? vendor_texts[v] : "unknown";
}
