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
static const char *const inside = "crypto isakmp policy 77\ncrypto ipsec transform-set VPN esp-aes esp-sha-hmac\n"
				  "crypto ipsec transform-set TS-AES esp-gcm\ncrypto ipsec transform-set x esp-3des\n"
				  "crypto map VPN 7 ipsec-isakmp\ncrypto map VPN 8 ipsec-manual\ncrypto map TS-AES 7 "
				  "ipsec-isakmp\ncrypto map x 7 ipsec-isakmp\n"
				  "ip access-list standard S\nip access-list extended E\ninterface Loopback77\n"
				  "crypto keyring K\ncrypto isakmp profile P\ncrypto isakmp peer address 10.9.9.9\n"
				  "crypto isakmp client configuration group G\nline vty 0 15\nend\n";
static const char *const outside = "ip access-list extended VPN\naaa new-model\nend\n";

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

/* The text into a second store with the same secrets: the same text comes out. */
static void feeds_back(struct box *b, const char *text, const char *line)
{
	struct box other = { .secrets = b->secrets };
	assert_int_equal(store_open(&other.store, NULL, b->secrets), ERR_OK);
	other.at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
	feed(&other, text);
	char *again = running(&other);
	same(again, text, line, "running-config does not feed back");
	mem_free(again);
	store_close(other.store);
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

static void one_row(struct box *b, struct gen *g, const struct grammar_spec *spec, const struct grammar_row *row)
{
	const struct stmt *st = spec->user;
	static char line[CFG_LINE_MAX * 2], negative[CFG_LINE_MAX * 2 + 4];
	int accepted = 0;
	/* Hashing is slow by design: fewer tries where there is a secret. */
	/* On and on until one is taken: what few values satisfy is not left to luck. */
	for (int k = 0; k < (st->secret ? 8 : TRIES) || (!accepted && k < 20 * TRIES); k++) {
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
			feeds_back(b, after, line);
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
	if (!accepted)
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
	for (size_t i = 0; i < grammar_count(all); i++) {
		const struct grammar_row *row;
		const struct grammar_spec *spec = grammar_at(all, i, &row);
		if (strncmp(spec->syntax, "do ", 3) != 0 && !spec->no_only && strncmp(spec->syntax, "key config-key", 14) != 0)
			one_row(&b, &g, spec, row);
	}
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
