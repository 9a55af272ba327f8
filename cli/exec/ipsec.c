/* show crypto ipsec sa: one block per policy, its SAs below, in the layout that parsers know line by line. */
#include "cli/exec/ipsec.h"

#include "cli/exec.h"
#include "cli/exec/transform.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static char *sa_transform(char out[TRANSFORM_TEXT], const struct dpm_sa_info *sa)
{
	if (sa->key.protocol == IPPROTO_AH)
		return transform_print(out, (enum alg_hash)sa->auth, CIPHER_NONE, HASH_NONE);
	return transform_print(out, HASH_NONE, (enum alg_cipher)sa->cipher, (enum alg_hash)sa->auth);
}

static void one_sa(struct out *o, const struct dpm_sa_info *sa, bool detail)
{
	const struct cipher_alg *c = cipher_find((enum alg_cipher)sa->cipher);
	char transform[TRANSFORM_TEXT];

	out_printf(o, "      spi: 0x%X(%u)\n", sa->key.spi, sa->key.spi);
	out_printf(o, "        transform: %s,\n", sa_transform(transform, sa));
	out_printf(o, "        in use settings ={%s%s, }\n", sa->transport ? "Transport" : "Tunnel",
		sa->udp_encap ? " UDP-Encaps" : "");
	out_printf(o, "        conn id: %u, flow_id: SW:%u, sibling_flags %X, crypto map: %s\n", sa->conn_id, sa->conn_id,
		0x80000000U | (sa->transport ? 0 : 0x40), sa->policy.map);
	if (sa->lifetime_s == 0)
		out_printf(o, "        no sa timing\n"); /* keyed by hand */
	else if (sa->lifetime_kb > 0)
		out_printf(o, "        sa timing: remaining key lifetime (k/sec): (%u/%u)\n", sa_kb_left(sa), sa_s_left(sa));
	else
		out_printf(o,
			"        sa timing: remaining key lifetime %u hours, %u mins\n"
			"        Kilobyte Volume Rekey has been disabled\n",
			sa_s_left(sa) / 3600, sa_s_left(sa) / 60 % 60);
	if (sa->key.protocol == IPPROTO_ESP)
		out_printf(o, "        IV size: %u bytes\n", c == NULL ? 0 : c->iv_len);
	out_printf(o, "        replay detection support: %c", sa->replay_window > 0 ? 'Y' : 'N');
	if (detail && sa->replay_window > 0)
		out_printf(o, "  replay window size: %u", sa->replay_window);
	out_printf(o, "\n        Status: ACTIVE(ACTIVE)\n");
}

static void sas_of(struct out *o, const struct ipsec_rows *r, const struct dpm_policy_info *p, bool inbound, bool detail)
{
	static const struct {
		const char *name;
		uint8_t protocol;
	} kinds[] = { { "esp", IPPROTO_ESP }, { "ah", IPPROTO_AH } };
	const char *way = inbound ? "inbound" : "outbound";

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		out_printf(o, "     %s %s sas:\n", way, kinds[k].name);
		for (size_t i = 0; i < r->nsas; i++)
			if (r->sas[i].key.inbound == inbound && r->sas[i].key.protocol == kinds[k].protocol &&
				flow_id_equal(&r->sas[i].policy, &p->id))
				one_sa(o, &r->sas[i], detail);
		out_printf(o, "\n");
	}
	out_printf(o, "     %s pcp sas:\n", way);
}

/* What IOS has no line for, and only where it happened. */
static void own_counters(struct out *o, const uint64_t d[DP_DROP_COUNT])
{
	if (d[DP_DROP_AH_NAT] > 0)
		out_printf(o, "    #pkts AH address translated by NAT (rcv): %" PRIu64 "\n", d[DP_DROP_AH_NAT]);
	if (d[DP_DROP_BUNDLE] > 0)
		out_printf(o, "    #pkts AH and ESP not together (rcv): %" PRIu64 "\n", d[DP_DROP_BUNDLE]);
	if (d[DP_DROP_CHECKSUM] > 0)
		out_printf(o, "    #pkts transport checksum wrong behind NAT (rcv): %" PRIu64 "\n", d[DP_DROP_CHECKSUM]);
}

