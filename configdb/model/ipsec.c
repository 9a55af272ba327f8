/* Phase 2: transform-sets and what holds for all of it. */
#include "configdb/model/stmt.h"

#include <stdio.h>
#include <string.h>

static const char *short_form(const char *word)
{
	if (word && !strcmp(word, "esp-aes 128"))
		return "esp-aes";
	if (word && !strcmp(word, "esp-gcm 128"))
		return "esp-gcm";
	return word && !strcmp(word, "esp-gmac 128") ? "esp-gmac" : word;
}

/* A set that a map offers cannot go. The names of the maps: "VPN 10, VPN 20". */
static enum grammar_result set_in_use(struct change *c)
{
	char maps[512] = "";
	sqlite3_stmt *q = db_query(c->db, "SELECT map, seq FROM map_set WHERE name = ?1 ORDER BY map, seq", P(var(c, "name")));
	while (db_step(c->db, &q)) {
		size_t n = strlen(maps);
		snprintf(maps + n, sizeof maps - n, "%s%s %s", n ? ", " : "", db_col(q, 0), db_col(q, 1));
	}
	if (!maps[0])
		return GR_OK;
	return refuse(c,
		"%% Transform-set %s is in use by crypto map(s): %s. Please remove the transform-set from the above crypto map(s) "
		"first",
		var(c, "name"), maps);
}

static enum grammar_result check_set(struct change *c)
{
	if (c->remove)
		return set_in_use(c);
	const char *cipher = short_form(var(c, "cipher")), *auth = var(c, "auth");
	if (!cipher && !auth)
		return GR_INCOMPLETE;
	value_set(&c->v, "cipher", cipher);
	const struct cipher_alg *a = cipher ? cipher_find(cipher_of_esp(cipher)) : NULL;
	const struct hash_alg *h = auth ? hash_find(hash_of_esp(auth)) : NULL;
	if ((cipher && !a) || (auth && !h))
		return refuse(c, "%% Transform %s is not available in this build", cipher && !a ? cipher : auth);
	if (a && a->aead && auth)
		return refuse(c, "%% Transform %s authenticates by itself and cannot be combined with %s", cipher, auth);
	if (a && cipher_needs_auth(a) && !auth)
		return refuse(c, "%% Transform %s needs an authentication transform", cipher);
	if ((a && a->weak) || (h && h->id == HASH_MD5))
		say(c, "%%Warning: weaker transform %s is deprecated", a && a->weak ? cipher : auth);
	return GR_OK;
}

#define CRYPTO_IPSEC "Encryption module", "Configure IPSEC policy"

