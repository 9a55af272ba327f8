/* A capture's memory, and frames as they are on the wire. */
#include "datapath/capture/capture_frame.h"
#include "datapath/capture/capture_store.h"
#include "datapath/engine/csum.h"
#include "datapath/engine/inner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 4096

/* Packet `n` can be told from every other. */
static uint32_t fill(uint64_t n, uint8_t *bytes)
{
	uint32_t len = (uint32_t)(n * 37 % 700);

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(n * 31 + i);
	return len;
}

static bool put(struct capture_store *s, uint64_t n, bool circular)
{
	uint8_t bytes[700];
	struct dp_capture_packet p = { .at_ns = n * 1000, .len = fill(n, bytes), .wire_len = 1500, .interface = n % 3 };

	return capture_store_put(s, &p, bytes, circular);
}

/* Reads all, `step` bytes a time, and compares each with what was put. Returns how many there were. */
static uint64_t check(struct capture_store *s, size_t step)
{
	uint8_t out[SIZE], bytes[700];
	uint64_t from = 1, n = 0;
	size_t len;

	while ((len = capture_store_read(s, from, out, step)) > 0) {
		for (size_t at = 0; at < len;) {
			struct dp_capture_packet p;

			memcpy(&p, out + at, sizeof(p));
			assert_int_equal(p.len, fill(p.number, bytes));
			assert_memory_equal(out + at + sizeof(p), bytes, p.len);
			assert_int_equal(p.at_ns, p.number * 1000);
			assert_true(n == 0 || p.number == from);
			from = p.number + 1;
			n++;
			at += (sizeof(p) + p.len + 7) & ~7u;
		}
	}
	return n;
}

static void linear_stops_when_full(void **state)
{
	struct capture_store s = { 0 };
	uint64_t n = 1;

	(void)state;
	assert_int_equal(capture_store_open(&s, SIZE), ERR_OK);
	assert_int_equal(check(&s, SIZE), 0);
	while (put(&s, n, false))
		n++;
	assert_int_equal(check(&s, SIZE), n - 1);
	assert_int_equal(check(&s, 800), n - 1);
	assert_true(s.used <= SIZE && s.used + 800 > SIZE);
	capture_store_clear(&s);
	assert_int_equal(check(&s, SIZE), 0);
	assert_true(put(&s, 1, false));
	capture_store_free(&s);
}

static void circular_keeps_the_newest(void **state)
{
	struct capture_store s = { 0 };
	uint64_t first, last;

	(void)state;
	assert_int_equal(capture_store_open(&s, SIZE), ERR_OK);
	for (uint64_t n = 1; n <= 5000; n++) {
		assert_true(put(&s, n, true));
		assert_int_equal(s.next, n + 1);
		assert_int_equal(check(&s, n % 2 ? SIZE : 900), s.next - s.first);
		assert_true(s.used <= SIZE && (n < 20 || s.next - s.first >= 4));
		capture_store_times(&s, &first, &last);
		assert_int_equal(first, s.first * 1000);
		assert_int_equal(last, n * 1000);
	}
	capture_store_free(&s);
}

static void too_big_for_the_whole_buffer(void **state)
{
	static uint8_t bytes[SIZE];
	struct capture_store s = { 0 };
	struct dp_capture_packet p = { .len = SIZE };

	(void)state;
	assert_int_equal(capture_store_open(&s, SIZE), ERR_OK);
	assert_true(put(&s, 1, true));
	assert_false(capture_store_put(&s, &p, bytes, true));
	assert_int_equal(check(&s, SIZE), 0); /* all had to go, and even so */
	capture_store_free(&s);
}

/* Ethernet, IPv4, UDP or TCP: `payload` bytes. */
static size_t frame(uint8_t *f, uint8_t protocol, size_t payload)
{
	size_t upper = protocol == 6 ? 20 : 8, len = 20 + upper + payload;

	memset(f, 0, 14 + len);
	put16(f + 12, 0x0800);
	f[14] = 0x45;
	put16(f + 16, (uint16_t)len);
	put16(f + 18, 100);
	f[22] = 64;
	f[23] = protocol;
	put32(f + 26, 0x0a000001);
	put32(f + 30, 0x0a000002);
	put16(f + 34, 1000);
	put16(f + 36, 4500);
	if (protocol == 6) {
		put32(f + 38, 5);
		f[46] = 0x50;
		f[47] = 0x18;
	} else {
		put16(f + 38, (uint16_t)(8 + payload));
	}
	for (size_t i = 0; i < payload; i++)
		f[34 + upper + i] = (uint8_t)(i * 7);
	return 14 + len;
}

struct seen {
	unsigned n;
	size_t bytes;
	uint32_t seqs[8];
};

