/* 10,000 other tunnels: what happens to one peer does not look at those of the others. Steps are counted, not time. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define MANY 10000
/* A bucket holds two or three of 10,000. A tunnel's life takes some dozens of look-ups; a single walk would be 10,000. */
#define FEW 1000

/* One more peer, with all that an established tunnel has. */
static void stranger_add(struct node *n, uint32_t i)
{
	struct ike *k = n->k;
	struct ike_path path = {
		.local = n->address, .remote = addr_v4(UINT32_C(0x0a000000) + i), .local_port = 500, .remote_port = 500
	};
	struct ike_sa *sa = sa_new(k, true, EXCH_MAIN, &path, random_u64(k));
	struct dp_policy_id id = { .map_seq = 20, .ace_seq = i };
	struct flow *f;
	struct child *c;

	assert_non_null(sa);
	sa->st.state = QM_IDLE;
	sa->st.cookie_r = random_u64(k);
	sa_moved(sa);
	sa_settled(sa);
	snprintf(id.interface, sizeof(id.interface), "GigabitEthernet0/0");
	snprintf(id.map, sizeof(id.map), "OTHER");
	f = flow_get(k, &id, true);
	assert_non_null(f);
	f->local = path.local;
	flow_peer(f, path.remote);
	c = child_new(f);
	assert_non_null(c);
	c->local = path.local;
	c->remote = path.remote;
	c->remote_port = 500;
	for (int inbound = 0; inbound < 2; inbound++) {
		struct child_sa *s = &c->sas[PART_ESP][inbound];

		s->key = (struct dp_sa_key){ .spi = (uint32_t)random_u64(k), .protocol = IPPROTO_ESP, .inbound = (uint8_t)inbound };
		s->there = true;
	}
	c->created_us = now_us(k);
	c->end_us = UINT64_MAX;
	child_index(c);
	child_up(c);
}

static struct rig *crowded(void)
{
	struct rig *r = rig_new(7, 2);

	for (uint32_t i = 1; i <= MANY; i++)
		stranger_add(&r->n[0], i);
	r->nlog = 0;
	r->n[0].k->walked = 0;
	return r;
}

static void assert_few(struct rig *r, const char *what)
{
	uint64_t n = r->n[0].k->walked;

	print_message("%s: %llu steps\n", what, (unsigned long long)n);
	assert_true(n > 0);
	assert_true(n < FEW);
	r->n[0].k->walked = 0;
}

/* Asked by traffic, renewed when the volume is over, ended by the peer. */
static void test_life(void **state)
{
	struct rig *r = crowded();
	struct dpm_expire e = { .why = DP_EXPIRE_SOFT };

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(20)));
	assert_few(r, "acquire, phase 1, phase 2");
	e.key = rig_sa(&r->n[0], false, 0)->key;
	ike_expire(r->n[0].k, &e);
	rig_run(r, SECONDS(5));
	assert_few(r, "renewal of a pair");
	assert_int_equal(rig_pairs(&r->n[0]), 2);
	rig_restart(&r->n[1]);
	rig_acquire(&r->n[1], 10, 10);
	rig_run(r, SECONDS(5));
	assert_few(r, "the peer again, with INITIAL-CONTACT");
	assert_true(rig_up(r));
	rig_free(r);
}

static void test_answer(void **state)
{
	struct rig *r = crowded();

	(void)state;
	rig_acquire(&r->n[1], 10, 10);
	/* Ours crosses the peer's. */
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(20)));
	assert_few(r, "both at once");
	rig_free(r);
}

static void test_silent(void **state)
{
	struct rig *r = crowded();

	(void)state;
	r->n[1].deaf = true;
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(60));
	assert_few(r, "a silent peer");
	assert_int_equal(r->n[0].failed_count, 1);
	rig_free(r);
}

/* What strangers begin: beyond the limit the oldest that has not returned our cookie goes, and it is found at once. */
static void test_unproved(void **state)
{
	struct rig *r = crowded();
	struct ike *k = r->n[0].k;
	struct ike_path path = { .local = r->n[0].address, .local_port = 500, .remote_port = 500 };

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		path.remote = addr_v4(UINT32_C(0x0b000000) + i);
		assert_non_null(sa_new(k, false, EXCH_MAIN, &path, random_u64(k)));
	}
	k->walked = 0;
	assert_true(addr_to_v4(sa_oldest_unproved(k)->st.path.remote) == UINT32_C(0x0b000000));
	assert_int_equal(k->walked, 1);
	sa_free(sa_oldest_unproved(k));
	assert_true(addr_to_v4(sa_oldest_unproved(k)->st.path.remote) == UINT32_C(0x0b000001));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_unproved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
