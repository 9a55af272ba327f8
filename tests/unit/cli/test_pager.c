/* ` --More-- ` on a screen of five rows. */
#include "cli/pager.h"
#include "platform/base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define ERASE "\b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\b"
#define MORE  " --More-- "

static char screen[8192];
static const char *keys, *answer;

static void on_write(void *ctx, const char *text, size_t len)
{
	size_t used = strlen(screen);

	(void)ctx;
	assert_true(used + len < sizeof(screen));
	memcpy(screen + used, text, len);
	screen[used + len] = '\0';
}

static int on_key(void *ctx)
{
	(void)ctx;
	return *keys == '\0' ? -1 : *keys++;
}

static bool on_ask(void *ctx, const char *prompt, char *line, size_t size)
{
	(void)ctx;
	on_write(NULL, prompt, strlen(prompt));
	snprintf(line, size, "%s", answer);
	return true;
}

static const struct pager_io io = { on_write, on_key, on_ask, NULL };

/* Writes lines 1 to 9 under a pager. */
static const char *shown(unsigned rows, unsigned columns, const char *pressed, const char *pattern)
{
	struct pager p;
	struct out o;

	screen[0] = '\0';
	keys = pressed;
	answer = pattern;
	pager_init(&p, &io, rows, columns);
	out_init(&o, &p.stage);
	for (int i = 1; i < 10; i++)
		out_printf(&o, "line %d\n", i);
	out_end(&o);
	pager_end(&p);
	return screen;
}

static void space_and_return(void **state)
{
	(void)state;
	assert_string_equal(shown(5, 80, " \nq", NULL),
		"line 1\nline 2\nline 3\nline 4\n" MORE ERASE "line 5\nline 6\nline 7\nline 8\n" MORE ERASE "line 9\n");
	assert_string_equal(shown(5, 80, "\nq", NULL), "line 1\nline 2\nline 3\nline 4\n" MORE ERASE "line 5\n" MORE ERASE);
}

static void leaving(void **state)
{
	(void)state;
	assert_string_equal(shown(5, 80, "q", NULL), "line 1\nline 2\nline 3\nline 4\n" MORE ERASE);
	assert_string_equal(shown(5, 80, "", NULL), "line 1\nline 2\nline 3\nline 4\n" MORE ERASE);
}

static void length_zero_never_stops(void **state)
{
	(void)state;
	assert_null(strstr(shown(0, 80, "", NULL), MORE));
}

/* A line of six characters takes two rows of four. */
static void long_lines_take_rows(void **state)
{
	(void)state;
	assert_string_equal(shown(5, 4, "q", NULL), "line 1\nline 2\n" MORE ERASE);
}

static void looking_for(void **state)
{
	(void)state;
	assert_string_equal(
		shown(5, 80, "/", "8"), "line 1\nline 2\nline 3\nline 4\n" MORE ERASE "/filtering...\nline 8\nline 9\n");
	assert_string_equal(shown(5, 80, "+", "[79]"), "line 1\nline 2\nline 3\nline 4\n" MORE ERASE "+line 7\nline 9\n");
	assert_string_equal(shown(5, 80, "-", "[5-8]"), "line 1\nline 2\nline 3\nline 4\n" MORE ERASE "-line 9\n");
}

/* ping shows its marks as they come; the line is then not written twice. */
static void partial_lines(void **state)
{
	struct pager p;
	struct out o;

	(void)state;
	screen[0] = '\0';
	pager_init(&p, &io, 5, 80);
	out_init(&o, &p.stage);
	o.partial = pager_partial;
	o.partial_ctx = &p;
	out_printf(&o, "!!");
	out_partial(&o);
	assert_string_equal(screen, "!!");
	out_printf(&o, "!\nend\n");
	out_end(&o);
	pager_end(&p);
	assert_string_equal(screen, "!!!\nend\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(space_and_return),
		cmocka_unit_test(leaving),
		cmocka_unit_test(length_zero_never_stops),
		cmocka_unit_test(long_lines_take_rows),
		cmocka_unit_test(looking_for),
		cmocka_unit_test(partial_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
