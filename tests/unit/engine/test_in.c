/* The way in: what comes on the UDP socket, and how clear packets are joined for the TAP. */
#include "enginerig.h"

#include "datapath/engine/csum.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define HEAD (sizeof(struct virtio_net_hdr) + TAP_ETHERNET)

static struct erig r;
static uint8_t tap[TAP_FRAME_MAX];
static struct virtio_net_hdr *const vnet = (struct virtio_net_hdr *)(void *)tap;

static int up(void **state)
{
	(void)state;
	erig_open(&r, true);
	return 0;
}

static int down(void **state)
{
	(void)state;
	erig_close(&r);
	return 0;
}

static void to_socket(const void *data, size_t len, uint16_t segment)
{
	struct sockaddr_in to;
	socklen_t n = sizeof(to);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = segment;

	assert_int_equal(getsockname(r.b.sockets.udp, (struct sockaddr *)&to, &n), 0);
	if (segment)
		assert_int_equal(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&to, n), (ssize_t)len);
	close(fd);
}

static void ike_among_esp(void **state)
{
	uint8_t batch[120] = { 0 };
	int on = 1;

	(void)state;
	/* 104: UDP_GRO, as the engine's own socket has it. */
	assert_int_equal(setsockopt(r.b.sockets.udp, SOL_UDP, 104, &on, sizeof(on)), 0);
	put32(batch, 0x9999);
	put32(batch + 80, 0x8888); /* ESP, IKE, ESP of 40 bytes each */
	batch[44] = 0xaa;
	to_socket(batch, sizeof(batch), 40);
	to_socket("\xff", 1, 0);
	for (int i = 0; i < 3000 && erig_drops(&r, DP_DROP_INVALID_SPI) < 2; i++) {
		usleep(10000);
		receive_udp(r.b.in);
		erig_notes(&r);
	}
	assert_int_equal(erig_events(&r, BACKEND_PASSED_IKE), 1);
	assert_int_equal(erig_drops(&r, DP_DROP_INVALID_SPI), 2);
	assert_int_equal(erig_drops(&r, DP_DROP_MALFORMED), 0);
}

static void esp_from_the_ike_socket(void **state)
{
	struct {
		struct dpm_packet head;
		uint8_t bytes[40];
	} p = { .head = { .local = addr_v4(1), .remote = addr_v4(2), .remote_port = 4500 } };

	(void)state;
	put32(p.head.bytes, 0x7777);
	assert_int_equal(engine_backend.pass_packet(&r.b, &p.head, 40), ERR_OK);
	receive_passed(r.b.in);
	assert_int_equal(erig_drops(&r, DP_DROP_INVALID_SPI), 1);
}

static uint8_t packets[8][1500];

/* A TCP segment whose checksum is right. */
static void tcp(size_t i, uint32_t seq, uint16_t payload, uint8_t flags)
{
	static uint8_t frame[TAP_FRAME_MAX];
	uint8_t *ip = packets[i], *t = ip + 20;
	uint16_t sum;

	erig_tcp(frame, payload, 0, true);
	memcpy(ip, erig_ip(frame), 40u + payload);
	put32(t + 4, seq);
	t[13] = flags;
	t[16] = t[17] = 0;
	sum = csum_finish(csum_add(csum_pseudo(RIG_LOCAL + 10, RIG_REMOTE + 10, 6, (uint16_t)(20 + payload)), t, 20u + payload));
	memcpy(t + 16, &sum, 2);
}

static void join(size_t i)
{
	struct inner in;

	assert_true(inner_parse(&in, span_of(packets[i], sizeof(packets[i]))));
	join_add(&r.b.in->join, packets[i], &in);
}

/* Payload bytes of the next frame, -1: there is none. */
static int next(void)
{
	uint32_t n = erig_tap(&r, tap, sizeof(tap));

	return n ? (int)(n - HEAD - 40) : -1;
}

