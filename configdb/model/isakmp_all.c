/* Phase 1: what holds for all peers. Printed right behind policies and keys. */
#include "configdb/model/stmt.h"

#include <string.h>

#define ISAKMP "Encryption module", "Configure ISAKMP policy"
#define ADMISSION                                                                                                                  \
	"Encryption module", "Configure Crypto Call Admission Control", "Configure Call Admission limit", "Configure IKE limits"
#define ALL_ROW .mode = MODE_CONFIG, .tables = CFG_ISAKMP, .shape = SHAPE_SCALAR, .table = "isakmp"

/* What IOS leaves out when it prints. */
static enum grammar_result check_keepalive(struct change *c)
{
	if (!strcmp(value_or(&c->v, "keepalive_retry", ""), "2"))
		value_set(&c->v, "keepalive_retry", NULL);
	if (!strcmp(value_or(&c->v, "keepalive_mode", ""), "on-demand"))
		value_set(&c->v, "keepalive_mode", NULL);
	return GR_OK;
}

static const struct stmt rows[] = {
	{ .syntax = "crypto isakmp identity <address|hostname|dn>$identity",
		.help = HELP(ISAKMP, "Set the identity which ISAKMP will use",
			"Use the IP address of the interface for the identity", "Use the hostname of the router for the identity",
			"Use the distinguished name of the router cert for the "
			"identity"),
		ALL_ROW,
		.no_words = 3,
		.columns = "identity",
		.defaults = "identity=address" },
	{ .syntax = "crypto isakmp keepalive <10-3600>$keepalive [<2-60>$keepalive_retry] [<periodic|on-demand>$keepalive_mode]",
		.help = HELP(ISAKMP, "Set a keepalive interval for use with IOS peers", "Number of seconds between keep alives",
			"Number of seconds between retries if keepalive fails", "keepalives sent at regular intervals",
			"keepalives sent on-demand (default)"),
		ALL_ROW,
		.no_words = 3,
		.columns = "keepalive keepalive_retry keepalive_mode",
		.check = check_keepalive },
	{ .syntax = "crypto isakmp invalid-spi-recovery$spi_recovery",
		.help = HELP(ISAKMP, "Initiate IKE and send Invalid SPI Notify"),
		ALL_ROW,
		.no_words = 3,
		.columns = "spi_recovery" },
	{ .syntax = "crypto isakmp nat keepalive <5-3600>$nat_keepalive",
		.help = HELP(ISAKMP, "Set a nat keepalive interval for use with IOS peers", "Set a nat keepalive interval",
			"Number of seconds between nat keepalives"),
		ALL_ROW,
		.no_words = 4,
		.columns = "nat_keepalive" },
	{ .syntax = "crypto isakmp aggressive-mode disable$aggressive_off",
		.help = HELP(ISAKMP, "Disable ISAKMP aggressive mode", "Disable ISAKMP aggressive mode"),
		ALL_ROW,
		.no_words = 4,
		.columns = "aggressive_off" },
	{ .syntax = "crypto isakmp fragmentation$fragmentation",
		.help = HELP(ISAKMP, "IKE Fragmentation enabled if required"),
		ALL_ROW,
		.no_words = 3,
		.columns = "fragmentation" },
	{ .syntax = "crypto call admission limit ike sa <0-99999>$admission_sa",
		.help = HELP(ADMISSION, "Configure IKE limits", "Configure the maximum number of IKE SAs",
			"Number of IKE SAs, 0: no limit"),
		ALL_ROW,
		.no_words = 6,
		.columns = "admission_sa",
		.defaults = "admission_sa=0" },
	{ .syntax = "crypto call admission limit ike in-negotiation-sa <10-99999>$admission_negotiation",
		.help = HELP(ADMISSION, "Configure IKE limits", "Configure the maximum number of IKE SAs in negotiation",
			"Number of IKE SAs in negotiation"),
		ALL_ROW,
		.no_words = 6,
		.columns = "admission_negotiation",
		.defaults = "admission_negotiation=1000" },
};
const struct block block_isakmp_all = { rows, sizeof rows / sizeof *rows, false };
