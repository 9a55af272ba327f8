/* `crypto session connect`: a negotiation that no traffic has asked for.
 *
 *     A 203.0.113.1 ---- B 198.51.100.2
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Each line of the map's entries begins; what is up stays as it is. */
static void each_line(void **state)
{
	struct ikem_connect all = { .map = "M" }, other = { .map = "N" }, twenty = { .map = "M", .seq = 20 };
	struct rig *r = rig_new(10, 2);
	struct ikem_connected done;

	(void)state;
	cfg_ace_add(r->n[0].cfg, "101", 20, true, "192.168.9.0", 24, "192.168.2.0", 24);
	cfg_ace_add(r->n[1].cfg, "101", 20, true, "192.168.2.0", 24, "192.168.9.0", 24);
	rig_config(&r->n[0]);
	rig_config(&r->n[1]);
	ike_connect(r->n[0].k, &other, &done);
	assert_int_equal(done.begun + done.up + done.passive, 0);
	ike_connect(r->n[0].k, &twenty, &done);
	assert_int_equal(done.begun + done.up + done.passive, 0);
	ike_connect(r->n[0].k, &all, &done);
	assert_int_equal(done.begun, 2);
	rig_run(r, SECONDS(5));
	assert_int_equal(rig_pairs(&r->n[0]), 2);
	assert_int_equal(rig_pairs(&r->n[1]), 2);
	assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 1);
	ike_connect(r->n[0].k, &all, &done);
	assert_true(done.begun == 0 && done.up == 2);
	rig_free(r);
}

/* Entries that only answer, or are incomplete, or stand on an interface that is down, begin nothing. */
static void nothing_to_begin(void **state)
{
	struct ikem_connect all = { .map = "M" };
	struct rig *r = rig_new(11, 2);
	struct ikem_connected done;

	(void)state;
	rig_map(&r->n[0], 0)->kind = MAP_DYNAMIC;
	rig_config(&r->n[0]);
	ike_connect(r->n[0].k, &all, &done);
	assert_true(done.begun == 0 && done.up == 0 && done.passive == 1);
	rig_map(&r->n[0], 0)->kind = MAP_ISAKMP;
	rig_map(&r->n[0], 0)->npeers = 0;
	rig_config(&r->n[0]);
	ike_connect(r->n[0].k, &all, &done);
	assert_int_equal(done.begun + done.up + done.passive, 0);
	rig_map(&r->n[0], 0)->npeers = 1;
	r->n[0].cfg->interfaces[0].shutdown = true;
	rig_config(&r->n[0]);
	ike_connect(r->n[0].k, &all, &done);
	assert_int_equal(done.begun + done.up + done.passive, 0);
	assert_int_equal(r->n[0].sent, 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_line), cmocka_unit_test(nothing_to_begin) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
