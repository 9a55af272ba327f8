/* ESP against what others got wrong: the window and bad ICVs, sequence numbers at their ends, padding, selectors, fragments,
 * lengths, and SAs that go away under load. */
#include "tests/unit/engine/enginerig.c"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

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

static void put(void (*change)(struct dpm_sa *))
{
	for (int inbound = 0; inbound < 2; inbound++) {
		struct dpm_sa sa = erig_sa(&r, inbound);

		if (change)
			change(&sa);
		assert_int_equal(engine_sa_put(&r.b, &sa), ERR_OK);
	}
	erig_mtu(&r, 1500);
}

static uint32_t sealed(uint16_t payload)
{
	erig_out(&r, frame, erig_udp(frame, payload, false));
	return erig_wire(&r, wire, sizeof(wire));
}

static bool arrives(const uint8_t *esp, uint32_t len)
{
	erig_in(&r, esp, len, 0);
	return erig_tap(&r, tap, sizeof(tap)) > 0;
}

static void bad_icv_moves_no_window(void **state)
{
	uint8_t first[2000];
	uint32_t n;

	(void)state;
	put(NULL);
	n = sealed(100);
	memcpy(first, wire, n);
	put32(wire + 4, 100000); /* far right, but not authentic */
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_BAD_ICV), 1);
	assert_int_equal(erig_find(&r, true)->state->replay.top, 0);
	assert_true(arrives(first, n));
	assert_false(arrives(first, n));
	assert_int_equal(erig_drops(&r, DP_DROP_REPLAY), 1);
}

static void sequence_zero(void **state)
{
	uint32_t n;

	(void)state;
	put(NULL);
	erig_find(&r, false)->state->seq = UINT64_MAX; /* the next one is 0 */
	erig_find(&r, false)->conf.esn = 1;
	n = sealed(10);
	assert_int_equal(n, 0); /* our side never sends it */
	erig_find(&r, false)->state->seq = 0;
	n = sealed(10);
	put32(wire + 4, 0);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_REPLAY), 1);
}

static void sequence_cycle_stops(void **state)
{
	(void)state;
	put(NULL);
	erig_find(&r, false)->state->seq = 0xfffffffe;
	assert_true(sealed(10) > 0);
	assert_int_equal(get32(wire + 4), 0xffffffff);
	assert_int_equal(sealed(10), 0);
	assert_int_equal(sealed(10), 0);
	assert_int_equal(erig_drops(&r, DP_DROP_SEQ_CYCLE), 2);
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 1);
	assert_int_equal(r.events[0].expire.why, DP_EXPIRE_SEQUENCE);
}

static void esn(struct dpm_sa *sa)
{
	sa->esn = 1;
}

static void esn_hmac(struct dpm_sa *sa)
{
	sa->esn = 1;
	sa->cipher = CIPHER_AES128;
	sa->cipher_key_len = 16;
	sa->auth = HASH_SHA256;
	sa->auth_key_len = 32;
}

static void esn_turn(void (*change)(struct dpm_sa *))
{
	uint8_t late[2000];
	uint32_t n, nlate;

	put(change);
	erig_find(&r, false)->state->seq = 0xfffffffd;
	erig_find(&r, true)->state->replay.top = 0xfffffff0;
	nlate = sealed(10);
	memcpy(late, wire, nlate);
	for (int i = 0; i < 4; i++) {
		n = sealed(10);
		assert_true(arrives(wire, n));
	}
	assert_int_equal(get32(wire + 4), 2);
	assert_int_equal(erig_find(&r, true)->state->replay.top, 0x100000002);
	assert_true(arrives(late, nlate)); /* of the turn before */
	assert_false(arrives(late, nlate));
}

static void extended_numbers_turn_gcm(void **state)
{
	(void)state;
	esn_turn(esn);
}

static void extended_numbers_turn_hmac(void **state)
{
	(void)state;
	esn_turn(esn_hmac);
}

/* Seals by hand what a careless or hostile peer that has the keys would send. */
static uint32_t seal_by_hand(const uint8_t *body, uint32_t len, uint32_t seq)
{
	struct sa *sa = erig_find(&r, false);
	struct cipher_job j = { .key = sa->state->key, .esp = wire, .len = 16 + len };

	put32(wire, RIG_SPI);
	put32(wire + 4, seq);
	cipher_iv(r.b.out_worker.cipher, j.key, wire + 8, seq);
	memcpy(wire + 16, body, len);
	cipher_seal(r.b.out_worker.cipher, &j, 1);
	assert_true(j.ok);
	return j.len + 16;
}

