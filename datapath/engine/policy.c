/* Policies: matching a packet against the access-lists. */
#include "datapath/engine/policy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP || protocol == IPPROTO_UDPLITE;
}

static bool port_matches(const struct cfg_port *p, uint16_t port)
{
	bool listed = false;

	for (uint8_t i = 0; i < p->nvalues && i < 10; i++)
		listed |= p->values[i] == port;
	switch (p->op) {
	case PORT_EQ:
		return listed;
	case PORT_NEQ:
		return !listed;
	case PORT_LT:
		return port < p->values[0];
	case PORT_GT:
		return port > p->values[0];
	case PORT_RANGE:
		return port >= p->values[0] && port <= p->values[1];
	default:
		return true;
	}
}

static bool asks_upper(const struct cfg_ace *a)
{
	return a->src_port.op != PORT_ANY || a->dst_port.op != PORT_ANY || a->icmp_type >= 0 || a->established ||
	       a->tcp_flags_set || a->tcp_flags_clear;
}

static bool upper_matches(const struct cfg_ace *a, const struct inner *in)
{
	if (!in->upper)
		return false;
	if (a->src_port.op != PORT_ANY || a->dst_port.op != PORT_ANY)
		if (!has_ports(in->protocol) || !port_matches(&a->src_port, in->src_port) ||
			!port_matches(&a->dst_port, in->dst_port))
			return false;
	if (a->icmp_type >= 0 && (in->protocol != IPPROTO_ICMP || a->icmp_type != in->icmp_type ||
					 (a->icmp_code >= 0 && a->icmp_code != in->icmp_code)))
		return false;
	if (a->established && (in->protocol != IPPROTO_TCP || !(in->tcp_flags & (TH_ACK | TH_RST))))
		return false;
	if (a->tcp_flags_set || a->tcp_flags_clear)
		return in->protocol == IPPROTO_TCP && ((in->tcp_flags & a->tcp_flags_set) || (~in->tcp_flags & a->tcp_flags_clear));
	return true;
}

bool ace_matches(const struct cfg_ace *a, const struct inner *in)
{
	if (a->remark || ((in->src ^ a->src) & ~a->src_wild) || ((in->dst ^ a->dst) & ~a->dst_wild))
		return false;
	if (a->protocol >= 0 && a->protocol != in->protocol)
		return false;
	if (a->fragments && !in->later)
		return false;
	if ((a->dscp >= 0 && a->dscp != in->tos >> 2) || (a->precedence >= 0 && a->precedence != in->tos >> 5) ||
		(a->tos >= 0 && a->tos != (in->tos >> 1 & 15)))
		return false;
	if (!asks_upper(a))
		return true;
	if (in->later)
		return a->permit;
	return upper_matches(a, in);
}

static bool entry_matches(const struct entry *e, const struct inner *in)
{
	return e->dynamic ? selector_covers(&e->sel, in, false) : ace_matches(&e->ace, in);
}

struct verdict policy_classify(const struct policy_set *set, int ifindex, const struct inner *in)
{
	struct verdict v = { 0 };

	for (uint32_t i = 0; i < set->nentries;) {
		const struct entry *e = &set->entries[i];

		if ((ifindex != 0 && e->ifindex != ifindex) || !entry_matches(e, in)) {
			i++;
			continue;
		}
		if (e->line && v.nlines < VERDICT_LINES)
			v.lines[v.nlines++] = e->line;
		if (e->policy) {
			v.policy = e->policy;
			return v;
		}
		i = e->after;
	}
	return v;
}

int policy_interface_by_mac(const struct policy_set *set, const uint8_t mac[6])
{
	for (uint32_t i = 0; i < set->ninterfaces; i++)
		if (memcmp(set->interfaces[i].mac, mac, 6) == 0)
			return set->interfaces[i].ifindex;
	return 0;
}

bool policy_admits_ipsec(const struct policy_set *set, int ifindex, const struct inner *outer)
{
	for (uint32_t i = 0; i < set->ninterfaces; i++) {
		const struct policy_interface *f = &set->interfaces[i];

		if (f->ifindex != ifindex || !f->acl_in)
			continue;
		for (uint32_t k = 0; k < f->acl_count; k++)
			if (ace_matches(&set->acl[f->acl_first + k], outer))
				return set->acl[f->acl_first + k].permit;
		return false;
	}
	return true;
}
