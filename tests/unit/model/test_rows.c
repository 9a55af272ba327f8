/* Every row in the store, with made-up values: what was accepted prints so that an empty router takes it to the same text; `no`
 * takes it away again; the tables it says it changes are the ones it declares. */
#include "configdb/model/stmt.h"
#include "gen.h"
#include "helper.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

#define TRIES 25

/* What a sub-mode's statement stands in, and what its made-up names refer to; global statements begin with little. */
static const char *const inside =
	"crypto isakmp policy 77\ncrypto ipsec transform-set VPN esp-aes esp-sha-hmac\n"
	"crypto ipsec transform-set TS-AES esp-gcm\ncrypto ipsec transform-set x esp-3des\n"
	"crypto map VPN 7 ipsec-isakmp\ncrypto map VPN 8 ipsec-manual\ncrypto map TS-AES 7 "
	"ipsec-isakmp\ncrypto map x 7 ipsec-isakmp\n"
	"ip access-list standard S\nip access-list extended E\ninterface Loopback77\n"
	"crypto keyring K\ncrypto isakmp profile P\ncrypto isakmp peer address 10.9.9.9\n"
	"crypto isakmp client configuration group G\n"
	"crypto pki trustpoint TP\ncrypto pki certificate map CM 5\ncrypto pki certificate chain TP\ncertificate ca 01\n"
	"3082017D 30820124 A0030201 02020101 300A0608 2A8648CE 3D040302 301E310D\n"
	"300B0603 55040A0C 0441636D 65310D30 0B060355 04030C04 526F6F74 301E170D\n"
	"32363131 32353133 33333038 5A170D34 36303132 34313333 3330385A 301E310D\n"
	"300B0603 55040A0C 0441636D 65310D30 0B060355 04030C04 526F6F74 30593013\n"
	"06072A86 48CE3D02 0106082A 8648CE3D 03010703 420004FF B7FC1171 82ED44B7\n"
	"24742D3D CBA81A60 E066E07D CF510122 E999F0F7 93DEEF6D 2257AD64 0D77C467\n"
	"825B49B7 3F598F01 B7034BD0 61D08462 8AACCD01 294C3AA3 53305130 1D060355\n"
	"1D0E0416 041407F8 65307E5D 37FF8A9A 7906D6E4 066A9B97 67DE301F 0603551D\n"
	"23041830 16801407 F865307E 5D37FF8A 9A7906D6 E4066A9B 9767DE30 0F060355\n"
	"1D130101 FF040530 030101FF 300A0608 2A8648CE 3D040302 03470030 44022054\n"
	"5C1D1159 8C9BE54C B5A82B82 768AB18F 6FD79EE1 F176530E 2C4A89BE 0EF44B02\n"
	"20625314 8E2EE286 600ABD47 25DE786F 97B172E9 DCD96C00 5D0F677E 5B2FFF38\n"
	"A7\n"
	"line vty 0 15\nend\n";
static const char *const outside = "ip access-list extended VPN\naaa new-model\ncrypto pki trustpoint VPN-1\nend\n";

static struct cfg_mode_ctx place(enum mode m, const char *syntax)
{
	static const char *const contexts[MODE_COUNT] = {
		[MODE_ISAKMP] = "77",
		[MODE_TRANSFORM] = "VPN",
		[MODE_CRYPTO_MAP] = "map VPN 7",
		[MODE_IF] = "Loopback77",
		[MODE_STD_NACL] = "S",
		[MODE_EXT_NACL] = "E",
		[MODE_LINE] = "vty 5 15",
		[MODE_KEYRING] = "K",
		[MODE_ISA_PROF] = "P",
		[MODE_ISA_PEER] = "address 10.9.9.9",
		[MODE_CLIENT_GROUP] = "G",
		[MODE_TRUSTPOINT] = "TP",
		[MODE_CERT_MAP] = "CM 5",
		[MODE_CERT_CHAIN] = "TP",
		[MODE_CERT_DATA] = "TP ca 01",
	};
	struct cfg_mode_ctx at = { .mode = (uint16_t)m };
	bool manual = !strncmp(syntax, "set session-key", 15);
	snprintf(at.context, sizeof at.context, "%s", manual ? "map VPN 8" : contexts[m] ? contexts[m] : "");
	return at;
}

