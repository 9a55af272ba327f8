/* Traffic that asks at the responder while its quick mode waits for the third message: the pair that comes is the one it gets.
 *
 *     A 203.0.113.1 (initiator) ---- B 198.51.100.2
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A's packets of quick mode, from the second on, are lost until then; after that its answer to a repeated second one arrives. */
static uint64_t third_lost_until;
static unsigned seen;
static bool lose_third(struct rig *r, struct packet *p)
{
	if (p->from != 0 || p->len <= 18 || p->bytes[18] != EXCH_QUICK)
		return true;
	return ++seen == 1 || r->now >= third_lost_until;
}

static bool first_up(struct rig *r)
{
	return r->n[0].up_count == 1;
}

static void ask(struct node *n, const char *src, const char *dst)
{
	struct dpm_acquire a = { .policy = { .interface = "GigabitEthernet0/1", .map = "M", .map_seq = 10, .ace_seq = 10 } };
	uint32_t from, to;

	assert_int_equal(ip4_parse(&from, src), ERR_OK);
	assert_int_equal(ip4_parse(&to, dst), ERR_OK);
	a.src = addr_v4(from);
	a.dst = addr_v4(to);
	ike_acquire(n->k, &a);
}

/* B has answered the first message, and has not got the third: A has the pair, B has half of it. */
static struct rig *waiting_per(uint64_t seed, uint64_t lost_for_us, bool per_host)
{
	struct rig *r = rig_new(seed, 2);

	seen = 0;
	third_lost_until = UINT64_MAX;
	r->edit = lose_third;
	for (int i = 0; i < 2; i++) {
		rig_map(&r->n[i], 0)->per_host = per_host;
		rig_config(&r->n[i]);
	}
	ask(&r->n[0], "192.168.1.10", "192.168.2.20");
	assert_true(rig_until(r, first_up, SECONDS(5)));
	third_lost_until = lost_for_us == UINT64_MAX ? UINT64_MAX : r->now + lost_for_us;
	rig_run(r, 100000);
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	assert_null(rig_sa(&r->n[1], false, 0));
	return r;
}

static struct rig *waiting(uint64_t seed, uint64_t lost_for_us)
{
	return waiting_per(seed, lost_for_us, false);
}

/* Asked once or again: nothing is begun, and the answer is the pair's. */
static void one_pair(void **state)
{
	struct rig *r = waiting(1, SECONDS(4));

	(void)state;
	for (int i = 0; i < 3; i++) {
		rig_acquire(&r->n[1], 10, 10);
		rig_run(r, 500000);
		assert_int_equal(r->n[1].up_count + r->n[1].failed_count, 0);
	}
	assert_true(rig_until(r, rig_up, SECONDS(10)));
	rig_run(r, SECONDS(60));
	assert_int_equal(r->n[1].up_count, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rig_pairs(&r->n[i]), 1);
		assert_int_equal(rig_stat(&r->n[i], STAT_PHASE2_OK), 1);
		assert_int_equal(r->n[i].k->admission.phase2_out, i == 0);
	}
	rig_free(r);
}

static bool asked_has_begun(struct rig *r)
{
	return r->n[1].k->admission.phase2_out == 1;
}

/* The third message never comes: when that quick mode ends, the one of our own begins. */
static void third_never_comes(void **state)
{
	struct rig *r = waiting(2, UINT64_MAX);

	(void)state;
	rig_acquire(&r->n[1], 10, 10);
	rig_run(r, SECONDS(10));
	assert_int_equal(r->n[1].k->admission.phase2_out, 0);
	assert_true(rig_until(r, asked_has_begun, SECONDS(60)));
	assert_int_equal(rig_stat(&r->n[1], STAT_PHASE2_FAILED), 1);
	third_lost_until = 0;
	assert_true(rig_until(r, rig_up, SECONDS(10)));
	rig_run(r, SECONDS(5));
	assert_int_equal(r->n[1].up_count, 1);
	assert_int_equal(rig_pairs(&r->n[0]), 1);
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	rig_free(r);
}

/* The IKE SA goes while the traffic waits, with its quick mode: a new one is made, from here. */
static void ike_sa_goes(void **state)
{
	struct rig *r = waiting(3, UINT64_MAX);
	struct ikem_clear c = { .what = IKE_CLEAR_ISAKMP };

	(void)state;
	rig_acquire(&r->n[1], 10, 10);
	rig_run(r, 100000);
	third_lost_until = 0;
	ike_clear(r->n[1].k, &c);
	assert_true(rig_until(r, rig_up, SECONDS(10)));
	rig_run(r, SECONDS(5));
	assert_int_equal(r->n[1].up_count, 1);
	assert_int_equal(r->n[1].k->admission.phase2_out, 1);
	rig_free(r);
}

/* Traffic of another line does not wait for it. */
static void other_line(void **state)
{
	struct rig *r;

	(void)state;
	r = waiting(4, UINT64_MAX);
	for (int i = 0; i < 2; i++) {
		cfg_ace_add(r->n[i].cfg, "101", 20, true, i == 0 ? "192.168.1.0" : "192.168.9.0", 24,
			i == 0 ? "192.168.9.0" : "192.168.1.0", 24);
		rig_config(&r->n[i]);
	}
	rig_acquire(&r->n[1], 10, 20);
	assert_int_equal(r->n[1].k->admission.phase2_out, 1);
	rig_free(r);
}

/* Level per-host: the pair of hosts that is being negotiated waits, another does not. */
static void other_hosts(void **state)
{
	struct rig *r = waiting_per(5, UINT64_MAX, true);

	(void)state;
	ask(&r->n[1], "192.168.2.20", "192.168.1.10");
	assert_int_equal(r->n[1].k->admission.phase2_out, 0);
	ask(&r->n[1], "192.168.2.20", "192.168.1.11");
	assert_int_equal(r->n[1].k->admission.phase2_out, 1);
	third_lost_until = 0;
	rig_run(r, SECONDS(30));
	for (int i = 0; i < 2; i++)
		assert_int_equal(rig_pairs(&r->n[i]), 2);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_pair),
		cmocka_unit_test(third_never_comes),
		cmocka_unit_test(ike_sa_goes),
		cmocka_unit_test(other_line),
		cmocka_unit_test(other_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
