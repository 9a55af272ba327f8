/* show crypto isakmp sa, policy, key. */
#include "cli/exec/isakmp.h"

#include "cli/exec.h"
#include "cli/exec/duration.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

/* As IOS names the state: MM_NO_STATE ... QM_IDLE. */
static const char *isakmp_state(uint8_t state)
{
	static const char *const names[] = { "MM_NO_STATE", "MM_SA_SETUP", "MM_KEY_EXCH", "MM_KEY_AUTH", "AG_NO_STATE",
		"AG_INIT_EXCH", "AG_AUTH", "CONF_XAUTH", "CONF_ADDR", "QM_IDLE" };

	return state < IKE_STATE_COUNT ? names[state] : "UNKNOWN";
}

char *isakmp_capabilities(char out[8], const struct ikem_sa *sa)
{
	size_t n = 0;

	if (sa->cap_config)
		out[n++] = 'C';
	if (sa->cap_dpd)
		out[n++] = 'D';
	if (sa->cap_keepalive)
		out[n++] = 'K';
	if (sa->cap_nat)
		out[n++] = 'N';
	if (sa->cap_xauth)
		out[n++] = 'X';
	out[n] = '\0';
	return out;
}

/* IOS's dst is the one who answered, src the one who began. */
void show_isakmp_sa_format(struct out *o, const struct ikem_sa *rows, size_t n)
{
	out_printf(o, "IPv4 Crypto ISAKMP SA\ndst             src             state          conn-id status\n");
	for (size_t i = 0; i < n; i++) {
		const struct ikem_sa *s = &rows[i];
		char dst[ADDR_TEXT], src[ADDR_TEXT];

		if (s->version > 1)
			continue;
		out_printf(o, "%-15s %-15s %-14s %7u ACTIVE%s\n", addr_print(dst, s->initiator ? s->remote : s->local),
			addr_print(src, s->initiator ? s->local : s->remote), isakmp_state(s->state), s->conn_id,
			s->deleted ? " (deleted)" : "");
	}
	out_printf(o, "\nIPv6 Crypto ISAKMP SA\n\n");
}

static const char *auth_short(uint8_t method)
{
	return method == 1 ? "psk" : method == 3 ? "rsig" : method >= 9 && method <= 11 ? "ecds" : "";
}

static void detail_row(struct out *o, const struct ikem_sa *s)
{
	const struct cipher_alg *c = cipher_find((enum alg_cipher)s->encryption);
	const struct hash_alg *h = hash_find((enum alg_hash)s->hash);
	char local[ADDR_TEXT], remote[ADDR_TEXT], life[DURATION_TEXT], cap[8];

	out_printf(o, "%-5u %-15s %-15s        %s %-4s %-6s %-4s %-2u %-8s %-4s\n", s->conn_id, addr_print(local, s->local),
		addr_print(remote, s->remote), "ACTIVE", c == NULL || c->ios_show_isakmp == NULL ? "" : c->ios_show_isakmp,
		h == NULL ? "" : h->ios_isakmp, auth_short(s->auth), s->group, duration_clock(life, s->remaining_s),
		isakmp_capabilities(cap, s));
	out_printf(o, "       Engine-id:Conn-id =  SW:%u\n\n", s->conn_id >= 1000 ? s->conn_id - 1000 : s->conn_id);
}

void show_isakmp_sa_detail_format(struct out *o, const struct ikem_sa *rows, size_t n)
{
	out_printf(o, "Codes: C - IKE configuration mode, D - Dead Peer Detection\n"
		      "       K - Keepalives, N - NAT-traversal\n"
		      "       T - cTCP encapsulation, X - IKE Extended Authentication\n"
		      "       psk - Preshared key, rsig - RSA signature\n"
		      "       renc - RSA encryption\n"
		      "IPv4 Crypto ISAKMP SA\n\n"
		      "C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.\n\n");
	for (size_t i = 0; i < n; i++)
		if (rows[i].version <= 1)
			detail_row(o, &rows[i]);
	out_printf(o, "IPv6 Crypto ISAKMP SA\n\n");
}

void show_isakmp_sa_count_format(struct out *o, const struct ikem_sa *rows, size_t n)
{
	size_t active = 0, negotiating = 0, dead = 0;

	for (size_t i = 0; i < n; i++) {
		dead += rows[i].deleted != 0;
		active += !rows[i].deleted && rows[i].established;
		negotiating += !rows[i].deleted && !rows[i].established;
	}
	out_printf(o, "Active ISAKMP SA's: %zu\n\nStandby ISAKMP SA's: 0\n\n", active);
	out_printf(o, "Currently being negotiated ISAKMP SA's: %zu\n\nDead ISAKMP SA's: %zu\n", negotiating, dead);
}

/* ---- Policies ---- */

