/* What is protected: order, completeness, selectors. */
#include "datapath/plan.h"
#include "datapath/prefixes.h"
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

static const struct dynamics none;

static struct plan derive(struct cfg *c)
{
	struct plan p;

	assert_int_equal(plan_derive(&p, c, &none, index_of, NULL), ERR_OK);
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

static struct dpm_dynamic negotiated(
	uint16_t map_seq, uint32_t number, const char *dynamic, uint32_t remote_from, uint32_t remote_to)
{
	struct dpm_dynamic d = { .id = { "GigabitEthernet0/0", "VPN", map_seq, DP_ACE_DYNAMIC | number },
		.sel = { .local = { addr_v4(0xc0a80100), addr_v4(0xc0a801ff), 0, 65535 },
			.remote = { addr_v4(remote_from), addr_v4(remote_to), 0, 65535 } },
		.peer = addr_v4(0xc6336402),
		.dynamic_seq = 10 };

	snprintf(d.dynamic, sizeof(d.dynamic), "%s", dynamic);
	return d;
}

/* What was negotiated stands in its map's place, behind the static entries before it and ahead of those after it. */
static void dynamic_policies(void **state)
{
	struct cfg *c = build_cfg("interface GigabitEthernet0/0 203.0.113.1/24 map VPN\nlist A extended\n permit ip any any\n"
				  "map VPN 10 A\nmap VPN 20 dynamic D\nmap VPN 30 A\ndynamic D 10\n");
	struct cfg *elsewhere = build_cfg("interface GigabitEthernet0/0 203.0.113.1/24 map VPN\nmap VPN 20 dynamic E\n"
					  "dynamic E 10\ndynamic D 10\n");
	struct dpm_dynamic first = negotiated(20, 7, "D", 0x0a000001, 0x0a000001), odd = first,
			   second = negotiated(20, 3, "D", 0x0a000002, 0x0a000009),
			   stray = negotiated(10, 4, "D", 0x0a000002, 0x0a000002);
	struct dynamics s = { 0 };
	struct plan p;

	(void)state;
	odd.id.ace_seq = 7;
	assert_int_equal(dynamics_put(&s, &odd), ERR_INVALID);
	odd = negotiated(20, 8, "D", 1, 0xfffffffe);
	odd.sel.local = odd.sel.remote;
	assert_int_equal(dynamics_put(&s, &odd), ERR_LIMIT);
	assert_true(dynamic_fits(c, &first) && !dynamic_fits(c, &stray) && !dynamic_fits(elsewhere, &first));
	assert_int_equal(dynamics_put(&s, &first), ERR_OK);
	assert_int_equal(dynamics_put(&s, &second), ERR_OK);
	assert_int_equal(dynamics_put(&s, &first), ERR_OK);
	assert_int_equal(s.n, 2);
	assert_int_equal(plan_derive(&p, c, &s, index_of, NULL), ERR_OK);
	assert_int_equal(p.view.nentries, 4);
	assert_true(p.view.entries[0].id.map_seq == 10 && p.view.entries[3].id.map_seq == 30);
	assert_true(plan_same_id(&p.view.entries[1].id, &first.id) && p.view.entries[1].kind == MAP_DYNAMIC);
	assert_true(plan_permits(&p, &second.id, &second.sel) && plan_negotiable(&p, &second.id));
	assert_false(plan_permits(&p, &first.id, &second.sel));
	assert_int_equal(dynamics_prune(&s, c), 0);
	assert_true(dynamics_del(&s, &first.id) && !dynamics_del(&s, &first.id));
	assert_int_equal(dynamics_prune(&s, elsewhere), 1);
	assert_int_equal(s.n, 0);
	dynamics_free(&s);
	plan_free(&p);
	build_free(c);
	build_free(elsewhere);
}

/* Of a list that is keyed by hand, what stands behind the first permit does not count. */
static void manual_first_permit(void **state)
{
	struct cfg *c = build_cfg("interface GigabitEthernet0/0 203.0.113.1/24 map VPN\nlist A extended\n remark x\n"
				  " deny ip host 10.0.0.1 any\n permit ip 10.0.0.0 0.0.0.255 any\n permit ip any any\n"
				  "map VPN 10 A manual\n");
	struct plan p = derive(c);

	(void)state;
	assert_int_equal(p.view.nentries, 2);
	assert_true(!p.view.entries[0].ace.permit && p.view.entries[1].ace.seq == 30 && p.view.entries[1].kind == MAP_MANUAL);
	plan_free(&p);
	build_free(c);
}

/* With local-address the map has one set of policies for all its interfaces, and each of them is matched on all. */
static void local_address(void **state)
{
	static struct cfg_map setting = { .name = "VPN", .local_interface = "Loopback0" };
	struct cfg *c = build_cfg("interface Loopback0 10.255.0.1/32\ninterface GigabitEthernet0/0 203.0.113.1/24 map VPN\n"
				  "interface GigabitEthernet0/1 203.0.114.1/24 map VPN\nlist A extended\n permit ip any any\n"
				  "map VPN 10 A\n");
	struct plan p;

	(void)state;
	c->map_settings = &setting;
	c->nmap_settings = 1;
	p = derive(c);
	assert_int_equal(p.view.nentries, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(p.view.entries[i].id.interface, "GigabitEthernet0/0");
		assert_int_equal(p.view.interfaces[i].addr, 0x0aff0001);
	}
	assert_string_equal(p.view.entries[0].interface, "GigabitEthernet0/0");
	assert_string_equal(p.view.entries[1].interface, "GigabitEthernet0/1");
	plan_free(&p);
	build_free(c);
}

static void prefixes(void **state)
{
	static const struct {
		uint32_t from, to, n;
	} want[] = { { 0, UINT32_MAX, 1 }, { 5, 5, 1 }, { 1, UINT32_MAX - 1, 62 }, { 0x0a000005, 0x0a0000c8, 9 }, { 0, 2, 2 },
		{ UINT32_MAX, UINT32_MAX, 1 }, { 0x80000000, UINT32_MAX, 1 } };
	struct prefix out[PREFIXES_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		size_t n = prefixes_of(out, want[i].from, want[i].to);
		uint64_t at = want[i].from;

		assert_int_equal(n, want[i].n);
		for (size_t k = 0; k < n; k++, at += 1ull + ~out[k - 1].mask)
			assert_true(out[k].addr == at && (out[k].addr & ~out[k].mask) == 0);
		assert_int_equal(at, 1ull + want[i].to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(interfaces),
		cmocka_unit_test(inbound_lists),
		cmocka_unit_test(selectors_of_lines),
		cmocka_unit_test(still_permitted),
		cmocka_unit_test(dynamic_policies),
		cmocka_unit_test(manual_first_permit),
		cmocka_unit_test(local_address),
		cmocka_unit_test(prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
