/* The crypto shows: rows in, screens out, and the lines by the expressions of those who parse them. */
#include "cli/exec/acl.h"
#include "cli/exec/crypto_session.h"
#include "cli/exec/ip_pool.h"
#include "cli/exec/isakmp.h"
#include "cli/exec/phase1.h"
#include "cli/exec/map.h"
#include "cli/exec/engine_active.h"
#include "cli/exec/transform.h"
#include "tests/unit/cli/screen.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#define LOCAL  0xcb007101 /* 203.0.113.1 */
#define REMOTE 0xc6336402 /* 198.51.100.2 */

static struct cfg_transform_set sets[] = {
	{ .name = "TS", .cipher = CIPHER_AES256, .auth = HASH_SHA256 },
	{ .name = "GCM", .cipher = CIPHER_AES256_GCM },
	{ .name = "BOTH", .ah = HASH_SHA1, .cipher = CIPHER_AES128, .auth = HASH_MD5, .transport = true, .esn = true },
	{ .name = "AH", .ah = HASH_SHA256 },
};
static struct cfg_ace aces[] = {
	{ .seq = 5, .remark = true, .text = "remark site B" },
	{ .seq = 10, .permit = true, .text = "permit ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255" },
	{ .seq = 20, .permit = false, .text = "deny ip any any" },
};
static struct cfg_ace standard[] = {
	{ .seq = 10, .permit = false, .src = 0x0a090304, .log = true },
	{ .seq = 20, .permit = true, .src = 0x0a000a00, .src_wild = 0x00ff00ff },
	{ .seq = 30, .permit = true, .src_wild = UINT32_MAX },
};
static struct cfg_acl acls[] = { { "7", false, true, standard, 3 }, { "101", true, true, aces, 3 } };
static struct cfg_interface interfaces[] = {
	{ .name = "GigabitEthernet0/0", .ifname = "gi0-0", .ip = { LOCAL, 0xffffff00 }, .crypto_map = "VPN" }
};
static struct cfg_map_entry maps[] = {
	{ .map = "VPN",
		.seq = 10,
		.peers = { { REMOTE, "", false } },
		.npeers = 1,
		.sets = { "TS", "GCM" },
		.nsets = 2,
		.acl = "101",
		.pfs = GROUP_14 },
	{ .map = "VPN", .seq = 20 },
};
static const struct cfg config = { .interfaces = interfaces,
	.ninterfaces = 1,
	.acls = acls,
	.nacls = 2,
	.sets = sets,
	.nsets = 4,
	.maps = maps,
	.nmaps = 2,
	.ipsec = { .lifetime_s = 3600, .lifetime_kb = 4608000, .replay_window = 64 } };

static struct dpm_policy_info policies[1];
static struct dpm_sa_info sas[2];
static struct ikem_sa ike[2];
static struct ikem_session uptime;

static struct dp_selector subnet(uint32_t net)
{
	return (struct dp_selector){ addr_v4(net), addr_v4(net | 0xff), 0, UINT16_MAX };
}

static void make_sa(struct dpm_sa_info *sa, bool inbound, uint32_t spi)
{
	*sa = (struct dpm_sa_info){
		.key = { .spi = spi, .protocol = 50, .inbound = inbound, .dst = addr_v4(inbound ? LOCAL : REMOTE) },
		.local = addr_v4(LOCAL),
		.remote = addr_v4(REMOTE),
		.policy = policies[0].id,
		.sel = policies[0].sel,
		.cipher = CIPHER_AES256,
		.auth = HASH_SHA256,
		.replay_window = 64,
		.conn_id = inbound ? 1 : 2,
		.ike_conn_id = 1001,
		.pfs_group = 14,
		.lifetime_s = 3600,
		.lifetime_kb = 4608000,
		.age_s = 100,
		.preferred = !inbound,
		.count = { 199, 2048 * 1024, 0 }
	};
}