static void cipher_long(struct out *o, enum alg_cipher id)
{
	const struct cipher_alg *c = cipher_find(id);

	if (id == CIPHER_DES)
		out_printf(o, "DES - Data Encryption Standard (56 bit keys).\n");
	else if (id == CIPHER_3DES)
		out_printf(o, "Three key triple DES\n");
	else
		out_printf(o, "AES - Advanced Encryption Standard (%u bit keys).\n", c == NULL ? 0 : 8U * c->key_len);
}

/* The built-in policies apply only while none is configured. */
#define FIRST_BUILT_IN 65507

void show_isakmp_policy_format(struct out *o, const struct cfg_isakmp_policy *rows, size_t n)
{
	bool built_in = n > 0 && rows[0].priority >= FIRST_BUILT_IN;

	out_printf(o, "\n%s IKE policy\n", built_in ? "Default" : "Global");
	for (size_t i = 0; i < n; i++) {
		const struct cfg_isakmp_policy *p = &rows[i];
		const struct hash_alg *h = hash_find(p->hash);
		const struct group_alg *g = group_find(p->group);

		out_printf(o, "%s of priority %u\n", built_in ? "Default protection suite" : "Protection suite", p->priority);
		out_printf(o, "\tencryption algorithm:\t");
		cipher_long(o, p->encryption);
		out_printf(o, "\thash algorithm:\t\t%s\n", h == NULL ? "" : h->ios_long);
		out_printf(o, "\tauthentication method:\t%s\n",
			p->auth == 1   ? "Pre-Shared Key"
			: p->auth == 3 ? "Rivest-Shamir-Adleman Signature"
				       : "Elliptic Curve Digital Signature");
		out_printf(o, "\tDiffie-Hellman group:\t#%u (%s)\n", p->group, g == NULL ? "" : g->ios_bits);
		out_printf(o, "\tlifetime:\t\t%u seconds, no volume limit\n", p->lifetime_s);
	}
}

/* The keys themselves stay with ikemgrd's keeper of keys. */
void show_isakmp_key_format(struct out *o, const struct cfg_isakmp_key *rows, size_t n)
{
	out_printf(o, "Keyring      Hostname/Address                            Preshared Key\n");
	for (size_t i = 0; i < n; i++) {
		const struct cfg_isakmp_key *k = &rows[i];
		char ip[16], mask[16], where[64];

		if (k->host[0] != '\0')
			snprintf(where, sizeof(where), "%s", k->host);
		else if (k->mask == UINT32_MAX)
			snprintf(where, sizeof(where), "%s", ip4_print(ip, k->addr));
		else
			snprintf(where, sizeof(where), "%-15s[%-15s]", ip4_print(ip, k->addr), ip4_print(mask, k->mask));
		out_printf(o, "%-12s %-43s (encrypted)\n", k->keyring[0] != '\0' ? k->keyring : "default", where);
	}
}

/* ---- Commands ---- */

static bool show_sa(struct exec_call *c)
{
	struct ikem_sa *rows;
	size_t n;

	if (!exec_rows_of(c, DAEMON_IKE, IKEM_SA_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, &n))
		return false;
	if (exec_arg(c, "detail") != NULL)
		show_isakmp_sa_detail_format(c->out, rows, n);
	else if (exec_arg(c, "count") != NULL)
		show_isakmp_sa_count_format(c->out, rows, n);
	else
		show_isakmp_sa_format(c->out, rows, n);
	mem_free(rows);
	return true;
}

static bool show_policy(struct exec_call *c)
{
	struct cfg *cfg = exec_cfg(c);

	if (cfg != NULL)
		show_isakmp_policy_format(c->out, cfg->policies, cfg->npolicies);
	cfg_free(cfg);
	return cfg != NULL;
}

static bool show_key(struct exec_call *c)
{
	struct cfg *cfg = exec_cfg(c);

	if (cfg != NULL)
		show_isakmp_key_format(c->out, cfg->keys, cfg->nkeys);
	cfg_free(cfg);
	return cfg != NULL;
}

#define SHOW   "Show running system information"
#define CRYPTO "Encryption module"
#define ISAKMP "Show ISAKMP"

const struct exec_row exec_rows_isakmp[] = {
	{ "show crypto isakmp sa [detail$detail|count$count]",
		EXEC_HELP(SHOW, CRYPTO, ISAKMP, "Show ISAKMP Security Associations", "Show ISAKMP SA details",
			"Show ISAKMP SA count"),
		0, EXEC_PIPE, show_sa, 0 },
	{ "show crypto isakmp policy", EXEC_HELP(SHOW, CRYPTO, ISAKMP, "Show ISAKMP protection suite policy"), 0, EXEC_PIPE,
		show_policy, 0 },
	{ "show crypto isakmp key", EXEC_HELP(SHOW, CRYPTO, ISAKMP, "Show ISAKMP preshared keys"), 15, EXEC_PIPE, show_key, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
