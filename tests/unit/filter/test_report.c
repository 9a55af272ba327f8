/* Reported packets: the kernel's messages as bytes in, IOS's lines out. */
#include "datapath/filter/nflog.h"
#include "datapath/filter/report.h"
#include "platform/base/log.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char lines[4096];
static uint64_t clock_us = 1000000;

static void sink(void *ctx, enum log_severity severity, const char *line)
{
	size_t n = strlen(lines);

	(void)ctx;
	(void)severity;
	snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

static uint64_t now_us(void *ctx)
{
	(void)ctx;
	return clock_us;
}

static const struct env env = { .now_us = now_us, .wall_us = now_us };

static const char *name_of(void *ctx, unsigned ifindex)
{
	(void)ctx;
	return ifindex == 5 ? "GigabitEthernet0/0" : NULL;
}

struct message {
	uint8_t bytes[512];
	size_t len;
};

static void add(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + len), .nla_type = type };

	memcpy(m->bytes + m->len, &a, sizeof(a));
	memcpy(m->bytes + m->len + sizeof(a), data, len);
	m->len += (size_t)NLA_ALIGN(a.nla_len);
}

static struct message packet(const char *prefix, uint8_t protocol, const uint8_t *deeper, size_t n)
{
	struct message m = { .len = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg) };
	uint8_t ip[40] = { 0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 1, 1, 1, 10, 2, 2, 2 };
	uint32_t ifindex = htonl(5);
	struct nfulnl_msg_packet_hw hw = { .hw_addrlen = htons(6), .hw_addr = { 0xaa, 0xbb, 0xcc, 0, 1, 0 } };
	struct nlmsghdr h = { .nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET };

	memcpy(ip + 20, deeper, n);
	add(&m, NFULA_PREFIX, prefix, strlen(prefix) + 1);
	add(&m, NFULA_IFINDEX_INDEV, &ifindex, 4);
	add(&m, NFULA_HWADDR, &hw, sizeof(hw));
	add(&m, NFULA_PAYLOAD, ip, 20 + n);
	h.nlmsg_len = (uint32_t)m.len;
	memcpy(m.bytes, &h, sizeof(h));
	return m;
}

static const uint8_t ports[4] = { 0x04, 0xd2, 0, 23 };

static void say(struct report *r, const char *prefix, uint8_t protocol)
{
	struct message m = packet(prefix, protocol, ports, sizeof(ports));

	report_message(r, span_of(m.bytes, m.len));
}

static struct report *fresh(void)
{
	struct report *r = report_new(&env, name_of, NULL);

	assert_non_null(r);
	lines[0] = '\0';
	log_capture(sink, NULL);
	return r;
}

static void words(void **state)
{
	struct report *r = fresh();

	(void)state;
	say(r, "postern de- 101", 6);
	say(r, "postern pe- VPN%5FX", 17);
	say(r, "postern de- 101", 1);
	say(r, "postern de- 101", 50);
	say(r, "postern ds- 7", 6);
	say(r, "postern dei 101", 6);
	assert_string_equal(lines, "%SEC-6-IPACCESSLOGP: list 101 denied tcp 10.1.1.1(1234) -> 10.2.2.2(23), 1 packet\n"
				   "%SEC-6-IPACCESSLOGP: list VPN_X permitted udp 10.1.1.1(1234) -> 10.2.2.2(23), 1 packet\n"
				   "%SEC-6-IPACCESSLOGDP: list 101 denied icmp 10.1.1.1 -> 10.2.2.2 (4/210), 1 packet\n"
				   "%SEC-6-IPACCESSLOGNP: list 101 denied 50 10.1.1.1 -> 10.2.2.2, 1 packet\n"
				   "%SEC-6-IPACCESSLOGS: list 7 denied 10.1.1.1 1 packet\n");
	report_close(r);
	r = fresh();
	say(r, "postern dei 101", 6);
	assert_string_equal(lines, "%SEC-6-IPACCESSLOGP: list 101 denied tcp 10.1.1.1(1234) (GigabitEthernet0/0 aabb.cc00.0100) -> "
				   "10.2.2.2(23), 1 packet\n");
	report_close(r);
}

/* The first packet at once, the others with their number after five minutes. */
static void gathered(void **state)
{
	struct report *r = fresh();

	(void)state;
	for (int i = 0; i < 4; i++)
		say(r, "postern de- 101", 6);
	lines[0] = '\0';
	report_summaries(r);
	assert_string_equal(lines, "");
	clock_us += 301 * 1000000ull;
	report_summaries(r);
	assert_string_equal(lines, "%SEC-6-IPACCESSLOGP: list 101 denied tcp 10.1.1.1(1234) -> 10.2.2.2(23), 3 packets\n");
	lines[0] = '\0';
	clock_us += 301 * 1000000ull;
	report_summaries(r);
	say(r, "postern de- 101", 6);
	assert_non_null(strstr(lines, "1 packet\n"));
	report_close(r);
}

static void clear_text(void **state)
{
	struct report *r = fresh();

	(void)state;
	say(r, "postern clear", 1);
	say(r, "postern clear", 1);
	assert_string_equal(lines,
		"%CRYPTO-4-RECVD_PKT_NOT_IPSEC: Rec'd packet not an IPSEC packet. (ip) vrf/dest_addr= /10.2.2.2, "
		"src_addr= 10.1.1.1, prot= 1\n");
	clock_us += 31 * 1000000ull;
	say(r, "postern clear", 1);
	assert_non_null(strstr(strchr(lines, '\n') + 1, "RECVD_PKT_NOT_IPSEC"));
	report_close(r);
}

/* Cut anywhere, or lying about a length: no line, no harm. */
static void malformed(void **state)
{
	struct report *r = fresh();
	struct message m = packet("postern de- 101", 6, ports, 4);

	(void)state;
	for (size_t n = 0; n < m.len; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		assert_non_null(exact);
		memcpy(exact, m.bytes, n);
		report_message(r, span_of(exact, n));
		free(exact);
	}
	lines[0] = '\0';
	say(r, "postern", 6);
	say(r, "postern de-", 6);
	say(r, "other de- 101", 6);
	m.bytes[20] = 3; /* an attribute shorter than its own header */
	m.bytes[21] = 0;
	report_message(r, span_of(m.bytes, m.len));
	assert_string_equal(lines, "");
	report_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(gathered),
		cmocka_unit_test(clear_text),
		cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