static int setup(void **state)
{
	(void)state;
	alg_init();
	policies[0] = (struct dpm_policy_info){ .id = { "GigabitEthernet0/0", "VPN", 10, 10 },
		.sel = { subnet(0xc0a80100), subnet(0xc0a80200), 0 },
		.path_mtu = 1500,
		.plain_mtu = 1438,
		.out = { 199, 20000, 1 },
		.in = { 198, 19000, 3 },
		.drops = { [DP_DROP_REPLAY] = 2, [DP_DROP_BAD_ICV] = 1, [DP_DROP_NO_SA] = 1, [DP_DROP_AH_NAT] = 7 } };
	make_sa(&sas[0], true, 0x18906f9d);
	make_sa(&sas[1], false, 0x48bac7d3);
	ike[0] = (struct ikem_sa){ .conn_id = 1001,
		.version = 1,
		.state = QM_IDLE,
		.initiator = 1,
		.established = 1,
		.local = addr_v4(LOCAL),
		.remote = addr_v4(REMOTE),
		.local_port = 500,
		.remote_port = 500,
		.encryption = CIPHER_AES256,
		.hash = HASH_SHA256,
		.auth = 1,
		.group = GROUP_14,
		.lifetime_s = 86400,
		.remaining_s = 84303,
		.cap_nat = 1,
		.cap_dpd = 1,
		.identity = "198.51.100.2" };
	ike[1] = ike[0];
	ike[1].conn_id = 1002;
	ike[1].state = MM_NO_STATE;
	ike[1].deleted = 1;
	ike[1].established = 0;
	ike[1].initiator = 0;
	ike[1].cap_nat = ike[1].cap_dpd = 0;
	uptime = (struct ikem_session){ .interface = "GigabitEthernet0/0",
		.local = addr_v4(LOCAL),
		.remote = addr_v4(REMOTE),
		.remote_port = 500,
		.uptime_s = 40344 };
	return 0;
}

static struct ipsec_rows rows(size_t nsas)
{
	return (struct ipsec_rows){ .cfg = &config, .policies = policies, .npolicies = 1, .sas = sas, .nsas = nsas };
}

static void ipsec_sa(void **state)
{
	struct ipsec_rows with = rows(2), without = rows(0);
	struct ipsec_filter f = { 0 };
	struct captured c;

	(void)state;
	capture_begin(&c);
	show_ipsec_sa_format(&c.out, &with, &f);
	assert_golden(&c, "ipsec_sa");
	capture_begin(&c);
	show_ipsec_sa_format(&c.out, &without, &f);
	assert_golden(&c, "ipsec_sa_none");
	f.detail = true;
	capture_begin(&c);
	show_ipsec_sa_format(&c.out, &with, &f);
	assert_golden(&c, "ipsec_sa_detail");
}

static void ipsec_sa_filters(void **state)
{
	struct ipsec_rows r = rows(2);
	struct captured c;

	(void)state;
	capture_begin(&c);
	show_ipsec_sa_format(&c.out, &r, &(struct ipsec_filter){ .peer = addr_v4(1) });
	show_ipsec_sa_format(&c.out, &r, &(struct ipsec_filter){ .interface = "GigabitEthernet0/1" });
	assert_string_equal(capture_end(&c), "\nNo SAs found\n\nNo SAs found\n");
	capture_free(&c);
	capture_begin(&c);
	show_ipsec_sa_format(&c.out, &r, &(struct ipsec_filter){ .peer = addr_v4(REMOTE), .interface = "GigabitEthernet0/0" });
	assert_golden(&c, "ipsec_sa");
}

static void isakmp(void **state)
{
	struct captured c;

	(void)state;
	capture_begin(&c);
	show_isakmp_sa_format(&c.out, ike, 2);
	assert_golden(&c, "isakmp_sa");
	capture_begin(&c);
	show_isakmp_sa_detail_format(&c.out, ike, 2);
	assert_golden(&c, "isakmp_sa_detail");
	capture_begin(&c);
	show_isakmp_sa_count_format(&c.out, ike, 2);
	assert_golden(&c, "isakmp_sa_count");
}