static void same(const char *got, const char *want, const char *line, const char *what)
{
	if (strcmp(got, want) != 0)
		fail_msg("\"%s\": %s\n--- want\n%s\n--- got\n%s", line, what, want, got);
}

/* The text into a second, empty store with the same secrets: the same text comes out. */
static void feeds_back(struct box *other, const char *text, const char *line)
{
	assert_int_equal(store_clear(other->store), ERR_OK);
	other->at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
	feed(other, text);
	char *again = running(other);
	same(again, text, line, "running-config does not feed back");
	mem_free(again);
}

/* Statements whose `no` is another state, not the one before: told apart by hand below. */
static bool no_is_a_state(const struct stmt *st)
{
	static const char *const starts[] = { "service timestamps", "exec-timeout", "login", "interface", "line", "hostname" };
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (!strncmp(st->syntax, starts[i], strlen(starts[i])))
			return true;
	return st->off != NULL;
}

/* Statements that are there to be refused by name. */
static bool only_refused(const struct stmt *st)
{
	return !strncmp(st->syntax, "auto-enroll", 11);
}

static void one_row(struct box *b, struct box *other, struct gen *g, const struct grammar_spec *spec, const struct grammar_row *row)
{
	const struct stmt *st = spec->user;
	static char line[CFG_LINE_MAX * 2], negative[CFG_LINE_MAX * 2 + 4];
	int accepted = 0;
	/* Hashing is slow by design: fewer tries where there is a secret. */
	/* On and on until one is taken: what few values satisfy is not left to luck. */
	for (int k = 0; k < (st->secret ? 8 : TRIES) || (!accepted && !only_refused(st) && k < 20 * TRIES); k++) {
		assert_int_equal(store_clear(b->store), ERR_OK);
		b->at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
		feed(b, spec->mode == MODE_CONFIG ? outside : inside);
		char *before = running(b);
		gen_row(g, row);
		gen_line(g, g->n, line, sizeof line);
		b->at = place(spec->mode, spec->syntax);
		int code = type(b, line);
		char *after = running(b);
		if (code != GR_OK && code != GR_REFUSED && code != GR_INCOMPLETE)
			fail_msg("\"%s\": result %d", line, code);
		if (code != GR_OK)
			same(after, before, line, "refused, but changed something");
		if (!b->out.changed && code == GR_OK && st->tables)
			same(after, before, line, "said that nothing changed");
		if (b->out.changed)
			assert_int_equal(b->tables, st->tables);
		if (code == GR_OK) {
			accepted++;
			feeds_back(other, after, line);
		}
		if (code == GR_OK && spec->no_allowed && strcmp(before, after) != 0) {
			snprintf(negative, sizeof negative, "%s %s", no_is_a_state(st) ? "default" : "no", line);
			b->at = place(spec->mode, spec->syntax);
			if (strcmp(st->syntax, "interface INTERFACE$name") != 0 && strncmp(st->syntax, "line", 4) != 0) {
				if (type(b, negative) != GR_OK)
					fail_msg("\"%s\": result %d %s", negative, b->out.code, b->out.text);
				char *end = running(b);
				same(end, before, negative, "did not remove");
				mem_free(end);
			}
		}
		mem_free(before);
		mem_free(after);
	}
	if (!accepted && !only_refused(st))
		fail_msg("\"%s\" was never accepted: \"%s\": %s", spec->syntax, line, b->out.text);
}

static void every_row(void **state)
{
	struct box b;
	static struct gen g;
	const struct grammar *all = config_grammar();
	(void)state;
	g.seed = 5;
	box_open(&b);
	struct box other = { .secrets = b.secrets };
	assert_int_equal(store_open(&other.store, NULL, b.secrets), ERR_OK);
	for (size_t i = 0; i < grammar_count(all); i++) {
		const struct grammar_row *row;
		const struct grammar_spec *spec = grammar_at(all, i, &row);
		if (strncmp(spec->syntax, "do ", 3) != 0 && !spec->no_only && strncmp(spec->syntax, "key config-key", 14) != 0)
			one_row(&b, &other, &g, spec, row);
	}
	store_close(other.store);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
