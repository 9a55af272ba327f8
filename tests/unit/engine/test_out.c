/* The way out: clear packets in, ESP on the wire, and what a mirrored engine makes of it. */
#include "enginerig.h"

#include "datapath/engine/csum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define HEAD (sizeof(struct virtio_net_hdr) + TAP_ETHERNET)

static struct erig r;
static uint8_t frame[TAP_FRAME_MAX], wire[65536], tap[TAP_FRAME_MAX];

static int up(void **state)
{
	(void)state;
	erig_open(&r, true);
	erig_policy(&r);
	return 0;
}

static int down(void **state)
{
	(void)state;
	erig_close(&r);
	return 0;
}

static void put(bool inbound, void (*change)(struct dpm_sa *))
{
	struct dpm_sa sa = erig_sa(&r, inbound);

	if (change)
		change(&sa);
	assert_int_equal(engine_sa_put(&r.b, &sa), ERR_OK);
	if (!inbound)
		erig_mtu(&r, 1500);
}

static void both(void (*change)(struct dpm_sa *))
{
	put(true, change);
	put(false, change);
}

/* Everything on the wire through the in worker; how many packets that were. */
static size_t carry(uint8_t tos)
{
	size_t n = 0;

	for (uint32_t len; (len = erig_wire(&r, wire, sizeof(wire))) > 0; n++)
		erig_in(&r, wire, len, tos);
	return n;
}

static bool upper_right(const uint8_t *ip)
{
	struct inner in;
	uint32_t upper;

	assert_true(inner_parse(&in, span_of(ip, 65535)));
	upper = (uint32_t)in.len - in.header_len;
	return csum_fold(csum_add(csum_pseudo(in.src, in.dst, in.protocol, (uint16_t)upper), ip + in.header_len, upper)) == 0xffff;
}

static void one_packet(void **state)
{
	uint32_t len = erig_udp(frame, 100, true), n;
	uint8_t sent[256];

	(void)state;
	both(NULL);
	memcpy(sent, erig_ip(frame), len - HEAD);
	erig_out(&r, frame, len);
	n = erig_wire(&r, wire, sizeof(wire));
	assert_int_equal(n, esp_len(&erig_find(&r, false)->size, len - HEAD));
	assert_int_equal(get32(wire), RIG_SPI);
	assert_int_equal(get32(wire + 4), 1);
	assert_null(memmem(wire, n, sent + 40, 16));
	erig_in(&r, wire, n, 0);
	assert_int_equal(erig_tap(&r, tap, sizeof(tap)), len);
	assert_memory_equal(tap + HEAD, sent, len - HEAD);
}

static void super_packet(void **state)
{
	uint32_t len = erig_tcp(frame, 10000, 1380, true), at = 0, seq = 0xfffffff0;
	uint8_t got[10000];

	(void)state;
	both(NULL);
	r.b.in->join.tso = false; /* each segment by itself */
	erig_out(&r, frame, len);
	assert_int_equal(carry(0), 8);
	for (int i = 0; i < 8; i++) {
		uint32_t n = erig_tap(&r, tap, sizeof(tap)), payload = i < 7 ? 1380 : 340;
		uint8_t *ip = tap + HEAD, *tcp = ip + 20;

		assert_int_equal(n, HEAD + 40 + payload);
		assert_int_equal(get16(ip + 4), 0x1111 + i);
		assert_int_equal(get32(tcp + 4), seq);
		assert_int_equal(tcp[13], i < 7 ? 0x10 : 0x18);
		assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
		assert_true(upper_right(ip));
		memcpy(got + at, tcp + 20, payload);
		at += payload;
		seq += payload;
	}
	assert_memory_equal(got, erig_ip(frame) + 40, sizeof(got));
}

