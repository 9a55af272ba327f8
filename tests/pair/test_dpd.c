/* Dead peer detection, RFC 3706: who asks when, what counts as an answer, and what follows from none.
 *
 *     A ---- B
 *      \---- C        A's entry: set peer B [default], set peer C
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define EVERY 10

static void keepalive(struct node *n, bool periodic)
{
	n->cfg->isakmp.keepalive_s = EVERY;
	n->cfg->isakmp.keepalive_retry_s = 2;
	n->cfg->isakmp.keepalive_periodic = periodic;
	rig_config(n);
}

static struct rig *up(uint64_t seed, int nodes, bool periodic)
{
	struct rig *r = rig_new(seed, nodes);

	keepalive(&r->n[0], periodic);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(1));
	return r;
}

/* A packet each way, as the data path would see it. */
static void traffic(struct rig *r, bool out, bool in)
{
	if (out)
		r->n[0].last_out_us = r->now;
	if (in)
		r->n[0].last_in_us = r->now;
}

static void periodic_asks(void **state)
{
	struct rig *r = up(1, 2, true);
	unsigned sent = r->n[0].sent, answered = r->n[1].sent;

	(void)state;
	rig_run(r, SECONDS(5 * EVERY));
	assert_in_range(r->n[0].sent - sent, 4, 5);
	assert_int_equal(r->n[1].sent - answered, r->n[0].sent - sent);
	assert_int_equal(r->n[0].questions, 0);
	assert_int_equal(rig_pairs(&r->n[0]), 1);
	rig_free(r);
}

/* Nothing to send, or an answer to what was sent: no question to the peer. */
static void on_demand_is_silent(void **state)
{
	struct rig *r = up(2, 2, false);
	unsigned sent = r->n[0].sent;

	(void)state;
	r->n[1].deaf = true;
	rig_run(r, SECONDS(10 * EVERY));
	assert_int_equal(r->n[0].sent, sent);
	for (int i = 0; i < 100; i++) {
		traffic(r, true, true);
		rig_run(r, SECONDS(1));
	}
	assert_int_equal(r->n[0].sent, sent);
	assert_in_range(r->n[0].questions, 10, 60);
	rig_free(r);
}

/* Sent and nothing back: asked, five times more, and the peer is dead: nothing is left of it. */
static void silence_is_death(void **state)
{
	struct rig *r = up(3, 2, false);
	unsigned sent = r->n[0].sent;

	(void)state;
	r->n[1].deaf = true;
	for (int i = 0; i < 2 * EVERY; i++) {
		traffic(r, true, false);
		rig_run(r, SECONDS(1));
	}
	assert_true(r->n[0].sent > sent);
	rig_run(r, SECONDS(14));
	assert_int_equal(rig_pairs(&r->n[0]), 0);
	assert_int_equal(r->n[0].nsas, 0);
	assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 0);
	assert_true(rig_log_has(r, "%CRYPTO-4-IKMP_PEER_DEAD: Peer 198.51.100.2 does not answer 6 R-U-THERE"));
	assert_true(rig_log_has(r, "Crypto tunnel is DOWN.  Peer 198.51.100.2:500"));
	assert_int_equal(rig_stat(&r->n[0], STAT_DEAD_PEERS), 1);
	/* It comes back, and both ends agree: INITIAL-CONTACT clears what it still had. */
	r->n[1].deaf = false;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(1));
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	assert_int_equal(rig_ike_count(&r->n[1], QM_IDLE), 1);
	rig_free(r);
}

/* One lost question is no death. */
static unsigned to_lose;
static bool lose_some(struct rig *r, struct packet *p)
{
	(void)r;
	if (p->from != 0 || to_lose == 0)
		return true;
	to_lose--;
	return false;
}

static void losses_are_survived(void **state)
{
	struct rig *r = up(4, 2, true);

	(void)state;
	r->edit = lose_some;
	for (int i = 0; i < 5; i++) {
		to_lose = 5;
		rig_run(r, SECONDS(3 * EVERY));
	}
	assert_int_equal(rig_pairs(&r->n[0]), 1);
	assert_int_equal(rig_stat(&r->n[0], STAT_DEAD_PEERS), 0);
	rig_free(r);
}

/* An old answer, sent again by somebody, keeps nothing alive; nor does an old question. */
static struct packet old_ack, old_ask;
static uint8_t old_bytes[2][512];
static bool keep_old(struct rig *r, struct packet *p)
{
	struct packet *old = p->from == 1 ? &old_ack : &old_ask;

	(void)r;
	if (p->bytes[18] == EXCH_INFORMATIONAL && old->len == 0) {
		*old = *p;
		old->bytes = old_bytes[p->from];
		memcpy(old->bytes, p->bytes, p->len);
	}
	return true;
}

