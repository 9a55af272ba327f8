/* What the console is shown: counters and rates, rows of interfaces and routes, and the log lines of links. */
#include "build.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/daemon/counters.h"
#include "platform/daemon/dumps.h"
#include "platform/daemon/inventory.h"
#include "platform/daemon/linklog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND 1000000ULL

static void rates_follow_the_traffic(void **state)
{
	struct box_link l = { .ifname = "gi0-0" };
	struct counters c = { 0 };
	const struct counters_of *n;
	uint64_t now = 1000 * SECOND;

	(void)state;
	/* 125,000 bytes and 100 packets a second, for an hour: 1 Mbit/s. */
	for (int i = 0; i < 720; i++, now += 5 * SECOND) {
		assert_int_equal(counters_sample(&c, &l, now), ERR_OK);
		l.stats.rx_bytes += 5 * 125000;
		l.stats.rx_packets += 5 * 100;
	}
	n = counters_find(&c, "gi0-0");
	assert_true(n->rx_bps > 990000 && n->rx_bps < 1000001);
	assert_true(n->rx_pps > 99 && n->rx_pps < 100.1);
	assert_true(n->tx_bps == 0);
	/* Five quiet minutes: about 1/e is left. */
	for (int i = 0; i < 60; i++, now += 5 * SECOND)
		assert_int_equal(counters_sample(&c, &l, now), ERR_OK);
	assert_true(n->rx_bps > 340000 && n->rx_bps < 400000);
	counters_free(&c);
}

static void looking_often_does_not_change_the_rate(void **state)
{
	struct box_link l = { .ifname = "gi0-0" };
	struct counters c = { 0 };
	uint64_t now = 1000 * SECOND;
	const struct counters_of *n;

	(void)state;
	assert_int_equal(counters_sample(&c, &l, now), ERR_OK);
	l.stats.rx_bytes = 1000000;
	l.stats.rx_packets = 1;
	assert_int_equal(counters_sample(&c, &l, now + SECOND), ERR_OK);
	n = counters_find(&c, "gi0-0");
	assert_true(n->rx_bps == 0);
	assert_int_equal(n->input_us, now + SECOND);
	assert_int_equal(n->output_us, 0);
	/* The device was made anew and counts from zero. */
	l.stats.rx_bytes = 500;
	assert_int_equal(counters_sample(&c, &l, now + 5 * SECOND), ERR_OK);
	assert_true(n->rx_bps < 100);
	counters_free(&c);
}

