/* Which static routes are in force.
 *
 *   192.168.1.0/24 gi0-1 --- router --- gi0-0 203.0.113.0/24 --- .2
 */
#include "build.h"

#include "platform/base/mem.h"
#include "platform/daemon/rib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	struct world *w;

	world_setup(state);
	w = *state;
	want_interface(w, "gi0-0", "203.0.113.1/24");
	want_interface(w, "gi0-1", "192.168.1.1/24");
	have_link(w, "gi0-0", true, true);
	have_addr(w, "gi0-0", "203.0.113.1/24");
	have_link(w, "gi0-1", true, true);
	have_addr(w, "gi0-1", "192.168.1.1/24");
	return 0;
}

static const char *chosen(struct world *w)
{
	static char out[2048];
	struct rib r;

	assert_int_equal(rib_select(&r, &w->cfg, &w->box), ERR_OK);
	out[0] = '\0';
	for (size_t i = 0; i < r.n; i++) {
		if (i > 0)
			strcat(out, "; ");
		strcat(out, route_text(&r.routes[i]));
	}
	rib_free(&r);
	return out;
}

static void next_hop_in_a_connected_network(void **state)
{
	struct world *w = *state;

	want_route(w, "0.0.0.0/0", "203.0.113.2", 1);
	want_route(w, "192.168.2.0/24", "192.168.1.254", 1);
	want_route(w, "10.0.0.0/8", "198.51.100.9", 200);
	/* The third one is found through the default route. */
	assert_string_equal(chosen(w),
		"0.0.0.0/0 [1] 203.0.113.2@gi0-0; 10.0.0.0/8 [200] 203.0.113.2@gi0-0; 192.168.2.0/24 [1] 192.168.1.254@gi0-1");
}

static void unreachable_next_hop_waits(void **state)
{
	struct world *w = *state;

	want_route(w, "10.0.0.0/8", "198.51.100.9", 1);
	assert_string_equal(chosen(w), "");
	w->box.links[0].carrier = false;
	want_route(w, "10.1.0.0/16", "203.0.113.2", 1);
	assert_string_equal(chosen(w), "");
	w->box.links[0].carrier = true;
	assert_string_equal(chosen(w), "10.1.0.0/16 [1] 203.0.113.2@gi0-0");
	w->box.links[0].up = false;
	assert_string_equal(chosen(w), "");
}

static void lowest_distance_wins_and_backup_takes_over(void **state)
{
	struct world *w = *state;

	want_route(w, "0.0.0.0/0", "192.168.1.254", 250);
	want_route(w, "0.0.0.0/0", "203.0.113.2", 1);
	assert_string_equal(chosen(w), "0.0.0.0/0 [1] 203.0.113.2@gi0-0");
	w->box.links[0].carrier = false;
	assert_string_equal(chosen(w), "0.0.0.0/0 [250] 192.168.1.254@gi0-1");
}

static void equal_distance_shares(void **state)
{
	struct world *w = *state;

	want_route(w, "10.0.0.0/8", "203.0.113.2", 1);
	want_route(w, "10.0.0.0/8", "192.168.1.254", 1);
	want_route(w, "10.0.0.0/8", "203.0.113.3", 2);
	assert_string_equal(chosen(w), "10.0.0.0/8 [1] 203.0.113.2@gi0-0 192.168.1.254@gi0-1");
}

static void by_interface_and_null(void **state)
{
	struct world *w = *state;

	want_route(w, "10.0.0.0/8", "Null0", 1);
	want_route(w, "10.1.0.0/16", "GigabitEthernet0/1", 1);
	want_route(w, "10.2.0.0/16", "GigabitEthernet0/1 172.16.0.1", 1);
	want_route(w, "10.3.0.0/16", "GigabitEthernet0/7", 1);
	assert_string_equal(chosen(w), "10.0.0.0/8 [1] Null0; 10.1.0.0/16 [1] @gi0-1; 10.2.0.0/16 [1] 172.16.0.1@gi0-1");
}

static void connected_beats_static(void **state)
{
	struct world *w = *state;

	want_route(w, "192.168.1.0/24", "203.0.113.2", 1);
	assert_string_equal(chosen(w), "");
	w->box.links[1].carrier = false;
	assert_string_equal(chosen(w), "192.168.1.0/24 [1] 203.0.113.2@gi0-0");
}