static void joined_again(void **state)
{
	uint32_t len = erig_tcp(frame, 10000, 1380, true), n;
	struct virtio_net_hdr *v = (struct virtio_net_hdr *)(void *)tap;
	struct {
		uint8_t esp[2000];
		uint32_t len;
	} all[8];

	(void)state;
	both(NULL);
	erig_out(&r, frame, len);
	for (int i = 0; i < 8; i++) {
		struct outer o = { .local = INADDR_LOOPBACK, .remote = INADDR_LOOPBACK, .remote_port = r.wire_port };

		all[i].len = erig_wire(&r, all[i].esp, sizeof(all[i].esp));
		assert_true(all[i].len > 0);
		open_add(r.b.in, span_of(all[i].esp, all[i].len), &o);
	}
	open_batch(r.b.in);
	n = erig_tap(&r, tap, sizeof(tap));
	assert_int_equal(n, len);
	assert_int_equal(v->gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(v->gso_size, 1380);
	assert_int_equal(v->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(v->csum_start, TAP_ETHERNET + 20);
	assert_memory_equal(erig_ip(tap), erig_ip(frame), 20);
	assert_memory_equal(erig_ip(tap) + 20, erig_ip(frame) + 20, 10020);
	assert_int_equal(erig_tap(&r, tap, sizeof(tap)), 0);
}

static void held_and_released(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < HOLD_PACKETS + 6; i++)
		erig_out(&r, frame, erig_udp(frame, (uint16_t)(i + 1), false));
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_ACQUIRE), 1);
	assert_int_equal(r.events[0].acquire.dst_port, 2000);
	assert_int_equal(addr_to_v4(r.events[0].acquire.dst), RIG_REMOTE + 10);
	assert_int_equal(erig_drops(&r, DP_DROP_NO_SA), 6);
	assert_int_equal(erig_wire(&r, wire, sizeof(wire)), 0);
	both(NULL);
	hold_run(r.b.out);
	seal_flush(r.b.out);
	assert_null(r.b.out->holding);
	assert_int_equal(carry(0), HOLD_PACKETS);
	for (uint32_t i = 6; i < HOLD_PACKETS + 6; i++)
		assert_int_equal(erig_tap(&r, tap, sizeof(tap)), HEAD + 28 + i + 1); /* in order, the oldest lost */
}

static void one_host_pair(struct dpm_sa *sa)
{
	sa->sel.local.from = sa->sel.local.to = addr_v4(RIG_LOCAL + 10);
	sa->sel.remote.from = sa->sel.remote.to = addr_v4(RIG_REMOTE + 10);
}

/* Level per-host: the SA of one pair of hosts releases its own packets; those of another pair ask next, by their addresses. */
static void each_host_pair_asks(void **state)
{
	uint32_t len = erig_udp(frame, 10, false), src;

	(void)state;
	src = get32(erig_ip(frame) + 12);
	assert_int_equal(src, RIG_LOCAL + 10);
	erig_out(&r, frame, len);
	put32(erig_ip(frame) + 12, src + 1);
	erig_out(&r, frame, len);
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_ACQUIRE), 1);
	assert_int_equal(addr_to_v4(r.events[0].acquire.src), src);
	both(one_host_pair);
	hold_run(r.b.out);
	seal_flush(r.b.out);
	assert_int_equal(carry(0), 1);
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_ACQUIRE), 2);
	assert_int_equal(addr_to_v4(r.events[1].acquire.src), src + 1);
	assert_int_equal(erig_drops(&r, DP_DROP_NO_SA), 0);
}

static void failed_acquire(void **state)
{
	struct dpm_policy_state failed = { erig_id(10, 10), DP_POLICY_FAILED, 60000 };

	(void)state;
	erig_out(&r, frame, erig_udp(frame, 10, false));
	assert_int_equal(engine_policy_state(&r.b, &failed), ERR_OK);
	hold_run(r.b.out);
	assert_int_equal(erig_drops(&r, DP_DROP_NO_SA), 1);
	r.b.out_worker.now_us = engine_now();
	erig_out(&r, frame, erig_udp(frame, 10, false));
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_ACQUIRE), 1); /* not again so soon */
	assert_int_equal(erig_drops(&r, DP_DROP_NO_SA), 2);
}

static void held_too_long(void **state)
{
	(void)state;
	erig_out(&r, frame, erig_udp(frame, 10, false));
	r.b.out_worker.now_us += HOLD_US + 1;
	hold_run(r.b.out);
	assert_int_equal(erig_drops(&r, DP_DROP_NO_SA), 1);
}

