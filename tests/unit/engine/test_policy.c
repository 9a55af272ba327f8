/* Which entry a packet falls under, by IOS's rules. */
#include "enginerig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define A 0xc0a80105u
#define B 0xc0a80205u

static struct policy_table table;
static struct policy_set *set;
static struct backend_policy lines[16];
static size_t nlines;

static struct backend_policy *line(uint16_t map_seq, uint32_t ace_seq, bool permit)
{
	struct backend_policy *p = &lines[nlines++];

	*p = (struct backend_policy){
		.id = erig_id(map_seq, ace_seq), .interface = "GigabitEthernet0/0", .ace = erig_ace(RIG_LOCAL, 255, RIG_REMOTE, 255)
	};
	p->acl[0] = (char)('0' + map_seq);
	p->ace.permit = permit;
	return p;
}

static void build(void)
{
	const struct backend_interface f = { .name = "GigabitEthernet0/0", .ifname = "lo", .ifindex = 1 };
	const struct backend_policies from = { &f, 1, lines, nlines };

	assert_int_equal(policy_set_new(&set, &table, &from), ERR_OK);
}

static int reset(void **state)
{
	(void)state;
	nlines = 0;
	return 0;
}

static int done(void **state)
{
	(void)state;
	policy_set_free(set);
	policy_table_free(&table);
	table = (struct policy_table){ 0 };
	set = NULL;
	return 0;
}

static struct inner packet(uint8_t protocol, uint16_t dst_port)
{
	return (struct inner){ .src = A,
		.dst = B,
		.protocol = protocol,
		.src_port = 1000,
		.dst_port = dst_port,
		.len = 100,
		.header_len = 20,
		.upper = true };
}

/* The map sequence number and line that protect it, as seq * 1000 + line; 0: none. */
static uint32_t chosen(struct inner in)
{
	struct verdict v = policy_classify(set, 1, &in);

	return v.policy ? v.policy->id.map_seq * 1000u + v.policy->id.ace_seq : 0;
}

static void first_match_wins(void **state)
{
	(void)state;
	line(10, 10, true)->ace.protocol = 17;
	line(10, 20, true);
	line(20, 10, true);
	build();
	assert_int_equal(chosen(packet(17, 1)), 10010);
	assert_int_equal(chosen(packet(6, 1)), 10020);
}

static void deny_goes_to_the_next_sequence(void **state)
{
	struct verdict v;
	struct inner in = packet(17, 53);

	(void)state;
	line(10, 10, false)->ace.protocol = 17;
	line(10, 20, true);
	line(20, 10, false)->ace.dst_port = (struct cfg_port){ PORT_EQ, { 80 }, 1 };
	line(20, 20, true)->ace.protocol = 17;
	build();
	assert_int_equal(chosen(packet(6, 1)), 10020);
	assert_int_equal(chosen(in), 20020);
	assert_int_equal(chosen(packet(17, 80)), 0);
	v = policy_classify(set, 1, &in);
	assert_int_equal(v.nlines, 2);
	assert_int_equal(v.lines[0]->ace_seq, 10);
	assert_int_equal(v.lines[1]->ace_seq, 20);
	assert_null(policy_classify(set, 2, &in).policy); /* another interface */
}

static void wildcards_need_not_be_masks(void **state)
{
	struct inner in = packet(6, 1);

	(void)state;
	line(10, 10, true)->ace.src_wild = 0x000000fa; /* bits 0 and 2 count */
	build();
	in.src = RIG_LOCAL + 0xfa;
	assert_int_equal(chosen(in), 10010);
	in.src = RIG_LOCAL + 4;
	assert_int_equal(chosen(in), 0);
}

static bool port_in(enum cfg_port_op op, uint16_t a, uint16_t b, uint16_t port)
{
	struct cfg_ace ace = erig_ace(0, ~0u, 0, ~0u);
	struct inner in = packet(17, port);

	ace.dst_port = (struct cfg_port){ op, { a, b }, 2 };
	return ace_matches(&ace, &in);
}

static void ports(void **state)
{
	(void)state;
	assert_true(port_in(PORT_EQ, 5, 9, 9));
	assert_false(port_in(PORT_EQ, 5, 9, 7));
	assert_false(port_in(PORT_NEQ, 5, 9, 9));
	assert_true(port_in(PORT_NEQ, 5, 9, 7));
	assert_true(port_in(PORT_LT, 5, 0, 4));
	assert_false(port_in(PORT_LT, 5, 0, 5));
	assert_true(port_in(PORT_GT, 5, 0, 6));
	assert_false(port_in(PORT_GT, 5, 0, 5));
	assert_true(port_in(PORT_RANGE, 5, 9, 5));
	assert_true(port_in(PORT_RANGE, 5, 9, 9));
	assert_false(port_in(PORT_RANGE, 5, 9, 10));
}

