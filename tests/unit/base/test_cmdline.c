/* Command lines: what each kind of option takes, what is a mistake. */
#include "platform/base/cmdline.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *folder, *command;
static bool loud;

/* Words separated by spaces. */
static int parsed(const char *line)
{
	static const struct cmdline_option options[] = { { "folder", &folder, NULL }, { "c", &command, NULL },
		{ "loud", NULL, &loud }, { "foreground", NULL, NULL }, { NULL, NULL, NULL } };
	static char copy[128];
	char *argv[16] = { (char *)"program" }, *save = NULL;
	int argc = 1;

	strcpy(copy, line);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	folder = command = NULL;
	loud = false;
	optind = 0;
	return cmdline_parse(&(struct cmdline){ "usage\n", "program 1", options }, argc, argv);
}

static void options_are_taken(void **state)
{
	(void)state;
	assert_int_equal(parsed(""), -1);
	assert_null(folder);
	assert_int_equal(parsed("--folder /a --loud --foreground -c show"), -1);
	assert_string_equal(folder, "/a");
	assert_string_equal(command, "show");
	assert_true(loud);
	assert_int_equal(parsed("--folder=/b -cshow"), -1);
	assert_string_equal(folder, "/b");
	assert_string_equal(command, "show");
	assert_false(loud);
}

static void mistakes_are_told(void **state)
{
	static const char *const lines[] = { "word", "--unknown", "--folder", "-c", "-x", "--loud=1", "--loud word" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parsed(lines[i]), 2);
}

static void help_and_version_end(void **state)
{
	(void)state;
	assert_int_equal(parsed("--help --unknown"), 0);
	assert_int_equal(parsed("--version"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(help_and_version_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
