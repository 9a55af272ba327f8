/* A session is a peer on an interface: the policies that lead to it, their SAs, and the IKE SAs with it. */
#include "cli/exec/crypto_session.h"

#include "cli/exec.h"
#include "cli/exec/duration.h"
#include "cli/exec/interfaces.h"
#include "cli/exec/isakmp.h"
#include "platform/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *session_status(bool ike_up, bool ike_negotiating, bool ipsec)
{
	if (ipsec)
		return ike_up ? "UP-ACTIVE" : "UP-NO-IKE";
	return ike_up ? "UP-IDLE" : ike_negotiating ? "DOWN-NEGOTIATING" : "DOWN";
}

/* One side of a flow: "host A" or "A/mask". */
static char *flow_side(char out[128], const struct dp_selector *s)
{
	char ip[ADDR_TEXT], *slash;

	if (addr_equal(s->from, s->to)) {
		snprintf(out, 128, "host %s", addr_print(ip, s->from));
		return out;
	}
	selector_print(out, s, 0);
	slash = strchr(out, '/');
	slash = slash == NULL ? NULL : strchr(slash + 1, '/');
	if (slash != NULL)
		*slash = '\0'; /* without protocol and port */
	return out;
}

static void flow_port(struct out *o, const struct dp_selector *s)
{
	if (s->port_from != 0 || s->port_to != UINT16_MAX)
		out_printf(o, " port %u", s->port_from);
}

struct flow_sums {
	size_t sas;
	uint64_t packets[2], drops[2]; /* [inbound] */
	uint32_t kb[2], seconds[2];    /* of the newest SA */
};

static struct flow_sums sum_flow(const struct ipsec_rows *r, const struct dpm_policy_info *p)
{
	struct flow_sums f = { .packets = { p->out.packets, p->in.packets }, .drops = { p->out.errors, p->in.errors } };

	for (size_t i = 0; i < r->nsas; i++) {
		const struct dpm_sa_info *sa = &r->sas[i];
		unsigned in = sa->key.inbound != 0;

		if (!flow_id_equal(&sa->policy, &p->id))
			continue;
		f.sas++;
		if (f.seconds[in] < sa_s_left(sa)) {
			f.seconds[in] = sa_s_left(sa);
			f.kb[in] = sa_kb_left(sa);
		}
	}
	return f;
}

static void one_flow(struct out *o, const struct ipsec_rows *r, const struct dpm_policy_info *p, bool detail)
{
	struct flow_sums f = sum_flow(r, p);
	char local[128], remote[128], protocol[8] = "ip";

	if (p->sel.protocol != 0)
		snprintf(protocol, sizeof(protocol), "%u", p->sel.protocol);
	out_printf(o, "  IPSEC FLOW: permit %s %s", protocol, flow_side(local, &p->sel.local));
	flow_port(o, &p->sel.local);
	out_printf(o, " %s", flow_side(remote, &p->sel.remote));
	flow_port(o, &p->sel.remote);
	out_printf(o, " \n        Active SAs: %zu, origin: crypto map\n", f.sas);
	if (!detail)
		return;
	out_printf(o, "        Inbound:  #pkts dec'ed %" PRIu64 " drop %" PRIu64 " life (KB/Sec) %u/%u\n", f.packets[1], f.drops[1],
		f.kb[1], f.seconds[1]);
	out_printf(o, "        Outbound: #pkts enc'ed %" PRIu64 " drop %" PRIu64 " life (KB/Sec) %u/%u\n", f.packets[0], f.drops[0],
		f.kb[0], f.seconds[0]);
}

static void one_ike(struct out *o, const struct ikem_sa *sa, bool detail)
{
	char local[ADDR_TEXT], remote[ADDR_TEXT], life[DURATION_TEXT], cap[8];

	out_printf(o, "  Session ID: 0  \n  IKEv%u SA: local %s/%u remote %s/%u %s \n", sa->version > 1 ? 2 : 1,
		addr_print(local, sa->local), sa->local_port, addr_print(remote, sa->remote), sa->remote_port,
		sa->established && !sa->deleted ? "Active" : "Inactive");
	if (!detail)
		return;
	isakmp_capabilities(cap, sa);
	out_printf(o, "          Capabilities:%s connid:%u lifetime:%s\n", cap[0] == '\0' ? "(none)" : cap, sa->conn_id,
		sa->established ? duration_clock(life, sa->remaining_s) : "0");
}

struct peer {
	const char *interface;
	struct addr addr;
	uint16_t port;
	bool ike_up, negotiating, ipsec;
	const struct ikem_sa *best;
};

