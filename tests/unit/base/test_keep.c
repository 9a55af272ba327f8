/* Kept keys: the newest stay, in order, and their memory is locked. */
#include "platform/base/keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct seen {
	uint32_t values[8];
	size_t n, most;
};

static bool look(void *ctx, const void *record)
{
	struct seen *s = ctx;

	memcpy(&s->values[s->n++], record, sizeof(uint32_t));
	return s->n < s->most;
}

static unsigned long locked_kb(void)
{
	unsigned long kb = 0;
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %lu", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

static void the_newest_stay(void **state)
{
	unsigned long before = locked_kb();
	struct keep *k = keep_new(sizeof(uint32_t), 3);
	struct seen s = { .most = 8 };

	(void)state;
	assert_non_null(k);
#ifndef POSTERN_SAN /* ASan has an mlock of its own, which does nothing */
	assert_true(locked_kb() > before);
#endif
	keep_each(k, look, &s);
	assert_int_equal(s.n, 0);
	for (uint32_t v = 1; v <= 5; v++)
		keep_put(k, &v);
	keep_each(k, look, &s);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.values[0], 3);
	assert_int_equal(s.values[2], 5);
	s = (struct seen){ .most = 1 };
	keep_each(k, look, &s);
	assert_int_equal(s.n, 1);
	keep_free(k);
	assert_int_equal(locked_kb(), before);
	keep_free(NULL);
}

static void no_such_memory(void **state)
{
	(void)state;
	assert_null(keep_new((size_t)1 << 40, 1 << 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_newest_stay), cmocka_unit_test(no_such_memory) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
