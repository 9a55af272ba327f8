/* AH alone and around ESP: what stands on the wire, what may change on the way, and what must not. */
#include "ah_icv.h"
#include "enginerig.h"

#include "datapath/engine/ah.h"
#include "datapath/engine/csum.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define HEAD   (sizeof(struct virtio_net_hdr) + TAP_ETHERNET)
#define HOST   INADDR_LOOPBACK
#define AH_SPI 0x4321

static struct erig r;
static uint8_t frame[TAP_FRAME_MAX], wire[65536], tap[TAP_FRAME_MAX];

static int up(void **state)
{
	(void)state;
	erig_open(&r, false);
	return 0;
}

static int down(void **state)
{
	(void)state;
	erig_close(&r);
	return 0;
}

static void put(const struct dpm_sa *sa)
{
	assert_int_equal(engine_sa_put(&r.b, sa), ERR_OK);
	if (!sa->key.inbound)
		erig_mtu(&r, 1500);
}

/* AH alone in both directions. */
static void put_ah(bool transport, void (*change)(struct dpm_sa *))
{
	if (transport)
		erig_policy_hosts(&r, HOST, HOST);
	else
		erig_policy(&r);
	for (int inbound = 0; inbound < 2; inbound++) {
		struct dpm_sa sa = erig_ah(&r, inbound);

		sa.transport = transport;
		if (change)
			change(&sa);
		put(&sa);
	}
}

/* AH around ESP in both directions; ESP is not in UDP. */
static void put_bundle(bool transport, bool with_ah)
{
	if (transport)
		erig_policy_hosts(&r, HOST, HOST);
	else
		erig_policy(&r);
	for (int inbound = 0; inbound < 2; inbound++) {
		struct dpm_sa ah = erig_ah(&r, inbound), esp = erig_sa(&r, inbound);

		ah.key.spi = esp.bundle_spi = AH_SPI;
		ah.bundle_spi = esp.key.spi;
		esp.udp_encap = 0;
		ah.transport = esp.transport = transport;
		if (with_ah)
			put(&ah);
		put(&esp);
	}
}

static uint32_t sealed(uint32_t frame_len)
{
	erig_out(&r, frame, frame_len);
	return erig_wire(&r, wire, sizeof(wire));
}

static bool arrives(const uint8_t *packet, uint32_t len)
{
	erig_native(&r, packet, len);
	return erig_tap(&r, tap, sizeof(tap)) > 0;
}

static void tunnel(void **state)
{
	uint8_t clear[200];
	uint32_t n;

	(void)state;
	put_ah(false, NULL);
	n = erig_udp(frame, 100, true);
	erig_ip(frame)[1] = 0xba;
	ip4_checksum(erig_ip(frame), 20);
	memcpy(clear, erig_ip(frame), 128);
	n = sealed(n);
	assert_int_equal(n, 20 + 28 + 128);
	assert_int_equal(wire[0], 0x45);
	assert_int_equal(wire[1], 0xba);
	assert_int_equal(get16(wire + 2), n);
	assert_int_not_equal(get16(wire + 4), 0);
	assert_int_equal(get16(wire + 6), IP4_DF);
	assert_int_equal(wire[9], 51);
	assert_int_equal(csum_fold(csum_add(0, wire, 20)), 0xffff);
	assert_int_equal(wire[20], 4); /* IPv4 inside */
	assert_int_equal(wire[21], 28 / 4 - 2);
	assert_int_equal(get16(wire + 22), 0);
	assert_int_equal(get32(wire + 24), RIG_SPI);
	assert_int_equal(get32(wire + 28), 1);
	assert_memory_equal(wire + 48, clear, 128);
	ah_icv_check(wire, n, 0, false);
	assert_true(arrives(wire, n));
	assert_memory_equal(erig_ip(tap), clear, 128);
	assert_int_equal(erig_find(&r, true)->state->count.packets, 1);
	assert_int_equal(erig_find(&r, false)->state->count.bytes, 128);
}

static void transport_keeps_the_header(void **state)
{
	uint8_t clear[200];
	uint32_t n;

	(void)state;
	put_ah(true, NULL);
	n = erig_own(frame, 100);
	erig_ip(frame)[1] = 0x10;
	ip4_checksum(erig_ip(frame), 20);
	memcpy(clear, erig_ip(frame), 128);
	n = sealed(n);
	assert_int_equal(n, 128 + 28);
	assert_int_equal(wire[8], 63); /* its own time to live, TOS, identification */
	assert_int_equal(wire[1], 0x10);
	assert_int_equal(get16(wire + 4), 0x1111);
	assert_int_equal(wire[9], 51);
	assert_int_equal(wire[20], IPPROTO_UDP);
	assert_memory_equal(wire + 48, clear + 20, 108);
	ah_icv_check(wire, n, 0, false);
	assert_true(arrives(wire, n));
	assert_memory_equal(erig_ip(tap), clear, 128);
}

