/* Lookups in a snapshot, names of interfaces, and the difference of two snapshots. */
#include "configdb/cfg.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static void interface_names(void **state)
{
	static const struct {
		const char *text, *ios, *kernel, *brief;
	} good[] = {
		{ "gi0/1", "GigabitEthernet0/1", "gi0-1", "Gi0/1" },
		{ "Gig 0/1", "GigabitEthernet0/1", "gi0-1", "Gi0/1" },
		{ "GIGABITETHERNET0/12", "GigabitEthernet0/12", "gi0-12", "Gi0/12" },
		{ "g0/0", "GigabitEthernet0/0", "gi0-0", "Gi0/0" },
		{ "lo0", "Loopback0", "loop0", "Lo0" },
		{ "Loopback 100", "Loopback100", "loop100", "Lo100" },
		{ "loopback2147483647", "Loopback2147483647", "loop2147483647", "Lo2147483647" },
	};
	static const char *const bad[] = { "", "gi", "gi0", "gi1/0", "gi0/", "gi0/1.5", "gi0/1x", "gi0/-1", "gi0/256", "0/1", "lo",
		"lo0/1", "lo2147483648", "lo99999999999999999999", "eth0", "GigabitEthernett0/1", "Null0", "gi 0 /1", "lo 1 2" };
	char ios[CFG_NAME], kernel[16], brief[16];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ifname_parse(ios, kernel, good[i].text), ERR_OK);
		assert_string_equal(ios, good[i].ios);
		assert_string_equal(kernel, good[i].kernel);
		ifname_short(brief, ios);
		assert_string_equal(brief, good[i].brief);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ifname_parse(ios, kernel, bad[i]), ERR_INVALID);
}

static void the_most_specific_key_wins(void **state)
{
	struct cfg_isakmp_key keys[] = {
		{ .secret_id = 4, .host = "peer.example.com" },
		{ .secret_id = 1, .addr = 0, .mask = 0 },
		{ .secret_id = 2, .addr = IP(198, 51, 100, 0), .mask = 0xffffff00 },
		{ .secret_id = 3, .addr = IP(198, 51, 100, 2), .mask = 0xffffffff },
	};
	struct cfg c = { .keys = keys, .nkeys = 4 };

	(void)state;
	assert_int_equal(cfg_key_for(&c, IP(198, 51, 100, 2))->secret_id, 3);
	assert_int_equal(cfg_key_for(&c, IP(198, 51, 100, 3))->secret_id, 2);
	assert_int_equal(cfg_key_for(&c, IP(203, 0, 113, 1))->secret_id, 1);
	c.nkeys = 1;
	assert_null(cfg_key_for(&c, 0));
}

static void entries_of_a_map_and_their_faults(void **state)
{
	struct cfg_acl acls[] = { { .name = "VPN", .extended = true }, { .name = "10", .extended = false } };
	struct cfg_transform_set sets[] = { { .name = "TS" } };
	struct cfg_map_entry maps[] = { { .map = "A", .seq = 10 }, { .map = "A", .seq = 20 }, { .map = "B", .seq = 5 } };
	struct cfg c = { .acls = acls, .nacls = 2, .sets = sets, .nsets = 1, .maps = maps, .nmaps = 3 };
	struct cfg_map_entry *e = &maps[0];

	(void)state;
	assert_ptr_equal(cfg_map_first(&c, "A"), &maps[0]);
	assert_ptr_equal(cfg_map_next(&c, &maps[0]), &maps[1]);
	assert_null(cfg_map_next(&c, &maps[1]));
	assert_null(cfg_map_next(&c, &maps[2]));
	assert_null(cfg_map_first(&c, "C"));
	assert_null(cfg_map_first(&c, ""));

	assert_string_equal(cfg_map_entry_fault(&c, e), "no peer");
	e->npeers = 1;
	assert_string_equal(cfg_map_entry_fault(&c, e), "no access-list");
	strcpy(e->acl, "NONE");
	assert_string_equal(cfg_map_entry_fault(&c, e), "access-list NONE does not exist");
	strcpy(e->acl, "10");
	assert_string_equal(cfg_map_entry_fault(&c, e), "access-list 10 is not an extended one");
	strcpy(e->acl, "VPN");
	assert_string_equal(cfg_map_entry_fault(&c, e), "no transform-set");
	e->nsets = 1;
	strcpy(e->sets[0], "OTHER");
	assert_string_equal(cfg_map_entry_fault(&c, e), "transform-set OTHER does not exist");
	e->nsets = 2;
	strcpy(e->sets[1], "TS");
	assert_null(cfg_map_entry_fault(&c, e));
}

