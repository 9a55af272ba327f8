/* pcapng read back by others' programs; packets in words. */
#include "cli/capture/keyline.h"
#include "cli/capture/packet.h"
#include "cli/capture/pcapng.h"
#include "cli/exec/capture.h"
#include "configdb/alg.h"
#include "tests/unit/cli/screen.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An ESP packet, 203.0.113.1 -> 198.51.100.2. */
static const uint8_t esp[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 36, 0, 1, 0x40, 0, 64, 50, 0, 0, 203, 0, 113,
	1, 198, 51, 100, 2, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8 };
static const uint8_t udp[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 56, 0, 1, 0, 0, 64, 17, 0, 0, 203, 0, 113, 1,
	198, 51, 100, 2, 1, 0xf4, 1, 0xf4, 0, 36, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x10, 2, 0, 0, 0, 0, 0,
	0, 0, 0, 28 };
static const uint8_t arp[] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10,
	0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2 };

static const uint8_t ah_esp[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 52, 0, 1, 0x40, 0, 64, 51, 0, 0, 203, 0,
	113, 1, 198, 51, 100, 2, 50, 4, 0, 0, 0x55, 0x66, 0x77, 0x88, 0, 0, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0x11, 0x22,
	0x33, 0x44, 0, 0, 0, 7 };

static char path[] = "/tmp/postern-pcapng.XXXXXX";

static int write_it(void **state)
{
	static char comment[70000];
	struct pcapng p = { .file = fdopen(mkstemp(path), "w") };
	struct dp_capture_packet h = { .at_ns = 1700000000123456789, .len = sizeof(esp), .wire_len = 1400, .out = 1 };
	const struct pcapng_stats s = {
		.first_ns = 1700000000123456789, .last_ns = 1700000001000000000, .received = 3, .dropped = 7
	};

	(void)state;
	memset(comment, 'c', sizeof(comment) - 1);
	pcapng_section(&p, "Postern", comment);
	pcapng_interface(&p, "GigabitEthernet0/0", "out, access-list 101", 65535);
	pcapng_interface(&p, "Loopback1", NULL, 65535);
	pcapng_packet(&p, &h, esp);
	h = (struct dp_capture_packet){ .at_ns = 1700000000500000001, .len = sizeof(udp), .wire_len = sizeof(udp), .interface = 1 };
	pcapng_packet(&p, &h, udp);
	h.at_ns = 1700000001000000000;
	h.len = h.wire_len = 61; /* not a multiple of four */
	pcapng_packet(&p, &h, udp);
	pcapng_statistics(&p, 0, &s, "drops of all interfaces");
	assert_false(p.failed);
	return fclose(p.file);
}

static int remove_it(void **state)
{
	(void)state;
	return unlink(path);
}

static const char *said(const char *command)
{
	static char text[200000];
	char line[400];
	FILE *f;
	size_t n;

	snprintf(line, sizeof(line), command, path);
	f = popen(line, "r");
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	assert_int_equal(pclose(f), 0);
	return text;
}

static void capinfos_reads_it(void **state)
{
	const char *text = said("capinfos %s 2>&1");

	(void)state;
	assert_non_null(strstr(text, "Number of packets:   3\n"));
	assert_non_null(strstr(text, "nanoseconds"));
	assert_non_null(strstr(text, "Name = GigabitEthernet0/0"));
	assert_non_null(strstr(text, "Description = out, access-list 101"));
	assert_non_null(strstr(text, "Number of stat entries = 1"));
	assert_non_null(strstr(text, "monitor capture"));
	assert_non_null(strstr(text, "ccccc"));
}

static void tshark_reads_it(void **state)
{
	const char *text =
		said("tshark -n -r %s -T fields -e frame.time_epoch -e frame.interface_name -e frame.packet_flags_direction "
		     "-e frame.len -e frame.cap_len -e esp.spi -e isakmp.ispi 2>/dev/null");

	(void)state;
	assert_string_equal(text, "1700000000.123456789\tGigabitEthernet0/0\t0x00000002\t1400\t50\t0x11223344\t\n"
				  "1700000000.500000001\tLoopback1\t0x00000001\t70\t70\t\t0102030405060708\n"
				  "1700000001.000000000\tLoopback1\t0x00000001\t61\t61\t\t\n");
}