/* Who the peers are, and how many are let in. */
static void phase1_peers_and_admission(void **state)
{
	struct ikem_sa rows[3] = { { .established = 1, .remote_port = 500, .identity = "old" },
		{ .established = 1,
			.remote_port = 4500,
			.identity = "gw.example.org",
			.vendors = "NAT-T RFC 3947, DPD",
			.profile = "P" },
		{ .established = 0 } };
	static struct cfg_isakmp_profile p[] = { { .name = "P",
		.nmatch = 3,
		.match = { { CFG_ID_ADDRESS, 0x0a000000, 0xff000000, "" }, { .kind = CFG_ID_HOST_DOMAIN, .text = "example.org" },
			{ .kind = CFG_ID_USER, .text = "joe@example.org" } },
		.nkeyrings = 2,
		.keyrings = { "A", "B" } } };
	const struct cfg cfg = { .profiles = p, .nprofiles = 1 };
	const struct ikem_admission a = { .max_negotiating = 1000,
		.sas = 3,
		.negotiating = 1,
		.children = 4,
		.incoming = 9,
		.incoming_rejected = 2,
		.outgoing = 5,
		.rejected_active = 2,
		.dropped = 7,
		.phase2_out = 4 };
	struct captured c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		rows[i].local = addr_v4(0xcb007101);
		rows[i].remote = addr_v4(REMOTE);
	}
	capture_begin(&c);
	show_isakmp_peers_format(&c.out, rows, 3);
	assert_golden(&c, "isakmp_peers");
	capture_begin(&c);
	show_isakmp_profile_format(&c.out, &cfg);
	assert_golden(&c, "isakmp_profile");
	capture_begin(&c);
	show_admission_format(&c.out, &a);
	assert_golden(&c, "call_admission");
}

static void isakmp_policy_and_key(void **state)
{
	const struct cfg_isakmp_policy p[] = { { 10, CIPHER_AES256, HASH_SHA256, 1, GROUP_5, 5000 },
		{ 20, CIPHER_DES, HASH_SHA1, 3, GROUP_1, 86400 } };
	const struct cfg_isakmp_key k[] = { { .secret_id = 1 }, { .secret_id = 2, .addr = REMOTE, .mask = UINT32_MAX },
		{ .secret_id = 3, .host = "gw.example" } };
	struct captured c;

	(void)state;
	capture_begin(&c);
	show_isakmp_policy_format(&c.out, p, 2);
	assert_golden(&c, "isakmp_policy");
	capture_begin(&c);
	show_isakmp_key_format(&c.out, k, 3);
	assert_golden(&c, "isakmp_key");
}

/* Entries that are keyed by hand, places of dynamic maps, and the dynamic maps themselves. */
static void map_kinds(void **state)
{
	static struct cfg_map_entry entries[] = {
		{ .map = "ALL",
			.kind = MAP_MANUAL,
			.seq = 5,
			.peers = { { REMOTE, "", false } },
			.npeers = 1,
			.sets = { "TS" },
			.nsets = 1,
			.acl = "101",
			.acl_in = "IN",
			.keys_in = { .esp_spi = 4096, .cipher_key_id = 1, .auth_key_id = 2, .cipher_len = 32, .auth_len = 32 },
			.keys_out = { .esp_spi = 4097, .cipher_key_id = 1, .auth_key_id = 2, .cipher_len = 16, .auth_len = 32 } },
		{ .map = "ALL", .kind = MAP_DYNAMIC, .seq = 65534, .dynamic = "ROAD" },
		{ .map = "ALL", .kind = MAP_DYNAMIC, .seq = 65535, .dynamic = "NONE" },
	};
	static struct cfg_map_entry dynamics[] = {
		{ .map = "ROAD", .seq = 10, .sets = { "GCM" }, .nsets = 1, .idle_s = 600, .reverse_route = RRI_ON }
	};
	static struct cfg_map setting = { .name = "ALL", .local_interface = "GigabitEthernet0/0" };
	struct cfg with = config;
	struct ipsec_rows r = { .cfg = &with };
	struct captured c;

	(void)state;
	with.maps = entries;
	with.nmaps = 3;
	with.dynamics = dynamics;
	with.ndynamics = 1;
	with.map_settings = &setting;
	with.nmap_settings = 1;
	capture_begin(&c);
	show_map_format(&c.out, &r, NULL, NULL);
	show_dynamic_map_format(&c.out, &with, NULL);
	assert_golden(&c, "map_kinds");
}

