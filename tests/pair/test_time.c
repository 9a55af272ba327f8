/* A day in a second: renewal of both phases, with traffic that must pass at every instant.
 *
 *     A ---- B      phase 1: 1 h, phase 2: 10 min, asked of the SAs after every event
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static unsigned gaps;
static bool was_up;

/* Once up, each side has at every instant an SA to send on that the other can read; and no more than a few. */
static void always_up(struct rig *r)
{
	bool up = rig_up(r);

	if (was_up && !up)
		gaps++;
	was_up = was_up || up;
	if (rig_pairs(&r->n[0]) > 4 || rig_pairs(&r->n[1]) > 4)
		gaps++;
}

static struct rig *begin(uint64_t seed, uint32_t life1, uint32_t life2)
{
	struct rig *r = rig_new(seed, 2);

	gaps = 0;
	was_up = false;
	for (int i = 0; i < 2; i++) {
		r->n[i].cfg->policies[0].lifetime_s = life1;
		r->n[i].cfg->ipsec.lifetime_s = life2;
	}
	r->each_event = always_up;
	return r;
}

static void a_day(void **state)
{
	struct rig *r = begin(1, 3600, 600);
	clock_t start = clock();

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(86400));
	assert_true(was_up);
	assert_int_equal(gaps, 0);
	assert_true(rig_stat(&r->n[0], STAT_PHASE2_OK) >= 150);
	assert_true(rig_stat(&r->n[0], STAT_PHASE2_OK) <= 160);
	assert_true(rig_stat(&r->n[0], STAT_PHASE1_OK) >= 24);
	assert_true(rig_stat(&r->n[0], STAT_PHASE1_OK) <= 30);
	assert_int_equal(rig_stat(&r->n[0], STAT_PHASE2_FAILED) + rig_stat(&r->n[1], STAT_PHASE2_FAILED), 0);
	assert_int_equal(rig_stat(&r->n[0], STAT_PHASE1_FAILED) + rig_stat(&r->n[1], STAT_PHASE1_FAILED), 0);
#ifndef POSTERN_SAN
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
#else
	(void)start;
#endif
	rig_free(r);
}

/* The shortest lifetimes that IOS takes, over a wire that loses a tenth. */
static void short_lifetimes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct rig *r = begin(seed, 60 + (uint32_t)seed * 10, 120);

		r->loss = 10;
		rig_acquire(&r->n[0], 10, 10);
		rig_run(r, SECONDS(3600));
		assert_true(was_up);
		assert_int_equal(gaps, 0);
		rig_free(r);
	}
}

/* Both ends began at once, so there are two pairs: after the first renewal there is one again. */
static void collision_heals(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct rig *r = begin(seed, 86400, 600);

		rig_acquire(&r->n[0], 10, 10);
		rig_acquire(&r->n[1], 10, 10);
		rig_run(r, SECONDS(1500));
		assert_int_equal(gaps, 0);
		assert_int_equal(rig_pairs(&r->n[0]), 1);
		assert_int_equal(rig_pairs(&r->n[1]), 1);
		/* Two pairs at first; of them one is renewed, not both, and then that one. */
		assert_int_equal(r->n[0].put_count, 2 * (2 + 1 + 1));
		rig_free(r);
	}
}

/* The volume is nearly used: a new pair at once; the old one stays a while. */
static void volume(void **state)
{
	struct rig *r = begin(2, 86400, 3600);
	struct dpm_expire e = { .why = DP_EXPIRE_SOFT };

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(1)));
	for (int i = 0; i < 20; i++) {
		e.key = rig_sa(&r->n[i % 2], false, rig_pairs(&r->n[i % 2]) - 1)->key;
		ike_expire(r->n[i % 2].k, &e);
		ike_expire(r->n[i % 2].k, &e);
		rig_run(r, SECONDS(30));
		assert_int_equal(rig_stat(&r->n[0], STAT_PHASE2_OK), 2 + i);
		assert_int_equal(gaps, 0);
	}
	rig_run(r, SECONDS(100));
	assert_int_equal(rig_pairs(&r->n[0]), 1);
	rig_free(r);
}