/* Loopbacks are made, not found; a list that is the same is not written again. */
static void the_list_of_ports_is_kept(void **state)
{
	struct world *w = *state;
	struct inventory v = { 0 };
	char dir[] = "/tmp/postern-inventoryXXXXXX", path[64], text[100] = "";
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/" INVENTORY_FILE, dir);
	have_link(w, "gi0-0", true, true);
	have_link(w, "loop0", true, true);
	have_link(w, "ptap0", true, true);
	have_link(w, "gi0-10", false, false);
	assert_int_equal(inventory_update(&v, &w->box, dir), ERR_OK);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(text, "GigabitEthernet0/0\nGigabitEthernet0/10\n");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(inventory_update(&v, &w->box, dir), ERR_OK);
	assert_int_equal(access(path, F_OK), -1);
	have_link(w, "gi0-1", false, false);
	assert_int_equal(inventory_update(&v, &w->box, dir), ERR_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(inventory_update(&(struct inventory){ 0 }, &w->box, dir), ERR_SYS);
}

/* One frame of ten is bad; then none for a day. */
static void reliability_follows_the_errors(void **state)
{
	struct world *w = *state;
	struct box_link *l = have_link(w, "gi0-1", true, true);
	struct counters c = { 0 };
	struct platm_interface row;
	uint64_t now = 1000 * SECOND;

	for (int i = 0; i < 720; i++, now += 5 * SECOND) {
		assert_int_equal(counters_sample(&c, l, now), ERR_OK);
		l->stats.rx_packets += 90;
		l->stats.tx_packets += 90;
		l->stats.rx_errors += 5;
		l->stats.rx_crc += 5;
		l->stats.tx_errors += 15;
	}
	dump_interface(&row, NULL, l, &w->box, counters_find(&c, "gi0-1"), now);
	assert_in_range(row.reliability, 229, 230);
	assert_int_equal(row.count.rx_crc, 3600);
	for (int i = 0; i < 24 * 720; i++, now += 5 * SECOND) {
		assert_int_equal(counters_sample(&c, l, now), ERR_OK);
		l->stats.rx_packets += 90;
	}
	dump_interface(&row, NULL, l, &w->box, counters_find(&c, "gi0-1"), now);
	assert_int_equal(row.reliability, 255);
	counters_free(&c);
}

static void interface_rows(void **state)
{
	struct world *w = *state;
	struct cfg_interface *i = want_interface(w, "gi0-1", "10.0.0.1/24");
	struct counters_of n = { .rx_bps = 1499.6, .input_us = 5 * SECOND };
	struct box_link *l = have_link(w, "gi0-1", true, false);
	struct platm_interface row;

	have_addr(w, "gi0-1", "10.9.0.1/16");
	have_addr(w, "gi0-1", "10.0.0.1/24");
	l->stats.rx_packets = 42;
	i->ip_mtu = 1400;
	dump_interface(&row, i, l, &w->box, &n, 65 * SECOND);
	assert_string_equal(row.name, "GigabitEthernet0/1");
	assert_int_equal(row.present, 1);
	assert_int_equal(row.admin_up, 1);
	assert_int_equal(row.line_up, 0);
	assert_int_equal(row.mtu, 1500);
	assert_int_equal(row.ip_mtu, 1400);
	assert_true(addr_equal(row.ip, addr_v4(ip_of("10.0.0.1"))));
	assert_int_equal(row.prefix_len, 24);
	assert_int_equal(row.count.rx_packets, 42);
	assert_int_equal(row.rx_bps, 1500);
	assert_int_equal(row.last_input_s, 60);
	assert_true(row.last_output_s == UINT64_MAX);
	dump_interface(&row, i, NULL, &w->box, NULL, 0);
	assert_int_equal(row.present, 0);
	assert_string_equal(row.ifname, "gi0-1");
	assert_false(addr_is_set(row.ip));
}

static const char *table(struct world *w, const struct rib *rib)
{
	static char out[1024];
	struct platm_route *r = NULL;
	size_t n = dump_routes(&r, &w->box, rib), at = 0;
	char a[ADDR_TEXT], b[ADDR_TEXT];

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%c %s/%u [%u] %s %s", i ? "; " : "", r[i].kind,
			addr_print(a, r[i].prefix), r[i].prefix_len, r[i].distance, addr_print(b, r[i].next_hop), r[i].interface);
	mem_free(r);
	return out;
}

static void route_rows(void **state)
{
	struct world *w = *state;
	struct box_route *r;

	have_link(w, "gi0-0", true, true);
	have_addr(w, "gi0-0", "203.0.113.1/24");
	have_link(w, "loop0", true, false);
	have_addr(w, "loop0", "10.255.0.1/32");
	have_link(w, "gi0-1", true, false);
	have_addr(w, "gi0-1", "192.168.1.1/24");
	have_link(w, "ptap0", true, true);
	have_addr(w, "ptap0", "169.254.0.1/30");
	have_route(w, "203.0.113.0/24", NULL, "gi0-0", 0)->protocol = 2;
	have_route(w, "0.0.0.0/0", "203.0.113.2", "gi0-0", 5);
	have_route(w, "10.7.0.0/16", NULL, "ptap0", 0)->protocol = 4;
	r = have_route(w, "10.8.0.0/16", NULL, "gi0-0", 1);
	r->blackhole = true;
	r->nhops = 0;
	assert_string_equal(table(w, NULL), "S 0.0.0.0/0 [5] 203.0.113.2 GigabitEthernet0/0; S 10.8.0.0/16 [1] - Null0; "
					    "C 10.255.0.1/32 [0] - Loopback0; C 203.0.113.0/24 [0] - GigabitEthernet0/0; "
					    "L 203.0.113.1/32 [0] - GigabitEthernet0/0");
}