/* AH around ESP: two SAs in each direction, each under its protocol. */
static void bundle(void **state)
{
	struct dpm_sa_info four[4] = { sas[0], sas[0], sas[1], sas[1] };
	struct ipsec_rows r = rows(2);
	struct captured c;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		four[i].transport = 1;
		four[i].bundle_spi = four[i].key.spi + (i % 2 == 0);
		if (i % 2 == 0)
			continue;
		four[i].key.protocol = 51;
		four[i].cipher = CIPHER_NONE;
		four[i].auth = HASH_SHA1;
		four[i].key.spi++;
		four[i].conn_id += 2;
	}
	r.sas = four;
	r.nsas = 4;
	capture_begin(&c);
	show_ipsec_sa_format(&c.out, &r, &(struct ipsec_filter){ 0 });
	assert_golden(&c, "ipsec_sa_bundle");
}

static void engine_active(void **state)
{
	struct dpm_sa_info three[3] = { sas[0], sas[1], sas[1] };
	struct captured c;

	(void)state;
	three[0].sequence = 23;
	three[1].cipher = CIPHER_AES128_GCM;
	three[1].auth = HASH_NONE;
	three[2].key.protocol = 51;
	three[2].cipher = CIPHER_NONE;
	three[2].auth = HASH_SHA1;
	capture_begin(&c);
	show_engine_active_format(&c.out, three, 3, ike, 2);
	assert_golden(&c, "engine_active");
}

static void map_and_sets(void **state)
{
	struct ipsec_rows r = rows(2);
	struct captured c;

	(void)state;
	capture_begin(&c);
	show_map_format(&c.out, &r, NULL, NULL);
	assert_golden(&c, "map");
	capture_begin(&c);
	show_transform_sets_format(&c.out, sets, 4);
	lifetime_print(&c.out, "", 2560, 300);
	assert_golden(&c, "transform_set");
}

static void session(void **state)
{
	struct session_rows r = { .ipsec = rows(2), .ike = ike, .nike = 1, .uptimes = &uptime, .nuptimes = 1 };
	struct captured c;

	(void)state;
	capture_begin(&c);
	show_session_format(&c.out, &r, &(struct session_filter){ 0 });
	assert_golden(&c, "session");
	capture_begin(&c);
	show_session_format(&c.out, &r, &(struct session_filter){ .detail = true });
	assert_golden(&c, "session_detail");
	capture_begin(&c);
	show_session_format(&c.out, &r, &(struct session_filter){ .brief = true });
	assert_golden(&c, "session_brief");
	assert_string_equal(session_status(true, false, false), "UP-IDLE");
	assert_string_equal(session_status(false, false, true), "UP-NO-IKE");
	assert_string_equal(session_status(false, true, false), "DOWN-NEGOTIATING");
	assert_string_equal(session_status(false, false, false), "DOWN");
}

static void access_lists(void **state)
{
	const struct dpm_acl_count counts[] = { { "101", 10, 57 }, { "101", 10, 1 }, { "7", 20, 1 }, { "other", 20, 9 } };
	struct captured c;

	(void)state;
	capture_begin(&c);
	show_acl_format(&c.out, &acls[0], counts, 4);
	show_acl_format(&c.out, &acls[1], counts, 4);
	assert_golden(&c, "access_lists");
}

static void selectors(void **state)
{
	struct dp_selector s = { addr_v4(0x0a000001), addr_v4(0x0a000001), 80, 80 };
	char out[128];

	(void)state;
	assert_string_equal(selector_print(out, &s, 6), "10.0.0.1/255.255.255.255/6/80");
	s.to = addr_v4(0x0a000005);
	assert_string_equal(selector_print(out, &s, 17), "10.0.0.1-10.0.0.5/17/80");
	s = (struct dp_selector){ addr_v4(0), addr_v4(UINT32_MAX), 0, UINT16_MAX };
	assert_string_equal(selector_print(out, &s, 0), "0.0.0.0/0.0.0.0/0/0");
}

/* Each pattern finds a line. They are those of the parser libraries, in POSIX's spelling. */
static void assert_parsed(const char *text, const char *const *patterns)
{
	for (; *patterns != NULL; patterns++) {
		regex_t re;

		assert_int_equal(regcomp(&re, *patterns, REG_EXTENDED | REG_NEWLINE), 0);
		if (regexec(&re, text, 0, NULL, 0) != 0)
			fail_msg("no line is %s in\n%s", *patterns, text);
		regfree(&re);
	}
}