static void fragments(void **state)
{
	struct cfg_ace l3 = erig_ace(0, ~0u, 0, ~0u), l4 = l3, only = l3;
	struct inner in = packet(17, 0);

	(void)state;
	l4.dst_port = (struct cfg_port){ PORT_EQ, { 53 }, 1 };
	only.fragments = true;
	in.later = true;
	in.upper = false;
	assert_true(ace_matches(&l3, &in));
	assert_true(ace_matches(&only, &in));
	assert_true(ace_matches(&l4, &in)); /* permit: by addresses alone */
	l4.permit = false;
	assert_false(ace_matches(&l4, &in));
	in = packet(17, 53);
	assert_true(ace_matches(&l4, &in));
	assert_false(ace_matches(&only, &in));
	in.upper = false; /* a first fragment too short for its ports matches no line that asks for them */
	assert_false(ace_matches(&l4, &in));
}

static void upper_details(void **state)
{
	struct cfg_ace est = erig_ace(0, ~0u, 0, ~0u), icmp = est, dscp = est;
	struct inner in = packet(6, 1);

	(void)state;
	est.established = true;
	in.tcp_flags = 0x02;
	assert_false(ace_matches(&est, &in));
	in.tcp_flags = 0x10;
	assert_true(ace_matches(&est, &in));
	icmp.protocol = 1;
	icmp.icmp_type = 8;
	in = packet(1, 0);
	in.icmp_type = 8;
	assert_true(ace_matches(&icmp, &in));
	in.icmp_type = 0;
	assert_false(ace_matches(&icmp, &in));
	dscp.dscp = 46;
	in.tos = 46 << 2 | 1;
	assert_true(ace_matches(&dscp, &in));
	in.tos = 0;
	assert_false(ace_matches(&dscp, &in));
}

static void esp_access_group(void **state)
{
	struct cfg_ace in_list[3] = { erig_ace(0, ~0u, 0, ~0u), erig_ace(7, 0, 0, ~0u), erig_ace(0, ~0u, 0, ~0u) };
	struct backend_interface f = { .name = "GigabitEthernet0/0",
		.ifname = "lo",
		.ifindex = 1,
		.acl_in = true,
		.acl_in_entries = in_list,
		.nacl_in_entries = 3 };
	const struct backend_policies from = { &f, 1, NULL, 0 };
	struct inner outer = { .src = 7, .dst = 9, .protocol = 50, .upper = true };

	(void)state;
	in_list[0].protocol = 6;
	in_list[1].permit = false;
	in_list[2].protocol = 50;
	assert_int_equal(policy_set_new(&set, &table, &from), ERR_OK);
	assert_false(policy_admits_ipsec(set, 1, &outer));
	outer.src = 8;
	assert_true(policy_admits_ipsec(set, 1, &outer));
	assert_true(policy_admits_ipsec(set, 2, &outer)); /* no list there */
	policy_set_free(set);
	f.nacl_in_entries = 2;
	assert_int_equal(policy_set_new(&set, &table, &from), ERR_OK);
	assert_false(policy_admits_ipsec(set, 1, &outer)); /* the implicit deny */
}

static void policies_outlive_sets(void **state)
{
	struct policy *p;

	(void)state;
	line(10, 10, true);
	build();
	p = set->entries[0].policy;
	policy_set_free(set);
	build();
	assert_ptr_equal(set->entries[0].policy, p);
	nlines = 0;
	policy_set_free(set);
	build();
	p->refs = 1; /* an SA */
	policy_sweep(&table, set);
	assert_ptr_equal(ipsec_policy_find(&table, &p->id), p);
	p->refs = 0;
	policy_sweep(&table, set);
	assert_null(table.all);
}

/* A policy of a dynamic map: a range of addresses, which no wildcard says; later fragments by addresses alone. */
static void dynamic_by_selectors(void **state)
{
	struct backend_policy *p = line(20, DP_ACE_DYNAMIC | 1, true);
	struct inner in = packet(17, 53);

	(void)state;
	p->kind = MAP_DYNAMIC;
	p->acl[0] = 0;
	p->sel.local = (struct dp_selector){ addr_v4(A - 1), addr_v4(A + 1), 0, 65535 };
	p->sel.remote = (struct dp_selector){ addr_v4(B), addr_v4(B + 2), 53, 53 };
	p->sel.protocol = 17;
	line(30, 10, true);
	build();
	assert_int_equal(chosen(in), 20000 + (DP_ACE_DYNAMIC | 1));
	in.src = A + 2;
	assert_int_equal(chosen(in), 30010);
	in = packet(17, 54);
	assert_int_equal(chosen(in), 30010);
	in.later = true;
	in.upper = false;
	assert_int_equal(chosen(in), 20000 + (DP_ACE_DYNAMIC | 1));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, reset, done)
	const struct CMUnitTest tests[] = { T(first_match_wins), T(deny_goes_to_the_next_sequence), T(wildcards_need_not_be_masks),
		T(dynamic_by_selectors), T(ports), T(fragments), T(upper_details), T(esp_access_group), T(policies_outlive_sets) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