static void joined_in_order_only(void **state)
{
	(void)state;
	tcp(0, 1000, 500, 0x10);
	tcp(1, 1500, 500, 0x10);
	tcp(2, 2500, 500, 0x10); /* one is missing */
	tcp(3, 2000, 500, 0x10);
	for (size_t i = 0; i < 4; i++)
		join(i);
	join_flush(&r.b.in->join);
	assert_int_equal(next(), 1000);
	assert_int_equal(vnet->gso_size, 500);
	assert_int_equal(next(), 500);
	assert_int_equal(vnet->gso_type, VIRTIO_NET_HDR_GSO_NONE);
	assert_int_equal(next(), 500);
	assert_int_equal(next(), -1);
}

static void push_and_short_segments_end_a_run(void **state)
{
	(void)state;
	tcp(0, 0, 500, 0x10);
	tcp(1, 500, 200, 0x10);
	tcp(2, 700, 200, 0x18);
	tcp(3, 900, 200, 0x10);
	for (size_t i = 0; i < 4; i++)
		join(i);
	join_flush(&r.b.in->join);
	assert_int_equal(next(), 700);
	assert_int_equal(next(), 200);
	assert_int_equal(next(), 200);
	assert_int_equal(next(), -1);
}

static void what_is_not_joined(void **state)
{
	(void)state;
	tcp(0, 0, 500, 0x10);
	tcp(1, 500, 500, 0x10);
	packets[1][60] ^= 1;     /* damaged before it was sealed: the receiver must see it */
	tcp(2, 1000, 500, 0x12); /* SYN */
	tcp(3, 1500, 0, 0x10);   /* nothing in it */
	tcp(4, 1500, 500, 0x10);
	tcp(5, 2000, 500, 0x10);
	ip4_set_tos(packets[5], 0x20);
	for (size_t i = 0; i < 6; i++)
		join(i);
	join_flush(&r.b.in->join);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(next(), i == 3 ? 0 : 500);
		assert_int_equal(vnet->gso_type, VIRTIO_NET_HDR_GSO_NONE);
		assert_int_equal(vnet->flags, 0);
	}
}

static void datagrams(void **state)
{
	static uint8_t frame[TAP_FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint32_t n = erig_udp(frame, i < 2 ? 300 : 100, true);

		memcpy(packets[i], erig_ip(frame), n - HEAD);
		join(i);
	}
	join_flush(&r.b.in->join);
	assert_int_equal(next() + 40, 28 + 700);
	assert_int_equal(vnet->gso_type, VIRTIO_NET_HDR_GSO_UDP_L4);
	assert_int_equal(vnet->gso_size, 300);
	assert_int_equal(get16(erig_ip(tap) + 24), 708);
	r.b.in->join.uso = false;
	join(0);
	join(1);
	join_flush(&r.b.in->join);
	assert_true(next() > 0 && next() > 0);
}

static void more_flows_than_places(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 8; i++)
		tcp(i, 0, 100, 0x10);
	for (uint16_t k = 0; k < 2 * JOIN_FLOWS; k++) {
		static uint8_t copies[2 * JOIN_FLOWS][200];
		struct inner in;
		uint16_t old = get16(packets[0] + 20), sum;

		memcpy(copies[k], packets[0], 140);
		put16(copies[k] + 20, (uint16_t)(old + k));
		copies[k][36] = copies[k][37] = 0;
		sum = csum_finish(csum_add(csum_pseudo(RIG_LOCAL + 10, RIG_REMOTE + 10, 6, 120), copies[k] + 20, 120));
		memcpy(copies[k] + 36, &sum, 2);
		assert_true(inner_parse(&in, span_of(copies[k], 140)));
		join_add(&r.b.in->join, copies[k], &in);
	}
	assert_int_equal(join_flush(&r.b.in->join), 0);
	for (int k = 0; k < 2 * JOIN_FLOWS; k++)
		assert_int_equal(next(), 100);
	assert_int_equal(next(), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = { T(ike_among_esp), T(esp_from_the_ike_socket), T(joined_in_order_only),
		T(push_and_short_segments_end_a_run), T(what_is_not_joined), T(datagrams), T(more_flows_than_places) };

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
