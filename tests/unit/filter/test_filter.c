/* The nftables text: golden, and loaded for real where that is allowed. UPDATE_GOLDEN=1 writes the files anew. */
#include "datapath/filter/filter.h"
#include "datapath/filter/list.h"
#include "datapath/filter/live.h"
#include "datapath/filter/nft.h"
#include "platform/base/log.h"
#include "tests/unit/filter/build.h"

#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* gi0-9 is not there. */
static int index_of(void *ctx, const char *ifname)
{
	static const char *const known[] = { "gi0-0", "gi0-1", "gi0-2", "loop0", "ptap0" };

	(void)ctx;
	for (int i = 0; i < 5; i++)
		if (strcmp(ifname, known[i]) == 0)
			return i + 2;
	return 0;
}

static const struct filter_env env = { .ifindex = index_of, .tap = "ptap0" };

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(text);
	if (f) {
		text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
		fclose(f);
	}
	return text;
}

static void text_for(struct text *t, const struct cfg *c)
{
	struct filter f;

	assert_int_equal(filter_generate(&f, c, &env), ERR_OK);
	filter_program(t, &f, "postern_a", "postern_b");
	filter_free(&f);
}

static void golden(void **state)
{
	static const char *const names[] = { "router", "plain" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		char cfg_path[100], nft_path[100];
		struct text t = { 0 };

		snprintf(cfg_path, sizeof(cfg_path), "tests/unit/filter/golden/%s.cfg", names[i]);
		snprintf(nft_path, sizeof(nft_path), "tests/unit/filter/golden/%s.nft", names[i]);
		char *text = slurp(cfg_path);
		struct cfg *c = build_cfg(text);

		text_for(&t, c);
		if (getenv("UPDATE_GOLDEN")) {
			FILE *f = fopen(nft_path, "w");

			assert_non_null(f);
			fputs(text_of(&t), f);
			fclose(f);
		}
		char *want = slurp(nft_path);

		assert_string_equal(text_of(&t), want);
		free(want);
		free(text);
		text_free(&t);
		build_free(c);
	}
}

/* A thousand lines are a few rules. */
static void long_list(void **state)
{
	struct text in = { 0 }, out = { 0 };
	int rules = 0;
	struct cfg *c;

	(void)state;
	text_put(&in, "interface GigabitEthernet0/0 203.0.113.1/24 in LONG map VPN\nlist LONG extended\n");
	for (int i = 0; i < 1000; i++)
		text_put(&in, " %s tcp host 10.0.%d.%d any eq %d\n", i % 2 ? "permit" : "deny", i / 250, i % 250, 1000 + i);
	text_put(&in, " permit ip any any\nmap VPN 10 LONG\n");
	c = build_cfg(text_of(&in));
	text_for(&out, c);
	for (const char *p = text_of(&out); (p = strstr(p, " vmap @")) != NULL; p++)
		rules++;
	/* in, out and mirrored, for TCP and for later fragments */
	assert_in_range(rules, 4, 10);
	text_free(&in);
	text_free(&out);
	build_free(c);
}

/* Where a dynamic map stands, the egress hook takes what was negotiated, and in mirror image clear text is dropped. */
static void dynamic_entries(void **state)
{
	struct cfg *c = build_cfg("interface GigabitEthernet0/0 203.0.113.1/24 map VPN\nlist A extended\n permit ip any any\n"
				  " permit tcp any any\nmap VPN 10 dynamic D\nmap VPN 20 A manual\ndynamic D 5\n");
	struct dpm_dynamic p = { .id = { "GigabitEthernet0/0", "VPN", 10, DP_ACE_DYNAMIC },
		.sel = { .local = { addr_v4(0x0a010000), addr_v4(0x0a01ffff), 0, 65535 },
			.remote = { addr_v4(0x0a000005), addr_v4(0x0a000006), 0, 65535 } },
		.dynamic_seq = 5 };
	struct dynamics one = { &p, 1, 1 };
	const struct filter_env with = { .ifindex = index_of, .tap = "ptap0", .dynamics = &one };
	struct filter f;
	const char *text;

	(void)state;
	assert_int_equal(filter_generate(&f, c, &with), ERR_OK);
	text = text_of(&f.netdev);
	assert_non_null(strstr(text, "10.1.0.0-10.1.255.255 . 10.0.0.5 : goto engine,"));
	assert_non_null(strstr(text, "10.1.0.0-10.1.255.255 . 10.0.0.6 : goto engine,"));
	assert_non_null(strstr(text, "10.0.0.5 . 10.1.0.0-10.1.255.255 : goto clear,"));
	assert_true(strstr(text, "jump c") < strstr(strstr(text, "jump c") + 1, "jump c"));
	assert_null(strstr(text, "ip protocol vmap"));
	filter_free(&f);
	build_free(c);
}

