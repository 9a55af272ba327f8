/* The filters behind `|`, as a screen shows them. */
#include "cli/pipe.h"
#include "tests/unit/cli/screen.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const char config[] = "hostname R1\n"
			     "!\n"
			     "interface GigabitEthernet0/0\n"
			     " description to my_net, (far)\n"
			     " ip address 10.0.0.1 255.0.0.0\n"
			     "interface Loopback0\n"
			     " ip address 10.9.9.9 255.255.255.255\n"
			     "!\n"
			     "line vty 0 4\n"
			     " login\n"
			     "end\n";

static void assert_filtered(const char *filter, const char *wanted)
{
	struct captured c;
	struct pipe_filter f;
	struct out o;
	size_t column;
	char why[128];

	capture_begin(&c);
	assert_int_equal(pipe_parse(&f, filter, &column, why), ERR_OK);
	pipe_connect(&f, &c.stage.stage);
	out_init(&o, &f.stage);
	out_text(&o, config, strlen(config));
	out_end(&o);
	pipe_end(&f);
	assert_string_equal(capture_end(&c), wanted);
	capture_free(&c);
}

static void include_and_exclude(void **state)
{
	(void)state;
	assert_filtered(" include ^line|^host", "hostname R1\nline vty 0 4\n");
	assert_filtered(" i ^end", "end\n");
	assert_filtered(" ex ^ |!|interface", "hostname R1\nline vty 0 4\nend\n");
	assert_filtered(" include login$", " login\n");
	assert_filtered(" include nothing", "");
}

static void begin_and_count(void **state)
{
	(void)state;
	assert_filtered(" begin vty", "line vty 0 4\n login\nend\n");
	assert_filtered(" count ^interface", "Number of lines which match regexp = 2\n");
	assert_filtered(" count nothing", "Number of lines which match regexp = 0\n");
}

/* A section is a line that matches and what is indented deeper below it, at any depth. */
static void sections(void **state)
{
	(void)state;
	assert_filtered(" section ^interface Loop", "interface Loopback0\n ip address 10.9.9.9 255.255.255.255\n");
	assert_filtered(" section include line", "line vty 0 4\n login\n");
	assert_filtered(" section exclude ^interface", "hostname R1\n!\n!\nline vty 0 4\n login\nend\n");
	assert_filtered(" section description", " description to my_net, (far)\n");
}

/* IOS's underscore: an edge or a separator; people write names with underscores too. */
static void underscore(void **state)
{
	char out[64];

	(void)state;
	assert_filtered(" include _vty_", "line vty 0 4\n");
	assert_filtered(" include _far_", " description to my_net, (far)\n");
	assert_filtered(" include my_net_", " description to my_net, (far)\n");
	assert_filtered(" include _0$", "");
	assert_true(pipe_regex(out, sizeof(out), "a[_]b\\_"));
	assert_string_equal(out, "a[_]b\\_");
	assert_false(pipe_regex(out, 16, "______"));
}

static enum err parse_error(const char *filter, size_t *column)
{
	struct pipe_filter f;
	char why[128] = "";
	enum err e = pipe_parse(&f, filter, column, why);

	assert_int_not_equal(e, ERR_OK);
	assert_true((e == ERR_CONFLICT) == (why[0] != '\0'));
	return e;
}

static void wrong_filters(void **state)
{
	size_t column;

	(void)state;
	assert_int_equal(parse_error("  inx line", &column), ERR_INVALID);
	assert_int_equal(column, 2);
	assert_int_equal(parse_error(" include", &column), ERR_INCOMPLETE);
	assert_int_equal(parse_error("", &column), ERR_INCOMPLETE);
	assert_int_equal(parse_error(" include (line", &column), ERR_CONFLICT);
}

static void where_the_bar_stands(void **state)
{
	const char *line = "show run | include a|b";

	(void)state;
	assert_ptr_equal(pipe_find(line), line + 9);
	assert_null(pipe_find("show a|b"));
	assert_string_equal(pipe_complete(" inc"), "include");
	assert_null(pipe_complete(" include x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(include_and_exclude),
		cmocka_unit_test(begin_and_count),
		cmocka_unit_test(sections),
		cmocka_unit_test(underscore),
		cmocka_unit_test(wrong_filters),
		cmocka_unit_test(where_the_bar_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
