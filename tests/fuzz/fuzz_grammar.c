/* Lines of configuration, in every mode, into a store in memory; `?` and TAB over the same text. The first byte of a line picks the
 * mode when it is not printable; a line goes on where the last one ended. At the end running-config must feed back. */
#include "configdb/grammar/arg.h"
#include "configdb/store.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct secrets *secrets;
static struct store *store, *second;

static void start(void)
{
	if (secrets)
		return;
	if (secrets_open(&secrets, NULL, false) != ERR_OK || store_open(&store, NULL, secrets) != ERR_OK ||
		store_open(&second, NULL, secrets) != ERR_OK)
		abort();
}

static void ignore(void *ctx, const char *word, const char *help)
{
	*(size_t *)ctx += strlen(word) + strlen(help);
}

static void ask(enum mode mode, const char *line)
{
	char word[256];
	size_t column = 0, sum = 0, count = grammar_help(config_grammar(), mode, 15, line, &column, ignore, &sum);
	if (!count && column > strlen(line))
		abort();
	grammar_complete(config_grammar(), mode, 15, line, word, sizeof word);
}

static struct cfg_mode_ctx place(uint8_t pick)
{
	static const char *const contexts[MODE_COUNT] = {
		[MODE_ISAKMP] = "1",
		[MODE_TRANSFORM] = "T",
		[MODE_CRYPTO_MAP] = "map M 1",
		[MODE_IF] = "GigabitEthernet0/0",
		[MODE_STD_NACL] = "S",
		[MODE_EXT_NACL] = "E",
		[MODE_LINE] = "vty 0 4",
		[MODE_KEYRING] = "K",
		[MODE_ISA_PROF] = "P",
		[MODE_ISA_PEER] = "address 10.9.9.9",
		[MODE_TRUSTPOINT] = "TP",
		[MODE_CERT_MAP] = "CM 5",
		[MODE_CERT_CHAIN] = "TP",
		[MODE_CERT_DATA] = "TP ca 01",
	};
	struct cfg_mode_ctx at = { .mode = (uint16_t)(MODE_CONFIG + pick % (MODE_COUNT - MODE_CONFIG)) };
	snprintf(at.context, sizeof at.context, "%s", contexts[at.mode] ? contexts[at.mode] : "");
	return at;
}

static bool has_secret(enum mode mode, const char *line)
{
	static struct grammar_match m;
	grammar_match(config_grammar(), mode, 15, line, &m);
	return m.result == GR_OK && (match_var(&m, "value") || match_var(&m, "ah_sealed") || match_var(&m, "cipher_sealed") ||
					    match_var(&m, "auth_sealed") || match_var(&m, "passphrase"));
}

static bool enter(struct store *s, struct cfg_mode_ctx *at, const char *line)
{
	static struct cfgm_line in;
	static struct cfgm_result out;
	unsigned tables;
	struct store_who who = { "fuzz", "con 0", "", 0 };
	in.at = *at;
	snprintf(in.line, sizeof in.line, "%s", line);
	/* Hashes are slow by design and not what is looked for here. */
	if (has_secret((enum mode)at->mode, line) || has_secret(MODE_CONFIG, line))
		return true;
	store_line(s, 15, &in, &who, &out, &tables);
	if (out.column > strlen(line) || (out.code != GR_OK && out.changed))
		abort();
	*at = out.next.mode == MODE_EXEC ? (struct cfg_mode_ctx){ .mode = MODE_CONFIG } : out.next;
	return out.code == GR_OK || out.code == GR_EMPTY;
}

static void feed_back(void)
{
	char *text = NULL, *again = NULL, *copy;
	char line[CFG_LINE_MAX];
	size_t n = 0;
	struct cfg_mode_ctx at = { .mode = MODE_CONFIG };
	if (store_text(store, false, NULL, &text) != ERR_OK || store_clear(second) != ERR_OK)
		abort();
	for (copy = text; *copy; copy++) {
		if (n + 2 < sizeof line)
			line[n++] = *copy;
		line[n] = 0;
		if (*copy != '\n')
			continue;
		line[n - 1] = 0;
		if (banner_open(line)) {
			line[n - 1] = '\n';
			continue;
		}
		if (!enter(second, &at, line)) {
			fprintf(stderr, "not accepted: %s\n", line);
			abort();
		}
		n = 0;
	}
	if (store_text(second, false, NULL, &again) != ERR_OK || strcmp(text, again) != 0) {
		fprintf(stderr, "--- first\n%s--- second\n%s", text, again ? again : "(none)");
		abort();
	}
	mem_free(text);
	mem_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfg_mode_ctx at = { .mode = MODE_CONFIG };
	char line[CFG_LINE_MAX];
	size_t n = 0;
	start();
	static bool changed = true;
	if (changed && store_clear(store) != ERR_OK)
		abort();
	uint64_t before = store_revision(store);
	for (size_t i = 0; i <= size; i++) {
		if (i < size && data[i] && data[i] != '\n' && n + 1 < sizeof line) {
			line[n++] = (char)data[i];
			continue;
		}
		line[n] = 0;
		n = 0;
		const char *text = line;
		if ((uint8_t)line[0] >= 1 && (uint8_t)line[0] < 9 && line[0] != 3) {
			at = place((uint8_t)line[0]);
			text++;
		}
		ask((enum mode)at.mode, text);
		enter(store, &at, text);
	}
	/* Emptying and feeding back cost most: only where something was written. */
	changed = store_revision(store) != before;
	if (changed)
		feed_back();
	return 0;
}
