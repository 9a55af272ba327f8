/* What configd logs, word for word, and what it must not log. */
#include "harness.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct rig rig;

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	rig_listen(&rig);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_remove(&rig);
	return 0;
}

static void next_is(const char *want)
{
	char line[1024];

	assert_true(rig_logged(&rig, line, sizeof(line), 30000));
	assert_string_equal(line, want);
}

static void nothing_more(void)
{
	char line[1024];

	if (rig_logged(&rig, line, sizeof(line), 100))
		fail_msg("%s", line);
}

static void end_configuration(struct msg_sync *c)
{
	assert_int_equal(msg_sync_call(c, CFGM_CONFIG_END, span_of(NULL, 0), NULL, 0, NULL), ERR_OK);
}

static void who_configured_from_where(void **state)
{
	struct cfgm_session s;
	struct msg_sync c, v;

	(void)state;
	rig_start(&rig, NULL);
	c = rig_console(&rig);
	end_configuration(&c);
	nothing_more();
	config(&c, "username admin privilege 15 secret 9 " CISCO9);
	config(&c, "hostname R1");
	end_configuration(&c);
	next_is("SYS-5-CONFIG_I: Configured from console by console");
	end_configuration(&c);
	nothing_more();

	v = rig_session(&rig, "admin", "vty 2", &s);
	config(&v, "hostname R2");
	end_configuration(&v);
	next_is("SYS-5-CONFIG_I: Configured from console by admin on vty2 (10.0.0.5)");
	/* A connection that breaks in configuration mode has configured all the same. */
	config(&v, "hostname R3");
	msg_sync_close(&v);
	next_is("SYS-5-CONFIG_I: Configured from console by admin on vty2 (10.0.0.5)");

	v = rig_session(&rig, "admin", "con 0", &s);
	config(&v, "hostname R4");
	end_configuration(&v);
	next_is("SYS-5-CONFIG_I: Configured from console by admin on console");
	assert_int_equal(copy(&v, CFGM_TEXT_TO_RUN, false, "hostname R5\n", -1, NULL), ERR_OK);
	next_is("SYS-5-CONFIG_I: Configured from file by admin on console");
	msg_sync_close(&v);
	msg_sync_close(&c);
	nothing_more();
}

static void isakmp_is_on_with_the_first_crypto_map(void **state)
{
	struct cfg_mode_ctx at = { .mode = MODE_CONFIG };
	struct cfgm_result out;
	struct msg_sync c;

	(void)state;
	rig_start(&rig, NULL);
	c = rig_console(&rig);
	config(&c, "crypto map VPN 10 ipsec-isakmp");
	nothing_more();
	assert_int_equal(type_line(&c, &at, "interface Loopback0", &out), ERR_OK);
	assert_int_equal(type_line(&c, &at, "crypto map VPN", &out), ERR_OK);
	next_is("CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON");
	assert_int_equal(type_line(&c, &at, "interface Loopback1", &out), ERR_OK);
	assert_int_equal(type_line(&c, &at, "crypto map VPN", &out), ERR_OK);
	assert_int_equal(type_line(&c, &at, "no crypto map VPN", &out), ERR_OK);
	nothing_more();
	assert_int_equal(type_line(&c, &at, "interface Loopback0", &out), ERR_OK);
	assert_int_equal(type_line(&c, &at, "no crypto map VPN", &out), ERR_OK);
	next_is("CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is OFF");
	end_configuration(&c);
	next_is("SYS-5-CONFIG_I: Configured from console by console");
	msg_sync_close(&c);
}

static void a_bad_initial_line_is_told_but_no_secret(void **state)
{
	static const char text[] = "hostname R1\n!\ninterface Loopback0\n zebra\ncrypto isakmp key S3CRET adress 1.2.3.4\nend\n";
	char path[160];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/initial.cfg", rig.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
	rig_start(&rig, path);
	next_is("PARSER-3-CFGLINE: Initial configuration, line 4, column 2: \" zebra\": % Invalid input detected at '^' marker.");
	next_is("PARSER-3-CFGLINE: Initial configuration, line 5, column 28: not accepted");
	next_is("SYS-5-CONFIG_I: Configured from memory by console");
	nothing_more();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_configured_from_where, setup, teardown),
		cmocka_unit_test_setup_teardown(isakmp_is_on_with_the_first_crypto_map, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_initial_line_is_told_but_no_secret, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
