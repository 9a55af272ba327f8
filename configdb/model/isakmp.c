/* Phase 1: policies, pre-shared keys, the switch. */
#include "configdb/model/psk.h"

#include <stdlib.h>
#include <string.h>

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

static enum grammar_result check_authentication(struct change *c)
{
	if (c->remove || strcmp(var(c, "authentication"), "rsa-encr") != 0)
		return GR_OK;
	return refuse(c, "%% rsa-encr is not supported: its encrypted nonces are an oracle for attackers. Use rsa-sig");
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

enum grammar_result isakmp_description(struct change *c)
{
	if (!c->remove && strlen(var(c, "description")) > 80)
		return refuse(c, "%% Description is longer than 80 characters");
	return GR_OK;
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
	{ .syntax = "authentication <rsa-sig|ecdsa-sig|pre-share|rsa-encr>$authentication",
		.help = HELP("Set authentication method for protection suite", "Rivest-Shamir-Adleman Signature",
			"Elliptic Curve Digital Signature (the curve is bound to the hash)", "Pre-Shared Key",
			"Rivest-Shamir-Adleman Encryption (not supported)"),
		.mode = MODE_ISAKMP,
		.no_words = 1,
		.tables = CFG_ISAKMP,
		.shape = SHAPE_SCALAR,
		.columns = "authentication",
		.defaults = "authentication=rsa-sig",
		.check = check_authentication },
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
		.secret = "value",
		.apply = psk_apply,
		.render = psk_render },
};
const struct block block_isakmp = { rows, sizeof rows / sizeof *rows, true };
