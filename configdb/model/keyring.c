/* Keyrings: pre-shared keys that only the profiles which name them use. */
#include "configdb/model/psk.h"

#define KEYRING_ROW .mode = MODE_KEYRING, .tables = CFG_ISAKMP

static const struct stmt rows[] = {
	{ .syntax = "crypto keyring NAME$name",
		.help = HELP("Encryption module", "Key ring commands", "Key ring name"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ISAKMP,
		.enters = MODE_KEYRING,
		.shape = SHAPE_OBJECT,
		.table = "keyring",
		.key = "name",
		.order = "name" },
	{ .syntax = "local-address <A.B.C.D$local_addr|INTERFACE$local_interface>",
		.help = HELP("Limit the scope of the keyring to a local address", "IP address", "Interface whose address it is"),
		KEYRING_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "local_addr local_interface" },
	{ .syntax = "description LINE$description",
		.help = HELP("Keyring description", "Up to 80 characters describing this key ring"),
		KEYRING_ROW,
		.no_words = 1,
		.shape = SHAPE_SCALAR,
		.columns = "description",
		.check = isakmp_description },
	{ .syntax = "pre-shared-key <address A.B.C.D$addr [MASK$mask]|hostname HOSTNAME$host> key [<0|6>$type] WORD$value",
		.help = HELP("Pre-Shared Key commands", "Define pre-shared key by address", "Peer IP address",
			"Peer IP subnet mask", "Define pre-shared key by hostname", "Peer hostname", "Specify the key",
			"Specifies an UNENCRYPTED password will follow", "Specifies an ENCRYPTED password will follow",
			"The UNENCRYPTED (cleartext) user password"),
		KEYRING_ROW,
		.no_words = NO_WHOLE,
		.secret = "value",
		.apply = psk_apply,
		.render = psk_render },
};
const struct block block_keyring = { rows, sizeof rows / sizeof *rows, true };
