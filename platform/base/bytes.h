/* The one way to take bytes from, and put bytes into, packets and messages.
 *
 * A reader never reads behind its end: a read that would sets `failed`, and from then on every read returns
 * zero or an empty span. The caller checks once, at the end. Multi-byte numbers are in network byte order.
 */
#ifndef POSTERN_BASE_BYTES_H
#define POSTERN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. An empty span may have a null `data`. */
struct span {
	uint8_t *data;
	size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
	return (struct span){ (uint8_t *)data, len };
}

bool span_equal(struct span a, struct span b);    /* not constant time: never for secrets or tags */
bool span_equal_ct(struct span a, struct span b); /* constant time in the bytes, not in the lengths */

struct reader {
	const uint8_t *at, *end;
	bool failed;
};

struct reader reader_of(struct span s);
size_t reader_left(const struct reader *r); /* 0 once failed */
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
struct span reader_bytes(struct reader *r, size_t n); /* borrowed from the input */
void reader_skip(struct reader *r, size_t n);
/* A reader over the next `n` bytes, which `r` passes over. For every length field. */
struct reader reader_sub(struct reader *r, size_t n);

/* A writer over a buffer of fixed size; what does not fit sets `failed` and writes nothing more. */
struct writer {
	uint8_t *start, *at, *end;
	bool failed;
};

struct writer writer_of(void *buf, size_t size);
size_t writer_len(const struct writer *w);
struct span writer_span(const struct writer *w); /* what was written; empty once failed */
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *data, size_t n);
void writer_span_put(struct writer *w, struct span s);
void writer_zero(struct writer *w, size_t n);
/* Reserves a 16-bit length field and returns its position; writer_end_u16 fills it with the number of bytes
 * written since `extra` bytes before the field's end (so extra = 2 counts the field itself). */
size_t writer_begin_u16(struct writer *w);
void writer_end_u16(struct writer *w, size_t field, size_t extra);

/* Lower-case hexadecimal, NUL-terminated, cut at `size`. Returns `out`. */
char *hex_print(char *out, size_t size, struct span s);
/* Parses hexadecimal digits. Returns the number of bytes, or -1 if malformed or more than `size`. */
int hex_parse(uint8_t *out, size_t size, const char *text);

#endif