static void not_a_policys(void **state)
{
	uint32_t len = erig_udp(frame, 10, false);

	(void)state;
	both(NULL);
	put32(erig_ip(frame) + 16, 0x08080808);
	erig_out(&r, frame, len);
	assert_int_equal(erig_drops(&r, DP_DROP_POLICY), 1);
	assert_int_equal(erig_wire(&r, wire, sizeof(wire)), 0);
}

static void too_big_is_refused(void **state)
{
	uint16_t plain;

	(void)state;
	both(NULL);
	plain = esp_plain_mtu(&erig_find(&r, false)->size, 1500, true);
	erig_out(&r, frame, erig_udp(frame, (uint16_t)(plain - 28), true));
	assert_true(erig_wire(&r, wire, sizeof(wire)) <= 1500 - 28);
	erig_out(&r, frame, erig_udp(frame, (uint16_t)(plain - 27), true));
	assert_int_equal(erig_wire(&r, wire, sizeof(wire)), 0);
	assert_int_equal(erig_drops(&r, DP_DROP_TOO_BIG), 1);
	erig_notes(&r);
	assert_int_equal(r.events[1].drop.reason, 255);
	assert_int_equal(r.events[1].drop.count, plain);
}

static void fragmented_before(void **state)
{
	uint8_t whole[4000];
	size_t got = 0;

	(void)state;
	both(NULL);
	erig_out(&r, frame, erig_udp(frame, 3000, false));
	assert_int_equal(carry(0), 3);
	for (int i = 0; i < 3; i++) {
		uint32_t n = erig_tap(&r, tap, sizeof(tap)) - HEAD - 20;
		uint16_t off = get16(erig_ip(tap) + 6);

		assert_int_equal(off & IP4_MF, i < 2 ? IP4_MF : 0);
		assert_int_equal((off & IP4_OFFSET_MASK) * 8, got);
		assert_int_equal(csum_fold(csum_add(0, erig_ip(tap), 20)), 0xffff);
		memcpy(whole + got, erig_ip(tap) + 20, n);
		got += n;
	}
	assert_int_equal(got, 3008);
	assert_memory_equal(whole, erig_ip(frame) + 20, 3008);
}

static void after(struct dpm_sa *sa)
{
	sa->fragment_after = 1;
}

static void fragmented_after(void **state)
{
	(void)state;
	both(after);
	erig_out(&r, frame, erig_udp(frame, 3000, false));
	assert_int_equal(
		erig_wire(&r, wire, sizeof(wire)), esp_len(&erig_find(&r, false)->size, 3028)); /* one datagram: the kernel cuts */
}

static void limits(struct dpm_sa *sa)
{
	sa->soft_bytes = 300;
	sa->hard_bytes = 500;
}

static void volume_limits(void **state)
{
	(void)state;
	put(false, limits);
	for (int i = 0; i < 6; i++)
		erig_out(&r, frame, erig_udp(frame, 100, false));
	erig_notes(&r);
	assert_int_equal(carry(0), 3);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 2);
	assert_int_equal(r.events[0].expire.why, DP_EXPIRE_SOFT);
	assert_int_equal(r.events[1].expire.why, DP_EXPIRE_HARD);
	assert_int_equal(erig_drops(&r, DP_DROP_EXPIRED), 3);
}

static void time_limit(void **state)
{
	struct dpm_sa sa = erig_sa(&r, false);

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		sa.key.spi = RIG_SPI + i;
		sa.hard_at_us = i < 2 ? 1000 : 2000;
		assert_int_equal(engine_sa_put(&r.b, &sa), ERR_OK);
	}
	sa_tick(&r.b, 999);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 0);
	sa_tick(&r.b, 1000);
	sa_tick(&r.b, 1001);
	assert_int_equal(erig_events(&r, BACKEND_EXPIRE), 2);
	erig_mtu(&r, 1500);
	erig_out(&r, frame, erig_udp(frame, 10, false));
	erig_wire(&r, wire, sizeof(wire));
	assert_int_equal(get32(wire), RIG_SPI + 2);
	sa_tick(&r.b, 2000);
	erig_out(&r, frame, erig_udp(frame, 10, false));
	assert_int_equal(erig_wire(&r, wire, sizeof(wire)), 0); /* held, not sent under a dead SA */
	erig_notes(&r);
	assert_int_equal(erig_events(&r, BACKEND_ACQUIRE), 1);
}