static void each_change_names_its_table(void **state)
{
	struct cfg_ip second_a[] = { { 1, 2 } }, second_b[] = { { 1, 3 } };
	struct cfg_interface if_a[] = { { .name = "Loopback0", .secondary = second_a, .nsecondary = 1 } };
	struct cfg_interface if_b[] = { { .name = "Loopback0", .secondary = second_b, .nsecondary = 1 } };
	struct cfg_ace ace_a[] = { { .seq = 10, .src_port = { .op = PORT_EQ, .values = { 80, 1 }, .nvalues = 1 } } };
	struct cfg_ace ace_b[] = { { .seq = 10, .src_port = { .op = PORT_EQ, .values = { 80, 2 }, .nvalues = 1 } } };
	struct cfg_acl acl_a[] = { { .name = "VPN", .entries = ace_a, .nentries = 1 } };
	struct cfg_acl acl_b[] = { { .name = "VPN", .entries = ace_b, .nentries = 1 } };
	struct cfg_map_entry map_a[] = { { .map = "A", .seq = 1, .npeers = 1 } }, map_b[] = { map_a[0] };
	struct cfg_isakmp_key key_a[] = { { .secret_id = 1 } }, key_b[] = { { .secret_id = 2 } };
	struct cfg a = { .isakmp_enabled = true }, b = a;

	(void)state;
	assert_int_equal(cfg_diff(NULL, &a), CFG_ALL);
	assert_int_equal(cfg_diff(&a, &b), 0);
	/* What stands behind a NUL is nothing. */
	b.system.hostname[40] = 'x';
	b.revision = 7;
	assert_int_equal(cfg_diff(&a, &b), 0);
	b.system.banner_motd = (char *)"";
	assert_int_equal(cfg_diff(&a, &b), 0);
	b.system.banner_motd = (char *)"hi";
	assert_int_equal(cfg_diff(&a, &b), CFG_SYSTEM);
	b.system.enable_secret = true;
	assert_int_equal(cfg_diff(&a, &b), CFG_SYSTEM | CFG_USERS);

	b = a;
	a.interfaces = if_a, a.ninterfaces = 1, b.interfaces = if_b, b.ninterfaces = 1;
	assert_int_equal(cfg_diff(&a, &b), CFG_INTERFACES);
	second_b[0].mask = 2;
	a.acls = acl_a, a.nacls = 1, b.acls = acl_b, b.nacls = 1;
	assert_int_equal(cfg_diff(&a, &b), 0); /* an unused port value differs */
	ace_b[0].src_port.nvalues = 2;
	assert_int_equal(cfg_diff(&a, &b), CFG_ACLS);
	ace_b[0].src_port.nvalues = 1;
	a.maps = map_a, a.nmaps = 1, b.maps = map_b, b.nmaps = 1;
	map_b[0].peers[0].addr = 9;
	assert_int_equal(cfg_diff(&a, &b), CFG_CRYPTO_MAPS);
	map_b[0].peers[0].addr = 0;
	a.keys = key_a, a.nkeys = 1, b.keys = key_b, b.nkeys = 1;
	assert_int_equal(cfg_diff(&a, &b), CFG_ISAKMP);
	b.nkeys = 0;
	b.ipsec.lifetime_s = 1;
	b.nroutes = 0;
	assert_int_equal(cfg_diff(&a, &b), CFG_ISAKMP | CFG_IPSEC);

	a = b;
	struct cfg_aaa_list login_a[] = { { .name = "X" } }, login_b[] = { { .name = "X", .method = CFG_METHOD_NONE } };
	a.logins = login_a, a.nlogins = 1, b.logins = login_b, b.nlogins = 1;
	assert_int_equal(cfg_diff(&a, &b), CFG_USERS);
	b = a;
	struct cfg_pool pool_a[] = { { .name = "P", .low = 1, .high = 2 } }, pool_b[] = { { .name = "P", .low = 1, .high = 3 } };
	a.pools = pool_a, a.npools = 1, b.pools = pool_b, b.npools = 1;
	assert_int_equal(cfg_diff(&a, &b), CFG_ISAKMP);
	b = a;
	struct cfg_client_group group_a[] = { { .name = "G" } }, group_b[] = { { .name = "G", .banner = "hi" } };
	a.groups = group_a, a.ngroups = 1, b.groups = group_b, b.ngroups = 1;
	assert_int_equal(cfg_diff(&a, &b), CFG_ISAKMP);
	b = a;
	struct cfg_map set_a[] = { { .name = "M" } }, set_b[] = { { .name = "M", .config_respond = true } };
	a.map_settings = set_a, a.nmap_settings = 1, b.map_settings = set_b, b.nmap_settings = 1;
	assert_int_equal(cfg_diff(&a, &b), CFG_CRYPTO_MAPS);
}

