/* Phase 2: transform-sets and what holds for all of it. */
#include "configdb/model/stmt.h"

#include <stdio.h>
#include <string.h>

/* 128 bits is what a cipher has without a word: printed so. */
static const char *short_form(const char *word)
{
	static const char *const pairs[][2] = { { "esp-aes 128", "esp-aes" }, { "esp-gcm 128", "esp-gcm" },
		{ "esp-gmac 128", "esp-gmac" }, { "esp-aes-ctr 128", "esp-aes-ctr" }, { "esp-camellia 128", "esp-camellia" } };
	for (size_t i = 0; word && i < sizeof pairs / sizeof *pairs; i++)
		if (!strcmp(pairs[i][0], word))
			return pairs[i][1];
	return word;
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

/* Why these do not go together, said; GR_OK when they do. `cipher` and `auth` are ESP's. */
static enum grammar_result check_together(struct change *c, const struct cipher_alg *cipher, const struct hash_alg *auth)
{
	if (cipher && cipher->aead && auth)
		return refuse(c, "%% Transform %s authenticates by itself and cannot be combined with %s", cipher->ios_esp,
			auth->ios_esp);
	/* AH around it does not help: what the peer's ESP takes in it may not have come through AH (RFC 4303, 3.3.2.1). */
	if (cipher && cipher_needs_auth(cipher) && !auth)
		return refuse(c, "%% Transform %s needs an authentication transform", cipher->ios_esp);
	return GR_OK;
}

static enum grammar_result check_set(struct change *c)
{
	if (c->remove)
		return set_in_use(c);
	const char *ah = var(c, "ah"), *cipher = short_form(var(c, "cipher")), *auth = var(c, "auth");
	if (!ah && !cipher && !auth)
		return GR_INCOMPLETE;
	value_set(&c->v, "cipher", cipher);
	const struct hash_alg *around = ah ? hash_find(hash_of_ah(ah)) : NULL, *h = auth ? hash_find(hash_of_esp(auth)) : NULL;
	const struct cipher_alg *a = cipher ? cipher_find(cipher_of_esp(cipher)) : NULL;
	if ((ah && !around) || (cipher && !a) || (auth && !h))
		return refuse(c, "%% Transform %s is not available in this build",
			ah && !around  ? ah
			: cipher && !a ? cipher
				       : auth);
	enum grammar_result together = check_together(c, a, h);
	if (together != GR_OK)
		return together;
	if (around && around->id == HASH_MD5)
		say(c, "%%Warning: weaker transform %s is deprecated", ah);
	if ((a && a->weak) || (h && h->id == HASH_MD5))
		say(c, "%%Warning: weaker transform %s is deprecated", a && a->weak ? cipher : auth);
	struct cfg_transform_set set = { .cipher = a   ? a->id
						   : h ? CIPHER_NULL
						       : CIPHER_NONE,
		.auth = h ? h->id : HASH_NONE,
		.ah = around ? around->id : HASH_NONE };
	const char *why = cfg_set_ikev1_fault(&set);
	if (why)
		say(c, "%% NOTE: IKEv1 cannot negotiate this transform set: %s", why);
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
		    "{<ah-md5-hmac|ah-sha-hmac|ah-sha256-hmac|ah-sha384-hmac|ah-sha512-hmac|ah-aes-xcbc-mac|ah-aes-cmac>$ah|"
		    "<esp-des|esp-3des|esp-aes|esp-aes 128|esp-aes 192|esp-aes 256|esp-gcm|esp-gcm 128|esp-gcm 192|esp-gcm 256|"
		    "esp-gmac|esp-gmac 128|esp-gmac 192|esp-gmac 256|esp-aes-ctr|esp-aes-ctr 128|esp-aes-ctr 192|esp-aes-ctr 256|"
		    "esp-chacha20-poly1305|esp-camellia|esp-camellia 128|esp-camellia 192|esp-camellia 256|esp-null>$cipher|"
		    "<esp-md5-hmac|esp-sha-hmac|esp-sha256-hmac|esp-sha384-hmac|esp-sha512-hmac|esp-aes-xcbc-mac|esp-aes-cmac>$"
		    "auth}",
		.help = HELP(CRYPTO_IPSEC, "Define transform and settings", "Transform set tag", "AH-HMAC-MD5 transform",
			"AH-HMAC-SHA transform", "AH-HMAC-SHA256 transform", "AH-HMAC-SHA384 transform", "AH-HMAC-SHA512 transform",
			"AH-AES-XCBC-MAC transform", "AH-AES-CMAC transform", "ESP transform using DES cipher (56 bits)",
			"ESP transform using 3DES(EDE) cipher (168 bits)", "ESP transform using AES cipher", "128 bit keys.",
			"192 bit keys.", "256 bit keys.", "ESP transform using GCM cipher", "ESP transform using GMAC cipher",
			"ESP transform using AES counter mode", "ESP transform using ChaCha20-Poly1305",
			"ESP transform using Camellia cipher", "ESP transform w/o cipher", "ESP transform using HMAC-MD5 auth",
			"ESP transform using HMAC-SHA auth", "ESP transform using HMAC-SHA256 auth",
			"ESP transform using HMAC-SHA384 auth", "ESP transform using HMAC-SHA512 auth",
			"ESP transform using AES-XCBC-MAC auth", "ESP transform using AES-CMAC auth"),
		.mode = MODE_CONFIG,
		.no_words = 4,
		.tables = CFG_IPSEC,
		.enters = MODE_TRANSFORM,
		.shape = SHAPE_OBJECT,
		.table = "transform_set",
		.columns = "ah cipher auth",
		.key = "name",
		.order = "name",
		.check = check_set },
	{ .syntax = "mode <tunnel|transport>$mode",
		.help = HELP("encapsulation mode (transport/tunnel)", "tunnel (datagram encapsulation) mode",
			"transport (payload encapsulation) mode"),
		.mode = MODE_TRANSFORM,
		.no_words = 1,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.columns = "mode",
		.defaults = "mode=tunnel" },
	{ .syntax = "esn$esn",
		.help = HELP("Enable Extended Sequence Numbers"),
		.mode = MODE_TRANSFORM,
		.no_words = 1,
		.tables = CFG_IPSEC,
		.shape = SHAPE_SCALAR,
		.columns = "esn" },
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