/* An entry's access-groups: asked before the engine gets a packet, and about what comes out of the tunnel; of other entries'
 * packets nobody asks. */
static void entry_access_groups(void **state)
{
	struct cfg *c =
		build_cfg("interface GigabitEthernet0/0 203.0.113.1/24 map VPN\nlist A extended\n permit ip any any\n"
			  "list IN extended\n permit tcp any any eq 80\nlist OUT extended\n deny udp any any\n permit ip any any\n"
			  "map VPN 10 A\nmap VPN 20 A\n");
	struct filter f;
	const char *text;

	(void)state;
	assert_int_equal(filter_generate(&f, c, &env), ERR_OK);
	assert_null(strstr(text_of(&f.netdev), "chain x0"));
	filter_free(&f);
	snprintf(c->maps[0].acl_in, CFG_NAME, "IN");
	snprintf(c->maps[0].acl_out, CFG_NAME, "OUT");
	snprintf(c->maps[1].acl_out, CFG_NAME, "NOT-THERE"); /* permits all */
	assert_int_equal(filter_generate(&f, c, &env), ERR_OK);
	text = text_of(&f.netdev);
	assert_non_null(strstr(text, "accept\n\t}")); /* of the chain for what comes in */
	assert_non_null(strstr(text, "goto engine\n\t}"));
	assert_non_null(strstr(text, "goto x0"));
	assert_non_null(strstr(text, "goto x1"));
	assert_null(strstr(text, "goto x2"));
	assert_non_null(strstr(strstr(text, "chain in_ptap0"), "jump t"));
	filter_free(&f);
	build_free(c);
}

/* A name is data: it must not end a string of the program. */
static void names_are_quoted(void **state)
{
	char out[3 * CFG_NAME];

	(void)state;
	list_escape(out, "a\"; flush ruleset; \"");
	assert_null(strpbrk(out, "\"; "));
	list_unescape(out);
	assert_string_equal(out, "a\"; flush ruleset; \"");
}

/* What the kernel counts is found again by list and line; over a change of the filter nothing is lost. */
static void counts(void **state)
{
	static const char listing[] =
		"map x {\n elements = { 10.0.0.1 . 5 counter packets 7 bytes 70 comment \"101:10\" : return,\n"
		"  10.0.0.2 counter packets 100 bytes 1 : goto engine, 10.0.0.3 counter packets 5 bytes 70 comment "
		"\"101:20\" : drop }\n}\n"
		"counter y {\n comment \"101:10\"\n packets 2 bytes 9\n}\ncounter clear {\n comment \"clear\"\n packets 4 bytes "
		"9\n}\n";
	struct cfg *c = build_cfg("list 101 extended\n permit ip any any\n deny ip any any\n");
	struct counts n = { 0 };

	(void)state;
	assert_int_equal(counts_renew(&n, c), ERR_OK);
	counts_read(&n, listing);
	assert_int_equal(n.n, 2);
	assert_int_equal(counts_line(&n.lines[0]), 9);
	assert_int_equal(counts_line(&n.lines[1]), 5);
	assert_int_equal(counts_clear_text(&n), 4);
	counts_settle(&n);
	counts_read(&n, listing);
	assert_int_equal(counts_line(&n.lines[0]), 18);
	counts_zero(&n, "101");
	counts_zero_clear_text(&n);
	assert_int_equal(counts_line(&n.lines[0]), 0);
	assert_int_equal(counts_clear_text(&n), 0);
	counts_settle(&n);
	counts_read(&n, listing);
	assert_int_equal(counts_line(&n.lines[0]), 9);
	/* Another line under the old number. */
	snprintf(c->acls[0].entries[0].text, CFG_LINE, "permit tcp any any");
	assert_int_equal(counts_renew(&n, c), ERR_OK);
	assert_int_equal(counts_line(&n.lines[0]), 0);
	assert_int_equal(counts_line(&n.lines[1]), 5);
	counts_free(&n);
	build_free(c);
}

