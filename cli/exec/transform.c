/* show crypto ipsec transform-set, security-association. */
#include "cli/exec/transform.h"

#include "cli/exec.h"

#include <stdio.h>
#include <string.h>

char *transform_print(char out[TRANSFORM_TEXT], enum alg_hash ah, enum alg_cipher cipher, enum alg_hash hash)
{
	const struct hash_alg *a = hash_find(ah), *h = hash_find(hash);
	const struct cipher_alg *c = cipher_find(cipher);

	snprintf(out, TRANSFORM_TEXT, "%s%s%s%s%s%s", a == NULL ? "" : a->ios_ah, a == NULL ? "" : " ",
		c == NULL ? "" : c->ios_show, c == NULL ? "" : " ", h == NULL ? "" : h->ios_esp, h == NULL ? "" : " ");
	return out;
}

void show_transform_sets_format(struct out *o, const struct cfg_transform_set *sets, size_t n)
{
	char text[TRANSFORM_TEXT];

	for (size_t i = 0; i < n; i++) {
		out_printf(o, "Transform set %s: { %s } \n", sets[i].name,
			transform_print(text, sets[i].ah, sets[i].cipher, sets[i].auth));
		out_printf(o, "   will negotiate = { %s,  %s}, \n   \n", sets[i].transport ? "Transport" : "Tunnel",
			sets[i].esn ? "ESN,  " : "");
	}
}

void lifetime_print(struct out *o, const char *before, uint32_t kb, uint32_t s)
{
	if (kb == 0)
		out_printf(o, "%sSecurity association lifetime: kilobytes disabled/%u seconds\n", before, s);
	else
		out_printf(o, "%sSecurity association lifetime: %u kilobytes/%u seconds\n", before, kb, s);
}

static bool show_sets(struct exec_call *c)
{
	const char *name = exec_arg(c, "set");
	struct cfg *cfg = exec_cfg(c);

	if (cfg == NULL)
		return false;
	for (size_t i = 0; i < cfg->nsets; i++)
		if (name == NULL || strcmp(name, cfg->sets[i].name) == 0)
			show_transform_sets_format(c->out, &cfg->sets[i], 1);
	cfg_free(cfg);
	return true;
}

static bool show_lifetime(struct exec_call *c)
{
	struct cfg *cfg = exec_cfg(c);

	if (cfg == NULL)
		return false;
	lifetime_print(c->out, "", cfg->ipsec.lifetime_kb, cfg->ipsec.lifetime_s);
	cfg_free(cfg);
	return true;
}

#define SHOW   "Show running system information"
#define CRYPTO "Encryption module"
#define IPSEC  "Show IPSEC policy"

const struct exec_row exec_rows_transform[] = {
	{ "show crypto ipsec transform-set [TAG$set]", EXEC_HELP(SHOW, CRYPTO, IPSEC, "Crypto transform sets", "Transform set tag"),
		0, EXEC_PIPE, show_sets, 0 },
	{ "show crypto ipsec security-association [lifetime]",
		EXEC_HELP(SHOW, CRYPTO, IPSEC, "Show parameters for IPSec security associations", "Show lifetime"), 0, EXEC_PIPE,
		show_lifetime, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
