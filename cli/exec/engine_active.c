/* show crypto engine connections active: every SA of both phases with its packets. */
#include "cli/exec/engine_active.h"

#include "cli/exec.h"

#include "platform/base/mem.h"

#include <ctype.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define ALGORITHM_TEXT 40

/* "AES-CBC-256" as IOS has it in this table: "AES256"; of 128 bits the number is left out. */
static void cipher_short(char out[ALGORITHM_TEXT], enum alg_cipher id)
{
	const struct cipher_alg *c = cipher_find(id);
	const char *name = c == NULL ? "" : c->name;
	size_t n = 0;

	for (const char *at = name; *at != '\0' && n + 1 < ALGORITHM_TEXT; at++) {
		if (strncmp(at, "-CBC", 4) == 0) {
			at += 3;
			continue;
		}
		if (*at == '-' && isdigit((unsigned char)at[1])) {
			n += (size_t)snprintf(out + n, ALGORITHM_TEXT - n, "%s", strcmp(at, "-128") == 0 ? "" : at + 1);
			break;
		}
		out[n++] = *at;
	}
	out[n < ALGORITHM_TEXT ? n : ALGORITHM_TEXT - 1] = '\0';
}

static const char *hash_short(enum alg_hash id)
{
	const struct hash_alg *h = hash_find(id);

	if (h == NULL)
		return "";
	if (id == HASH_SHA1)
		return "SHA";
	return strncmp(h->name, "HMAC-", 5) == 0 ? h->name + 5 : h->name;
}

static void row(struct out *o, uint32_t id, const char *type, const char *algorithm, uint64_t encrypt, uint64_t decrypt,
	uint64_t last, struct addr local)
{
	char ip[ADDR_TEXT];

	out_printf(o, "%5u  %-6s  %-18s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %s\n", id, type, algorithm, encrypt, decrypt, last,
		addr_print(ip, local));
}

static void ipsec_row(struct out *o, const struct dpm_sa_info *sa)
{
	char cipher[ALGORITHM_TEXT], text[2 * ALGORITHM_TEXT];
	const char *hash = hash_short((enum alg_hash)sa->auth);
	bool in = sa->key.inbound;

	cipher_short(cipher, (enum alg_cipher)sa->cipher);
	if (sa->key.protocol == IPPROTO_AH)
		snprintf(text, sizeof(text), "AH-%s", hash);
	else
		snprintf(text, sizeof(text), "%s%s%s", cipher, *hash == '\0' ? "" : "+", hash);
	row(o, sa->conn_id, "IPsec", text, in ? 0 : sa->count.packets, in ? sa->count.packets : 0, in ? sa->sequence : 0,
		sa->local);
}

void show_engine_active_format(struct out *o, const struct dpm_sa_info *sas, size_t nsas, const struct ikem_sa *ike, size_t nike)
{
	char cipher[ALGORITHM_TEXT], text[2 * ALGORITHM_TEXT];

	out_printf(o, "Crypto Engine Connections\n\n   ID  Type    Algorithm           Encrypt  Decrypt LastSeqN IP-Address\n");
	for (size_t i = 0; i < nsas; i++)
		ipsec_row(o, &sas[i]);
	for (size_t i = 0; i < nike; i++) {
		if (!ike[i].established || ike[i].deleted)
			continue;
		cipher_short(cipher, (enum alg_cipher)ike[i].encryption);
		snprintf(text, sizeof(text), "%s+%s", hash_short((enum alg_hash)ike[i].hash), cipher);
		row(o, ike[i].conn_id, "IKE", text, 0, 0, 0, ike[i].local);
	}
	out_printf(o, "\n");
}

static bool show_active(struct exec_call *c)
{
	struct dpm_dump_filter all = { 0 };
	struct dpm_sa_info *sas = NULL;
	struct ikem_sa *ike = NULL;
	size_t nsas = 0, nike = 0;
	bool ok = exec_rows_of(c, DAEMON_DATAPATH, DPM_SA_DUMP, span_of(&all, sizeof(all)), sizeof(*sas), (void **)&sas, &nsas) &&
		  exec_rows_of(c, DAEMON_IKE, IKEM_SA_DUMP, span_of(NULL, 0), sizeof(*ike), (void **)&ike, &nike);

	if (ok)
		show_engine_active_format(c->out, sas, nsas, ike, nike);
	mem_free(sas);
	mem_free(ike);
	return ok;
}

const struct exec_row exec_rows_engine_active[] = {
	{ "show crypto engine connections active",
		EXEC_HELP("Show running system information", "Encryption module", "Show crypto engine info",
			"Show crypto engine connections", "Show all active crypto engine connections"),
		0, EXEC_PIPE, show_active, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
