/* Reader and writer of outside bytes: every bound is checked here, and nowhere else. */
#include "platform/base/bytes.h"

#include <openssl/crypto.h>
#include <string.h>

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool span_equal_ct(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

struct reader reader_of(struct span s)
{
	/* Pointer arithmetic on null is undefined: an empty span reads from a place that exists. */
	static const uint8_t nothing[1];

	if (s.data == NULL)
		return (struct reader){ nothing, nothing, s.len != 0 };
	return (struct reader){ s.data, s.data + s.len, false };
}

size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : (size_t)(r->end - r->at);
}

/* The next n bytes, or NULL when they are not there. */
static const uint8_t *take(struct reader *r, size_t n)
{
	const uint8_t *p = r->at;

	if (r->failed || (size_t)(r->end - r->at) < n) {
		r->failed = true;
		return NULL;
	}
	r->at += n;
	return p;
}

static uint64_t take_number(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);
	uint64_t v = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)take_number(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
	return (uint16_t)take_number(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
	return (uint32_t)take_number(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
	return take_number(r, 8);
}

struct span reader_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);

	return p == NULL ? (struct span){ NULL, 0 } : span_of(p, n);
}

void reader_skip(struct reader *r, size_t n)
{
	(void)take(r, n);
}

struct reader reader_sub(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);

	if (p == NULL)
		return (struct reader){ r->end, r->end, true };
	return (struct reader){ p, p + n, false };
}

struct writer writer_of(void *buf, size_t size)
{
	static uint8_t nothing[1];
	uint8_t *p = buf == NULL ? nothing : buf;

	return (struct writer){ p, p, buf == NULL ? p : p + size, false };
}

size_t writer_len(const struct writer *w)
{
	return (size_t)(w->at - w->start);
}

struct span writer_span(const struct writer *w)
{
	return w->failed ? (struct span){ NULL, 0 } : span_of(w->start, writer_len(w));
}

static uint8_t *place(struct writer *w, size_t n)
{
	uint8_t *p = w->at;

	if (w->failed || (size_t)(w->end - w->at) < n) {
		w->failed = true;
		return NULL;
	}
	w->at += n;
	return p;
}

static void place_number(struct writer *w, uint64_t v, size_t n)
{
	uint8_t *p = place(w, n);

	for (size_t i = n; p != NULL && i > 0; i--, v >>= 8)
		p[i - 1] = (uint8_t)v;
}

void writer_u8(struct writer *w, uint8_t v)
{
	place_number(w, v, 1);
}

void writer_u16(struct writer *w, uint16_t v)
{
	place_number(w, v, 2);
}

void writer_u32(struct writer *w, uint32_t v)
{
	place_number(w, v, 4);
}

void writer_u64(struct writer *w, uint64_t v)
{
	place_number(w, v, 8);
}

void writer_bytes(struct writer *w, const void *data, size_t n)
{
	uint8_t *p = place(w, n);

	if (p != NULL && n > 0)
		memcpy(p, data, n);
}

void writer_span_put(struct writer *w, struct span s)
{
	writer_bytes(w, s.data, s.len);
}

void writer_zero(struct writer *w, size_t n)
{
	uint8_t *p = place(w, n);

	if (p != NULL && n > 0)
		memset(p, 0, n);
}

size_t writer_begin_u16(struct writer *w)
{
	size_t field = writer_len(w);

	writer_u16(w, 0);
	return field;
}

void writer_end_u16(struct writer *w, size_t field, size_t extra)
{
	size_t n;

	if (w->failed)
		return;
	n = writer_len(w) - (field + 2) + extra;
	if (n > UINT16_MAX) {
		w->failed = true;
		return;
	}
	w->start[field] = (uint8_t)(n >> 8);
	w->start[field + 1] = (uint8_t)n;
}

char *hex_print(char *out, size_t size, struct span s)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	if (size == 0)
		return out;
	for (size_t i = 0; i < s.len && n + 2 < size; i++) {
		out[n++] = digits[s.data[i] >> 4];
		out[n++] = digits[s.data[i] & 15];
	}
	out[n] = '\0';
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_parse(uint8_t *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len % 2 != 0 || len / 2 > size || len / 2 > INT32_MAX)
		return -1;
	for (size_t i = 0; i < len / 2; i++)
		if (hex_digit(text[2 * i]) < 0 || hex_digit(text[2 * i + 1]) < 0)
			return -1;
	for (size_t i = 0; i < len / 2; i++)
		out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return (int)(len / 2);
}
