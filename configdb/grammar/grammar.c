/* A grammar: a list of compiled rows, and the modes they stand in. */
#include "configdb/grammar/row.h"
#include "platform/base/mem.h"

#include <string.h>

const char *mode_prompt(enum mode m)
{
	static const char *const prompts[MODE_COUNT] = {
		[MODE_EXEC] = "",
		[MODE_CONFIG] = "(config)",
		[MODE_ISAKMP] = "(config-isakmp)",
		[MODE_TRANSFORM] = "(cfg-crypto-trans)",
		[MODE_CRYPTO_MAP] = "(config-crypto-map)",
		[MODE_IF] = "(config-if)",
		[MODE_STD_NACL] = "(config-std-nacl)",
		[MODE_EXT_NACL] = "(config-ext-nacl)",
		[MODE_LINE] = "(config-line)",
		[MODE_KEYRING] = "(conf-keyring)",
		[MODE_ISA_PROF] = "(conf-isa-prof)",
		[MODE_ISA_PEER] = "(config-isakmp-peer)",
		[MODE_CLIENT_GROUP] = "(config-isakmp-group)",
		[MODE_TRUSTPOINT] = "(ca-trustpoint)",
		[MODE_CERT_MAP] = "(ca-certificate-map)",
		[MODE_CERT_CHAIN] = "(config-cert-chain)",
		[MODE_CERT_DATA] = "(config-pubkey)",
	};
	return m < MODE_COUNT && prompts[m] ? prompts[m] : "";
}

struct grammar *grammar_new(void)
{
	return mem_zalloc(sizeof(struct grammar));
}

void grammar_free(struct grammar *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->nrows; i++)
		row_free(g->rows[i]);
	mem_free(g->rows);
	mem_free(g);
}

enum err grammar_add(struct grammar *g, const struct grammar_spec *spec, const char **why)
{
	struct grammar_row *row = mem_zalloc(sizeof *row);
	struct grammar_row **rows = mem_realloc_array(g->rows, g->nrows + 1, sizeof *rows);
	*why = "out of memory";
	if (rows)
		g->rows = rows;
	if (!row || !rows) {
		row_free(row);
		return ERR_NOMEM;
	}
	row->spec = *spec;
	enum err e = row_parse(row, why);
	if (e == ERR_OK)
		e = row_compile(row, why);
	if (e != ERR_OK) {
		row_free(row);
		return e;
	}
	g->rows[g->nrows++] = row;
	return ERR_OK;
}

size_t grammar_count(const struct grammar *g)
{
	return g->nrows;
}

const struct grammar_spec *grammar_at(const struct grammar *g, size_t i, const struct grammar_row **row)
{
	if (row)
		*row = g->rows[i];
	return &g->rows[i]->spec;
}