static void parsers_read_them(void **state)
{
	static const char *const patterns[] = { "^interface: +[A-Za-z0-9_/]+$",
		"^ *Crypto map tag: [A-Za-z0-9_-]+, +local addr [0-9.]+$",
		"^ *local +ident \\(addr/mask/prot/port\\): \\([0-9./]+\\)$", "^ *current_peer [0-9.]+ port [0-9]+$",
		"^ *PERMIT, flags=\\{[a-z_,]*\\}$", "^ *#pkts encaps: 199, #pkts encrypt: 199, #pkts digest: 199$",
		"^ *##pkts replay failed \\(rcv\\): 2$", "^ *current outbound spi: 0x[0-9A-F]+\\([0-9]+\\)$",
		"^ *PFS \\(Y/N\\): Y, DH group: group14$", "^ *transform: [a-z0-9 -]+ ,$", "^ *in use settings =\\{Tunnel, \\}$",
		"^ *conn id: [0-9]+, flow_id: [A-Za-z0-9_]+:[0-9]+, sibling_flags [0-9A-F]+, crypto map: VPN$",
		"^ *sa timing: remaining key lifetime \\(k/sec\\): \\([0-9]+/[0-9]+\\)$", "^ *IV size: 16 bytes$",
		"^ *replay detection support: Y +replay window size: 64$", "^ *Status: ACTIVE\\(ACTIVE\\)$", NULL };
	static const char *const row[] = { "^[0-9]+ +[0-9.]+ +[0-9.]+ +ACTIVE +aes +sha256 +psk +14 +23:25:03 +DN *$",
		"^ *Engine-id:Conn-id += +SW:1$", NULL };
	struct ipsec_rows r = rows(2);
	struct captured c;

	(void)state;
	capture_begin(&c);
	show_ipsec_sa_format(&c.out, &r, &(struct ipsec_filter){ .detail = true });
	assert_parsed(capture_end(&c), patterns);
	capture_free(&c);
	capture_begin(&c);
	show_isakmp_sa_detail_format(&c.out, ike, 1);
	assert_parsed(capture_end(&c), row);
	capture_free(&c);
}

static struct cfg_pool ranges[] = { { "CLIENTS", 0x0a0a0001, 0x0a0a0003 }, { "CLIENTS", 0x0a0a0201, 0x0a0a0201 },
	{ "SPARE", 0x0a0b0001, 0x0a0b00fe } };

/* A client: its name and address in the session, and in the pool. */
static void clients(void **state)
{
	struct session_rows r = { .ipsec = rows(2), .ike = ike, .nike = 1, .uptimes = &uptime, .nuptimes = 1 };
	struct cfg cfg = { .pools = ranges, .npools = 3 };
	struct ikem_sa saved = ike[0];
	struct captured c;

	(void)state;
	snprintf(ike[0].user, sizeof(ike[0].user), "alice");
	snprintf(ike[0].group_name, sizeof(ike[0].group_name), "STAFF");
	ike[0].assigned = addr_v4(0x0a0a0002);
	capture_begin(&c);
	show_session_format(&c.out, &r, &(struct session_filter){ 0 });
	assert_golden(&c, "session_client");
	capture_begin(&c);
	show_session_format(&c.out, &r, &(struct session_filter){ .brief = true });
	assert_golden(&c, "session_client_brief");
	capture_begin(&c);
	assert_true(show_pool_format(&c.out, &cfg, ike, 2, NULL));
	assert_golden(&c, "ip_local_pool");
	capture_begin(&c);
	assert_true(show_pool_format(&c.out, &cfg, ike, 2, "CLIENTS"));
	assert_golden(&c, "ip_local_pool_one");
	capture_begin(&c);
	assert_false(show_pool_format(&c.out, &cfg, ike, 2, "NONE"));
	capture_free(&c);
	ike[0] = saved;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipsec_sa),
		cmocka_unit_test(ipsec_sa_filters),
		cmocka_unit_test(isakmp),
		cmocka_unit_test(phase1_peers_and_admission),
		cmocka_unit_test(isakmp_policy_and_key),
		cmocka_unit_test(bundle),
		cmocka_unit_test(engine_active),
		cmocka_unit_test(map_and_sets),
		cmocka_unit_test(map_kinds),
		cmocka_unit_test(session),
		cmocka_unit_test(clients),
		cmocka_unit_test(access_lists),
		cmocka_unit_test(selectors),
		cmocka_unit_test(parsers_read_them),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
