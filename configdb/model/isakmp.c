/* Phase 1: policies, pre-shared keys, the switch. */
#include "configdb/model/stmt.h"
#include "platform/base/addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 128

static enum grammar_result check_encryption(struct change *c)
{
	const char *word = var(c, "encryption");
	if (c->remove)
		return GR_OK;
	if (word && !strcmp(word, "aes 128"))
		value_set(&c->v, "encryption", "aes");
	const struct cipher_alg *a = cipher_find(cipher_of_isakmp(word));
	if (!a)
		return refuse(c, "%% Encryption algorithm %s is not available in this build", word);
	if (a->weak)
		say(c, "%%Warning: weaker encryption algorithm is deprecated");
	return GR_OK;
}

static enum grammar_result check_hash(struct change *c)
{
	if (c->remove)
		return GR_OK;
	const struct hash_alg *a = hash_find(hash_of_isakmp(var(c, "hash")));
	if (!a)
		return refuse(c, "%% Hash algorithm %s is not available in this build", var(c, "hash"));
	if (a->id == HASH_MD5)
		say(c, "%%Warning: weaker hash algorithm is deprecated");
	return GR_OK;
}

static enum grammar_result check_group(struct change *c)
{
	if (c->remove)
		return GR_OK;
	const struct group_alg *a = group_find((unsigned)atoi(var(c, "dh_group")));
	if (!a)
		return refuse(c, "%% Diffie-Hellman group %s is not available in this build", var(c, "dh_group"));
	if (a->weak)
		say(c, "%%Warning: weaker dh-group is deprecated");
	return GR_OK;
}

/* The typed key as bytes. Type 6 is text encrypted under this router's master key. */
static bool key_read(struct change *c, struct secret *out)
{
	const char *text = var(c, "value");
	if (strcmp(value_or(&c->v, "type", "0"), "6") != 0)
		return strlen(text) <= KEY_MAX && secret_set(out, span_of(text, strlen(text))) == ERR_OK;
	return secrets_type6_parse(c->secrets, text, out) == ERR_OK;
}

static enum grammar_result key_refused(struct change *c)
{
	if (!strcmp(value_or(&c->v, "type", "0"), "6"))
		return refuse(c, "%% The key is not encrypted with the master key of this router");
	return refuse(c, "%% The key is longer than %d characters", KEY_MAX);
}

static enum grammar_result key_apply(struct change *c)
{
	char have[24], id_text[24];
	const char *addr = var(c, "addr"), *mask = NULL, *host = var(c, "host");
	struct secret key;
	uint64_t id = 0;
	char net[16];
	if (addr) {
		mask = value_or(&c->v, "mask", ip_of(addr) ? "255.255.255.255" : "0.0.0.0");
		if (!ip4_mask_valid(ip_of(mask)))
			return refuse(c, "Bad mask 0x%08X for address %s", ip_of(mask), addr);
		addr = ip4_print(net, ip_of(addr) & ip_of(mask));
	}
	bool known = db_get(c->db, have, sizeof have,
		"SELECT secret FROM isakmp_key WHERE addr IS ?1 AND mask IS ?2 AND host IS ?3", P(addr, mask, host));
	if (c->remove && !known)
		return GR_OK;
	if (!key_read(c, &key))
		return key_refused(c);
	enum err e = secrets_put(c->secrets, secret_span(&key), &id);
	secret_wipe(&key);
	if (e != ERR_OK)
		return refuse(c, "%% The key cannot be stored: %s", err_text(e));
	snprintf(id_text, sizeof id_text, "%llu", (unsigned long long)id);
	bool same = known && !strcmp(have, id_text);
	if (c->remove && !same)
		return refuse(c, "%% The pre-shared key does not match the configured one");
	if (c->remove)
		db_run(c->db, "DELETE FROM isakmp_key WHERE addr IS ?1 AND mask IS ?2 AND host IS ?3", P(addr, mask, host));
	else if (known && !same)
		return refuse(c, "A pre-shared key for %s %s%s%s already exists!", addr ? "address mask" : "hostname",
			addr ? addr : host, addr ? " " : "", addr ? mask : "");
	if (host && !c->remove && !known)
		say(c, "%% NOTE: Main mode finds a key by the address of the peer. This key is kept, and not used until a peer\n"
		       "        can say its name first.");
	if (!c->remove && !known)
		db_run(c->db, "INSERT INTO isakmp_key(secret, addr, mask, host, no_xauth) VALUES(?1, ?2, ?3, ?4, ?5)",
			P(id_text, addr, mask, host, var(c, "no_xauth")));
	else if (!c->remove)
		db_run(c->db,
			"UPDATE isakmp_key SET no_xauth = ?2 WHERE secret = ?1 AND addr IS ?3 AND host IS ?4 AND no_xauth IS NOT "
			"?2",
			P(id_text, var(c, "no_xauth"), addr, host));
	return GR_OK;
}

static void key_present(struct render *r, struct values *v)
{
	struct secret key;
	char text[SECRET_MAX * 3];
	uint64_t id = strtoull(value_or(v, "secret", "0"), NULL, 10);
	if (secrets_get(r->secrets, id, &key) == ERR_OK) {
		if (secrets_type6_print(r->secrets, secret_span(&key), text, sizeof text) == ERR_OK) {
			value_set(v, "type", "6");
			value_set(v, "value", text);
		}
		secret_wipe(&key);
	}
	const char *addr = value_get(v, "addr");
	if (addr && !strcmp(value_or(v, "mask", ""), ip_of(addr) ? "255.255.255.255" : "0.0.0.0"))
		value_set(v, "mask", NULL);
}