static void padding(void **state)
{
	uint8_t body[64] = { 0 };
	uint32_t n;

	(void)state;
	put(NULL);
	erig_udp(frame, 2, false);
	memcpy(body, erig_ip(frame), 30);
	memcpy(body + 30, "\x01\x02\x03\x04\x04\x04", 6);
	n = seal_by_hand(body, 36, 1);
	assert_true(arrives(wire, n));
	body[32] = 9; /* not 1, 2, 3, 4 */
	n = seal_by_hand(body, 36, 2);
	assert_false(arrives(wire, n));
	body[32] = 3;
	body[34] = 35; /* longer than the packet */
	n = seal_by_hand(body, 36, 3);
	assert_false(arrives(wire, n));
	body[34] = 255;
	n = seal_by_hand(body, 36, 4);
	assert_false(arrives(wire, n));
	body[34] = 4;
	body[35] = 41; /* IPv6 in an IPv4 SA */
	n = seal_by_hand(body, 36, 5);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_MALFORMED), 4);
	body[35] = 59; /* a dummy is no error */
	n = seal_by_hand(body, 36, 6);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_MALFORMED), 4);
}

static void inner_lengths(void **state)
{
	uint8_t body[64] = { 0 };
	uint32_t n;

	(void)state;
	put(NULL);
	erig_udp(frame, 2, false);
	memcpy(body, erig_ip(frame), 30);
	body[34] = 0;
	body[35] = 4;
	n = seal_by_hand(body, 36, 1); /* padding behind the inner packet: RFC 4303, 2.7 */
	assert_true(arrives(wire, n));
	put16(body + 2, 200); /* says more than there is */
	n = seal_by_hand(body, 36, 2);
	assert_false(arrives(wire, n));
	put16(body + 2, 30);
	body[0] = 0x4f; /* a header longer than the packet */
	n = seal_by_hand(body, 36, 3);
	assert_false(arrives(wire, n));
	body[0] = 0x44;
	n = seal_by_hand(body, 36, 4);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_MALFORMED), 3);
}

static void every_length(void **state)
{
	uint32_t n;

	(void)state;
	put(NULL);
	n = sealed(100);
	for (uint32_t len = 0; len < n; len++)
		assert_false(arrives(wire, len));
	assert_true(arrives(wire, n));
	n = sealed(100);
	assert_false(arrives(wire, n + 1));
	assert_false(arrives(wire, n + 4)); /* a valid length, but the ICV stands elsewhere */
	assert_true(arrives(wire, n));
}

static void outside_the_selectors(void **state)
{
	uint8_t body[36] = { 0 };
	uint32_t n;

	(void)state;
	put(NULL);
	erig_udp(frame, 6, false);
	memcpy(body, erig_ip(frame), 34);
	body[35] = 4;
	put32(body + 12, 0x08080808);
	ip4_checksum(body, 20);
	n = seal_by_hand(body, 36, 1);
	assert_false(arrives(wire, n));
	put32(body + 12, RIG_LOCAL + 255);
	put32(body + 16, RIG_REMOTE + 256);
	ip4_checksum(body, 20);
	n = seal_by_hand(body, 36, 2);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_SELECTOR), 2);
	put32(body + 16, RIG_REMOTE + 255);
	ip4_checksum(body, 20);
	n = seal_by_hand(body, 36, 3);
	assert_true(arrives(wire, n));
}

static void only_port_2000(struct dpm_sa *sa)
{
	struct dp_selector *s = sa->key.inbound ? &sa->sel.local : &sa->sel.remote;

	s->port_from = s->port_to = 2000;
	sa->sel.protocol = IPPROTO_UDP;
}

static void inner_fragments(void **state)
{
	uint8_t body[36] = { 0 };
	uint32_t n;

	(void)state;
	put(only_port_2000);
	erig_udp(frame, 6, false);
	memcpy(body, erig_ip(frame), 34);
	body[35] = 4;
	put16(body + 6, 5); /* a later fragment, whose first one never came */
	ip4_checksum(body, 20);
	n = seal_by_hand(body, 36, 1);
	assert_false(arrives(wire, n));
	put16(body + 6, IP4_MF);
	put16(body + 22, 2001); /* a first one to another port */
	n = seal_by_hand(body, 36, 2);
	assert_false(arrives(wire, n));
	put16(body + 22, 2000);
	n = seal_by_hand(body, 36, 3);
	assert_true(arrives(wire, n));
	put16(body + 6, 5);
	n = seal_by_hand(body, 36, 4);
	assert_true(arrives(wire, n));
	put16(body + 4, 0x2222); /* of another packet */
	n = seal_by_hand(body, 36, 5);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_SELECTOR), 3);
}

