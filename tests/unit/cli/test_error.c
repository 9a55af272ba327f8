/* IOS's words, and the caret under the right column. */
#include "cli/error.h"
#include "cli/exec/duration.h"
#include "cli/exec/ping.h"
#include "cli/exec/traceroute.h"
#include "tests/unit/cli/screen.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void caret(void **state)
{
	struct captured c;

	(void)state;
	capture_begin(&c);
	error_match(&c.out, GR_INVALID, strlen("R1#"), 5, "show foo");
	assert_string_equal(capture_end(&c), "        ^\n% Invalid input detected at '^' marker.\n\n");
	capture_free(&c);
}

static void words(void **state)
{
	struct captured c;

	(void)state;
	capture_begin(&c);
	error_match(&c.out, GR_AMBIGUOUS, 3, 0, "  sh r ");
	error_match(&c.out, GR_INCOMPLETE, 3, 0, "show");
	error_match(&c.out, GR_OK, 3, 0, "show");
	error_unknown(&c.out);
	assert_string_equal(capture_end(&c), "% Ambiguous command:  \"sh r\"\n% Incomplete command.\n\n"
					     "% Unknown command or computer name, or unable to find computer address\n");
	capture_free(&c);
}

static void durations(void **state)
{
	char a[2 * DURATION_TEXT];

	(void)state;
	assert_string_equal(duration_short(a, 107), "00:01:47");
	assert_string_equal(duration_short(a, 86400 + 7200), "1d02h");
	assert_string_equal(duration_short(a, 7 * 7 * 86400), "7w0d");
	assert_string_equal(duration_clock(a, 86399), "23:59:59");
	assert_string_equal(duration_long(a, 2ULL * 365 * 86400 + 31 * 7 * 86400 + 6 * 86400 + 9 * 3600 + 55 * 60),
		"2 years, 31 weeks, 6 days, 9 hours, 55 minutes");
	assert_string_equal(duration_long(a, 61), "1 minute");
	assert_string_equal(duration_long(a, 5), "0 minutes");
}

static void ping_outcomes(void **state)
{
	unsigned ms;

	(void)state;
	assert_int_equal(ping_mark("64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=12.6 ms", 0, &ms), '!');
	assert_int_equal(ms, 13);
	assert_int_equal(ping_mark("time=0.031 ms", 0, &ms), '!');
	assert_int_equal(ms, 1);
	assert_int_equal(ping_mark("From 10.0.0.9 icmp_seq=1 Destination Host Unreachable", 1, &ms), 'U');
	assert_int_equal(ping_mark("From 10.0.0.9 icmp_seq=1 Packet filtered", 1, &ms), 'U');
	assert_int_equal(ping_mark("ping: local error: message too long, mtu=1400", 1, &ms), 'M');
	assert_int_equal(ping_mark("1 packets transmitted, 0 received", 1, &ms), '.');
}

static void ping_screen(void **state)
{
	struct ping_sum s = { 0 };
	struct captured c;

	(void)state;
	capture_begin(&c);
	for (int i = 0; i < 72; i++)
		ping_count(&c.out, &s, i == 0 ? '.' : '!', i == 5 ? 10 : 1);
	ping_end(&c.out, &s);
	assert_golden(&c, "ping");
	capture_begin(&c);
	s = (struct ping_sum){ 0 };
	ping_count(&c.out, &s, '.', 0);
	ping_end(&c.out, &s);
	assert_string_equal(capture_end(&c), ".\nSuccess rate is 0 percent (0/1)\n");
	capture_free(&c);
}

/* The stream may be cut anywhere. */
static void traceroute_screen(void **state)
{
	static const char said[] = "traceroute to 10.3.0.1 (10.3.0.1), 30 hops max, 60 byte packets\n"
				   " 1  10.1.0.1  0.512 ms  1.601 ms  2.377 ms\n"
				   " 2  * * *\n"
				   " 3  10.2.0.1  3.1 ms 10.2.0.5  4.2 ms *\n"
				   " 4  10.2.0.9  5.0 ms !H  5.1 ms !H  5.2 ms !H\n"
				   " 5  10.2.0.7  6.0 ms !X * 6.2 ms !X\n";

	(void)state;
	for (size_t step = 1; step < 9; step++) {
		struct captured c;
		struct trace t = { .out = &c.out };

		capture_begin(&c);
		for (size_t at = 0; at < sizeof(said) - 1; at += step)
			trace_text(&t, said + at, at + step > sizeof(said) - 1 ? sizeof(said) - 1 - at : step);
		assert_golden(&c, "traceroute");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caret),
		cmocka_unit_test(words),
		cmocka_unit_test(durations),
		cmocka_unit_test(ping_outcomes),
		cmocka_unit_test(ping_screen),
		cmocka_unit_test(traceroute_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