static int real_index(void *ctx, const char *ifname)
{
	(void)ctx;
	return (int)if_nametoindex(ifname);
}

static void must(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static int last_refused;

static void sink(void *ctx, enum log_severity severity, const char *line)
{
	(void)ctx;
	(void)severity;
	last_refused += strstr(line, "FILTER_REFUSED") != NULL;
}

/* In a network namespace of its own: verified, loaded, loaded again, refused. */
static void loads(void **state)
{
	const struct filter_env real = { .ifindex = real_index, .tap = "ptap0" };
	const char *const list[] = { "list", "ruleset", NULL };
	struct filter_live *live = filter_live_new();
	char *text = slurp("tests/unit/filter/golden/router.cfg");
	struct cfg *c = build_cfg(text), *none = build_cfg("");
	struct text out = { 0 };

	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		filter_live_free(live);
		skip();
	}
	must("for i in 0 1 2; do ip link add gi0-$i type veth peer name p$i; done; ip tuntap add ptap0 mode tap");
	filter_live_start(live);
	assert_int_equal(nft_run(list, NULL, 0, &out, NULL), ERR_OK);
	assert_non_null(strstr(text_of(&out), "oifname != \"lo\" drop"));
	text_free(&out);

	assert_int_equal(filter_live_apply(live, c, &real), ERR_OK);
	assert_int_equal(nft_run(list, NULL, 0, &out, NULL), ERR_OK);
	assert_non_null(strstr(text_of(&out), "hook egress device \"gi0-0\""));
	assert_non_null(strstr(text_of(&out), "hook egress device \"gi0-2\""));
	assert_non_null(strstr(text_of(&out), "oifname \"gi0-9\" drop"));
	assert_null(strstr(text_of(&out), "oifname != \"lo\" drop"));
	/* One pair of tables is there, not two. */
	assert_null(strstr(strstr(text_of(&out), "table netdev postern_") + 1, "table netdev postern_"));
	text_free(&out);

	/* A device that is made anew has no chains: the text differs, so they come back. */
	must("ip link del gi0-2; ip link add gi0-2 type veth peer name p2; ip link add gi0-9 type veth peer name p9");
	assert_int_equal(filter_live_apply(live, c, &real), ERR_OK);
	assert_int_equal(nft_run(list, NULL, 0, &out, NULL), ERR_OK);
	assert_non_null(strstr(text_of(&out), "hook egress device \"gi0-2\""));
	assert_non_null(strstr(text_of(&out), "hook egress device \"gi0-9\""));
	text_free(&out);

	/* Lists of crypto map entries are taken too. */
	snprintf(c->maps[0].acl_in, CFG_NAME, "%s", c->maps[0].acl);
	snprintf(c->maps[0].acl_out, CFG_NAME, "%s", c->maps[0].acl);
	assert_int_equal(filter_live_apply(live, c, &real), ERR_OK);
	assert_int_equal(nft_run(list, NULL, 0, &out, NULL), ERR_OK);
	assert_non_null(strstr(text_of(&out), "goto x1"));
	text_free(&out);

	/* What nft refuses leaves the old filter in force. */
	log_capture(sink, NULL);
	must("ip link del ptap0");
	assert_int_not_equal(filter_live_apply(live, c, &real), ERR_OK);
	assert_true(last_refused > 0);
	assert_int_equal(nft_run(list, NULL, 0, &out, NULL), ERR_OK);
	assert_non_null(strstr(text_of(&out), "hook egress device \"gi0-0\""));
	log_capture(NULL, NULL);
	must("ip tuntap add ptap0 mode tap");
	assert_int_equal(filter_live_apply(live, none, &real), ERR_OK);
	text_free(&out);
	filter_live_free(live);
	free(text);
	build_free(c);
	build_free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(long_list),
		cmocka_unit_test(dynamic_entries),
		cmocka_unit_test(entry_access_groups),
		cmocka_unit_test(names_are_quoted),
		cmocka_unit_test(counts),
		cmocka_unit_test(loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
