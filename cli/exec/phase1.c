/* show crypto isakmp peers, profile; show crypto call admission statistics. */
#include "cli/exec/phase1.h"

#include "cli/exec.h"
#include "platform/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Is there a younger SA with the same peer? Each peer is shown once. */
static bool shown_later(const struct ikem_sa *rows, size_t n, size_t i)
{
	for (size_t k = i + 1; k < n; k++)
		if (!rows[k].deleted && rows[k].established && addr_equal(rows[k].remote, rows[i].remote) &&
			addr_equal(rows[k].local, rows[i].local))
			return true;
	return false;
}

void show_isakmp_peers_format(struct out *o, const struct ikem_sa *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ikem_sa *s = &rows[i];
		char remote[ADDR_TEXT], local[ADDR_TEXT];

		if (s->deleted || !s->established || shown_later(rows, n, i))
			continue;
		out_printf(o, "Peer: %s Port: %u Local: %s\n Phase1 id: %s\n", addr_print(remote, s->remote), s->remote_port,
			addr_print(local, s->local), s->identity);
		if (s->profile[0] != '\0')
			out_printf(o, " ISAKMP profile: %s\n", s->profile);
		if (s->vendors[0] != '\0')
			out_printf(o, " Vendor IDs: %s\n", s->vendors);
	}
}

static void id_line(struct out *o, const struct cfg_id *id)
{
	char ip[16], mask[16];

	switch (id->kind) {
	case CFG_ID_ADDRESS:
		out_printf(o, "   ip-address %s %s\n", ip4_print(ip, id->addr), ip4_print(mask, id->mask));
		break;
	case CFG_ID_HOST:
		out_printf(o, "   fqdn %s\n", id->text);
		break;
	case CFG_ID_HOST_DOMAIN:
		out_printf(o, "   fqdn domain %s\n", id->text);
		break;
	case CFG_ID_USER:
		out_printf(o, "   user-fqdn %s\n", id->text);
		break;
	case CFG_ID_USER_DOMAIN:
		out_printf(o, "   user-fqdn domain %s\n", id->text);
		break;
	case CFG_ID_GROUP:
		out_printf(o, "   group %s\n", id->text);
		break;
	case CFG_ID_CERT_MAP:
		out_printf(o, "   certificate map %s\n", id->text);
		break;
	case CFG_ID_DN:
		break;
	}
}

void show_isakmp_profile_format(struct out *o, const struct cfg *c)
{
	for (size_t i = 0; i < c->nprofiles; i++) {
		const struct cfg_isakmp_profile *p = &c->profiles[i];

		out_printf(o, "ISAKMP PROFILE %s\n", p->name);
		if (p->description[0] != '\0')
			out_printf(o, "Description: %s\n", p->description);
		out_printf(o, "   Identities matched are:\n");
		for (size_t k = 0; k < p->nmatch; k++)
			id_line(o, &p->match[k]);
		out_printf(o, "   keyring(s): ");
		for (size_t k = 0; k < p->nkeyrings; k++)
			out_printf(o, "%s%s", k ? ", " : "", p->keyrings[k]);
		out_printf(o, "%s\n   trustpoint(s): ", p->nkeyrings ? "" : "<none>");
		for (size_t k = 0; k < p->ntrustpoints; k++)
			out_printf(o, "%s%s", k ? ", " : "", p->trustpoints[k]);
		out_printf(o, "%s\n", p->ntrustpoints ? "" : "<all>");
	}
}

#define RULER "---------------------------------------------------------------------\n"