/* The sequence numbers are nearly used up: a new pair at once, whoever says so (RFC 4303 3.3.3). */
static void sequence(void **state)
{
	struct rig *r = begin(4, 86400, 3600);
	struct dpm_expire e = { .why = DP_EXPIRE_SEQUENCE };

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(1)));
	for (int i = 0; i < 4; i++) {
		uint32_t worn = rig_sa(&r->n[i % 2], false, rig_pairs(&r->n[i % 2]) - 1)->key.spi;

		e.key = rig_sa(&r->n[i % 2], false, rig_pairs(&r->n[i % 2]) - 1)->key;
		ike_expire(r->n[i % 2].k, &e);
		rig_run(r, SECONDS(30));
		assert_int_equal(rig_stat(&r->n[0], STAT_PHASE2_OK), 2 + i);
		assert_int_not_equal(rig_sa(&r->n[i % 2], false, rig_pairs(&r->n[i % 2]) - 1)->key.spi, worn);
		assert_int_equal(gaps, 0);
	}
	rig_free(r);
}

/* The peer that began is silent for the renewal: the other one does it. */
static bool a_is_mute;
static bool mute(struct rig *r, struct packet *p)
{
	(void)r;
	return !(a_is_mute && p->from == 0 && p->bytes[18] == EXCH_QUICK);
}

static void responder_renews(void **state)
{
	struct rig *r = begin(3, 86400, 600);

	(void)state;
	r->edit = mute;
	a_is_mute = false;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(1)));
	/* A's attempt falls silent at its beginning, B's begins ten seconds later. */
	rig_run(r, SECONDS(563));
	a_is_mute = true;
	rig_run(r, SECONDS(12));
	a_is_mute = false;
	rig_run(r, SECONDS(100));
	assert_int_equal(gaps, 0);
	assert_true(rig_up(r));
	rig_free(r);
}

/* Without use nobody renews phase 1: it ends with a DELETE, and shows as deleted for a while. */
static unsigned deleted_rows;
static void count_deleted(void *ctx, const struct ikem_sa *sa)
{
	(void)ctx;
	deleted_rows += sa->deleted;
}

static void idle_phase1_ends(void **state)
{
	struct rig *r = begin(4, 600, 3600);
	struct ikem_clear c = { .what = IKE_CLEAR_IPSEC };

	(void)state;
	r->each_event = NULL;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(1)));
	ike_clear(r->n[0].k, &c);
	rig_run(r, SECONDS(601));
	assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 0);
	assert_int_equal(rig_ike_count(&r->n[1], QM_IDLE), 0);
	deleted_rows = 0;
	ike_each_sa(r->n[0].k, count_deleted, NULL);
	assert_int_equal(deleted_rows, 1);
	rig_run(r, SECONDS(70));
	deleted_rows = 0;
	ike_each_sa(r->n[0].k, count_deleted, NULL);
	assert_int_equal(deleted_rows, 0);
	rig_free(r);
}

/* Thirty seconds before the end there is a new pair, made by the end that made the old one; the old one lives to its end. */
static void thirty_seconds_before(void **state)
{
	struct rig *r = begin(5, 86400, 600);

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(1)));
	rig_run(r, SECONDS(564));
	assert_int_equal(rig_pairs(&r->n[0]), 1);
	rig_run(r, SECONDS(6));
	assert_int_equal(rig_pairs(&r->n[0]), 2);
	assert_int_equal(rig_pairs(&r->n[1]), 2);
	assert_int_equal(rig_stat(&r->n[0], STAT_PHASE2_OK), 2);
	rig_run(r, SECONDS(28));
	assert_int_equal(rig_pairs(&r->n[0]), 2);
	rig_run(r, SECONDS(3));
	assert_int_equal(rig_pairs(&r->n[0]), 1);
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day),
		cmocka_unit_test(thirty_seconds_before),
		cmocka_unit_test(short_lifetimes),
		cmocka_unit_test(collision_heals),
		cmocka_unit_test(volume),
		cmocka_unit_test(sequence),
		cmocka_unit_test(responder_renews),
		cmocka_unit_test(idle_phase1_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
