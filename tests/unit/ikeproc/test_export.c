/* The file of exported keys: its form, and that it is only ever a file of ours in the data folder. */
#include "fake.h"
#include "ikemgr/proc/export.h"
#include "platform/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static const char *in(const char *name)
{
	static char paths[4][256];
	static unsigned n;
	char *out = paths[n++ % 4];

	snprintf(out, sizeof(paths[0]), "%s/%s", folder, name);
	return out;
}

static int setup(void **state)
{
	(void)state;
	folder = folder_make();
	return mkdir(in("flash"), 0755) | mkdir(in("outside"), 0755);
}

static int teardown(void **state)
{
	(void)state;
	folder_remove(folder);
	return 0;
}

static void one_line_per_key(void **state)
{
	struct key_export x = { .fd = -1 };
	char got[256] = "";
	struct stat st;

	(void)state;
	export_key(&x, 1, span_of("k", 1)); /* off */
	assert_int_equal(export_start(&x, folder, in("flash/ike.keys")), ERR_OK);
	export_key(&x, 0x0123456789abcdef, span_of("\x01\x02\xff", 3));
	export_key(&x, 0xf, span_of("\xaa", 1));
	export_stop(&x);
	assert_int_equal(stat(in("flash/ike.keys"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	FILE *file = fopen(in("flash/ike.keys"), "r");
	assert_true(fread(got, 1, sizeof(got) - 1, file) > 0);
	fclose(file);
	assert_string_equal(got, "0123456789abcdef,0102ff\n000000000000000f,aa\n");
}

static void only_in_the_data_folder(void **state)
{
	struct key_export x = { .fd = -1 };

	(void)state;
	assert_int_equal(export_start(&x, in("flash"), in("outside/k")), ERR_DENIED);
	assert_int_equal(export_start(&x, in("flash"), in("flash/../outside/k")), ERR_DENIED);
	assert_int_equal(export_start(&x, in("flash"), in("flash/..")), ERR_DENIED);
	assert_int_equal(export_start(&x, in("flash"), in("flash/")), ERR_DENIED);
	assert_int_equal(export_start(&x, in("flash"), in("flashy/k")), ERR_DENIED);
	assert_int_equal(export_start(&x, in("flash"), "k"), ERR_DENIED);
	assert_int_equal(symlink(in("outside"), in("flash/door")), 0);
	assert_int_equal(export_start(&x, in("flash"), in("flash/door/k")), ERR_DENIED);
	assert_int_equal(symlink(in("outside/k"), in("flash/link")), 0);
	assert_int_equal(export_start(&x, in("flash"), in("flash/link")), ERR_DENIED);
	assert_int_equal(x.fd, -1);
	assert_int_equal(access(in("outside/k"), F_OK), -1);
}

/* A file that others can read, or that has a second name, gets no key. */
static void only_a_file_of_ours(void **state)
{
	struct key_export x = { .fd = -1 };

	(void)state;
	close(open(in("flash/open"), O_CREAT | O_WRONLY, 0644));
	assert_int_equal(chmod(in("flash/open"), 0644), 0);
	assert_int_equal(export_start(&x, folder, in("flash/open")), ERR_DENIED);
	close(open(in("flash/one"), O_CREAT | O_WRONLY, 0600));
	assert_int_equal(link(in("flash/one"), in("flash/two")), 0);
	assert_int_equal(export_start(&x, folder, in("flash/two")), ERR_DENIED);
	assert_int_equal(mkfifo(in("flash/pipe"), 0600), 0);
	assert_int_not_equal(export_start(&x, folder, in("flash/pipe")), ERR_OK);
	assert_int_equal(x.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_line_per_key, setup, teardown),
		cmocka_unit_test_setup_teardown(only_in_the_data_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_file_of_ours, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
