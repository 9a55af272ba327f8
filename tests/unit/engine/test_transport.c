/* Transport mode: the router's own packets, whole, large or cut, and checksums behind a NAT. */
#include "ah_icv.h"
#include "enginerig.h"

#include "datapath/engine/csum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define HEAD (sizeof(struct virtio_net_hdr) + TAP_ETHERNET)
#define HOST INADDR_LOOPBACK

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
static void put_ah(void)
{
	erig_policy_hosts(&r, HOST, HOST);
	for (int inbound = 0; inbound < 2; inbound++) {
		struct dpm_sa sa = erig_ah(&r, inbound);

		sa.transport = 1;
		put(&sa);
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

static void only_own_traffic_in_transport_mode(void **state)
{
	struct dpm_sa sa = erig_ah(&r, false);

	(void)state;
	erig_policy(&r);
	sa.transport = 1;
	put(&sa);
	assert_int_equal(sealed(erig_udp(frame, 20, false)), 0); /* a host's packet: held, never sent by that SA */
	assert_int_equal(erig_find(&r, false)->state->count.packets, 0);
}

static void esp_transport(bool encap, void (*change)(struct dpm_sa *))
{
	erig_policy_hosts(&r, HOST, HOST);
	for (int inbound = 0; inbound < 2; inbound++) {
		struct dpm_sa sa = erig_sa(&r, inbound);

		sa.transport = 1;
		sa.udp_encap = encap;
		if (change && inbound)
			change(&sa);
		put(&sa);
	}
}

static void esp_transport_native(void **state)
{
	uint8_t clear[200];
	uint32_t n;

	(void)state;
	esp_transport(false, NULL);
	n = erig_own(frame, 101);
	memcpy(clear, erig_ip(frame), 129);
	n = sealed(n);
	assert_int_equal(wire[9], 50);
	assert_int_equal(wire[8], 63);
	assert_int_equal(n, 20 + 8 + 8 + (109 + 2 + 3) / 4 * 4 + 16);
	assert_int_equal(csum_fold(csum_add(0, wire, 20)), 0xffff);
	assert_true(arrives(wire, n));
	assert_memory_equal(erig_ip(tap), clear, 129);
}

static void esp_transport_in_udp(void **state)
{
	uint8_t clear[200];
	uint32_t n;

	(void)state;
	esp_transport(true, NULL);
	n = erig_own(frame, 100);
	memcpy(clear, erig_ip(frame), 128);
	n = sealed(n);
	erig_in(&r, wire, n, 0);
	assert_int_equal(erig_tap(&r, tap, sizeof(tap)), HEAD + 128);
	assert_memory_equal(erig_ip(tap) + 12, clear + 12, 116);
}

/* The peer is 192.168.7.7 to itself, and knows us as 192.0.2.1. */
static void original_addresses(struct dpm_sa *sa)
{
	sa->nat_oa_remote = addr_v4(0xc0a80707);
	sa->nat_oa_local = addr_v4(0xc0000201);
}

/* Seals a UDP packet whose checksum is that of other addresses. */
static uint32_t sealed_behind_nat(uint32_t src, uint32_t dst, bool none)
{
	uint32_t n = erig_own(frame, 100);
	uint8_t *udp = erig_ip(frame) + 20;
	uint16_t sum;

	udp[6] = udp[7] = 0;
	sum = csum_finish(csum_add(csum_pseudo(src, dst, IPPROTO_UDP, 108), udp, 108));
	if (!none)
		memcpy(udp + 6, &sum, 2);
	return sealed(n);
}

static void checksum_behind_nat(void **state)
{
	uint32_t n;

	(void)state;
	esp_transport(true, original_addresses);
	n = sealed_behind_nat(0xc0a80707, 0xc0000201, false);
	erig_in(&r, wire, n, 0);
	assert_int_equal(erig_tap(&r, tap, sizeof(tap)), HEAD + 128);
	assert_int_equal(csum_fold(csum_add(csum_pseudo(HOST, HOST, IPPROTO_UDP, 108), erig_ip(tap) + 20, 108)), 0xffff);
	n = sealed_behind_nat(0, 0, true); /* no checksum: RFC 768 */
	erig_in(&r, wire, n, 0);
	assert_int_equal(erig_tap(&r, tap, sizeof(tap)), HEAD + 128);
	assert_int_equal(get16(erig_ip(tap) + 26), 0);
	assert_int_equal(erig_drops(&r, DP_DROP_CHECKSUM), 0);
}

static void checksum_without_nat_oa(void **state)
{
	const struct backend_event *ev = NULL;
	uint32_t n;

	(void)state;
	esp_transport(true, NULL);
	n = sealed_behind_nat(0xc0a80707, 0xc0000201, false);
	erig_in(&r, wire, n, 0);
	assert_int_equal(erig_tap(&r, tap, sizeof(tap)), 0);
	assert_int_equal(erig_drops(&r, DP_DROP_CHECKSUM), 1);
	erig_notes(&r);
	for (size_t i = 0; i < r.nevents; i++)
		if (r.events[i].kind == BACKEND_DROP)
			ev = &r.events[i];
	assert_non_null(ev);
	assert_int_equal(ev->drop.reason, DP_DROP_CHECKSUM);
}

/* IP fragments of what is too large behind AH; put together they are the packet. */
static void too_large_for_the_path(void **state)
{
	static uint8_t whole[4096], piece[2000];
	uint32_t len = 20, n, pieces = 0;

	(void)state;
	put_ah();
	erig_out(&r, frame, erig_own(frame, 3000));
	while ((n = erig_wire(&r, piece, sizeof(piece))) > 0) {
		uint16_t f = get16(piece + 6);

		assert_true(n <= 1500);
		assert_int_equal(get16(piece + 2), n);
		assert_int_equal((f & IP4_OFFSET_MASK) * 8, len - 20);
		assert_int_equal(csum_fold(csum_add(0, piece, 20)), 0xffff);
		if (pieces == 0)
			memcpy(whole, piece, 20);
		memcpy(whole + len, piece + 20, n - 20);
		len += n - 20;
		pieces++;
		assert_int_equal(!(f & IP4_MF), len == 3028 + 28);
	}
	assert_int_equal(pieces, 3);
	put16(whole + 2, (uint16_t)len);
	put16(whole + 6, 0);
	ah_icv_check(whole, len, 0, false);
	assert_true(arrives(whole, len));
	assert_int_equal(get16(erig_ip(tap) + 2), 3028);
}

/* Our own packets come cut for the link: transport mode takes them whole (RFC 4303, 3.3.4). */
static void own_fragments(void **state)
{
	static uint8_t all[4096], part[TAP_FRAME_MAX];
	uint32_t pieces = 0, n, total;

	(void)state;
	put_ah();
	total = erig_own(frame, 3000) - HEAD;
	memcpy(all, erig_ip(frame), total);
	for (uint32_t at = 0; at < total - 20; at += 1480) {
		uint32_t size = total - 20 - at < 1480 ? total - 20 - at : 1480;

		memcpy(part, frame, HEAD);
		memcpy(part + HEAD, all, 20);
		memcpy(part + HEAD + 20, all + 20 + at, size);
		put16(part + HEAD + 2, (uint16_t)(20 + size));
		put16(part + HEAD + 6, (uint16_t)(at / 8 | (at + size < total - 20 ? IP4_MF : 0)));
		ip4_checksum(part + HEAD, 20);
		assert_int_equal(erig_wire(&r, wire, sizeof(wire)), 0);
		erig_out(&r, part, HEAD + 20 + size);
	}
	while ((n = erig_wire(&r, wire, sizeof(wire))) > 0)
		pieces++;
	assert_int_equal(pieces, 3);
	assert_int_equal(erig_find(&r, false)->state->count.packets, 1);
	assert_int_equal(erig_find(&r, false)->state->count.bytes, 3028);
	/* A later one whose first one never came. */
	put16(part + HEAD + 4, 0x7777);
	erig_out(&r, part, HEAD + get16(part + HEAD + 2));
	assert_int_equal(erig_drops(&r, DP_DROP_MALFORMED), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = { T(only_own_traffic_in_transport_mode), T(esp_transport_native), T(esp_transport_in_udp),
		T(checksum_behind_nat), T(checksum_without_nat_oa), T(too_large_for_the_path), T(own_fragments) };

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
