/* Lines, texts, copies and revisions; and what is there after configd was killed. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static struct rig rig;

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	rig_start(&rig, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_remove(&rig);
	return 0;
}

static bool running_has(struct msg_sync *c, const char *text)
{
	enum err e;
	char *t = config_text(c, CFGM_RUNNING, &e);
	bool has = strstr(t, text) != NULL;

	assert_int_equal(e, ERR_OK);
	free(t);
	return has;
}

static void a_line_changes_the_running_configuration(void **state)
{
	struct cfg_mode_ctx at = { .mode = MODE_CONFIG };
	struct cfgm_result out;
	struct msg_sync c = rig_console(&rig);

	(void)state;
	assert_int_equal(type_line(&c, &at, "interface Loopback0", &out), ERR_OK);
	assert_int_equal(out.code, GR_OK);
	assert_string_equal(out.prompt, "(config-if)");
	assert_int_equal(type_line(&c, &at, "ip address 10.9.9.9 255.255.255.255", &out), ERR_OK);
	assert_true(out.code == GR_OK && out.changed);
	assert_int_equal(type_line(&c, &at, "ip addres 10.9.9.9 255.255.255.255 wrong", &out), ERR_OK);
	assert_int_equal(out.code, GR_INVALID);
	assert_int_equal(out.column, 35);
	assert_true(running_has(&c, "\ninterface Loopback0\n ip address 10.9.9.9 255.255.255.255\n"));
	assert_int_equal(msg_sync_call(&c, CFGM_CONFIG_END, span_of(NULL, 0), NULL, 0, NULL), ERR_OK);
	msg_sync_close(&c);
}

static void the_box_has(const char *names)
{
	char path[120];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" INVENTORY_FILE, rig.run);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(names, f);
	fclose(f);
}

/* A port that the box lacks is no valid input, once it is known what it has; what is configured stays, and loads. */
static void a_port_that_is_not_there_is_refused(void **state)
{
	struct cfg_mode_ctx at = { .mode = MODE_CONFIG };
	struct bad_lines bad = { 0 };
	struct cfgm_result out;
	struct msg_sync c = rig_console(&rig);

	(void)state;
	config(&c, "interface GigabitEthernet0/9");
	the_box_has("GigabitEthernet0/0\nGigabitEthernet0/10\n");
	assert_int_equal(type_line(&c, &at, "int gi0/1", &out), ERR_OK);
	assert_int_equal(out.code, GR_INVALID);
	assert_int_equal(out.column, 8);
	assert_int_equal(at.mode, MODE_CONFIG);
	assert_int_equal(type_line(&c, &at, "default interface GigabitEthernet 0/1", &out), ERR_OK);
	assert_int_equal(out.code, GR_INVALID);
	assert_int_equal(out.column, 36);
	config(&c, "interface gi0/0");
	config(&c, "interface gi0/10");
	config(&c, "interface lo5");
	assert_false(running_has(&c, "GigabitEthernet0/1\n"));
	/* Configured before the card went. */
	config(&c, "interface gi0/9");
	assert_int_equal(copy(&c, CFGM_RUN_TO_START, false, "", -1, NULL), ERR_OK);
	config(&c, "no interface gi0/9");
	assert_false(running_has(&c, "GigabitEthernet0/9\n"));
	assert_int_equal(type_line(&c, &at, "no interface gi0/0", &out), ERR_OK);
	assert_int_equal(out.code, GR_REFUSED);
	assert_int_equal(copy(&c, CFGM_START_TO_RUN, false, "", -1, &bad), ERR_OK);
	assert_int_equal(bad.count, 0);
	assert_true(running_has(&c, "GigabitEthernet0/9\n"));
	/* A text that is copied is as if typed. */
	assert_int_equal(copy(&c, CFGM_TEXT_TO_RUN, false, "interface gi0/2\n", -1, &bad), ERR_OK);
	assert_int_equal(bad.count, 1);
	msg_sync_close(&c);
}