/* RFC 4302, 3.3.3.1.1.1: the fields of the header one by one. */
static void mutable_fields(void **state)
{
	static const struct {
		unsigned at;
		uint8_t bits;
		bool may;
	} fields[] = { { 1, 0xff, true }, { 4, 0x01, false }, { 5, 0x80, false }, { 6, 0x40, true }, { 8, 0xff, true },
		{ 10, 0xff, true }, { 11, 0xff, true }, { 22, 1, false }, { 25, 1, false }, { 32, 1, false }, { 47, 1, false },
		{ 48, 1, false } };

	(void)state;
	put_ah(false, NULL);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint32_t n = sealed(erig_udp(frame, 20, false));

		wire[fields[i].at] ^= fields[i].bits;
		if (fields[i].at == 1)
			wire[1] &= 0xfc; /* a congestion mark on what is not capable of it is another matter */
		assert_int_equal(arrives(wire, n), fields[i].may);
	}
	assert_int_equal(erig_drops(&r, DP_DROP_BAD_ICV) + erig_drops(&r, DP_DROP_INVALID_SPI), 7);
	assert_int_equal(erig_drops(&r, DP_DROP_MALFORMED), 0);
}

/* Appendix A1: options of every kind. */
static void options(void **state)
{
	static const struct {
		const char *bytes;
		unsigned len, change; /* offset in the options that is changed on the way */
		bool may;
	} cases[] = {
		{ "\x94\x04\0\0", 4, 3, false },                  /* router alert */
		{ "\x07\x07\x04\0\0\0\0\0", 8, 4, true },         /* record route */
		{ "\x44\x08\x05\0\0\0\0\0", 8, 5, true },         /* time stamp */
		{ "\x83\x07\x08\1\2\3\4\0", 8, 4, true },         /* a source route that is used up */
		{ "\x82\x0b\0\0\0\0\0\0\0\0\0\0", 12, 5, false }, /* security */
		{ "\x88\x04\0\1", 4, 3, true },                   /* stream identifier: superseded */
		{ "\xde\x04\0\1", 4, 2, true },                   /* unknown */
		{ "\1\1\x94\x04\0\0\1\0", 8, 5, false },          /* behind no-operations */
		{ "\0\0\0\7", 4, 3, false },                      /* behind the end of the list */
	};
	uint8_t key[32], mac[32];
	unsigned n;

	(void)state;
	put_ah(true, NULL);
	memset(key, 0x33, 32);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t hl = 20 + cases[i].len, len = hl + 28 + 4;
		uint8_t packet[200] = { 0x40, 0, 0, 0, 0x12, 0x34, 0, 0, 64, 51 }, mute[200];

		packet[0] |= (uint8_t)(hl / 4);
		put16(packet + 2, (uint16_t)len);
		put32(packet + 12, HOST);
		put32(packet + 16, HOST);
		memcpy(packet + 20, cases[i].bytes, cases[i].len);
		ah_frame(packet + hl, 16, 47, RIG_SPI, (uint32_t)i + 1);
		memcpy(mute, packet, len);
		assert_true(ah_mute(mute, hl));
		HMAC(EVP_sha256(), key, 32, mute, len, mac, &n);
		memcpy(packet + hl + 12, mac, 16);
		packet[20 + cases[i].change] ^= 0x55;
		assert_int_equal(arrives(packet, len), cases[i].may);
		packet[20 + cases[i].change] ^= 0x55;
		assert_int_equal(arrives(packet, len), !cases[i].may);
		if (!cases[i].may)
			assert_memory_equal(erig_ip(tap) + 20, cases[i].bytes, cases[i].len); /* given on as they came */
	}
	assert_int_equal(erig_drops(&r, DP_DROP_MALFORMED), 0);
}