static void through_a_chain_but_not_through_itself(void **state)
{
	struct world *w = *state;

	want_route(w, "10.3.0.0/16", "10.2.0.1", 1);
	want_route(w, "10.2.0.0/16", "10.1.0.1", 1);
	want_route(w, "10.1.0.0/16", "203.0.113.2", 1);
	want_route(w, "172.16.0.0/16", "172.16.0.1", 1); /* itself */
	want_route(w, "172.20.0.0/16", "172.21.0.1", 1); /* each other */
	want_route(w, "172.21.0.0/16", "172.20.0.1", 1);
	assert_string_equal(chosen(w),
		"10.1.0.0/16 [1] 203.0.113.2@gi0-0; 10.2.0.0/16 [1] 203.0.113.2@gi0-0; 10.3.0.0/16 [1] 203.0.113.2@gi0-0");
}

static void next_hop_in_a_hole_is_not_reachable(void **state)
{
	struct world *w = *state;

	want_route(w, "0.0.0.0/0", "203.0.113.2", 1);
	want_route(w, "10.0.0.0/8", "Null0", 1);
	want_route(w, "172.16.0.0/16", "10.0.0.1", 1);
	assert_string_equal(chosen(w), "0.0.0.0/0 [1] 203.0.113.2@gi0-0; 10.0.0.0/8 [1] Null0");
}

static void distance_255_is_never_used(void **state)
{
	struct world *w = *state;

	want_route(w, "10.0.0.0/8", "203.0.113.2", 255);
	want_route(w, "10.1.0.0/16", "203.0.113.2", 254);
	assert_string_equal(chosen(w), "10.1.0.0/16 [254] 203.0.113.2@gi0-0");
}

/* Each allocation fails once: an error, never half a result. */
static void no_memory_is_an_error(void **state)
{
#ifdef POSTERN_FAULTS
	struct world *w = *state;
	enum err e = ERR_NOMEM;
	struct rib r;
	long n;

	want_route(w, "10.0.0.0/8", "203.0.113.2", 1);
	for (n = 1; e != ERR_OK; n++) {
		mem_fail_at(n);
		e = rib_select(&r, &w->cfg, &w->box);
		assert_true(e == ERR_OK || e == ERR_NOMEM);
	}
	mem_fail_at(0);
	assert_int_equal(n, 6);
	rib_free(&r);
	e = ERR_NOMEM;
	for (n = 1; e != ERR_OK; n++) {
		box_plan_free(&w->plan);
		mem_fail_at(n);
		e = plan_interfaces(&w->plan, &w->cfg, &w->box);
	}
	mem_fail_at(0);
	assert_true(n > 2);
#else
	(void)state;
#endif
}

static void ip_mtu_stands_in_the_routes(void **state)
{
	struct world *w = *state;

	w->interfaces[0].ip_mtu = 1400;
	w->box.addrs[0].bare = true;
	want_route(w, "0.0.0.0/0", "203.0.113.2", 1);
	want_route(w, "10.0.0.0/8", "192.168.1.2", 1);
	assert_string_equal(chosen(w),
		"203.0.113.0/24 [0] @gi0-0 mtu 1400; 0.0.0.0/0 [1] 203.0.113.2@gi0-0 mtu 1400; 10.0.0.0/8 [1] 192.168.1.2@gi0-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(next_hop_in_a_connected_network, setup, world_teardown),
		cmocka_unit_test_setup_teardown(unreachable_next_hop_waits, setup, world_teardown),
		cmocka_unit_test_setup_teardown(lowest_distance_wins_and_backup_takes_over, setup, world_teardown),
		cmocka_unit_test_setup_teardown(equal_distance_shares, setup, world_teardown),
		cmocka_unit_test_setup_teardown(by_interface_and_null, setup, world_teardown),
		cmocka_unit_test_setup_teardown(connected_beats_static, setup, world_teardown),
		cmocka_unit_test_setup_teardown(through_a_chain_but_not_through_itself, setup, world_teardown),
		cmocka_unit_test_setup_teardown(next_hop_in_a_hole_is_not_reachable, setup, world_teardown),
		cmocka_unit_test_setup_teardown(distance_255_is_never_used, setup, world_teardown),
		cmocka_unit_test_setup_teardown(no_memory_is_an_error, setup, world_teardown),
		cmocka_unit_test_setup_teardown(ip_mtu_stands_in_the_routes, setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