static void old_answers(void **state)
{
	struct rig *r = up(5, 2, true);
	unsigned answers;

	(void)state;
	old_ack.len = old_ask.len = 0;
	r->edit = keep_old;
	rig_run(r, SECONDS(2 * EVERY + 5));
	assert_true(old_ack.len > 0 && old_ask.len > 0);
	answers = r->n[1].sent;
	rig_inject(r, 0, 1, old_ask.bytes, old_ask.len, 500);
	rig_run(r, SECONDS(1));
	assert_int_equal(r->n[1].sent, answers);
	assert_int_equal(rig_stat(&r->n[1], STAT_DPD_OLD), 1);
	r->n[1].deaf = true;
	for (int i = 0; i < 30; i++) {
		rig_inject(r, 1, 0, old_ack.bytes, old_ack.len, 500);
		rig_run(r, SECONDS(1));
	}
	assert_int_equal(rig_stat(&r->n[0], STAT_DEAD_PEERS), 1);
	rig_free(r);
}

/* B dies: the next packet goes by C at once. B, the default, is taken again when the pair is renewed. */
static bool by_c(struct rig *r)
{
	return rig_carries(r, 0, 2) && rig_carries(r, 2, 0);
}

static void falls_over_and_back(void **state)
{
	struct rig *r = rig_new(6, 3);
	struct cfg_map_entry *m = rig_map(&r->n[0], 0);
	uint64_t began;

	(void)state;
	m->peers[0].is_default = true;
	m->peers[m->npeers++].addr = addr_to_v4(r->n[2].address);
	cfg_key_add(&r->n[0], "198.51.100.3", "a key of the two sites");
	r->n[0].cfg->ipsec.lifetime_s = 300;
	keepalive(&r->n[0], true);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	r->n[1].deaf = true;
	rig_run(r, SECONDS(EVERY + 14));
	assert_int_equal(rig_pairs(&r->n[0]), 0);
	began = r->now;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, by_c, SECONDS(3)));
	assert_true(r->now - began < SECONDS(1));
	r->n[1].deaf = false;
	assert_true(rig_until(r, rig_up, SECONDS(301)));
	rig_free(r);
}

/* The peer does not know it, or it is not configured: never asked. */
static bool no_dpd(struct rig *r, struct packet *p)
{
	struct span s = vendor_id(VENDOR_DPD);

	(void)r;
	for (size_t i = 28; i + s.len <= p->len; i++)
		if (memcmp(p->bytes + i, s.data, s.len) == 0)
			p->bytes[i] ^= 0xff;
	return true;
}

static void peer_without(void **state)
{
	struct rig *r = rig_new(7, 2);
	unsigned sent;

	(void)state;
	keepalive(&r->n[0], true);
	r->edit = no_dpd;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	sent = r->n[0].sent;
	rig_run(r, SECONDS(10 * EVERY));
	assert_int_equal(r->n[0].sent, sent);
	rig_free(r);
}

/* Switched on and off while the SA lives; a profile's own interval counts before the router's. */
static void configured_later(void **state)
{
	struct rig *r = rig_new(8, 2);
	struct cfg_isakmp_profile *p;
	unsigned sent;

	(void)state;
	p = cfg_profile_add(r->n[0].cfg, "P");
	cfg_profile_match(p, CFG_ID_ADDRESS, "198.51.100.2");
	p->has_keepalive = true;
	p->keepalive_s = 30;
	p->keepalive_retry_s = 2;
	rig_config(&r->n[0]);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(1));
	keepalive(&r->n[0], true);
	sent = r->n[0].sent;
	rig_run(r, SECONDS(95));
	assert_int_equal(r->n[0].sent - sent, 3);
	r->n[0].cfg->profiles[0].has_keepalive = false;
	r->n[0].cfg->isakmp.keepalive_s = 0;
	rig_config(&r->n[0]);
	sent = r->n[0].sent;
	rig_run(r, SECONDS(100));
	assert_int_equal(r->n[0].sent, sent);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periodic_asks),
		cmocka_unit_test(on_demand_is_silent),
		cmocka_unit_test(silence_is_death),
		cmocka_unit_test(losses_are_survived),
		cmocka_unit_test(old_answers),
		cmocka_unit_test(falls_over_and_back),
		cmocka_unit_test(peer_without),
		cmocka_unit_test(configured_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