/* Building configuration... / (empty) / Current configuration : N bytes, and N is what follows. */
static void the_header_counts_its_bytes(void **state)
{
	struct msg_sync c = rig_console(&rig);
	enum err e;
	char *t, *body;
	unsigned bytes;

	(void)state;
	config(&c, "hostname R7");
	t = config_text(&c, CFGM_RUNNING, &e);
	assert_int_equal(e, ERR_OK);
	assert_int_equal(sscanf(t, "Building configuration...\n\nCurrent configuration : %u bytes\n", &bytes), 1);
	body = strchr(strstr(t, "Current"), '\n') + 1;
	assert_int_equal(strlen(body), bytes);
	assert_int_equal(strncmp(body, "!\n! Last configuration change at ", 33), 0);
	assert_non_null(strstr(body, "\n!\nversion "));
	assert_string_equal(t + strlen(t) - 5, "\nend\n");
	free(t);
	assert_int_equal(copy(&c, CFGM_RUN_TO_START, false, "", -1, NULL), ERR_OK);
	t = config_text(&c, CFGM_STARTUP, &e);
	assert_int_equal(sscanf(t, "Using %u out of 262144 bytes\n", &bytes), 1);
	assert_int_equal(strlen(strchr(t, '\n') + 1), bytes);
	assert_non_null(strstr(t, "\n!\n! Last configuration change at "));
	free(t);
	msg_sync_close(&c);
}

static void startup_is_written_compared_and_erased(void **state)
{
	struct msg_sync c = rig_console(&rig);
	enum err e;
	char *run, *start;

	(void)state;
	start = config_text(&c, CFGM_STARTUP, &e);
	assert_string_equal(start, "startup-config is not present\n");
	free(start);
	assert_int_equal(copy(&c, CFGM_START_TO_RUN, false, "", -1, NULL), ERR_NOT_FOUND);
	config(&c, "hostname R7");
	config(&c, "crypto isakmp key s3cret address 198.51.100.2");
	assert_true(dirty(&c));
	assert_int_equal(copy(&c, CFGM_RUN_TO_START, false, "", -1, NULL), ERR_OK);
	assert_false(dirty(&c));
	run = config_text(&c, CFGM_RUNNING, &e);
	start = config_text(&c, CFGM_STARTUP, &e);
	assert_string_equal(config_body(run), config_body(start));
	assert_null(strstr(run, "s3cret"));
	free(run);
	free(start);
	config(&c, "hostname R8");
	assert_true(dirty(&c));
	assert_int_equal(copy(&c, CFGM_START_TO_RUN, false, "", -1, NULL), ERR_OK);
	assert_true(running_has(&c, "\nhostname R7\n"));
	assert_false(dirty(&c));
	assert_int_equal(msg_sync_call(&c, CFGM_WRITE_ERASE, span_of(NULL, 0), NULL, 0, NULL), ERR_OK);
	assert_int_equal(msg_sync_call(&c, CFGM_WRITE_ERASE, span_of(NULL, 0), NULL, 0, NULL), ERR_OK);
	start = config_text(&c, CFGM_STARTUP, &e);
	assert_string_equal(start, "startup-config is not present\n");
	free(start);
	msg_sync_close(&c);
}

static const char mixed[] = "hostname R5\r\n"
			    "interface Loopback3\n"
			    " ip address 10.3.3.3 255.255.255.255\n"
			    " zebra here\n"
			    "!\n"
			    "hostname\n"
			    "banner motd ^C\n"
			    "two\n"
			    "lines ^C\n"
			    "ip route 10.0.0.0 255.0.0.0 Null0\n"
			    "end\n"
			    "hostname AFTER\n";