void show_admission_format(struct out *o, const struct ikem_admission *a)
{
	out_printf(o, RULER "               Crypto Call Admission Control Statistics\n" RULER);
	out_printf(o, "System Resource Limit:        0 Max IKE SAs: %5u Max in nego: %5u\n", a->max_sas, a->max_negotiating);
	out_printf(o, "Total IKE SA Count:       %5u active:      %5u negotiating: %5u\n", a->sas, a->sas - a->negotiating,
		a->negotiating);
	out_printf(o, "Incoming IKE Requests: %8" PRIu64 " accepted: %8" PRIu64 " rejected: %8" PRIu64 "\n", a->incoming,
		a->incoming - a->incoming_rejected, a->incoming_rejected);
	out_printf(o, "Outgoing IKE Requests: %8" PRIu64 " accepted: %8" PRIu64 " rejected: %8" PRIu64 "\n", a->outgoing,
		a->outgoing - a->outgoing_rejected, a->outgoing_rejected);
	out_printf(o, "Rejected IKE Requests: %8" PRIu64 " rsrc low: %8u Active SA limit: %" PRIu64 "\n",
		a->incoming_rejected + a->outgoing_rejected, 0, a->rejected_active);
	out_printf(o, "                                                   In-neg SA limit: %" PRIu64 "\n", a->rejected_negotiating);
	out_printf(o, "IKE packets dropped at dispatch: %8" PRIu64 "\n\nMax IPSEC SAs:     0\n", a->dropped);
	out_printf(o, "Total IPSEC SA Count:     %5u active:      %5u negotiating: %5u\n", a->children + a->quicks, a->children,
		a->quicks);
	out_printf(o, "Incoming IPSEC Requests: %6" PRIu64 " accepted: %8" PRIu64 " rejected: %8" PRIu64 "\n", a->phase2_in,
		a->phase2_in - a->phase2_in_rejected, a->phase2_in_rejected);
	out_printf(o, "Outgoing IPSEC Requests: %6" PRIu64 " accepted: %8" PRIu64 " rejected: %8" PRIu64 "\n", a->phase2_out,
		a->phase2_out - a->phase2_out_rejected, a->phase2_out_rejected);
	out_printf(o, "SA Strength Enforcement Rejects:  incoming:        0 outgoing:        0\n\n"
		      "Phase1.5 SAs under negotiation:         0\n");
}

static bool show_peers(struct exec_call *c)
{
	struct ikem_sa *rows;
	size_t n;

	if (!exec_rows_of(c, DAEMON_IKE, IKEM_SA_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, &n))
		return false;
	show_isakmp_peers_format(c->out, rows, n);
	mem_free(rows);
	return true;
}

static bool show_profile(struct exec_call *c)
{
	struct cfg *cfg = exec_cfg(c);

	if (cfg != NULL)
		show_isakmp_profile_format(c->out, cfg);
	cfg_free(cfg);
	return cfg != NULL;
}

static bool show_admission(struct exec_call *c)
{
	struct ikem_admission a = { 0 };
	size_t len = 0;
	enum err rc = daemon_call(c->sh->options.run_dir, DAEMON_IKE, IKEM_ADMISSION, span_of(NULL, 0), &a, sizeof(a), &len);

	if (rc != ERR_OK || len != sizeof(a))
		return exec_failed(c, "ikemgrd", rc != ERR_OK ? rc : ERR_INVALID);
	show_admission_format(c->out, &a);
	return true;
}

#define SHOW_CRYPTO "Show running system information", "Encryption module"

const struct exec_row exec_rows_phase1[] = {
	{ "show crypto isakmp peers", EXEC_HELP(SHOW_CRYPTO, "Show ISAKMP", "Show ISAKMP peer structures"), 0, EXEC_PIPE,
		show_peers, 0 },
	{ "show crypto isakmp profile", EXEC_HELP(SHOW_CRYPTO, "Show ISAKMP", "Show ISAKMP profiles"), 0, EXEC_PIPE, show_profile,
		0 },
	{ "show crypto call admission statistics",
		EXEC_HELP(SHOW_CRYPTO, "Show crypto call admission info", "Show crypto call admission info",
			"Show Crypto Call Admission Control statistics"),
		0, EXEC_PIPE, show_admission, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