static const struct stmt rows[] = {
	{ .syntax = "crypto ipsec security-association lifetime seconds <120-86400>$lifetime_s",
		.help = HELP(CRYPTO_IPSEC, "Security association parameters", "security association lifetime",
			"Time-based key duration", "Security association duration in seconds"),
		.mode = MODE_CONFIG,
		.no_words = 5,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.table = "ipsec",
		.columns = "lifetime_s",
		.defaults = "lifetime_s=3600" },
	{ .syntax = "crypto ipsec security-association lifetime kilobytes <<2560-4294967295>$lifetime_kb|disable$kb_disabled>",
		.help = HELP(CRYPTO_IPSEC, "Security association parameters", "security association lifetime",
			"Volume-based key duration", "Security association duration in kilobytes encrypted",
			"Disable Volume-based Rekey"),
		.mode = MODE_CONFIG,
		.no_words = 5,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.table = "ipsec",
		.columns = "lifetime_kb kb_disabled",
		.defaults = "lifetime_kb=4608000" },
	{ .syntax = "crypto ipsec security-association idle-time <60-86400>$idle_s",
		.help = HELP(CRYPTO_IPSEC, "Security association parameters",
			"Automatically delete IPSec SAs after a given idle period.", "seconds"),
		.mode = MODE_CONFIG,
		.no_words = 4,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.table = "ipsec",
		.columns = "idle_s" },
	{ .syntax = "crypto ipsec security-association replay window-size <64|128|256|512|1024>$replay_window",
		.help = HELP(CRYPTO_IPSEC, "Security association parameters", "Set replay checking", "Set replay window size",
			"Window size of 64 (default)", "Window size of 128", "Window size of 256", "Window size of 512",
			"Window size of 1024"),
		.mode = MODE_CONFIG,
		.no_words = 5,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.table = "ipsec",
		.columns = "replay_window",
		.defaults = "replay_window=64" },
	{ .syntax = "crypto ipsec security-association replay disable$replay_off",
		.help = HELP(CRYPTO_IPSEC, "Security association parameters", "Set replay checking", "Disable replay checking"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.table = "ipsec",
		.columns = "replay_off" },
	{ .syntax = "crypto ipsec transform-set NAME$name "
		    "{<esp-des|esp-3des|esp-aes|esp-aes 128|esp-aes 192|esp-aes 256|esp-gcm|esp-gcm 128|esp-gcm 192|esp-gcm 256|"
		    "esp-gmac|esp-gmac 128|esp-gmac 192|esp-gmac 256|esp-null>$cipher|"
		    "<esp-md5-hmac|esp-sha-hmac|esp-sha256-hmac|esp-sha384-hmac|esp-sha512-hmac>$auth}",
		.help = HELP(CRYPTO_IPSEC, "Define transform and settings", "Transform set tag",
			"ESP transform using DES cipher (56 bits)", "ESP transform using 3DES(EDE) cipher (168 bits)",
			"ESP transform using AES cipher", "128 bit keys.", "192 bit keys.", "256 bit keys.",
			"ESP transform using GCM cipher", "ESP transform using GMAC cipher", "ESP transform w/o cipher",
			"ESP transform using HMAC-MD5 auth", "ESP transform using HMAC-SHA auth",
			"ESP transform using HMAC-SHA256 auth", "ESP transform using HMAC-SHA384 auth",
			"ESP transform using HMAC-SHA512 auth"),
		.mode = MODE_CONFIG,
		.no_words = 4,
		.tables = CFG_IPSEC,
		.enters = MODE_TRANSFORM,
		.shape = SHAPE_OBJECT,
		.table = "transform_set",
		.columns = "cipher auth",
		.key = "name",
		.order = "name",
		.check = check_set },
	{ .syntax = "mode tunnel$mode",
		.help = HELP("encapsulation mode (transport/tunnel)", "tunnel (datagram encapsulation) mode"),
		.mode = MODE_TRANSFORM,
		.no_words = 1,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.columns = "mode",
		.defaults = "mode=tunnel" },
	{ .syntax = "crypto ipsec df-bit <clear|set|copy>$df_bit",
		.help = HELP(CRYPTO_IPSEC, "Handling of encapsulated DF bit.", "Clear DF bit in encapsulated header",
			"Set DF bit in encapsulated header", "Copy DF bit from inner header"),
		.mode = MODE_CONFIG,
		.no_words = 3,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.table = "ipsec",
		.columns = "df_bit",
		.defaults = "df_bit=copy" },
	{ .syntax = "crypto ipsec fragmentation <after-encryption|before-encryption>$fragmentation",
		.help = HELP(CRYPTO_IPSEC, "Handling of fragmentation of near-MTU sized packets",
			"Perform fragmentation after encryption", "Perform fragmentation before encryption"),
		.mode = MODE_CONFIG,
		.no_words = 3,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.table = "ipsec",
		.columns = "fragmentation",
		.defaults = "fragmentation=before-encryption" },
	{ .syntax = "crypto ipsec nat-transparency udp-encapsulation",
		.help = HELP(CRYPTO_IPSEC, "IPsec NAT transparency model", "UDP encapsulation of IPsec protocols"),
		.mode = MODE_CONFIG,
		.no_words = 4,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.table = "isakmp",
		.off = "nat_transparency_off",
		.off_text = "no crypto ipsec nat-transparency udp-encapsulation" },
};
const struct block block_ipsec = { rows, sizeof rows / sizeof *rows, false };
