/* Wanted against actual: which operations, in which order. */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *planned(struct world *w)
{
	box_plan_free(&w->plan);
	assert_int_equal(plan_interfaces(&w->plan, &w->cfg, &w->box), ERR_OK);
	return plan_text(w);
}

static const char *planned_routes(struct world *w, const struct box_route *want, size_t n)
{
	box_plan_free(&w->plan);
	assert_int_equal(plan_routes(&w->plan, want, n, &w->box), ERR_OK);
	return plan_text(w);
}

static void bare_box_gets_all(void **state)
{
	struct world *w = *state;
	struct cfg_interface *i = want_interface(w, "gi0-0", "203.0.113.1/24");

	want_secondary(w, i, "203.0.114.1/24");
	i->mtu = 1400;
	want_interface(w, "loop0", "10.255.0.1/32");
	have_link(w, "gi0-0", false, false);
	assert_string_equal(planned(w), "mtu gi0-0 1400; add gi0-0 203.0.113.1/24; add gi0-0 203.0.114.1/24; up gi0-0; "
					"create loop0; add loop0 10.255.0.1/32; up loop0");
}

static void finished_box_is_left_alone(void **state)
{
	struct world *w = *state;

	want_interface(w, "gi0-0", "203.0.113.1/24");
	want_interface(w, "loop0", "10.255.0.1/32");
	have_link(w, "gi0-0", true, true);
	have_addr(w, "gi0-0", "203.0.113.1/24");
	have_link(w, "loop0", true, false);
	have_addr(w, "loop0", "10.255.0.1/32");
	assert_string_equal(planned(w), "");
}

static void others_are_never_touched(void **state)
{
	static const char *const foreign[] = { "lo", "eth0", "ptap0", "gi0-", "gi0-1x", "gi1-0", "loop", "loopback", "docker0" };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		have_link(w, foreign[i], true, true);
		have_addr(w, foreign[i], "192.0.2.1/24");
	}
	assert_string_equal(planned(w), "");
}

static void unconfigured_port_is_shut_and_emptied(void **state)
{
	struct world *w = *state;

	have_link(w, "gi0-3", true, true);
	have_addr(w, "gi0-3", "192.0.2.1/24");
	have_link(w, "loop7", true, true);
	assert_string_equal(planned(w), "del gi0-3 192.0.2.1/24; down gi0-3; remove loop7");
}

static void address_changes_length_and_interface(void **state)
{
	struct world *w = *state;

	want_interface(w, "gi0-0", "10.0.0.1/25");
	want_interface(w, "gi0-1", "10.1.0.1/24");
	have_link(w, "gi0-0", true, true);
	have_link(w, "gi0-1", true, true);
	have_addr(w, "gi0-0", "10.0.0.1/24");
	have_addr(w, "gi0-0", "10.1.0.1/24");
	/* What goes, goes first: the address moves to gi0-1. */
	assert_string_equal(
		planned(w), "del gi0-0 10.0.0.1/24; del gi0-0 10.1.0.1/24; add gi0-0 10.0.0.1/25; add gi0-1 10.1.0.1/24");
}

static void order_within_a_subnet_is_restored(void **state)
{
	struct world *w = *state;
	struct cfg_interface *i = want_interface(w, "gi0-0", "10.0.0.1/24");

	want_secondary(w, i, "10.0.0.2/24");
	have_link(w, "gi0-0", true, true);
	have_addr(w, "gi0-0", "10.0.0.2/24");
	have_addr(w, "gi0-0", "10.0.0.1/24")->below = true;
	assert_string_equal(
		planned(w), "del gi0-0 10.0.0.2/24; del gi0-0 10.0.0.1/24; add gi0-0 10.0.0.1/24; add gi0-0 10.0.0.2/24");
}

static void shutdown_takes_the_addresses(void **state)
{
	struct world *w = *state;

	want_interface(w, "gi0-0", "10.0.0.1/24")->shutdown = true;
	have_link(w, "gi0-0", true, true);
	have_addr(w, "gi0-0", "10.0.0.1/24");
	assert_string_equal(planned(w), "del gi0-0 10.0.0.1/24; down gi0-0");
}

static void ip_mtu_takes_the_route_over(void **state)
{
	struct world *w = *state;

	want_interface(w, "gi0-0", "10.0.0.1/24")->ip_mtu = 1400;
	have_link(w, "gi0-0", true, true);
	have_addr(w, "gi0-0", "10.0.0.1/24");
	assert_string_equal(planned(w), "del gi0-0 10.0.0.1/24; add gi0-0 10.0.0.1/24 bare");
}

static void what_cannot_be_is_a_fault(void **state)
{
	struct world *w = *state;
	struct cfg_interface *absent = want_interface(w, "gi0-9", "10.0.0.1/24"),
			     *wrong = want_interface(w, "loop1", "10.0.0.2/32");

	have_link(w, "loop1", true, true)->bridge = false;
	have_addr(w, "loop1", "192.0.2.1/24");
	assert_string_equal(planned(w), "");
	assert_string_equal(plan_fault(absent, &w->box), "no such device");
	assert_string_equal(plan_fault(wrong, &w->box), "a device of another kind has this name");
}

static void routes_differ_by_content(void **state)
{
	struct world *w = *state;
	struct box_route want[2];

	want[0] = *have_route(w, "10.1.0.0/16", "203.0.113.2", "gi0-0", 1);
	want[1] = *have_route(w, "10.2.0.0/16", "203.0.113.2", "gi0-0", 1);
	assert_string_equal(planned_routes(w, want, 2), "");
	want[1].hops[0].gateway = ip_of("203.0.113.3");
	assert_string_equal(planned_routes(w, want, 2), "put 10.2.0.0/16 [1] 203.0.113.3@gi0-0");
	want[1].metric = 5;
	/* The new one stands before the old one goes. */
	assert_string_equal(
		planned_routes(w, want, 2), "put 10.2.0.0/16 [5] 203.0.113.3@gi0-0; drop 10.2.0.0/16 [1] 203.0.113.2@gi0-0");
}

static void routes_of_others_stay(void **state)
{
	struct world *w = *state;

	have_route(w, "0.0.0.0/0", "203.0.113.2", "gi0-0", 0)->protocol = 3;
	have_route(w, "10.1.0.0/16", NULL, "ptap0", 0)->protocol = 4;
	have_route(w, "10.9.0.0/16", "203.0.113.2", "gi0-0", 1);
	assert_string_equal(planned_routes(w, NULL, 0), "drop 10.9.0.0/16 [1] 203.0.113.2@gi0-0");
}

static void paths_in_any_order_are_the_same(void **state)
{
	struct world *w = *state;
	struct box_route *r = have_route(w, "10.1.0.0/16", "203.0.113.2", "gi0-0", 1), want;

	r->hops[r->nhops++] = (struct box_hop){ "gi0-1", ip_of("192.168.1.2"), 0 };
	want = *r;
	want.hops[0] = r->hops[1];
	want.hops[1] = r->hops[0];
	assert_string_equal(planned_routes(w, &want, 1), "");
	want.nhops = 1;
	assert_string_equal(planned_routes(w, &want, 1), "put 10.1.0.0/16 [1] 192.168.1.2@gi0-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bare_box_gets_all, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(finished_box_is_left_alone, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(others_are_never_touched, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(unconfigured_port_is_shut_and_emptied, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(address_changes_length_and_interface, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(order_within_a_subnet_is_restored, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(shutdown_takes_the_addresses, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(ip_mtu_takes_the_route_over, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_is_a_fault, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(routes_differ_by_content, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(routes_of_others_stay, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(paths_in_any_order_are_the_same, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
