/* Reader and writer at their bounds, numbers in network order, hexadecimal. */
#include "platform/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void reads_numbers_in_network_order(void **state)
{
	uint8_t in[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct reader r = reader_of(span_of(in, sizeof(in)));

	(void)state;
	assert_int_equal(reader_u8(&r), 1);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_int_equal(reader_u64(&r), 0x08090a0b0c0d0e0fULL);
	assert_int_equal(reader_left(&r), 1);
	assert_false(r.failed);
}

static void failure_sticks(void **state)
{
	uint8_t in[] = { 1, 2, 3 };
	struct reader r = reader_of(span_of(in, sizeof(in)));
	struct span s;

	(void)state;
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.failed);
	/* Three bytes are there, but nothing is believed any more. */
	assert_int_equal(reader_u8(&r), 0);
	assert_int_equal(reader_left(&r), 0);
	s = reader_bytes(&r, 1);
	assert_null(s.data);
	assert_int_equal(s.len, 0);
}

static void sub_reader_ends_where_its_length_says(void **state)
{
	uint8_t in[] = { 0, 2, 7, 8, 9 };
	struct reader r = reader_of(span_of(in, sizeof(in)));
	struct reader inner = reader_sub(&r, reader_u16(&r));

	(void)state;
	assert_int_equal(reader_u16(&inner), 0x0708);
	assert_int_equal(reader_u8(&inner), 0);
	assert_true(inner.failed);
	assert_false(r.failed);
	assert_int_equal(reader_u8(&r), 9);
	inner = reader_sub(&r, 1);
	assert_true(inner.failed);
	assert_true(r.failed);
}

static void huge_lengths_do_not_wrap(void **state)
{
	uint8_t in[4] = { 0 };
	struct reader r = reader_of(span_of(in, sizeof(in)));
	uint8_t out[4];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	reader_skip(&r, SIZE_MAX);
	assert_true(r.failed);
	writer_zero(&w, SIZE_MAX);
	assert_true(w.failed);
}

static void empty_span_reads_nothing(void **state)
{
	struct reader r = reader_of((struct span){ NULL, 0 });

	(void)state;
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(reader_bytes(&r, 0).len, 0);
	assert_false(r.failed);
	(void)reader_u8(&r);
	assert_true(r.failed);
}

static void writer_mirrors_reader(void **state)
{
	uint8_t out[32];
	struct writer w = writer_of(out, sizeof(out));
	struct reader r;

	(void)state;
	writer_u8(&w, 0xfe);
	writer_u16(&w, 0xabcd);
	writer_u32(&w, 0x01020304);
	writer_u64(&w, 0x1122334455667788ULL);
	writer_span_put(&w, span_of("xy", 2));
	writer_zero(&w, 2);
	r = reader_of(writer_span(&w));
	assert_int_equal(reader_u8(&r), 0xfe);
	assert_int_equal(reader_u16(&r), 0xabcd);
	assert_int_equal(reader_u32(&r), 0x01020304);
	assert_int_equal(reader_u64(&r), 0x1122334455667788ULL);
	assert_memory_equal(reader_bytes(&r, 2).data, "xy", 2);
	assert_int_equal(reader_u16(&r), 0);
	assert_int_equal(reader_left(&r), 0);
	assert_false(r.failed);
}

static void full_writer_gives_nothing(void **state)
{
	uint8_t out[4] = { 9, 9, 9, 9 };
	struct writer w = writer_of(out, 3);

	(void)state;
	writer_u16(&w, 1);
	writer_u16(&w, 2);
	assert_true(w.failed);
	assert_int_equal(writer_span(&w).len, 0);
	writer_u8(&w, 3);
	assert_int_equal(writer_len(&w), 2);
	assert_int_equal(out[2], 9);
	assert_int_equal(out[3], 9);
}

static void length_field_is_filled_in_later(void **state)
{
	uint8_t out[70000];
	struct writer w = writer_of(out, sizeof(out));
	size_t outer, inner;

	(void)state;
	writer_u8(&w, 0);
	outer = writer_begin_u16(&w);
	inner = writer_begin_u16(&w);
	writer_bytes(&w, "abc", 3);
	writer_end_u16(&w, inner, 2);
	writer_end_u16(&w, outer, 3); /* counts the byte in front of it too */
	assert_memory_equal(out, "\0\0\10\0\5abc", 8);

	outer = writer_begin_u16(&w);
	writer_zero(&w, 65536);
	writer_end_u16(&w, outer, 0);
	assert_true(w.failed);
}

static void spans_compare(void **state)
{
	(void)state;
	assert_true(span_equal(span_of("abc", 3), span_of("abc", 3)));
	assert_false(span_equal(span_of("abc", 3), span_of("abd", 3)));
	assert_false(span_equal(span_of("abc", 3), span_of("abc", 2)));
	assert_true(span_equal((struct span){ NULL, 0 }, span_of("", 0)));
	assert_true(span_equal_ct(span_of("abc", 3), span_of("abc", 3)));
	assert_false(span_equal_ct(span_of("abc", 3), span_of("xbc", 3)));
	assert_false(span_equal_ct(span_of("abc", 3), span_of("ab", 2)));
}

static void hex_both_ways(void **state)
{
	char text[16];
	uint8_t out[4];

	(void)state;
	assert_string_equal(hex_print(text, sizeof(text), span_of("\x00\xab\x7f", 3)), "00ab7f");
	assert_string_equal(hex_print(text, 4, span_of("\x00\xab\x7f", 3)), "00");
	assert_int_equal(hex_parse(out, sizeof(out), "00aB7F"), 3);
	assert_memory_equal(out, "\x00\xab\x7f", 3);
	assert_int_equal(hex_parse(out, sizeof(out), ""), 0);
	assert_int_equal(hex_parse(out, sizeof(out), "abc"), -1);
	assert_int_equal(hex_parse(out, sizeof(out), "zz"), -1);
	assert_int_equal(hex_parse(out, sizeof(out), "0011223344"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers_in_network_order),
		cmocka_unit_test(failure_sticks),
		cmocka_unit_test(sub_reader_ends_where_its_length_says),
		cmocka_unit_test(huge_lengths_do_not_wrap),
		cmocka_unit_test(empty_span_reads_nothing),
		cmocka_unit_test(writer_mirrors_reader),
		cmocka_unit_test(full_writer_gives_nothing),
		cmocka_unit_test(length_field_is_filled_in_later),
		cmocka_unit_test(spans_compare),
		cmocka_unit_test(hex_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