static enum grammar_result config_key(struct change *c)
{
	const char *pass = var(c, "passphrase");
	if (strlen(pass) < 8)
		return refuse(c, "%% Invalid key length: at least 8 characters are needed");
	enum err e = secrets_master(c->secrets, span_of(pass, strlen(pass)));
	return e == ERR_OK ? GR_OK : refuse(c, "%% The key cannot be stored: %s", err_text(e));
}

static const struct stmt rows[] = {
	{ .syntax = "crypto isakmp enable",
		.help = HELP("Encryption module", "Configure ISAKMP policy", "Enable ISAKMP"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.table = "isakmp",
		.off = "enable_off",
		.off_text = "no crypto isakmp enable" },
	{ .syntax = "crypto isakmp default policy",
		.help = HELP("Encryption module", "Configure ISAKMP policy", "ISAKMP default policy", "Default ISAKMP policies"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.table = "isakmp",
		.off = "builtin_off",
		.off_text = "no crypto isakmp default policy" },
	{ .syntax = "crypto isakmp policy <1-10000>$priority",
		.help = HELP("Encryption module", "Configure ISAKMP policy", "Set policy for an ISAKMP protection suite",
			"Priority of protection suite"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ISAKMP,
		.enters = MODE_ISAKMP,
		.shape = SHAPE_OBJECT,
		.table = "isakmp_policy",
		.key = "priority",
		.order = "priority" },

	{ .syntax = "encr(yption) <des|3des|aes|aes 128|aes 192|aes 256>$encryption",
		.help = HELP("Set encryption algorithm for protection suite", "DES - Data Encryption Standard (56 bit keys).",
			"Three key triple DES", "AES - Advanced Encryption Standard.", "128 bit keys.", "192 bit keys.",
			"256 bit keys."),
		.mode = MODE_ISAKMP,
		.no_words = 1,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.columns = "encryption",
		.defaults = "encryption=des",
		.check = check_encryption },
	{ .syntax = "hash <md5|sha|sha256|sha384|sha512>$hash",
		.help = HELP("Set hash algorithm for protection suite", "Message Digest 5", "Secure Hash Standard",
			"Secure Hash Standard 2 (256 bit)", "Secure Hash Standard 2 (384 bit)", "Secure Hash Standard 2 (512 bit)"),
		.mode = MODE_ISAKMP,
		.no_words = 1,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.columns = "hash",
		.defaults = "hash=sha",
		.check = check_hash },
	{ .syntax = "authentication pre-share$authentication",
		.help = HELP("Set authentication method for protection suite", "Pre-Shared Key"),
		.mode = MODE_ISAKMP,
		.no_words = 1,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.columns = "authentication" },
	{ .syntax = "group <1|2|5|14|15|16|19|20|21|24>$dh_group",
		.help = HELP("Set the Diffie-Hellman group", "Diffie-Hellman group 1 (768 bit)",
			"Diffie-Hellman group 2 (1024 bit)", "Diffie-Hellman group 5 (1536 bit)",
			"Diffie-Hellman group 14 (2048 bit)", "Diffie-Hellman group 15 (3072 bit)",
			"Diffie-Hellman group 16 (4096 bit)", "Diffie-Hellman group 19 (256 bit ecp)",
			"Diffie-Hellman group 20 (384 bit ecp)", "Diffie-Hellman group 21 (521 bit ecp)",
			"Diffie-Hellman group 24 (2048 bit, 256 bit subgroup)"),
		.mode = MODE_ISAKMP,
		.no_words = 1,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.columns = "dh_group",
		.defaults = "dh_group=1",
		.check = check_group },
	{ .syntax = "lifetime <60-86400>$lifetime",
		.help = HELP("Set lifetime for ISAKMP security association", "lifetime in seconds"),
		.mode = MODE_ISAKMP,
		.no_words = 1,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.columns = "lifetime",
		.defaults = "lifetime=86400" },

	{ .syntax = "crypto isakmp key [<0|6>$type] WORD$value <address A.B.C.D$addr [MASK$mask]|hostname HOSTNAME$host> "
		    "[no-xauth$no_xauth]",
		.help = HELP("Encryption module", "Configure ISAKMP policy", "Set pre-shared key for remote peer",
			"Specifies an UNENCRYPTED password will follow", "Specifies an ENCRYPTED password will follow",
			"The UNENCRYPTED (cleartext) user password", "define shared key with IP address", "Peer IP address",
			"Peer IP subnet mask", "define shared key with hostname", "Peer hostname", "Bypasses XAuth for this peer"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_LIST,
		.table = "isakmp_key",
		.order = "id",
		.secret = "value",
		.apply = key_apply,
		.present = key_present },
	{ .syntax = "key config-key password-encrypt SECRET$passphrase",
		.help = HELP("Key management", "Set a private configuration key",
			"Set the master key that encrypts pre-shared keys", "The config-key (at least 8 characters)"),
		.mode = MODE_CONFIG,
		.tables = CFG_ISAKMP,
		.secret = "passphrase",
		.apply = config_key },
};
const struct block block_isakmp = { rows, sizeof rows / sizeof *rows, true };