/* Each thing of phase 1 by itself. */
static void phase1_changes(void **state)
{
	struct cfg_keyring ring[] = { { .name = "A" }, { .name = "B" } };
	struct cfg_isakmp_profile profile[] = { { .name = "P", .nmatch = 1 }, { .name = "P", .nmatch = 1 } };
	struct cfg_isakmp_peer peer[] = { { .addr = 1 }, { .addr = 1, .password_id = 1 } };
	struct cfg a = { .isakmp_enabled = true, .keyrings = &ring[0], .profiles = &profile[0], .isakmp_peers = &peer[0] };
	struct cfg b = a;

	(void)state;
	b.isakmp.nat_keepalive_s = 5;
	assert_int_equal(cfg_diff(&a, &b), CFG_ISAKMP);
	b = a;
	a.nkeyrings = b.nkeyrings = 1, b.keyrings = &ring[1];
	assert_int_equal(cfg_diff(&a, &b), CFG_ISAKMP);
	b = a;
	a.nprofiles = b.nprofiles = 1, b.profiles = &profile[1];
	assert_int_equal(cfg_diff(&a, &b), 0);
	profile[1].match[0].addr = 1;
	assert_int_equal(cfg_diff(&a, &b), CFG_ISAKMP);
	b = a;
	a.nisakmp_peers = b.nisakmp_peers = 1, b.isakmp_peers = &peer[1];
	assert_int_equal(cfg_diff(&a, &b), CFG_ISAKMP);
}

/* Keyrings are worlds of their own; names do not mind their case. */
static void keys_of_keyrings(void **state)
{
	struct cfg_isakmp_key keys[] = {
		{ .secret_id = 1, .addr = 0, .mask = 0 },
		{ .secret_id = 2, .addr = 0, .mask = 0, .keyring = "K" },
		{ .secret_id = 3, .addr = IP(10, 0, 0, 0), .mask = 0xff000000, .keyring = "K" },
		{ .secret_id = 4, .host = "gw.example.org", .keyring = "K" },
	};
	struct cfg c = { .keys = keys, .nkeys = 4 };

	(void)state;
	assert_int_equal(cfg_key_for(&c, IP(10, 1, 1, 1))->secret_id, 1);
	assert_int_equal(cfg_key_in(&c, "K", IP(10, 1, 1, 1))->secret_id, 3);
	assert_int_equal(cfg_key_in(&c, "K", IP(11, 1, 1, 1))->secret_id, 2);
	assert_int_equal(cfg_key_named(&c, "K", "GW.example.org")->secret_id, 4);
	assert_null(cfg_key_named(&c, "", "gw.example.org"));
	assert_null(cfg_key_in(&c, "L", IP(10, 1, 1, 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interface_names),
		cmocka_unit_test(the_most_specific_key_wins),
		cmocka_unit_test(entries_of_a_map_and_their_faults),
		cmocka_unit_test(each_change_names_its_table),
		cmocka_unit_test(phase1_changes),
		cmocka_unit_test(keys_of_keyrings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
