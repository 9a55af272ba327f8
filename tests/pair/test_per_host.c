/* `set security-association level per-host`: each pair of hosts under a permit line has SAs of its own.
 *
 *     A 203.0.113.1, 192.168.1.0/24 ---- B 198.51.100.2, 192.168.2.0/24
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void ask(struct rig *r, uint8_t local, uint8_t remote)
{
	struct dpm_acquire a = { .policy = { .interface = "GigabitEthernet0/1", .map = "M", .map_seq = 10, .ace_seq = 10 },
		.src = addr_v4(0xc0a80100 | local),
		.dst = addr_v4(0xc0a80200 | remote) };

	ike_acquire(r->n[0].k, &a);
	rig_run(r, SECONDS(3));
}

static struct rig *make(uint64_t seed)
{
	struct rig *r = rig_new(seed, 2);

	rig_map(&r->n[0], 0)->per_host = true;
	rig_config(&r->n[0]);
	return r;
}

/* Inbound SAs of a node for exactly these hosts. */
static unsigned pairs_of(struct rig *r, int node, uint8_t local, uint8_t remote)
{
	unsigned n = 0;
	uint32_t own = node == 0 ? 0xc0a80100 : 0xc0a80200, other = node == 0 ? 0xc0a80200 : 0xc0a80100;

	for (size_t i = 0; i < r->n[node].nsas; i++) {
		const struct dp_selectors *s = &r->n[node].sas[i].sel;

		n += r->n[node].sas[i].key.inbound && addr_to_v4(s->local.from) == (own | local) &&
		     addr_equal(s->local.from, s->local.to) && addr_to_v4(s->remote.from) == (other | remote) &&
		     addr_equal(s->remote.from, s->remote.to);
	}
	return n;
}

static void each_pair(void **state)
{
	struct rig *r = make(1);

	(void)state;
	ask(r, 10, 20);
	assert_int_equal(pairs_of(r, 0, 10, 20), 1);
	assert_int_equal(pairs_of(r, 1, 20, 10), 1);
	ask(r, 11, 20);
	ask(r, 10, 21);
	assert_int_equal(rig_pairs(&r->n[0]), 3);
	assert_int_equal(pairs_of(r, 0, 11, 20), 1);
	assert_int_equal(pairs_of(r, 0, 10, 21), 1);
	assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 1);
	rig_free(r);
}

/* All of them are renewed, each for its own hosts, though they come due at once. */
static void each_renewed(void **state)
{
	struct rig *r = make(2);

	(void)state;
	for (uint8_t i = 1; i <= 5; i++)
		ask(r, i, i);
	rig_run(r, SECONDS(3700));
	assert_int_equal(rig_pairs(&r->n[0]), 5);
	for (uint8_t i = 1; i <= 5; i++) {
		assert_int_equal(pairs_of(r, 0, i, i), 1);
		assert_int_equal(pairs_of(r, 1, i, i), 1);
	}
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_pair), cmocka_unit_test(each_renewed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