static void find_state(const struct session_rows *r, struct peer *p)
{
	uint16_t port;

	for (size_t i = 0; i < r->nike; i++) {
		const struct ikem_sa *sa = &r->ike[i];

		if (!addr_equal(sa->remote, p->addr))
			continue;
		p->ike_up = p->ike_up || (sa->established && !sa->deleted);
		p->negotiating = p->negotiating || (!sa->established && !sa->deleted);
		if (p->best == NULL || (sa->established && !sa->deleted))
			p->best = sa;
	}
	for (size_t i = 0; i < r->ipsec.npolicies; i++) {
		const struct dpm_policy_info *q = &r->ipsec.policies[i];

		if (strcmp(q->id.interface, p->interface) == 0 && addr_equal(policy_peer(&r->ipsec, q, &port), p->addr))
			p->ipsec = p->ipsec || sum_flow(&r->ipsec, q).sas > 0;
	}
	if (p->best != NULL)
		p->port = p->best->remote_port;
}

/* UINT64_MAX: not known. */
static uint64_t uptime_of(const struct session_rows *r, const struct peer *p)
{
	for (size_t i = 0; i < r->nuptimes; i++)
		if (addr_equal(r->uptimes[i].remote, p->addr) && strcmp(r->uptimes[i].interface, p->interface) == 0)
			return r->uptimes[i].uptime_s;
	return UINT64_MAX;
}

/* A remote-access client's user, group and address. Behind one NAT there may be several. */
static void client_lines(struct out *o, const struct session_rows *r, const struct peer *p)
{
	char ip[ADDR_TEXT];

	for (size_t i = 0; i < r->nike; i++) {
		const struct ikem_sa *sa = &r->ike[i];

		if (sa->deleted || !addr_equal(sa->remote, p->addr))
			continue;
		if (sa->user[0] != '\0')
			out_printf(o, "Username: %s\n", sa->user);
		if (sa->user[0] != '\0' && sa->group_name[0] != '\0')
			out_printf(o, "Group: %s\n", sa->group_name);
		if (addr_is_set(sa->assigned))
			out_printf(o, "Assigned address: %s\n", addr_print(ip, sa->assigned));
	}
}

static void head(struct out *o, const struct session_rows *r, const struct peer *p, bool detail)
{
	const char *status = session_status(p->ike_up, p->negotiating, p->ipsec);
	uint64_t uptime = uptime_of(r, p);
	char text[DURATION_TEXT], ip[ADDR_TEXT];

	out_printf(o, "\nInterface: %s\n", p->interface);
	client_lines(o, r, p);
	if (detail && uptime != UINT64_MAX && status[0] == 'U')
		out_printf(o, "Uptime: %s\n", duration_short(text, uptime));
	out_printf(o, "Session status: %s     \n", status);
	if (!detail) {
		out_printf(o, "Peer: %s port %u \n", addr_print(ip, p->addr), p->port);
		return;
	}
	out_printf(o, "Peer: %s port %u fvrf: (none) ivrf: (none)\n", addr_print(ip, p->addr), p->port);
	out_printf(o, "      Phase1_id: %s\n      Desc: (none)\n",
		p->ike_up && p->best->identity[0] != '\0' ? p->best->identity : "(none)");
}

static void one_session(struct out *o, const struct session_rows *r, struct peer *p, bool detail)
{
	uint16_t port;

	find_state(r, p);
	head(o, r, p, detail);
	for (size_t i = 0; i < r->nike; i++)
		if (addr_equal(r->ike[i].remote, p->addr))
			one_ike(o, &r->ike[i], detail);
	for (size_t i = 0; i < r->ipsec.npolicies; i++) {
		const struct dpm_policy_info *q = &r->ipsec.policies[i];

		if (strcmp(q->id.interface, p->interface) == 0 && addr_equal(policy_peer(&r->ipsec, q, &port), p->addr))
			one_flow(o, &r->ipsec, q, detail);
	}
}

/* Was a session with this policy's peer shown already? */
static bool seen_before(const struct session_rows *r, size_t at, struct addr peer)
{
	uint16_t port;

	for (size_t i = 0; i < at; i++)
		if (strcmp(r->ipsec.policies[i].id.interface, r->ipsec.policies[at].id.interface) == 0 &&
			addr_equal(policy_peer(&r->ipsec, &r->ipsec.policies[i], &port), peer))
			return true;
	return false;
}