/* The errors in IOS's own lines; each of our counters stands in one of them. */
static void detail_counters(struct out *o, const uint64_t d[DP_DROP_COUNT])
{
	out_printf(o, "    #pkts no sa (send) %" PRIu64 ", #pkts invalid sa (rcv) %" PRIu64 "\n", d[DP_DROP_NO_SA],
		d[DP_DROP_INVALID_SPI]);
	out_printf(o, "    #pkts encaps failed (send) %" PRIu64 ", #pkts decaps failed (rcv) %" PRIu64 "\n",
		d[DP_DROP_TOO_BIG] + d[DP_DROP_NO_ROUTE] + d[DP_DROP_SEND], d[DP_DROP_NOT_IPSEC]);
	out_printf(o, "    #pkts invalid prot (recv) 0, #pkts verify failed: %" PRIu64 "\n", d[DP_DROP_BAD_ICV]);
	out_printf(o, "    #pkts invalid identity (recv) %" PRIu64 ", #pkts invalid len (rcv) %" PRIu64 "\n", d[DP_DROP_SELECTOR],
		d[DP_DROP_MALFORMED]);
	out_printf(o, "    #pkts replay rollover (send): %" PRIu64 ", #pkts replay rollover (rcv) 0\n", d[DP_DROP_SEQ_CYCLE]);
	out_printf(o, "    ##pkts replay failed (rcv): %" PRIu64 "\n", d[DP_DROP_REPLAY]);
	out_printf(o, "    #pkts tagged (send): 0, #pkts untagged (rcv): 0\n");
	out_printf(o, "    #pkts not tagged (send): 0, #pkts not untagged (rcv): 0\n");
	out_printf(o, "    #pkts internal err (send): %" PRIu64 ", #pkts internal err (recv) %" PRIu64 "\n",
		d[DP_DROP_POLICY] + d[DP_DROP_NOMEM], d[DP_DROP_EXPIRED]);
	own_counters(o, d);
}

/* What the policy's SAs do to a packet: AH alone encrypts nothing. Without any SA: both, as ESP usually does. */
static void work_of(const struct ipsec_rows *r, const struct dpm_policy_info *p, bool *encrypts, bool *authenticates)
{
	bool any = false;

	*encrypts = *authenticates = false;
	for (size_t i = 0; i < r->nsas; i++) {
		const struct dpm_sa_info *sa = &r->sas[i];
		const struct cipher_alg *c = cipher_find((enum alg_cipher)sa->cipher);

		if (!flow_id_equal(&sa->policy, &p->id))
			continue;
		any = true;
		*encrypts = *encrypts || sa->key.protocol == IPPROTO_ESP;
		*authenticates = *authenticates || sa->auth != HASH_NONE || (c != NULL && c->aead);
	}
	if (!any)
		*encrypts = *authenticates = true;
}

static void counters(struct out *o, const struct ipsec_rows *r, const struct dpm_policy_info *p, bool detail)
{
	const uint64_t out = p->out.packets, in = p->in.packets;
	bool encrypts, digests;

	work_of(r, p, &encrypts, &digests);
	out_printf(o, "    #pkts encaps: %" PRIu64 ", #pkts encrypt: %" PRIu64 ", #pkts digest: %" PRIu64 "\n", out,
		encrypts ? out : 0, digests ? out : 0);
	out_printf(o, "    #pkts decaps: %" PRIu64 ", #pkts decrypt: %" PRIu64 ", #pkts verify: %" PRIu64 "\n", in,
		encrypts ? in : 0, digests ? in : 0);
	out_printf(o, "    #pkts compressed: 0, #pkts decompressed: 0\n");
	out_printf(o, "    #pkts not compressed: 0, #pkts compr. failed: 0\n");
	out_printf(o, "    #pkts not decompressed: 0, #pkts decompress failed: 0\n");
	if (detail)
		detail_counters(o, p->drops);
	else
		out_printf(o, "    #send errors %" PRIu64 ", #recv errors %" PRIu64 "\n", p->out.errors, p->in.errors);
}

static const struct dpm_sa_info *current_outbound(const struct ipsec_rows *r, const struct dpm_policy_info *p)
{
	const struct dpm_sa_info *found = NULL;

	for (size_t i = 0; i < r->nsas; i++)
		if (!r->sas[i].key.inbound && flow_id_equal(&r->sas[i].policy, &p->id) &&
			/* Of AH around ESP the ESP. */
			(r->sas[i].bundle_spi == 0 || r->sas[i].key.protocol == IPPROTO_ESP) &&
			(found == NULL || r->sas[i].preferred))
			found = &r->sas[i];
	return found;
}

static unsigned interface_mtu(const struct ipsec_rows *r, const char *name)
{
	const struct cfg_interface *i = cfg_interface(r->cfg, name);

	return i == NULL ? 1500 : i->ip_mtu > 0 ? i->ip_mtu : i->mtu > 0 ? i->mtu : 1500;
}

static void endpoints(struct out *o, const struct ipsec_rows *r, const struct dpm_policy_info *p, struct addr peer)
{
	const struct dpm_sa_info *now = current_outbound(r, p);
	unsigned mtu = interface_mtu(r, p->id.interface), path = p->path_mtu > 0 ? p->path_mtu : mtu;
	char local[ADDR_TEXT], remote[ADDR_TEXT];

	out_printf(o, "\n     local crypto endpt.: %s, remote crypto endpt.: %s\n", addr_print(local, policy_local(r, p)),
		addr_print(remote, peer));
	out_printf(o, "     plaintext mtu %u, path mtu %u, ip mtu %u, ip mtu idb %s\n", p->plain_mtu > 0 ? p->plain_mtu : path,
		path, mtu, p->id.interface);
	out_printf(o, "     current outbound spi: 0x%X(%u)\n", now == NULL ? 0 : now->key.spi, now == NULL ? 0 : now->key.spi);
	if (now != NULL && now->pfs_group != 0)
		out_printf(o, "     PFS (Y/N): Y, DH group: group%u\n\n", now->pfs_group);
	else
		out_printf(o, "     PFS (Y/N): N, DH group: none\n\n");
}