static bool checksums_right(struct span s)
{
	const uint8_t *ip = s.data + 14;
	uint16_t len = (uint16_t)(get16(ip + 2) - 20);
	uint64_t sum = csum_pseudo(get32(ip + 12), get32(ip + 16), ip[9], len);

	return csum_finish(csum_add(0, ip, 20)) == 0 && csum_finish(csum_add(sum, ip + 20, len)) == 0;
}

static void on_segment(void *ctx, struct span s)
{
	struct seen *k = ctx;
	size_t upper = s.data[23] == 6 ? 20 : 8;

	assert_int_equal(get16(s.data + 16) + 14, s.len);
	assert_true(checksums_right(s));
	assert_int_equal(get16(s.data + 18), 100 + k->n);
	for (size_t i = 0; i < s.len - 34 - upper; i++)
		assert_int_equal(s.data[34 + upper + i], (uint8_t)((k->bytes + i) * 7));
	k->seqs[k->n++] = get32(s.data + 38);
	k->bytes += s.len - 34 - upper;
}

static void super_packets_are_cut(void **state)
{
	static uint8_t f[CAPTURE_FRAME], scratch[CAPTURE_FRAME];
	struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_size = 1000, .csum_start = 34 };
	struct seen udp = { 0 }, tcp = { 0 };

	(void)state;
	v.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	v.csum_offset = 6;
	capture_frame(span_of(f, frame(f, 17, 2500)), &v, scratch, on_segment, &udp);
	assert_int_equal(udp.n, 3);
	assert_int_equal(udp.bytes, 2500);
	v.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	v.csum_offset = 16;
	capture_frame(span_of(f, frame(f, 6, 2000)), &v, scratch, on_segment, &tcp);
	assert_int_equal(tcp.n, 2);
	assert_int_equal(tcp.seqs[0], 5);
	assert_int_equal(tcp.seqs[1], 1005);
}

static void on_one(void *ctx, struct span s)
{
	*(struct span *)ctx = s;
}

static void open_checksums_are_finished(void **state)
{
	static uint8_t f[CAPTURE_FRAME], scratch[CAPTURE_FRAME];
	struct virtio_net_hdr v = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6 };
	struct span got = { 0 };
	size_t len = frame(f, 17, 101);
	uint16_t pseudo;

	(void)state;
	ip4_checksum(f + 14, 20);
	/* The kernel leaves the sum of the pseudo header there. */
	pseudo = csum_fold(csum_pseudo(0x0a000001, 0x0a000002, 17, 109));
	memcpy(f + 40, &pseudo, 2);
	capture_frame(span_of(f, len), &v, scratch, on_one, &got);
	assert_int_equal(got.len, len);
	assert_true(checksums_right(got));
	/* A header that points behind the frame changes nothing. */
	v.csum_start = 60000;
	v.csum_offset = 60000;
	capture_frame(span_of(f, len), &v, scratch, on_one, &got);
	assert_true(checksums_right(got));
}

static void a_list_decides(void **state)
{
	static uint8_t f[CAPTURE_FRAME];
	struct cfg_ace aces[] = {
		{ .seq = 5, .remark = true, .src_wild = UINT32_MAX, .dst_wild = UINT32_MAX },
		{ .seq = 10, .protocol = 6, .src_wild = UINT32_MAX, .dst_wild = UINT32_MAX },
		{ .seq = 20, .permit = true, .protocol = -1, .src = 0x0a000001, .dst_wild = UINT32_MAX },
	};
	struct cfg_acl acl = { .name = "A", .extended = true, .entries = aces, .nentries = 3 };
	size_t len;

	(void)state;
	for (int i = 0; i < 3; i++)
		aces[i].icmp_type = aces[i].icmp_code = aces[i].dscp = aces[i].precedence = aces[i].tos = -1;
	len = frame(f, 6, 10);
	assert_false(capture_permits(&acl, span_of(f, len)));
	assert_true(capture_permits(NULL, span_of(f, len)));
	len = frame(f, 17, 10);
	assert_true(capture_permits(&acl, span_of(f, len)));
	put32(f + 26, 0x0a000003);
	assert_false(capture_permits(&acl, span_of(f, len)));
	put16(f + 12, 0x0806); /* ARP */
	assert_false(capture_permits(&acl, span_of(f, len)));
	assert_false(capture_permits(NULL, span_of(f, len)));
	assert_false(capture_permits(NULL, span_of(f, 14)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linear_stops_when_full),
		cmocka_unit_test(circular_keeps_the_newest),
		cmocka_unit_test(too_big_for_the_whole_buffer),
		cmocka_unit_test(super_packets_are_cut),
		cmocka_unit_test(open_checksums_are_finished),
		cmocka_unit_test(a_list_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