static void recursive_route_shows_what_was_configured(void **state)
{
	struct world *w = *state;
	struct box_route chosen;
	struct rib rib = { &chosen, 1 };

	have_link(w, "gi0-0", true, true);
	chosen = *have_route(w, "10.1.0.0/16", "203.0.113.2", "gi0-0", 1);
	chosen.hops[0].via = ip_of("198.51.100.9");
	assert_string_equal(table(w, &rib), "S 10.1.0.0/16 [1] 198.51.100.9 GigabitEthernet0/0");
}

static char said[1024];

static void hear(void *ctx, enum log_severity severity, const char *line)
{
	(void)ctx;
	(void)severity;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", line);
}

static void assert_says(struct linklog *l, const struct box *b, const char *lines)
{
	said[0] = '\0';
	assert_int_equal(linklog_update(l, b), ERR_OK);
	assert_string_equal(said, lines);
}

static void links_are_told_as_ios_does(void **state)
{
	struct world *w = *state;
	struct linklog l = { 0 };

	log_capture(hear, NULL);
	have_link(w, "gi0-0", true, true);
	have_link(w, "lo", true, true);
	assert_says(&l, &w->box,
		"%LINK-3-UPDOWN: Interface GigabitEthernet0/0, changed state to up\n"
		"%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0, changed state to up\n");
	assert_says(&l, &w->box, "");
	w->box.links[0].carrier = false;
	assert_says(&l, &w->box,
		"%LINK-3-UPDOWN: Interface GigabitEthernet0/0, changed state to down\n"
		"%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0, changed state to down\n");
	w->box.links[0].up = false;
	assert_says(&l, &w->box, "%LINK-5-CHANGED: Interface GigabitEthernet0/0, changed state to administratively down\n");
	w->box.links[0].up = w->box.links[0].carrier = true;
	assert_says(&l, &w->box,
		"%LINK-3-UPDOWN: Interface GigabitEthernet0/0, changed state to up\n"
		"%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0, changed state to up\n");
	w->box.links[0].up = w->box.links[0].carrier = false;
	assert_says(&l, &w->box,
		"%LINK-5-CHANGED: Interface GigabitEthernet0/0, changed state to administratively down\n"
		"%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0, changed state to down\n");
	w->box.links[0].up = true; /* no cable */
	assert_says(&l, &w->box, "%LINK-3-UPDOWN: Interface GigabitEthernet0/0, changed state to down\n");
	linklog_free(&l);
	log_capture(NULL, NULL);
}

static void a_restarted_program_learns_in_silence(void **state)
{
	struct world *w = *state;
	struct linklog l = { .silent = true };

	log_capture(hear, NULL);
	have_link(w, "gi0-0", true, true);
	have_link(w, "gi0-1", false, false);
	assert_says(&l, &w->box, "");
	w->box.links[0].carrier = false;
	assert_says(&l, &w->box,
		"%LINK-3-UPDOWN: Interface GigabitEthernet0/0, changed state to down\n"
		"%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0, changed state to down\n");
	linklog_free(&l);
	log_capture(NULL, NULL);
}

static void loopbacks_come_and_go(void **state)
{
	struct world *w = *state;
	struct linklog l = { 0 };

	log_capture(hear, NULL);
	have_link(w, "loop3", true, false);
	assert_says(&l, &w->box, "%LINEPROTO-5-UPDOWN: Line protocol on Interface Loopback3, changed state to up\n");
	w->box.nlinks = 0;
	assert_says(&l, &w->box,
		"%LINK-5-CHANGED: Interface Loopback3, changed state to administratively down\n"
		"%LINEPROTO-5-UPDOWN: Line protocol on Interface Loopback3, changed state to down\n");
	linklog_free(&l);
	log_capture(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_follow_the_traffic),
		cmocka_unit_test(looking_often_does_not_change_the_rate),
		cmocka_unit_test_setup_teardown(the_list_of_ports_is_kept, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(reliability_follows_the_errors, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(interface_rows, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(route_rows, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(recursive_route_shows_what_was_configured, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(links_are_told_as_ios_does, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(a_restarted_program_learns_in_silence, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(loopbacks_come_and_go, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
