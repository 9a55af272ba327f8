/* Lengths that promise more than there is: memory of ours in an answer (CVE-2016-6415), fragments (CVE-2016-1287, CVE-2016-1344,
 * CVE-2013-6076), too many payloads (CVE-2026-12413), zero-length members (CVE-2017-9022, -9023, CVE-2026-35330).
 */
#include "ike_forge.h"

#include "platform/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CANARY 0xa7

/* The first message of A, to be edited. */
static size_t first_message(struct rig *r, uint8_t *out)
{
	r->keep = true;
	rig_acquire(&r->n[0], 10, 10);
	memcpy(out, r->kept[0].bytes, r->kept[0].len);
	return r->kept[0].len;
}

static void paint_stack(void)
{
	volatile uint8_t deep[60000];

	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = CANARY;
}

static bool has_canary(const struct packet *p)
{
	unsigned run = 0;

	for (size_t i = 0; i < p->len; i++) {
		run = p->bytes[i] == CANARY ? run + 1 : 0;
		if (run == 4)
			return true;
	}
	return false;
}

/* Every 16-bit word of the SA payload becomes a length beyond the datagram. */
static void lengths_beyond(void **state)
{
	static const uint16_t lengths[] = { 0, 1, 3, 4, 7, 8, 255, 1024, 65535 };
	struct rig *r = rig_new(1, 2);
	uint8_t first[2048], *heap, packet[2048];
	size_t len = first_message(r, first);

	(void)state;
	heap = malloc(65536);
	assert_non_null(heap);
	memset(heap, CANARY, 65536);
	free(heap);
	for (size_t at = 28; at + 1 < len; at++)
		for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
			memset(packet, CANARY, sizeof(packet));
			memcpy(packet, first, len);
			packet[at] = (uint8_t)(lengths[l] >> 8);
			packet[at + 1] = (uint8_t)lengths[l];
			packet[0] = (uint8_t)at;
			packet[1] = (uint8_t)l;
			paint_stack();
			forge_give(r, packet, len);
		}
	for (size_t i = 0; i < r->nkept; i++)
		assert_false(has_canary(&r->kept[i]));
	assert_true(r->n[1].sent > 0);
	rig_free(r);
}

/* Fragments are not ours: refused by their payload number, nothing kept. */
static void fragments_refused(void **state)
{
	struct rig *r = rig_established(2);
	uint8_t body[64] = { 0, 1, 1, 1 }, packet[256];
	size_t len;

	(void)state;
	rig_run(r, SECONDS(120));
#ifdef POSTERN_FAULTS
	long before = mem_count();
#endif
	for (unsigned i = 0; i < 100000; i++) {
		struct forged f = { 132, body, i % 9 };

		body[2] = (uint8_t)(i / 9);
		len = forge_plain(i + 1, i % 3 == 0 ? 0 : i, i % 2 ? EXCH_MAIN : EXCH_AGGRESSIVE, 0, &f, 1, packet, sizeof(packet));
		forge_give(r, packet, len);
	}
#ifdef POSTERN_FAULTS
	assert_int_equal(mem_count(), before);
#endif
	assert_int_equal(r->n[1].k->half_open, 0);
	assert_true(rig_up(r));
	rig_free(r);
}

/* 1 to 200 payloads of a kind that nobody knows: dropped at the cap. */
static void many_payloads(void **state)
{
	struct rig *r = rig_established(3);
	static uint8_t packet[8192];
	struct forged f[200];

	(void)state;
	for (size_t n = 1; n <= 200; n++) {
		for (size_t i = 0; i < n; i++)
			f[i] = (struct forged){ (uint8_t)(n % 2 ? 200 : 13), "abcd", 4 };
		forge_give(r, packet, forge_plain(n, 0, EXCH_MAIN, 0, f, n, packet, sizeof(packet)));
		forge_give(r, packet, forge_protected(r, EXCH_INFORMATIONAL, (uint32_t)n, f, n, true, packet, sizeof(packet)));
	}
	assert_int_equal(r->n[1].k->half_open, 0);
	assert_true(rig_up(r));
	rig_free(r);
}

/* A zero (or short) length at every level of SA, proposal, transform, attribute. */
static void zero_length_members(void **state)
{
	static uint8_t sa[] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 28, 1, 1, 0, 1, 0, 0, 0, 20, 1, 1, 0, 0, 0x80, 1, 0, 7, 0, 12, 0,
		4, 0, 1, 2, 3 };
	struct rig *r = rig_new(4, 2);
	uint8_t packet[256];

	(void)state;
	for (size_t at = 8; at < sizeof(sa); at++)
		for (unsigned v = 0; v < 256; v++) {
			uint8_t edited[sizeof(sa)];
			struct forged f = { 1, edited, sizeof(edited) };

			memcpy(edited, sa, sizeof(sa));
			edited[at] = (uint8_t)v;
			forge_give(r, packet, forge_plain(at * 256 + v + 1, 0, EXCH_MAIN, 0, &f, 1, packet, sizeof(packet)));
		}
	assert_int_equal(rig_ike_count(&r->n[1], MM_SA_SETUP), 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_beyond),
		cmocka_unit_test(fragments_refused),
		cmocka_unit_test(many_payloads),
		cmocka_unit_test(zero_length_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
