/* What is protected: order, completeness, selectors. */
#include "datapath/plan.h"
#include "tests/unit/filter/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int index_of(void *ctx, const char *ifname)
{
	(void)ctx;
	return strcmp(ifname, "gi0-0") == 0 ? 7 : 0;
}

static const char two_sites[] = "interface GigabitEthernet0/0 203.0.113.1/24 in 101 map VPN\n"
				"interface GigabitEthernet0/1 192.168.1.1/24\n"
				"interface GigabitEthernet0/2 192.0.2.1/24 map VPN\n"
				"list 101 extended\n"
				" remark first\n"
				" permit esp any any\n"
				" deny ip any any\n"
				"list A extended\n"
				" deny ip host 192.168.1.5 192.168.2.0 0.0.0.255\n"
				" remark between\n"
				" permit ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255\n"
				"list B extended\n"
				" permit tcp 192.168.1.0 0.0.0.255 eq 80 any\n"
				"map VPN 10 A\n"
				"map VPN 15 A incomplete\n"
				"map VPN 17 NONE\n"
				"map VPN 20 B\n";

static struct plan derive(struct cfg *c)
{
	struct plan p;

	assert_int_equal(plan_derive(&p, c, index_of, NULL), ERR_OK);
	return p;
}

/* Interfaces in order, entries by sequence, lines by sequence; remarks and incomplete entries are not there. */
static void order(void **state)
{
	static const struct {
		unsigned map_seq, ace_seq;
		bool permit;
	} want[] = { { 10, 10, false }, { 10, 30, true }, { 20, 10, true } };
	struct cfg *c = build_cfg(two_sites);
	struct plan p = derive(c);

	(void)state;
	assert_int_equal(p.view.ninterfaces, 2);
	assert_int_equal(p.view.nentries, 6);
	for (size_t i = 0; i < 6; i++) {
		const struct backend_policy *e = &p.view.entries[i];

		assert_string_equal(e->id.interface, i < 3 ? "GigabitEthernet0/0" : "GigabitEthernet0/2");
		assert_string_equal(e->id.map, "VPN");
		assert_int_equal(e->id.map_seq, want[i % 3].map_seq);
		assert_int_equal(e->id.ace_seq, want[i % 3].ace_seq);
		assert_int_equal(e->ace.permit, want[i % 3].permit);
	}
	plan_free(&p);
	build_free(c);
}

static void interfaces(void **state)
{
	struct cfg *c = build_cfg(two_sites);
	struct plan p = derive(c);
	const struct backend_interface *i = p.view.interfaces;

	(void)state;
	assert_string_equal(i[0].ifname, "gi0-0");
	assert_int_equal(i[0].ifindex, 7);
	assert_int_equal(i[0].addr, 0xcb007101);
	assert_true(i[0].acl_in);
	assert_int_equal(i[0].nacl_in_entries, 2);
	assert_int_equal(i[0].acl_in_entries[0].protocol, 50);
	assert_int_equal(i[1].ifindex, 0);
	assert_false(i[1].acl_in);
	plan_free(&p);
	build_free(c);
}

/* A standard list looks at sources; a list without lines, or one that is not there, is none. */
static void inbound_lists(void **state)
{
	struct cfg *c = build_cfg("interface GigabitEthernet0/0 203.0.113.1/24 in 7 map VPN\n"
				  "interface GigabitEthernet0/1 203.0.114.1/24 in EMPTY map VPN\n"
				  "interface GigabitEthernet0/2 203.0.115.1/24 in NONE map VPN\n"
				  "list 7 standard\n permit 198.51.100.0 0.0.0.255\nlist EMPTY extended\n remark nothing\n");
	struct plan p;

	(void)state;
	c->acls[0].entries[0].protocol = 6;
	p = derive(c);
	assert_true(p.view.interfaces[0].acl_in);
	assert_int_equal(p.view.interfaces[0].acl_in_entries[0].protocol, -1);
	assert_int_equal(p.view.interfaces[0].acl_in_entries[0].dst_wild, 0xffffffff);
	assert_false(p.view.interfaces[1].acl_in);
	assert_false(p.view.interfaces[2].acl_in);
	plan_free(&p);
	build_free(c);
}

static struct dp_selectors selectors(const char *line, enum err want)
{
	char text[300];
	struct dp_selectors s;
	const char *why;
	struct cfg *c;

	snprintf(text, sizeof(text), "list X extended\n %s\n", line);
	c = build_cfg(text);
	assert_int_equal(plan_selectors(&c->acls[0].entries[0], &s, &why), want);
	assert_true((why != NULL) == (want != ERR_OK));
	build_free(c);
	return s;
}

static void selectors_of_lines(void **state)
{
	struct dp_selectors s = selectors("permit tcp 10.1.0.0 0.0.255.255 host 10.2.3.4 eq 443", ERR_OK);

	(void)state;
	assert_int_equal(addr_to_v4(s.local.from), 0x0a010000);
	assert_int_equal(addr_to_v4(s.local.to), 0x0a01ffff);
	assert_int_equal(addr_to_v4(s.remote.from), 0x0a020304);
	assert_int_equal(addr_to_v4(s.remote.to), 0x0a020304);
	assert_int_equal(s.protocol, 6);
	assert_int_equal(s.local.port_from, 0);
	assert_int_equal(s.local.port_to, 65535);
	assert_int_equal(s.remote.port_from, 443);
	assert_int_equal(s.remote.port_to, 443);

	s = selectors("permit ip any any", ERR_OK);
	assert_int_equal(addr_to_v4(s.remote.to), 0xffffffff);
	assert_int_equal(s.protocol, 0);
	s = selectors("permit udp any range 100 200 any gt 1023", ERR_OK);
	assert_int_equal(s.local.port_from, 100);
	assert_int_equal(s.local.port_to, 200);
	assert_int_equal(s.remote.port_from, 1024);

	/* An ID payload cannot say these. */
	selectors("permit ip 10.0.0.0 0.0.254.255 any", ERR_UNSUPPORTED);
	selectors("permit tcp any any neq 22", ERR_UNSUPPORTED);
	selectors("permit tcp any any eq 80 443", ERR_UNSUPPORTED);
}

static void still_permitted(void **state)
{
	struct cfg *c = build_cfg(two_sites);
	struct plan p = derive(c);
	struct dp_policy_id id = p.view.entries[1].id;
	struct dp_selectors sel = p.view.entries[1].sel;

	(void)state;
	assert_true(plan_permits(&p, &id, &sel));
	sel.local.to = addr_v4(0xc0a80110); /* within */
	assert_true(plan_permits(&p, &id, &sel));
	sel.local.to = addr_v4(0xc0a80200); /* beyond */
	assert_false(plan_permits(&p, &id, &sel));
	sel = p.view.entries[1].sel;
	id.ace_seq = 10; /* a deny */
	assert_false(plan_permits(&p, &id, &sel));
	id.ace_seq = 40;
	assert_false(plan_permits(&p, &id, &sel));
	assert_true(plan_negotiable(&p, &p.view.entries[1].id));
	plan_free(&p);
	build_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(interfaces),
		cmocka_unit_test(inbound_lists),
		cmocka_unit_test(selectors_of_lines),
		cmocka_unit_test(still_permitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
