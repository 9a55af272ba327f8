/* AH and extended sequence numbers against what others got wrong in ESP: the window and bad ICVs, numbers at their ends in both
 * directions, lengths of header and ICV, an SA that goes away under load. */
#include "tests/unit/engine/enginerig.c"

#include "datapath/engine/ah.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define AH_AT 20 /* behind the outer header */

static struct erig r;
static uint8_t frame[TAP_FRAME_MAX], wire[65536], tap[TAP_FRAME_MAX];

static int up(void **state)
{
	(void)state;
	erig_open(&r, false);
	erig_policy(&r);
	return 0;
}

static int down(void **state)
{
	(void)state;
	erig_close(&r);
	return 0;
}

static void put(bool esn, uint16_t window)
{
	for (int inbound = 0; inbound < 2; inbound++) {
		struct dpm_sa sa = erig_ah(&r, inbound);

		sa.esn = esn;
		sa.replay_window = window;
		assert_int_equal(engine_sa_put(&r.b, &sa), ERR_OK);
	}
	erig_mtu(&r, 1500);
}

static uint32_t sealed(void)
{
	erig_out(&r, frame, erig_udp(frame, 40, false));
	return erig_wire(&r, wire, sizeof(wire));
}

static bool arrives(const uint8_t *packet, uint32_t len)
{
	erig_native(&r, packet, len);
	return erig_tap(&r, tap, sizeof(tap)) > 0;
}

static void bad_icv_moves_no_window(void **state)
{
	uint8_t first[200];
	uint32_t n;

	(void)state;
	put(false, 64);
	n = sealed();
	memcpy(first, wire, n);
	put32(wire + AH_AT + 8, 100000);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_BAD_ICV), 1);
	assert_int_equal(erig_find(&r, true)->state->replay.top, 0);
	assert_true(arrives(first, n));
	assert_false(arrives(first, n));
	assert_int_equal(erig_drops(&r, DP_DROP_REPLAY), 1);
}

static void number_zero(void **state)
{
	uint32_t n;

	(void)state;
	put(false, 64);
	n = sealed();
	put32(wire + AH_AT + 8, 0);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_REPLAY), 1);
}

static void numbers_end(void **state)
{
	(void)state;
	put(false, 64);
	erig_find(&r, false)->state->seq = 0xfffffffe;
	assert_true(sealed() > 0);
	assert_int_equal(sealed(), 0);
	assert_int_equal(erig_drops(&r, DP_DROP_SEQ_CYCLE), 1);
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 1);
	assert_int_equal(r.events[0].expire.why, DP_EXPIRE_SEQUENCE);
}

/* 2^32 is no end with extended numbers, 2^64 is. */
static void extended_numbers_end(void **state)
{
	(void)state;
	put(true, 64);
	erig_find(&r, false)->state->seq = 0xfffffffe;
	assert_true(sealed() > 0 && sealed() > 0);
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 0);
	erig_find(&r, false)->state->seq = UINT64_MAX - 1;
	assert_true(sealed() > 0);
	assert_int_equal(sealed(), 0);
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 1);
}

/* Over 2^32 upwards, and a late packet of the turn before. */
static void turn(void **state)
{
	uint8_t late[200];
	uint32_t n, nlate;

	(void)state;
	put(true, 64);
	erig_find(&r, false)->state->seq = 0xfffffffd;
	erig_find(&r, true)->state->replay.top = 0xfffffff0;
	nlate = sealed();
	memcpy(late, wire, nlate);
	for (int i = 0; i < 4; i++) {
		n = sealed();
		assert_true(arrives(wire, n));
	}
	assert_int_equal(get32(wire + AH_AT + 8), 2);
	assert_int_equal(erig_find(&r, true)->state->replay.top, 0x100000002);
	assert_true(arrives(late, nlate));
	assert_false(arrives(late, nlate));
}

/* The same 32 bits of another turn: the upper half is under the ICV. */
static void number_of_another_turn(void **state)
{
	uint32_t n;

	(void)state;
	put(true, 64);
	erig_find(&r, false)->state->seq = 99;
	n = sealed();
	erig_find(&r, true)->state->replay.top = 0x100000063; /* 99 of the next turn */
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_BAD_ICV), 1);
	assert_int_equal(erig_find(&r, true)->state->replay.top, 0x100000063);
}

/* Every window at both of its ends. */
static void windows(void **state)
{
	static const uint16_t sizes[] = { 64, 128, 256, 512, 1024 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int esn = 0; esn < 2; esn++) {
			uint64_t base = esn ? 0xfffffe00 : 5000, top = base + sizes[i];

			put(esn, sizes[i]);
			erig_find(&r, true)->state->replay.top = esn ? base : 0;
			erig_find(&r, false)->state->seq = top - 1;
			assert_true(arrives(wire, sealed()));
			erig_find(&r, false)->state->seq = base; /* the oldest one inside */
			assert_true(arrives(wire, sealed()));
			erig_find(&r, false)->state->seq = base - 1; /* just outside: with ESN taken for one of the next turn */
			assert_false(arrives(wire, sealed()));
			assert_int_equal(erig_find(&r, true)->state->replay.top, top);
			sa_drop_all(&r.b);
		}
}