static void mute_by_hand(void **state)
{
	uint8_t h[32] = { 0x48, 0xb8, 0, 99, 1, 2, 0x40, 0, 64, 51, 7, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0x94, 4, 0, 0, 7, 7, 4, 9, 9, 9,
		9, 1 };
	static const uint8_t want[32] = { 0x48, 0, 0, 99, 1, 2, 0, 0, 0, 51, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x94, 4, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 1 };

	(void)state;
	assert_true(ah_mute(h, 32));
	assert_memory_equal(h, want, 32);
	/* Lengths that are none. */
	memcpy(h + 20, "\x94\x01\0\0", 4);
	assert_false(ah_mute(h, 24));
	memcpy(h + 20, "\x94\x05\0\0", 4);
	assert_false(ah_mute(h, 24));
	memcpy(h + 20, "\1\1\1\x94", 4);
	assert_false(ah_mute(h, 24));
	assert_true(ah_mute(h, 20));
}

/* Linux pads AH to a multiple of eight unless it is told otherwise. */
static void padded_to_eight(void **state)
{
	uint8_t packet[20 + 32 + 4] = { 0x45, 0, 0, 56, 0x12, 0x34, 0, 0, 64, 51 }, mute[56], key[32], mac[32];
	unsigned n;

	(void)state;
	put_ah(true, NULL);
	put32(packet + 12, HOST);
	put32(packet + 16, HOST);
	ah_frame(packet + 20, 16, 47, RIG_SPI, 1);
	packet[21] = 32 / 4 - 2;
	memcpy(packet + 52, "abcd", 4);
	memcpy(mute, packet, 56);
	assert_true(ah_mute(mute, 20));
	memset(key, 0x33, 32);
	HMAC(EVP_sha256(), key, 32, mute, 56, mac, &n);
	memcpy(packet + 32, mac, 16);
	packet[48] = 1; /* padding is under the ICV too */
	assert_false(arrives(packet, 56));
	packet[48] = 0;
	assert_true(arrives(packet, 56));
	assert_int_equal(get16(erig_ip(tap) + 2), 24);
	assert_memory_equal(erig_ip(tap) + 20, "abcd", 4);
}

static void every_length(void **state)
{
	uint32_t n;

	(void)state;
	put_ah(false, NULL);
	n = sealed(erig_udp(frame, 60, false));
	for (uint32_t len = 20; len < n; len++) {
		uint8_t cut[200];

		memcpy(cut, wire, len);
		put16(cut + 2, (uint16_t)len);
		assert_false(arrives(cut, len));
	}
	for (int length = 0; length < 256; length++) {
		uint8_t other[200];

		memcpy(other, wire, n);
		other[21] = (uint8_t)length;
		assert_int_equal(arrives(other, n), other[21] == 5);
	}
}

/* A NAT between the gateways: told apart from any other forgery, and said so. */
static void translated_on_the_way(void **state)
{
	const struct backend_event *ev = NULL;
	uint32_t n;

	(void)state;
	put_ah(false, NULL);
	n = sealed(erig_udp(frame, 20, false));
	put32(wire + 12, 0xc0000209);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_AH_NAT), 1);
	assert_int_equal(erig_drops(&r, DP_DROP_BAD_ICV), 0);
	erig_notes(&r);
	for (size_t i = 0; i < r.nevents; i++)
		if (r.events[i].kind == BACKEND_DROP)
			ev = &r.events[i];
	assert_non_null(ev);
	assert_int_equal(ev->drop.reason, DP_DROP_AH_NAT);
	assert_int_equal(ev->drop.protocol, 51);
	assert_true(addr_equal(ev->drop.remote, addr_v4(0xc0000209)));
	assert_true(addr_equal(ev->drop.peer, addr_v4(HOST)));
	put32(wire + 12, HOST);
	wire[60] ^= 1;
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_BAD_ICV), 1);
}

static void wants_esn(struct dpm_sa *sa)
{
	sa->esn = 1;
}

static void extended_numbers(void **state)
{
	uint32_t n;

	(void)state;
	put_ah(false, wants_esn);
	erig_find(&r, false)->state->seq = 0xfffffffe;
	erig_find(&r, true)->state->replay.top = 0xfffffff0;
	for (uint32_t i = 0; i < 4; i++) {
		n = sealed(erig_udp(frame, 20, false));
		assert_int_equal(get32(wire + 28), 0xffffffff + i);
		ah_icv_check(wire, n, i > 0, true);
		assert_true(arrives(wire, n));
		assert_false(arrives(wire, n));
	}
	assert_int_equal(erig_find(&r, true)->state->replay.top, 0x100000002);
	assert_int_equal(erig_drops(&r, DP_DROP_REPLAY), 4);
}