static void tunnel_ecn(void **state)
{
	/* inner, outer, result; -1: dropped. RFC 6040, figure 4 */
	static const int table[16][3] = { { 0, 0, 0 }, { 0, 2, 0 }, { 0, 1, 0 }, { 0, 3, -1 }, { 2, 0, 2 }, { 2, 2, 2 },
		{ 2, 1, 1 }, { 2, 3, 3 }, { 1, 0, 1 }, { 1, 2, 1 }, { 1, 1, 1 }, { 1, 3, 3 }, { 3, 0, 3 }, { 3, 2, 3 }, { 3, 1, 3 },
		{ 3, 3, 3 } };

	(void)state;
	put(NULL);
	for (int i = 0; i < 16; i++) {
		uint32_t len = erig_udp(frame, 10, false), n;

		ip4_set_tos(erig_ip(frame), (uint8_t)(0xb8 | table[i][0]));
		erig_out(&r, frame, len);
		n = erig_wire(&r, wire, sizeof(wire));
		erig_in(&r, wire, n, (uint8_t)table[i][1]);
		n = erig_tap(&r, tap, sizeof(tap));
		assert_int_equal(n > 0, table[i][2] >= 0);
		if (n > 0) {
			assert_int_equal(erig_ip(tap)[1], 0xb8 | table[i][2]);
			assert_int_equal(csum_fold(csum_add(0, erig_ip(tap), 20)), 0xffff);
		}
	}
}

static void unknown_spi_is_told_once(void **state)
{
	uint8_t esp[40] = { 0, 0, 0x99, 0x99, 0, 0, 0, 1 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_false(arrives(esp, sizeof(esp)));
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_INVALID_SPI), 1);
	assert_int_equal(erig_events(&r, BACKEND_DROP), 1);
	assert_int_equal(erig_drops(&r, DP_DROP_INVALID_SPI), 1000);
}

static void mapping_needs_proof(void **state)
{
	uint32_t n;

	(void)state;
	put(NULL);
	n = sealed(10);
	r.wire_port++;
	wire[n - 1] ^= 1;
	arrives(wire, n);
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_MAPPING), 0);
	wire[n - 1] ^= 1;
	assert_true(arrives(wire, n));
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_MAPPING), 1);
	r.wire_port--;
}

static void *deletes(void *arg)
{
	for (int i = 0; i < 300; i++) {
		struct dpm_sa sa = erig_sa(&r, true);

		sa.cipher_key[0] = (uint8_t)i;
		assert_int_equal(engine_sa_put(&r.b, &sa), ERR_OK);
		assert_int_equal(engine_sa_del(&r.b, &sa.key), ERR_OK);
	}
	FLAG_SET(*(bool *)arg, true);
	return NULL;
}

static void deleted_under_load(void **state)
{
	struct outer o = { .local = INADDR_LOOPBACK, .remote = INADDR_LOOPBACK };
	uint8_t esp[8][80] = { 0 };
	bool end = false;
	pthread_t t;

	(void)state;
	for (int i = 0; i < 8; i++)
		put32(esp[i], RIG_SPI);
	assert_int_equal(pthread_create(&t, NULL, deletes, &end), 0);
	while (!FLAG_GET(end)) {
		rcu_online(&r.b.rcu, &r.b.in_worker.rcu);
		for (uint32_t i = 0; i < 8; i++) {
			put32(esp[i] + 4, i + 1);
			open_add(r.b.in, span_of(esp[i], sizeof(esp[i])), &o);
		}
		open_batch(r.b.in);
		rcu_offline(&r.b.in_worker.rcu);
	}
	pthread_join(t, NULL);
	assert_int_equal(r.b.sas.count, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = { T(bad_icv_moves_no_window), T(sequence_zero), T(sequence_cycle_stops),
		T(extended_numbers_turn_gcm), T(extended_numbers_turn_hmac), T(padding), T(inner_lengths), T(every_length),
		T(outside_the_selectors), T(inner_fragments), T(tunnel_ecn), T(unknown_spi_is_told_once), T(mapping_needs_proof),
		T(deleted_under_load) };

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