static void newest_sa_first(void **state)
{
	struct dpm_sa sa;

	(void)state;
	put(false, NULL);
	sa = erig_sa(&r, false);
	sa.key.spi = RIG_SPI + 1;
	memset(sa.cipher_key, 1, 20);
	assert_int_equal(engine_sa_put(&r.b, &sa), ERR_OK);
	erig_out(&r, frame, erig_udp(frame, 10, false));
	erig_wire(&r, wire, sizeof(wire));
	assert_int_equal(get32(wire), RIG_SPI + 1);
	assert_int_equal(engine_sa_del(&r.b, &sa.key), ERR_OK);
	erig_out(&r, frame, erig_udp(frame, 10, false));
	erig_wire(&r, wire, sizeof(wire));
	assert_int_equal(get32(wire), RIG_SPI);
}

static void same_keys_go_on(void **state)
{
	struct dpm_sa sa = erig_sa(&r, false);

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(engine_sa_put(&r.b, &sa), ERR_OK);
		erig_out(&r, frame, erig_udp(frame, 10, false));
		erig_wire(&r, wire, sizeof(wire));
	}
	assert_int_equal(get32(wire + 4), 2); /* never the same nonce twice */
	memset(sa.cipher_key, 3, 20);
	assert_int_equal(engine_sa_put(&r.b, &sa), ERR_OK);
	erig_out(&r, frame, erig_udp(frame, 10, false));
	erig_wire(&r, wire, sizeof(wire));
	assert_int_equal(get32(wire + 4), 1);
}

static void path_mtu_from_icmp(void **state)
{
	uint8_t icmp[36 + 8] = { 3, 4, 0, 0, 0, 0, 1300 >> 8, 1300 & 255, 0x45, 0, 5, 0xdc };

	(void)state;
	put(false, NULL);
	icmp[17] = IPPROTO_UDP;
	put32(icmp + 20, INADDR_LOOPBACK);
	put32(icmp + 24, INADDR_LOOPBACK);
	put32(icmp + 36, RIG_SPI + 1);
	assert_false(icmp_take_error(&r.b, span_of(icmp, sizeof(icmp)))); /* not an SPI of ours: a forgery */
	put32(icmp + 36, RIG_SPI);
	for (size_t n = 0; n < 40; n++)
		assert_false(icmp_take_error(&r.b, span_of(icmp, n)));
	assert_true(icmp_take_error(&r.b, span_of(icmp, sizeof(icmp))));
	assert_int_equal(erig_find(&r, false)->hop->data->mtu, 1300);
	put16(icmp + 6, 68);
	assert_true(icmp_take_error(&r.b, span_of(icmp, sizeof(icmp))));
	assert_int_equal(erig_find(&r, false)->hop->data->mtu, 576);
}

static void unsound_frames(void **state)
{
	uint32_t len = erig_tcp(frame, 3000, 1400, false);

	(void)state;
	both(NULL);
	for (uint32_t n = 0; n < HEAD + 40; n++)
		erig_out(&r, frame, n);
	put16(frame + 4, 0); /* gso_size */
	frame[2] = 0;
	frame[1] = VIRTIO_NET_HDR_GSO_TCPV4;
	memset(frame + 4, 0, 2);
	erig_out(&r, frame, len);
	assert_int_equal(erig_wire(&r, wire, sizeof(wire)), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = { T(one_packet), T(super_packet), T(joined_again), T(held_and_released),
		T(each_host_pair_asks), T(failed_acquire), T(held_too_long), T(not_a_policys), T(too_big_is_refused),
		T(fragmented_before), T(fragmented_after), T(volume_limits), T(time_limit), T(newest_sa_first), T(same_keys_go_on),
		T(path_mtu_from_icmp), T(unsound_frames) };

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