static void the_numbers_end(void **state)
{
	(void)state;
	put_ah(false, NULL);
	erig_find(&r, false)->state->seq = 0xefffffff;
	assert_true(sealed(erig_udp(frame, 20, false)) > 0);
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 1);
	assert_int_equal(r.events[0].expire.why, DP_EXPIRE_SEQUENCE);
	assert_int_equal(r.events[0].expire.key.protocol, 51);
	erig_find(&r, false)->state->seq = 0xffffffff;
	assert_int_equal(sealed(erig_udp(frame, 20, false)), 0);
	assert_int_equal(erig_drops(&r, DP_DROP_SEQ_CYCLE), 1);
}

static void bundle_in(bool transport)
{
	uint8_t clear[200];
	uint32_t n;

	put_bundle(transport, true);
	n = transport ? erig_own(frame, 100) : erig_udp(frame, 100, false);
	memcpy(clear, erig_ip(frame), 128);
	n = sealed(n);
	assert_true(n > 0);
	assert_int_equal(wire[9], 51);
	assert_int_equal(wire[20], 50); /* ESP inside AH */
	assert_int_equal(get32(wire + 24), AH_SPI);
	assert_int_equal(get32(wire + 48), RIG_SPI);
	ah_icv_check(wire, n, 0, false);
	assert_true(arrives(wire, n));
	assert_memory_equal(erig_ip(tap), clear, 128);
	for (struct sa *sa = r.b.sas.all; sa; sa = sa->all_next)
		assert_int_equal(sa->state->count.packets, 1);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_REPLAY), 1);
}

static void bundle_tunnel(void **state)
{
	(void)state;
	bundle_in(false);
}

static void bundle_transport(void **state)
{
	(void)state;
	bundle_in(true);
}

/* What must come as AH around ESP comes as nothing else. */
static void bundle_order(void **state)
{
	uint8_t esp[400], key[32], mac[32];
	uint32_t n;
	unsigned m;

	(void)state;
	put_bundle(false, true);
	n = sealed(erig_udp(frame, 100, false));
	memcpy(esp, wire, 20);
	memcpy(esp + 20, wire + 48, n - 48);
	esp[9] = 50;
	put16(esp + 2, (uint16_t)(n - 28));
	assert_false(arrives(esp, n - 28)); /* ESP alone */
	assert_int_equal(erig_drops(&r, DP_DROP_BUNDLE), 1);
	/* AH around a clear packet, by one that has the keys. */
	memset(key, 0x33, 32);
	wire[20] = 4;
	memcpy(wire + 48, esp, 20);
	memset(wire + 32, 0, 16);
	memcpy(esp, wire, n);
	assert_true(ah_mute(esp, 20));
	HMAC(EVP_sha256(), key, 32, esp, n, mac, &m);
	memcpy(wire + 32, mac, 16);
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_BUNDLE), 2);
	/* The good one is good still: nothing moved ESP's window. */
	n = sealed(erig_udp(frame, 100, false));
	assert_true(arrives(wire, n));
}

static void esp_of_no_bundle_inside_ah(void **state)
{
	uint32_t n;

	(void)state;
	put_bundle(false, true);
	n = sealed(erig_udp(frame, 100, false));
	erig_find(&r, true)->conf.bundle_spi = 0; /* the newest inbound one: ESP */
	assert_false(arrives(wire, n));
	assert_int_equal(erig_drops(&r, DP_DROP_BUNDLE), 1);
}

static void bundle_needs_both(void **state)
{
	struct dpm_sa ah = erig_ah(&r, false);
	uint32_t n;

	(void)state;
	put_bundle(false, false);
	assert_int_equal(sealed(erig_udp(frame, 100, false)), 0); /* held: never ESP without its AH */
	ah.key.spi = AH_SPI;
	ah.bundle_spi = RIG_SPI;
	assert_int_equal(engine_sa_put(&r.b, &ah), ERR_OK);
	erig_mtu(&r, 1500);
	r.b.out_worker.now_us = engine_now();
	hold_run(r.b.out);
	seal_flush(r.b.out);
	n = erig_wire(&r, wire, sizeof(wire));
	assert_true(n > 0);
	assert_int_equal(wire[9], 51);
	assert_int_equal(engine_sa_del(&r.b, &ah.key), ERR_OK);
	assert_int_equal(sealed(erig_udp(frame, 100, false)), 0);
	assert_int_equal(erig_find(&r, false)->state->count.packets, 1);
}