static void a_text_is_merged_and_its_bad_lines_told(void **state)
{
	struct msg_sync c = rig_console(&rig);
	struct bad_lines bad;

	(void)state;
	assert_int_equal(copy(&c, CFGM_TEXT_TO_RUN, true, mixed, -1, &bad), ERR_INVALID);
	assert_int_equal(bad.count, 2);
	assert_false(running_has(&c, "hostname R5"));
	assert_false(running_has(&c, "Loopback3"));

	assert_int_equal(copy(&c, CFGM_TEXT_TO_RUN, false, mixed, -1, &bad), ERR_OK);
	assert_int_equal(bad.count, 2);
	assert_int_equal(bad.e[0].line_no, 4);
	assert_int_equal(bad.e[0].column, 1);
	assert_string_equal(bad.e[0].line, " zebra here");
	assert_non_null(strstr(bad.e[0].text, "% Invalid input detected at '^' marker."));
	assert_int_equal(bad.e[1].line_no, 6);
	assert_non_null(strstr(bad.e[1].text, "% Incomplete command."));
	assert_true(running_has(&c, "\nhostname R5\n"));
	assert_true(running_has(&c, "\ninterface Loopback3\n ip address 10.3.3.3 255.255.255.255\n"));
	assert_true(running_has(&c, "two\nlines ^C\n"));
	assert_true(running_has(&c, "\nip route 10.0.0.0 255.0.0.0 Null0\n"));
	assert_false(running_has(&c, "AFTER"));
	msg_sync_close(&c);
}

static void a_file_travels_as_a_descriptor(void **state)
{
	struct msg_sync c = rig_console(&rig);
	int fd = memfd_create("text", MFD_CLOEXEC), fds[2];

	(void)state;
	assert_int_equal(write(fd, mixed, strlen(mixed)), strlen(mixed));
	assert_int_equal(copy(&c, CFGM_TEXT_TO_RUN, false, "", fd, NULL), ERR_OK);
	assert_true(running_has(&c, "\nhostname R5\n"));
	/* A pipe could make configd wait. */
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(copy(&c, CFGM_TEXT_TO_RUN, false, "", fds[0], NULL), ERR_INVALID);
	close(fd);
	close(fds[0]);
	close(fds[1]);
	msg_sync_close(&c);
}

/* The running configuration of one router, fed to an empty one, gives the same. */
static void running_configuration_is_a_fixed_point(void **state)
{
	struct msg_sync c = rig_console(&rig);
	struct bad_lines bad;
	enum err e;
	char *first, *second;

	(void)state;
	assert_int_equal(copy(&c, CFGM_TEXT_TO_RUN, false, mixed, -1, NULL), ERR_OK);
	first = config_text(&c, CFGM_RUNNING, &e);
	msg_sync_close(&c);
	teardown(NULL);
	setup(NULL);
	c = rig_console(&rig);
	assert_int_equal(copy(&c, CFGM_TEXT_TO_RUN, true, config_body(first), -1, &bad), ERR_OK);
	second = config_text(&c, CFGM_RUNNING, &e);
	assert_string_equal(config_body(first), config_body(second));
	free(first);
	free(second);
	msg_sync_close(&c);
}