static void words(void **state)
{
	struct packet_words w;

	(void)state;
	packet_words(&w, span_of(esp, sizeof(esp)));
	assert_string_equal(w.src, "203.0.113.1");
	assert_string_equal(w.dst, "198.51.100.2");
	assert_string_equal(w.protocol, "ESP");
	assert_string_equal(w.info, "ESP (SPI=0x11223344), seq=7");
	packet_words(&w, span_of(udp, sizeof(udp)));
	assert_string_equal(w.protocol, "ISAKMP");
	assert_string_equal(w.info, "Identity Protection (Main Mode), cookie=0102030405060708, message-id=0x00000000");
	assert_int_equal(w.cookie, 0x0102030405060708);
	packet_words(&w, span_of(ah_esp, sizeof(ah_esp)));
	assert_string_equal(w.protocol, "ESP");
	assert_string_equal(w.info, "AH (SPI=0x55667788), seq=9, next=50, ESP (SPI=0x11223344), seq=7");
	assert_int_equal(w.esp_spi, 0x11223344);
	packet_words(&w, span_of(arp, sizeof(arp)));
	assert_string_equal(w.protocol, "ARP");
	assert_string_equal(w.info, "Who has 10.0.0.2, from 10.0.0.1");
}

/* Cut anywhere, nothing is read behind the end (the sanitizer looks) and nothing is made up. */
static void cut_packets(void **state)
{
	struct packet_words w;

	(void)state;
	for (size_t n = 0; n < sizeof(udp); n++) {
		uint8_t *copy = malloc(n + 1);

		memcpy(copy, udp, n);
		packet_words(&w, span_of(copy, n));
		assert_true(n >= 62 || strstr(w.info, "cookie") == NULL);
		assert_true(n >= 34 || w.ip[0] == '\0');
		free(copy);
	}
}

static void screens(void **state)
{
	struct captured c;
	struct dpm_capture_info i = { .name = "CAP",
		.ninterfaces = 2,
		.filter = DP_CAPTURE_ACL,
		.acl = "101",
		.circular = 1,
		.running = 1,
		.buffer_mb = 5,
		.limits = { [DP_LIMIT_PACKETS] = 100, [DP_LIMIT_DURATION] = 60 },
		.interfaces = { { "GigabitEthernet0/0", 1, 1 }, { "GigabitEthernet0/1", 0, 1 } },
		.first_ns = 1700000000000000000,
		.count = { .received = 9, .dropped = 2, .oversized = 1, .duration_us = 12500000 } };
	struct dp_capture_packet h = { .number = 3, .at_ns = 1700000001234567000, .len = sizeof(esp), .wire_len = 1400, .out = 1 };

	(void)state;
	capture_begin(&c);
	show_capture_format(&c.out, &i);
	show_capture_parameter_format(&c.out, &i);
	show_capture_statistics_format(&c.out, &i.count);
	for (enum capture_detail d = CAPTURE_BRIEF; d <= CAPTURE_DUMP; d++)
		show_capture_packet_format(&c.out, &i, &h, esp, d);
	assert_golden(&c, "monitor_capture");
	capture_free(&c);
}

static void key_lines(void **state)
{
	char line[KEYLINE];
	struct ikem_key ike = { .cookie_i = 0xab, .len = 2, .key = { 1, 0xff } };
	struct dpm_key esp_key = { .src = addr_v4(0x0a000001),
		.dst = addr_v4(0x0a000002),
		.spi = 0x1234,
		.protocol = 50,
		.cipher = CIPHER_AES128_GCM,
		.auth = HASH_NONE,
		.cipher_key = { 1, 2, 3 },
		.cipher_key_len = 3 };

	(void)state;
	keyline_ike(line, &ike);
	assert_string_equal(line, "uat:ikev1_decryption_table:00000000000000ab,01ff\n");
	keyline_esp(line, &esp_key);
	assert_string_equal(line, "uat:esp_sa:\"IPv4\",\"10.0.0.1\",\"10.0.0.2\",\"0x00001234\","
				  "\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x010203\",\"NULL\",\"\"\n");
	esp_key.cipher = CIPHER_3DES;
	esp_key.auth = HASH_SHA384;
	esp_key.esn = 1;
	keyline_esp(line, &esp_key);
	assert_non_null(strstr(line, "\"TripleDES-CBC [RFC2451]\",\"0x010203\",\"ANY 192 bit authentication [no checking]\",\"\""));
	esp_key.cipher = CIPHER_CHACHA20_POLY1305;
	keyline_esp(line, &esp_key);
	assert_string_equal(
		line, "uat:esp_sa:# 10.0.0.1 -> 10.0.0.2, SPI 0x00001234: Wireshark has no decoder for its algorithms\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capinfos_reads_it),
		cmocka_unit_test(tshark_reads_it),
		cmocka_unit_test(words),
		cmocka_unit_test(cut_packets),
		cmocka_unit_test(key_lines),
		cmocka_unit_test(screens),
	};

	setenv("HOME", "/tmp", 1);
	return cmocka_run_group_tests(tests, write_it, remove_it);
}