static void one_policy(struct out *o, const struct ipsec_rows *r, const struct dpm_policy_info *p, bool detail)
{
	char text[128], ip[ADDR_TEXT];
	uint16_t port;
	struct addr peer = policy_peer(r, p, &port);

	out_printf(o, "\n   protected vrf: (none)\n");
	out_printf(o, "   local  ident (addr/mask/prot/port): (%s)\n", selector_print(text, &p->sel.local, p->sel.protocol));
	out_printf(o, "   remote ident (addr/mask/prot/port): (%s)\n", selector_print(text, &p->sel.remote, p->sel.protocol));
	out_printf(o, "   current_peer %s port %u\n", addr_print(ip, peer), port);
	out_printf(o, "     PERMIT, flags={origin_is_acl,}\n");
	counters(o, r, p, detail);
	endpoints(o, r, p, peer);
	sas_of(o, r, p, true, detail);
	out_printf(o, "\n");
	sas_of(o, r, p, false, detail);
}

static bool wanted(const struct ipsec_rows *r, const struct dpm_policy_info *p, const struct ipsec_filter *f)
{
	uint16_t port;

	return (f->interface == NULL || strcmp(f->interface, p->id.interface) == 0) &&
	       (f->map == NULL || strcmp(f->map, p->id.map) == 0) &&
	       (!addr_is_set(f->peer) || addr_equal(f->peer, policy_peer(r, p, &port)));
}

void show_ipsec_sa_format(struct out *o, const struct ipsec_rows *r, const struct ipsec_filter *f)
{
	const char *interface = "";

	for (size_t i = 0; i < r->npolicies && !o->stopped; i++) {
		const struct dpm_policy_info *p = &r->policies[i];
		char local[ADDR_TEXT];

		if (!wanted(r, p, f))
			continue;
		if (strcmp(interface, p->id.interface) != 0)
			out_printf(o, "\ninterface: %s\n    Crypto map tag: %s, local addr %s\n", p->id.interface, p->id.map,
				addr_print(local, policy_local(r, p)));
		interface = p->id.interface;
		one_policy(o, r, p, f->detail);
	}
	if (*interface == '\0')
		out_printf(o, "\nNo SAs found\n");
}

void show_ipsec_sa_count_format(struct out *o, const struct dpm_sa_info *sas, size_t n)
{
	size_t rekeying = 0;

	/* An outbound SA that a newer one replaced lives on beside it, and so does its inbound half. */
	for (size_t i = 0; i < n; i++)
		rekeying += !sas[i].key.inbound && !sas[i].preferred;
	out_printf(o, "IPsec SA total: %zu, active: %zu, rekeying: %zu, unused: 0, invalid: 0\n", n, n - rekeying, rekeying);
}

static bool show_sa(struct exec_call *c)
{
	struct ipsec_filter f = {
		.interface = exec_arg(c, "interface"), .map = exec_arg(c, "map"), .detail = exec_arg(c, "detail") != NULL
	};
	const char *peer = exec_arg(c, "peer");
	struct ipsec_rows r;

	if (peer != NULL && addr_parse(&f.peer, peer) != ERR_OK)
		return false;
	if (!ipsec_gather(c, &r))
		return false;
	if (exec_arg(c, "count") != NULL)
		show_ipsec_sa_count_format(c->out, r.sas, r.nsas);
	else
		show_ipsec_sa_format(c->out, &r, &f);
	ipsec_rows_free(&r);
	return true;
}

#define HEAD "Show running system information", "Encryption module", "Show IPSEC policy", "IPSEC SA table"

const struct exec_row exec_rows_ipsec[] = {
	{ "show crypto ipsec sa [detail$detail]", EXEC_HELP(HEAD, "show counter detail"), 0, EXEC_PIPE, show_sa, 0 },
	{ "show crypto ipsec sa interface INTERFACE$interface [detail$detail]",
		EXEC_HELP(HEAD, "Show the SAs of an interface", "Interface", "show counter detail"), 0, EXEC_PIPE, show_sa, 0 },
	{ "show crypto ipsec sa peer A.B.C.D$peer [detail$detail]",
		EXEC_HELP(HEAD, "Show the SAs of a peer", "Peer address", "show counter detail"), 0, EXEC_PIPE, show_sa, 0 },
	{ "show crypto ipsec sa map TAG$map [detail$detail]",
		EXEC_HELP(HEAD, "Show the SAs of a crypto map", "Crypto map tag", "show counter detail"), 0, EXEC_PIPE, show_sa,
		0 },
	{ "show crypto ipsec sa count$count", EXEC_HELP(HEAD, "SA count"), 0, EXEC_PIPE, show_sa, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
