/* running-config fed to an empty router gives the same running-config, byte for byte. */
#include "helper.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where two texts part, shown as lines. */
static void same_text(const char *got, const char *want)
{
	size_t line = 1, start = 0, i = 0;
	for (; got[i] && got[i] == want[i]; i++)
		if (got[i] == '\n') {
			line++;
			start = i + 1;
		}
	if (got[i] != want[i])
		fail_msg("line %zu: got \"%.*s\", want \"%.*s\"", line, (int)strcspn(got + start, "\n"), got + start,
			(int)strcspn(want + start, "\n"), want + start);
}

static void sample(void **state)
{
	struct box a, b;
	char *want = file_read("tests/unit/model/sample.cfg");
	(void)state;
	box_open(&a);
	feed(&a, want);
	char *first = running(&a);
	same_text(first, want);
	box_open(&b);
	feed(&b, first);
	char *second = running(&b);
	assert_string_equal(first, second);
	/* Again on top of itself: no line is refused. */
	feed(&b, first);
	mem_free(first);
	mem_free(second);
	free(want);
	box_close(&a);
	box_close(&b);
}

/* Keys print encrypted, and what is printed is accepted again by a router with the same master key. */
static void keys(void **state)
{
	struct box a;
	(void)state;
	box_open(&a);
	feed(&a, "crypto isakmp key s3cret address 198.51.100.2\ncrypto isakmp key other address 10.1.0.0 255.255.0.0 no-xauth\n"
		 "crypto isakmp key wild address 0.0.0.0\ncrypto isakmp key named hostname gw.example.org\n");
	char *first = running(&a);
	assert_null(strstr(first, "s3cret"));
	assert_non_null(strstr(first, " address 198.51.100.2\n"));
	assert_non_null(strstr(first, " address 10.1.0.0 255.255.0.0 no-xauth\n"));
	assert_non_null(strstr(first, " address 0.0.0.0\n"));
	assert_non_null(strstr(first, " hostname gw.example.org\n"));
	assert_int_equal(store_clear(a.store), ERR_OK);
	a.at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
	feed(&a, first);
	char *second = running(&a);
	assert_string_equal(first, second);
	mem_free(first);
	mem_free(second);
	box_close(&a);
}

static void empty(void **state)
{
	struct box a;
	(void)state;
	box_open(&a);
	char *first = running(&a);
	assert_string_equal(first,
		"!\nversion " POSTERN_VERSION "\nservice timestamps debug datetime msec\n"
		"service timestamps log datetime msec\n!\nhostname Router\n!\nline con 0\nline vty 0 4\n login\n!\nend\n");
	mem_free(first);
	box_close(&a);
}

static void with_defaults(void **state)
{
	struct box a;
	char *text;
	(void)state;
	box_open(&a);
	feed(&a, "crypto isakmp policy 10\ninterface Gi0/1\n");
	assert_int_equal(store_text(a.store, true, NULL, &text), ERR_OK);
	static const char *const parts[] = { "\n encr des\n hash sha\n", "\n group 1\n lifetime 86400\n", "\n mtu 1500\n",
		"\ncrypto isakmp enable\n", "\nlogging buffered 4096 debugging\n", "\ncrypto ipsec df-bit copy\n" };
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (!strstr(text, parts[i]))
			fail_msg("missing \"%s\" in:\n%s", parts[i], text);
	mem_free(text);
	assert_int_equal(store_text(a.store, false, "GigabitEthernet0/1", &text), ERR_OK);
	assert_string_equal(text, "!\ninterface GigabitEthernet0/1\n no ip address\nend\n");
	mem_free(text);
	box_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(sample),
		cmocka_unit_test(keys),
		cmocka_unit_test(with_defaults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
