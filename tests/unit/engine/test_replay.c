/* The replay window, against a slow model that remembers everything. */
#include "datapath/engine/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool take(struct replay *w, uint32_t low)
{
	uint64_t seq = replay_check(w, low);

	return seq != 0 && replay_accept(w, seq);
}

static void window_edges(void **state)
{
	struct replay w;

	(void)state;
	replay_init(&w, 64, false);
	assert_false(take(&w, 0));
	assert_true(take(&w, 1));
	assert_false(take(&w, 1));
	assert_true(take(&w, 64));
	assert_true(take(&w, 2)); /* 63 behind */
	assert_true(take(&w, 65));
	assert_false(take(&w, 1));
	assert_true(take(&w, 66));
	assert_true(take(&w, 3));
	assert_false(take(&w, 2));
	assert_true(take(&w, 1000000)); /* everything moves out */
	assert_false(take(&w, 66));
	assert_true(take(&w, 1000000 - 63));
	assert_false(take(&w, 1000000 - 64));
}

static void checking_moves_nothing(void **state)
{
	struct replay w, before;

	(void)state;
	replay_init(&w, 128, true);
	take(&w, 5);
	before = w;
	assert_int_equal(replay_check(&w, 4000000000u), 4000000000u);
	assert_int_equal(replay_check(&w, 5), 0);
	assert_memory_equal(&w, &before, sizeof(w));
}

static void same_number_twice_in_a_batch(void **state)
{
	struct replay w;

	(void)state;
	replay_init(&w, 64, false);
	assert_int_equal(replay_check(&w, 9), 9);
	assert_int_equal(replay_check(&w, 9), 9);
	assert_true(replay_accept(&w, 9));
	assert_false(replay_accept(&w, 9));
}

static void against_a_model(void **state)
{
	static const uint32_t sizes[] = { 64, 128, 256, 512, 1024 };
	static uint8_t seen[300000];

	(void)state;
	srand(7);
	for (size_t s = 0; s < 5; s++) {
		struct replay w;
		uint32_t top = 0, at = 1000;

		memset(seen, 0, sizeof(seen));
		replay_init(&w, sizes[s], false);
		for (int i = 0; i < 50000; i++) {
			uint32_t n = at + (uint32_t)(rand() % 2500) - (uint32_t)(rand() % 2000 < (int)at ? rand() % 1000 : 0);
			bool want;

			if (i % 40 == 0)
				at += (uint32_t)(rand() % 200);
			want = n + sizes[s] > top && !seen[n];
			assert_int_equal(take(&w, n), want);
			if (want) {
				seen[n] = 1;
				top = n > top ? n : top;
			}
		}
	}
}

static void upper_half_forward(void **state)
{
	struct replay w;

	(void)state;
	replay_init(&w, 64, true);
	assert_true(replay_accept(&w, 0xfffffff0));
	assert_int_equal(replay_check(&w, 0xffffffff), 0xffffffff);
	assert_int_equal(replay_check(&w, 0), 0x100000000); /* zero is a number like any other, one turn on */
	assert_int_equal(replay_check(&w, 5), 0x100000005);
	assert_true(replay_accept(&w, 0x100000005));
	assert_int_equal(replay_check(&w, 0xfffffff5), 0xfffffff5); /* late, of the last turn: case B */
	assert_true(replay_accept(&w, 0xfffffff5));
	assert_int_equal(replay_check(&w, 0xfffffff5), 0);
	assert_int_equal(replay_check(&w, 0xffffffc0), 0x1ffffffc0); /* left of the window means far right of it */
}

static void upper_half_backward(void **state)
{
	struct replay w;

	(void)state;
	replay_init(&w, 64, true);
	assert_int_equal(replay_check(&w, 0), 0);
	assert_int_equal(replay_check(&w, 0xffffffff), 0); /* nothing is left of zero */
	assert_true(take(&w, 1));
	assert_int_equal(replay_check(&w, 0xffffffff), 0);
	replay_init(&w, 64, true);
	w.top = 0xffffffff00000000;
	assert_int_equal(replay_check(&w, 0xffffffff), 0xfffffffeffffffff);
	w.top = 0xfffffffffffffff0;
	assert_int_equal(replay_check(&w, 1), 0); /* the last turn ends */
}

static void without_window(void **state)
{
	struct replay w;

	(void)state;
	replay_init(&w, 0, false);
	assert_true(take(&w, 7));
	assert_true(take(&w, 7));
	assert_true(take(&w, 0));
	assert_int_equal(w.top, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_edges),
		cmocka_unit_test(checking_moves_nothing),
		cmocka_unit_test(same_number_twice_in_a_batch),
		cmocka_unit_test(against_a_model),
		cmocka_unit_test(upper_half_forward),
		cmocka_unit_test(upper_half_backward),
		cmocka_unit_test(without_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