static void window_off(void **state)
{
	uint8_t again[200];
	uint32_t n;

	(void)state;
	put(false, 0);
	n = sealed();
	memcpy(again, wire, n);
	assert_true(arrives(again, n));
	assert_true(arrives(again, n)); /* as configured */
	again[60] ^= 1;
	assert_false(arrives(again, n));
	assert_int_equal(erig_drops(&r, DP_DROP_BAD_ICV), 1);
}

static void lengths_of_the_header(void **state)
{
	uint32_t n;

	(void)state;
	put(false, 64);
	n = sealed();
	for (uint32_t len = AH_AT; len < n; len++) {
		uint8_t cut[200];

		memcpy(cut, wire, len);
		put16(cut + 2, (uint16_t)len);
		assert_false(arrives(cut, len));
	}
	for (int words = 0; words < 256; words++)
		if (words != wire[AH_AT + 1]) {
			uint8_t other[200];

			memcpy(other, wire, n);
			other[AH_AT + 1] = (uint8_t)words;
			assert_false(arrives(other, n));
		}
	assert_true(arrives(wire, n));
}

/* Authentic, and not for this SA: another protocol inside, or addresses outside its selectors. */
static void inside_is_checked(void **state)
{
	struct cipher_key *key;
	uint8_t auth[32], copy[200];
	uint32_t n;

	(void)state;
	put(false, 64);
	memset(auth, 0x33, 32);
	assert_int_equal(cipher_key_new(&key, CIPHER_NONE, HASH_SHA256, span_of(auth, 0), span_of(auth, 32), false, true), ERR_OK);
	for (int what = 0; what < 3; what++) {
		struct cipher_job j = { .key = key, .esp = wire, .icv = wire + AH_AT + 12 };

		n = j.len = sealed();
		if (what == 0)
			wire[AH_AT] = IPPROTO_UDP; /* transport in a tunnel SA */
		else if (what == 1)
			put32(wire + AH_AT + 28 + 12, 0x08080808);
		else
			wire[AH_AT + 28] = 0x65; /* IPv6 */
		memcpy(copy, wire, 20);
		assert_true(ah_mute(wire, 20));
		cipher_seal(r.b.out_worker.cipher, &j, 1);
		memcpy(wire, copy, 20);
		assert_false(arrives(wire, n));
	}
	assert_int_equal(erig_drops(&r, DP_DROP_MALFORMED), 2);
	assert_int_equal(erig_drops(&r, DP_DROP_SELECTOR), 1);
	cipher_key_free(key);
}

static void put_bundle(uint8_t fill)
{
	struct dpm_sa ah = erig_ah(&r, false), esp = erig_sa(&r, false);

	ah.key.spi = esp.bundle_spi = 0x4321;
	ah.bundle_spi = esp.key.spi;
	esp.udp_encap = 0;
	esp.cipher_key[0] = ah.auth_key[0] = fill;
	assert_int_equal(engine_sa_put(&r.b, &ah), ERR_OK);
	assert_int_equal(engine_sa_put(&r.b, &esp), ERR_OK);
	if (fill % 2)
		assert_int_equal(engine_sa_del(&r.b, &ah.key), ERR_OK); /* the outer one first */
	assert_int_equal(engine_sa_del(&r.b, &esp.key), ERR_OK);
	if (fill % 2 == 0)
		assert_int_equal(engine_sa_del(&r.b, &ah.key), ERR_OK);
}

static void *changes(void *arg)
{
	for (int i = 0; i < 200; i++)
		put_bundle((uint8_t)i);
	FLAG_SET(*(bool *)arg, true);
	return NULL;
}

/* The two SAs of a bundle come and go while packets are sealed: each leaves as AH around ESP, or is held. */
static void bundle_deleted_under_load(void **state)
{
	bool end = false;
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, changes, &end), 0);
	while (!FLAG_GET(end)) {
		uint32_t n;

		rcu_online(&r.b.rcu, &r.b.out_worker.rcu);
		for (int i = 0; i < 8; i++)
			out_frame(r.b.out, frame, erig_udp(frame, 40, false), 1, 0);
		seal_flush(r.b.out);
		rcu_offline(&r.b.out_worker.rcu);
		while ((n = erig_wire(&r, wire, sizeof(wire))) > 0) {
			assert_int_equal(wire[9], 51);
			assert_int_equal(wire[AH_AT], 50);
		}
	}
	pthread_join(t, NULL);
	assert_int_equal(r.b.sas.count, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = { T(bad_icv_moves_no_window), T(number_zero), T(numbers_end), T(extended_numbers_end),
		T(turn), T(number_of_another_turn), T(windows), T(window_off), T(lengths_of_the_header), T(inside_is_checked),
		T(bundle_deleted_under_load) };

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