static void idle_is_told_once(void **state)
{
	uint64_t now = engine_now();

	(void)state;
	erig_policy(&r);
	for (int inbound = 0; inbound < 2; inbound++) {
		struct dpm_sa sa = erig_sa(&r, inbound);

		sa.idle_s = 60;
		sa.peer_spi = sa.key.spi;
		put(&sa);
	}
	sa_tick(&r.b, now + 59 * 1000000);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 0);
	/* Traffic in one direction keeps both. */
	erig_find(&r, false)->state->last_us = now + 30 * 1000000;
	sa_tick(&r.b, now + 89 * 1000000);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 0);
	sa_tick(&r.b, now + 91 * 1000000);
	sa_tick(&r.b, now + 200 * 1000000);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 2);
	assert_int_equal(r.events[0].expire.why, DP_EXPIRE_IDLE);
	/* It was used again, and is idle again. */
	erig_find(&r, false)->state->last_us = now + 210 * 1000000;
	sa_tick(&r.b, now + 271 * 1000000);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 4);
}

static void refused(void **state)
{
	struct dpm_sa sa = erig_ah(&r, true);

	(void)state;
	sa.udp_encap = 1;
	assert_int_equal(engine_sa_put(&r.b, &sa), ERR_UNSUPPORTED);
	sa = erig_ah(&r, true);
	sa.cipher = CIPHER_AES128;
	sa.cipher_key_len = 16;
	assert_int_equal(engine_sa_put(&r.b, &sa), ERR_UNSUPPORTED);
	sa = erig_ah(&r, true);
	sa.auth_key_len = 20;
	assert_int_equal(engine_sa_put(&r.b, &sa), ERR_RANGE);
	sa = erig_ah(&r, true);
	sa.key.protocol = 50; /* ESP of no cipher at all */
	assert_int_equal(engine_sa_put(&r.b, &sa), ERR_UNSUPPORTED);
	sa = erig_sa(&r, true);
	sa.bundle_spi = AH_SPI; /* in UDP */
	assert_int_equal(engine_sa_put(&r.b, &sa), ERR_UNSUPPORTED);
}

/* What `show` gets. */
static bool each(void *ctx, const struct dpm_sa_info *i)
{
	unsigned *n = ctx;

	n[0]++;
	n[1] += i->preferred;
	n[2] += i->key.protocol == 51 && i->bundle_spi == RIG_SPI && i->auth == HASH_SHA256 && i->cipher == CIPHER_NONE;
	n[3] += i->key.protocol == 50 && i->bundle_spi == AH_SPI;
	return true;
}

static void shown(void **state)
{
	static const struct dpm_dump_filter all;
	unsigned n[4] = { 0 };

	(void)state;
	put_bundle(false, true);
	assert_int_equal(engine_sa_dump(&r.b, &all, each, n), ERR_OK);
	assert_int_equal(n[0], 4);
	assert_int_equal(n[1], 2); /* both outbound ones */
	assert_int_equal(n[2], 2);
	assert_int_equal(n[3], 2);
}

/* The longest clear packet for a path, found by trying. */
static void plain_mtu(void **state)
{
	(void)state;
	for (int what = 0; what < 4; what++) {
		bool transport = what & 1;
		uint16_t mtu;
		struct sa *sa;
		uint32_t n;

		if (what < 2)
			put_bundle(transport, true);
		else
			put_ah(transport, NULL);
		for (sa = r.b.sas.all; sa->around || sa->conf.key.inbound;)
			sa = sa->all_next;
		mtu = sa_plain_mtu(sa, sa->outer, 1500, 20);
		for (uint16_t len = (uint16_t)(mtu - 8); len <= mtu + 1; len++) {
			n = sealed(
				transport ? erig_own(frame, (uint16_t)(len - 28)) : erig_udp(frame, (uint16_t)(len - 28), false));
			assert_true(n > 0 && n <= 1500);
			if (len == mtu)
				assert_true(n > 1500 - 8);
			while (erig_wire(&r, wire, sizeof(wire)) > 0)
				assert_true(len > mtu); /* a second packet: it was cut */
		}
		sa_drop_all(&r.b);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = { T(tunnel), T(transport_keeps_the_header), T(mutable_fields), T(options),
		T(mute_by_hand), T(padded_to_eight), T(every_length), T(translated_on_the_way), T(extended_numbers),
		T(the_numbers_end), T(bundle_tunnel), T(bundle_transport), T(bundle_order), T(esp_of_no_bundle_inside_ah),
		T(bundle_needs_both), T(idle_is_told_once), T(refused), T(shown), T(plain_mtu) };

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