static void subscribers_hear_of_each_revision(void **state)
{
	struct msg_sync c = rig_console(&rig), s = rig_connect(&rig);
	struct cfgm_revision first, next = { 0 };
	struct msg_head head;
	unsigned tables = 0;

	(void)state;
	assert_int_equal(msg_sync_call(&s, CFGM_SUBSCRIBE, span_of(NULL, 0), &first, sizeof(first), NULL), ERR_OK);
	config(&c, "hostname R6");
	assert_int_equal(msg_sync_recv(&s, &head, &next, sizeof(next), 1000), ERR_OK);
	assert_int_equal(head.type, CFGM_REVISION);
	assert_int_equal(head.seq, 0);
	assert_int_equal(next.tables, CFG_SYSTEM);
	assert_true(next.revision > first.revision);
	/* A burst is told at once or a little later, but no table of it is forgotten. */
	config(&c, "ip route 10.0.0.0 255.0.0.0 Null0");
	config(&c, "access-list 101 permit ip any any");
	config(&c, "crypto isakmp policy 10");
	while (tables != (CFG_ROUTES | CFG_ACLS | CFG_ISAKMP)) {
		assert_int_equal(msg_sync_recv(&s, &head, &next, sizeof(next), 1000), ERR_OK);
		tables |= next.tables;
	}
	/* What changes nothing is not told. */
	config(&c, "hostname R6");
	assert_int_equal(msg_sync_recv(&s, &head, &next, sizeof(next), 200), ERR_TIMEOUT);
	msg_sync_close(&c);
	msg_sync_close(&s);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* kill -9: the running configuration stays; without it the startup configuration; without that the initial text. */
static void what_is_there_after_a_start(void **state)
{
	char initial[160], path[160];
	struct msg_sync c;

	(void)state;
	rig_kill(&rig, SIGKILL);
	snprintf(initial, sizeof(initial), "%s/initial.cfg", rig.dir);
	write_file(initial, mixed);
	rig_start(&rig, initial);
	c = rig_console(&rig);
	assert_true(running_has(&c, "\nhostname R5\n"));
	config(&c, "hostname SAVED");
	assert_int_equal(copy(&c, CFGM_RUN_TO_START, false, "", -1, NULL), ERR_OK);
	config(&c, "hostname RUNNING");
	msg_sync_close(&c);

	rig_kill(&rig, SIGKILL);
	rig_start(&rig, initial);
	c = rig_console(&rig);
	assert_true(running_has(&c, "\nhostname RUNNING\n"));
	msg_sync_close(&c);

	rig_kill(&rig, SIGTERM);
	for (int i = 0; i < 3; i++) {
		static const char *const tails[] = { "", "-wal", "-shm" };

		snprintf(path, sizeof(path), "%s/running.db%s", rig.run, tails[i]);
		unlink(path);
	}
	rig_start(&rig, initial);
	c = rig_console(&rig);
	assert_true(running_has(&c, "\nhostname SAVED\n"));
	assert_false(dirty(&c));
	msg_sync_close(&c);
}

static void a_broken_running_database_is_put_aside(void **state)
{
	char path[160];
	struct msg_sync c = rig_console(&rig);

	(void)state;
	config(&c, "hostname SAVED");
	assert_int_equal(copy(&c, CFGM_RUN_TO_START, false, "", -1, NULL), ERR_OK);
	msg_sync_close(&c);
	rig_kill(&rig, SIGTERM);
	snprintf(path, sizeof(path), "%s/running.db", rig.run);
	write_file(path, "this is not a database, and long enough to be taken for one");
	rig_start(&rig, NULL);
	c = rig_console(&rig);
	assert_true(running_has(&c, "\nhostname SAVED\n"));
	msg_sync_close(&c);
	strcat(path, ".bad");
	assert_int_equal(access(path, F_OK), 0);
}

static void keys_survive_a_restart_and_are_collected(void **state)
{
	struct msg_sync c = rig_console(&rig);
	enum err e;
	char *before, *after;

	(void)state;
	config(&c, "crypto isakmp key first address 198.51.100.2");
	before = config_text(&c, CFGM_RUNNING, &e);
	config(&c, "crypto isakmp key second address 198.51.100.3");
	config(&c, "no crypto isakmp key second address 198.51.100.3");
	msg_sync_close(&c);
	rig_kill(&rig, SIGKILL);
	rig_start(&rig, NULL);
	c = rig_console(&rig);
	after = config_text(&c, CFGM_RUNNING, &e);
	assert_non_null(strstr(before, "crypto isakmp key 6 "));
	assert_string_equal(config_body(before), config_body(after));
	free(before);
	free(after);
	msg_sync_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_changes_the_running_configuration, setup, teardown),
		cmocka_unit_test_setup_teardown(a_port_that_is_not_there_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_header_counts_its_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(startup_is_written_compared_and_erased, setup, teardown),
		cmocka_unit_test_setup_teardown(a_text_is_merged_and_its_bad_lines_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_travels_as_a_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(running_configuration_is_a_fixed_point, setup, teardown),
		cmocka_unit_test_setup_teardown(subscribers_hear_of_each_revision, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_there_after_a_start, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_running_database_is_put_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_survive_a_restart_and_are_collected, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
