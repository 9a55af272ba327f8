/* A bad wire between A and B: loss, repetition, order, truncation, both ends starting at once.
 *
 *     A ---- 30 % lost, 20 % doubled, up to 2 s late ---- B
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* datapathd asks again as long as traffic waits. */
static void ask_again(struct rig *r)
{
	if (!rig_up(r))
		rig_acquire(&r->n[0], 10, 10);
	rig_later(r, SECONDS(2), ask_again);
}

static void loss_and_disorder(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct rig *r = rig_new(seed, 2);

		r->loss = 30;
		r->duplicate = 20;
		r->jitter_us = SECONDS(2);
		rig_later(r, 0, ask_again);
		assert_true(rig_until(r, rig_up, SECONDS(300)));
		rig_free(r);
	}
}

/* Every packet three times: nothing is done twice. */
static void everything_doubled(void **state)
{
	struct rig *r = rig_new(1, 2);

	(void)state;
	r->duplicate = 100;
	r->jitter_us = 100000;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(20));
	assert_int_equal(rig_pairs(&r->n[0]), 1);
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	assert_int_equal(rig_ike_count(&r->n[1], QM_IDLE), 1);
	rig_free(r);
}

/* One message of the nine is lost, each in its turn, in each repetition of it but the last two. */
static unsigned lost_nth, lost_seen;
static bool lose_nth(struct rig *r, struct packet *p)
{
	(void)r;
	(void)p;
	return ++lost_seen != lost_nth;
}

static void each_lost_once(void **state)
{
	(void)state;
	for (lost_nth = 1; lost_nth <= 9; lost_nth++) {
		struct rig *r = rig_new(lost_nth, 2);

		lost_seen = 0;
		r->edit = lose_nth;
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(10)));
		rig_free(r);
	}
}

/* Before each message its prefix of every length arrives: the exchange goes on as if it had not. */
static bool truncated_first(struct rig *r, struct packet *p)
{
	for (size_t n = 0; n < p->len; n++)
		rig_inject(r, p->from, 1 - p->from, p->bytes, n, p->path.local_port);
	return true;
}

static void truncated_at_each_byte(void **state)
{
	struct rig *r = rig_new(2, 2);

	(void)state;
	r->edit = truncated_first;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(1));
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	rig_free(r);
}

/* Each byte of each message is flipped once in a copy that comes first. */
static bool damaged_first(struct rig *r, struct packet *p)
{
	uint8_t *copy = malloc(p->len);

	for (size_t n = 0; copy != NULL && n < p->len; n++) {
		memcpy(copy, p->bytes, p->len);
		copy[n] ^= 1 << (n % 8);
		/* What only looks like the first message of another exchange is one. */
		if (n >= 28 || (n >= 16 && n < 24))
			rig_inject(r, p->from, 1 - p->from, copy, p->len, p->path.local_port);
	}
	free(copy);
	return true;
}

/* Main mode in clear cannot tell a forged message from a true one; what is encrypted can. */
static bool damaged_encrypted(struct rig *r, struct packet *p)
{
	return (p->bytes[19] & FLAG_ENCRYPTED) ? damaged_first(r, p) : true;
}

static void damaged_at_each_byte(void **state)
{
	struct rig *r = rig_new(3, 2);

	(void)state;
	r->edit = damaged_encrypted;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(1));
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	rig_free(r);
}

/* Traffic at both ends in the same moment: it passes within the time of one negotiation, and nothing is torn down later. */
static void both_begin(void **state)
{
	(void)state;
	for (uint64_t apart = 0; apart < 60; apart += 3) {
		struct rig *r = rig_new(apart, 2);

		rig_acquire(&r->n[0], 10, 10);
		rig_run(r, apart * 1000);
		rig_acquire(&r->n[1], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(1)));
		for (int i = 0; i < 120; i++) {
			rig_run(r, SECONDS(1));
			assert_true(rig_up(r));
		}
		rig_free(r);
	}
}

/* Phase 1 is there, quick modes of both ends cross. */
static void both_quick(void **state)
{
	(void)state;
	for (uint64_t apart = 0; apart < 30; apart += 2) {
		struct rig *r = rig_new(apart, 2);
		struct ikem_clear c = { .what = IKE_CLEAR_IPSEC };

		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(1)));
		ike_clear(r->n[0].k, &c);
		rig_run(r, SECONDS(1));
		assert_int_equal(rig_pairs(&r->n[0]) + rig_pairs(&r->n[1]), 0);
		rig_acquire(&r->n[0], 10, 10);
		rig_run(r, apart * 1000);
		rig_acquire(&r->n[1], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(1)));
		rig_run(r, SECONDS(60));
		assert_true(rig_up(r));
		assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 1);
		rig_free(r);
	}
}

/* Repetition with back-off, and an end: seven messages in 39 s. */
static void backs_off(void **state)
{
	struct rig *r = rig_new(4, 2);

	(void)state;
	r->n[1].deaf = true;
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(7) + 500000);
	assert_int_equal(r->n[0].sent, 4);
	rig_run(r, SECONDS(33));
	assert_int_equal(r->n[0].sent, 7);
	assert_int_equal(rig_ike_count(&r->n[0], MM_NO_STATE), 0);
	assert_int_equal(r->n[0].failed_count, 1);
	assert_true(rig_log_has(
		r, "%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Main mode failed with peer at 198.51.100.2: the peer does not"));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss_and_disorder),
		cmocka_unit_test(everything_doubled),
		cmocka_unit_test(each_lost_once),
		cmocka_unit_test(truncated_at_each_byte),
		cmocka_unit_test(damaged_at_each_byte),
		cmocka_unit_test(both_begin),
		cmocka_unit_test(both_quick),
		cmocka_unit_test(backs_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