/* One peer in one line: user and group of a client, else the peer's identity. */
static void brief_row(struct out *o, const struct session_rows *r, struct peer *p)
{
	char ip[ADDR_TEXT], interface[INTERFACE_SHORT], text[DURATION_TEXT] = "";
	const char *user, *name;
	uint64_t uptime = uptime_of(r, p);
	char status[4];

	find_state(r, p);
	user = p->best == NULL ? "" : p->best->user;
	name = user[0] != '\0' ? p->best->group_name : p->ike_up ? p->best->identity : "";
	snprintf(status, sizeof(status), "%s",
		p->ipsec         ? (p->ike_up ? "UA" : "UK")
		: p->ike_up      ? "UI"
		: p->negotiating ? "DN"
				 : "D");
	if (status[0] == 'U' && uptime != UINT64_MAX)
		duration_short(text, uptime);
	out_printf(o, "%15s %8s %19s %25s %8s %6s\n", addr_print(ip, p->addr), interface_short(interface, p->interface), user, name,
		text, status);
}

static void opening(struct out *o, const struct session_filter *f)
{
	if (f->brief) {
		out_printf(o, "Status: A- Active, U - Up, D - Down, I - Idle, S - Standby, N - Negotiating\n        K - No IKE\n"
			      "ivrf = (none)\n");
		out_printf(o, "%15s %8s %19s %25s %8s %6s\n", "Peer", "I/F", "Username", "Group/Phase1_id", "Uptime", "Status");
		return;
	}
	out_printf(o, "Crypto session current status\n");
	if (f->detail)
		out_printf(o, "\nCode: C - IKE Configuration mode, D - Dead Peer Detection     \n"
			      "K - Keepalives, N - NAT-traversal, T - cTCP encapsulation     \n"
			      "X - IKE Extended Authentication, F - IKE Fragmentation\n"
			      "R - IKE Auto Reconnect\n");
}

void show_session_format(struct out *o, const struct session_rows *r, const struct session_filter *f)
{
	opening(o, f);
	for (size_t i = 0; i < r->ipsec.npolicies && !o->stopped; i++) {
		const struct dpm_policy_info *q = &r->ipsec.policies[i];
		struct peer p = { .interface = q->id.interface };

		p.addr = policy_peer(&r->ipsec, q, &p.port);
		if (seen_before(r, i, p.addr) || (f->interface != NULL && strcmp(f->interface, p.interface) != 0) ||
			(addr_is_set(f->remote) && !addr_equal(f->remote, p.addr)))
			continue;
		if (f->brief)
			brief_row(o, r, &p);
		else
			one_session(o, r, &p, f->detail);
	}
	out_printf(o, "\n");
}

static bool show_session(struct exec_call *c)
{
	struct session_filter f = { .detail = exec_arg(c, "detail") != NULL,
		.brief = exec_arg(c, "brief") != NULL,
		.interface = exec_arg(c, "interface") };
	const char *remote = exec_arg(c, "remote");
	struct session_rows r = { 0 };
	bool ok =
		(remote == NULL || addr_parse(&f.remote, remote) == ERR_OK) && ipsec_gather(c, &r.ipsec) &&
		exec_rows_of(c, DAEMON_IKE, IKEM_SA_DUMP, span_of(NULL, 0), sizeof(*r.ike), (void **)&r.ike, &r.nike) &&
		exec_rows_of(c, DAEMON_IKE, IKEM_PEER_DUMP, span_of(NULL, 0), sizeof(*r.uptimes), (void **)&r.uptimes, &r.nuptimes);

	if (ok)
		show_session_format(c->out, &r, &f);
	ipsec_rows_free(&r.ipsec);
	mem_free(r.ike);
	mem_free(r.uptimes);
	return ok;
}

#define HEAD   "Show running system information", "Encryption module", "Show crypto sessions (tunnels)"
#define DETAIL "show session detail"

const struct exec_row exec_rows_crypto_session[] = {
	{ "show crypto session [detail$detail]", EXEC_HELP(HEAD, DETAIL), 0, EXEC_PIPE, show_session, 0 },
	{ "show crypto session brief$brief", EXEC_HELP(HEAD, "show brief information about a session"), 0, EXEC_PIPE, show_session,
		0 },
	{ "show crypto session remote A.B.C.D$remote [detail$detail]",
		EXEC_HELP(HEAD, "show crypto sessions for a remote crypto endpoint", "IP address of the remote crypto endpoint",
			DETAIL),
		0, EXEC_PIPE, show_session, 0 },
	{ "show crypto session interface INTERFACE$interface [detail$detail]",
		EXEC_HELP(HEAD, "show crypto sessions on an interface", "Interface", DETAIL), 0, EXEC_PIPE, show_session, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
