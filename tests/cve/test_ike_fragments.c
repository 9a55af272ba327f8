/* IKE fragments that lie: their length (CVE-2016-1287), sets that never end (CVE-2016-1344), order, numbers and totals
 * (CVE-2013-6076).
 */
#include "ike_forge.h"

#include "platform/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Both ends with SAs, and with fragmentation. */
static struct rig *fragmenting(uint64_t seed)
{
	struct rig *r = rig_new(seed, 2);

	for (int i = 0; i < 2; i++) {
		r->n[i].cfg->isakmp.fragmentation = true;
		rig_config(&r->n[i]);
	}
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(1));
	return r;
}

/* One piece to B under its cookies; `claimed` is the length in the payload, `len` the bytes of the piece. */
static void piece(struct rig *r, uint16_t id, uint8_t number, uint8_t flags, const uint8_t *data, size_t len, size_t claimed)
{
	static uint8_t packet[8192];
	const struct sa_state *s = &ike_only(&r->n[1])->st;
	struct isakmp_header h = { .cookie_i = s->cookie_i,
		.cookie_r = s->cookie_r,
		.next = PAYLOAD_FRAGMENT,
		.version = 0x10,
		.exchange = EXCH_INFORMATIONAL,
		.length = (uint32_t)(28 + 8 + len) };
	struct writer w = writer_of(packet, sizeof(packet));

	header_encode(&w, &h);
	writer_u16(&w, 0);
	writer_u16(&w, (uint16_t)claimed);
	writer_u16(&w, id);
	writer_u8(&w, number);
	writer_u8(&w, flags);
	writer_bytes(&w, data, len);
	forge_give(r, packet, writer_len(&w));
}

#define PIECE(r, id, number, flags, data, len) piece(r, id, number, flags, data, len, (len) + 8)

/* A real message of A's in n pieces: the question that B answers when it has them all. */
static size_t question(struct rig *r, uint8_t *out, size_t size)
{
	struct sa_state *s = &ike_only(&r->n[0])->st;
	static uint32_t number = 1000;
	uint8_t body[32];
	struct writer w = writer_of(body, sizeof(body));
	struct forged f = { 11, body, 0 };

	writer_u32(&w, DOI_IPSEC);
	writer_u8(&w, PROTO_ISAKMP);
	writer_u8(&w, 16);
	writer_u16(&w, NOTIFY_R_U_THERE);
	writer_u64(&w, s->cookie_i);
	writer_u64(&w, s->cookie_r);
	writer_u32(&w, number++);
	f.len = writer_len(&w);
	return forge_protected(r, EXCH_INFORMATIONAL, number, &f, 1, true, out, size);
}

static unsigned answers(struct rig *r)
{
	static unsigned before;
	unsigned now = r->n[1].sent, n = now - before;

	before = now;
	return n;
}

/* Lengths 0 to 8, beyond the datagram, and short of it; sums that would wrap. */
static void lengths(void **state)
{
	struct rig *r = fragmenting(1);
	static uint8_t data[300];

	(void)state;
	for (size_t claimed = 0; claimed <= 8; claimed++)
		for (size_t len = 0; len <= 9; len++)
			piece(r, 1, 1, 0, data, len, claimed);
	for (size_t len = 1; len < 300; len += 7) {
		piece(r, 2, 1, 0, data, len, 65535);
		piece(r, 2, 1, 0, data, len, len + 7);
		piece(r, 2, 1, 0, data, len, len + 9);
	}
	/* Only the one honest piece of length 8 + 0 could be taken, and it is empty. */
	assert_int_equal(r->n[1].k->frag_bytes, 0);
	rig_run(r, SECONDS(1));
	assert_true(rig_up(r));
	rig_free(r);
}

/* 10^5 sets that never end, under the cookies of one SA and of none, with every number. */
static void never_whole(void **state)
{
	struct rig *r = fragmenting(2);
	static uint8_t data[1000], packet[2048];
	size_t most = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t body[64] = { (uint8_t)(i >> 8), (uint8_t)i, 1, 0 };
		struct forged f = { PAYLOAD_FRAGMENT, body, 60 };

		PIECE(r, (uint16_t)i, (uint8_t)(1 + i % 64), 0, data, sizeof(data));
		if (i % 10 == 0)
			forge_give(r, packet, forge_plain(i + 1, i, EXCH_MAIN, 0, &f, 1, packet, sizeof(packet)));
		if (r->n[1].k->frag_bytes > most)
			most = r->n[1].k->frag_bytes;
	}
	assert_true(most <= sizeof(data));
	assert_true(r->n[1].k->frag_count <= 1);
	/* Of one set, as much as one message can have. */
	for (unsigned i = 1; i <= 255; i++)
		PIECE(r, 7, (uint8_t)i, 0, data, sizeof(data));
	assert_true(r->n[1].k->frag_bytes <= OUT_MAX);
	assert_true(rig_up(r));
	rig_free(r);
}

/* From many peers: bounded over all, the oldest goes. */
static void many_peers(void **state)
{
	struct rig *r = fragmenting(3);
	struct ike *k = r->n[1].k;
	static uint8_t data[8000];

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		struct ike_path path = {
			.local = r->n[1].address, .remote = addr_v4(0x0a000000 + i), .local_port = 500, .remote_port = 500
		};
		struct ike_sa *sa = sa_new(k, false, EXCH_MAIN, &path, 5000 + i);
		uint8_t packet[9000];
		struct isakmp_header h = {
			.cookie_i = 5000 + i, .next = PAYLOAD_FRAGMENT, .version = 0x10, .length = 28 + 8 + 8000
		};
		struct writer w = writer_of(packet, sizeof(packet));

		assert_non_null(sa);
		sa->st.peer_fragments = true;
		header_encode(&w, &h);
		writer_u32(&w, 8008);
		writer_u32(&w, 0x00010100);
		writer_bytes(&w, data, sizeof(data));
		assert_int_equal(fragment_take(sa, writer_span(&w)).len, 0);
		assert_true(k->frag_bytes <= 1024 * 1024 + 8000);
	}
	assert_true(k->frag_count <= 256 && k->frag_count > 100);
	rig_free(r);
}

/* In any order it is whole; what is there already, or says another end, changes nothing. */
static void orders(void **state)
{
	struct rig *r = fragmenting(4);
	uint8_t q[512], junk[64] = { 0 };
	size_t len;

	(void)state;
	answers(r);
	len = question(r, q, sizeof(q));
	PIECE(r, 0, 3, 1, q + 60, len - 60); /* id 0, the last first */
	PIECE(r, 0, 1, 0, q, 30);
	PIECE(r, 0, 1, 0, junk, 30); /* once more, another text */
	PIECE(r, 0, 4, 0, junk, 30); /* behind the last */
	PIECE(r, 0, 5, 1, junk, 30); /* another last */
	PIECE(r, 0, 2, 1, junk, 30);
	assert_int_equal(answers(r), 0);
	PIECE(r, 0, 2, 0, q + 30, 30);
	assert_int_equal(answers(r), 1);
	assert_int_equal(r->n[1].k->frag_bytes, 0);
	/* Whole, and then one more piece of the same. */
	PIECE(r, 0, 2, 0, q + 30, 30);
	assert_int_equal(answers(r), 0);
	/* A last one before one that is there. */
	PIECE(r, 9, 4, 0, junk, 30);
	PIECE(r, 9, 2, 1, junk, 30);
	PIECE(r, 9, 0, 1, junk, 30);
	PIECE(r, 9, 65, 0, junk, 30);
	assert_int_equal(r->n[1].k->frag_bytes, 30);
	rig_free(r);
}

/* A piece inside pieces, a first message inside pieces, another SA's message, other cookies. */
static void what_is_inside(void **state)
{
	struct rig *r = fragmenting(5);
	uint8_t q[512], inner[600] = { 0 };
	size_t len = question(r, q, sizeof(q));

	(void)state;
	memcpy(inner, q, len);
	inner[16] = PAYLOAD_FRAGMENT;
	answers(r);
	PIECE(r, 1, 1, 1, inner, len);
	memcpy(inner, q, len);
	memset(inner + 8, 0, 8);
	inner[18] = EXCH_MAIN;
	inner[19] = 0;
	PIECE(r, 2, 1, 1, inner, len);
	memcpy(inner, q, len);
	inner[0] ^= 1;
	PIECE(r, 3, 1, 1, inner, len);
	PIECE(r, 4, 1, 1, q, 27);
	assert_int_equal(answers(r), 0);
	assert_int_equal(r->n[1].k->half_open, 0);
	PIECE(r, 5, 1, 1, q, len);
	assert_int_equal(answers(r), 1);
	assert_true(rig_up(r));
	rig_free(r);
}

/* From another address than the SA's, or when nobody agreed to it: nothing is kept. */
static void not_agreed(void **state)
{
	struct rig *r = fragmenting(6);
	uint8_t q[512];
	size_t len;

	(void)state;
	ike_only(&r->n[1])->st.peer_fragments = false;
	len = question(r, q, sizeof(q));
	answers(r);
	PIECE(r, 1, 1, 1, q, len);
	PIECE(r, 2, 1, 0, q, len);
	ike_only(&r->n[1])->st.peer_fragments = true;
	r->n[1].cfg->isakmp.fragmentation = false;
	PIECE(r, 3, 1, 0, q, len);
	assert_int_equal(answers(r), 0);
	assert_int_equal(r->n[1].k->frag_count, 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(never_whole),
		cmocka_unit_test(many_peers),
		cmocka_unit_test(orders),
		cmocka_unit_test(what_is_inside),
		cmocka_unit_test(not_agreed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
