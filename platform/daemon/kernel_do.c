/* rtnetlink, writing: one function for each kind of operation. And the neighbours, which libnl's objects do not tell whole. */
#include "platform/daemon/kernel_nl.h"

#include "platform/base/addr.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <string.h>
#include <unistd.h>

static struct nl_addr *nl_ip4(uint32_t ip, int len)
{
	uint32_t wire = htonl(ip);
	struct nl_addr *a = nl_addr_build(AF_INET, &wire, sizeof(wire));

	if (a != NULL)
		nl_addr_set_prefixlen(a, len);
	return a;
}

static int loopback_add(struct kernel *k, const struct plan_op *op)
{
	struct rtnl_link *l = rtnl_link_alloc();
	int nl = -NLE_NOMEM;

	if (l == NULL)
		return nl;
	rtnl_link_set_name(l, op->ifname);
	if (rtnl_link_set_type(l, "bridge") == 0)
		nl = rtnl_link_add(k->ask, l, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(l);
	return nl;
}

static int loopback_del(struct kernel *k, const struct plan_op *op)
{
	struct rtnl_link *l = rtnl_link_alloc();
	int nl;

	if (l == NULL)
		return -NLE_NOMEM;
	rtnl_link_set_name(l, op->ifname);
	nl = rtnl_link_delete(k->ask, l);
	rtnl_link_put(l);
	return nl;
}

static int link_change(struct kernel *k, const struct plan_op *op)
{
	struct rtnl_link *now = rtnl_link_alloc(), *change = rtnl_link_alloc();
	int nl = -NLE_NOMEM;

	if (now != NULL && change != NULL) {
		rtnl_link_set_ifindex(now, (int)if_nametoindex(op->ifname));
		if (op->kind == PLAN_MTU)
			rtnl_link_set_mtu(change, op->mtu);
		else if (op->kind == PLAN_UP)
			rtnl_link_set_flags(change, IFF_UP);
		else
			rtnl_link_unset_flags(change, IFF_UP);
		nl = rtnl_link_get_ifindex(now) == 0 ? -NLE_NODEV : rtnl_link_change(k->ask, now, change, 0);
	}
	rtnl_link_put(now);
	rtnl_link_put(change);
	return nl;
}

static int addr_change(struct kernel *k, const struct plan_op *op)
{
	struct nl_addr *local = nl_ip4(op->addr.addr, op->addr.len), *broadcast = NULL;
	struct rtnl_addr *a = rtnl_addr_alloc();
	int nl = -NLE_NOMEM;

	if (a == NULL || local == NULL)
		goto out;
	rtnl_addr_set_ifindex(a, (int)if_nametoindex(op->ifname));
	nl = rtnl_addr_set_local(a, local);
	if (nl < 0)
		goto out;
	if (op->kind == PLAN_ADDR_DEL) {
		nl = rtnl_addr_delete(k->ask, a, 0);
		goto out;
	}
	if (op->addr.len <= 30 && (broadcast = nl_ip4(op->addr.addr | ~ip4_mask_of(op->addr.len), 32)) != NULL)
		rtnl_addr_set_broadcast(a, broadcast);
	if (op->addr.bare)
		rtnl_addr_set_flags(a, IFA_F_NOPREFIXROUTE);
	nl = rtnl_addr_add(k->ask, a, NLM_F_CREATE | NLM_F_EXCL);
out:
	nl_addr_put(broadcast);
	nl_addr_put(local);
	rtnl_addr_put(a);
	return nl;
}

static int put_hop(struct rtnl_route *r, const struct box_hop *h)
{
	struct rtnl_nexthop *nh = rtnl_route_nh_alloc();
	struct nl_addr *gateway;

	if (nh == NULL)
		return -NLE_NOMEM;
	rtnl_route_nh_set_ifindex(nh, (int)if_nametoindex(h->ifname));
	if (h->gateway != 0) {
		gateway = nl_ip4(h->gateway, 32);
		if (gateway == NULL) {
			rtnl_route_nh_free(nh);
			return -NLE_NOMEM;
		}
		rtnl_route_nh_set_gateway(nh, gateway);
		nl_addr_put(gateway);
		/* `ip route A M Gi0/0 NEXTHOP` need not lie in Gi0/0's network. */
		rtnl_route_nh_set_flags(nh, RTNH_F_ONLINK);
	}
	rtnl_route_add_nexthop(r, nh);
	return 0;
}

static bool has_gateway(const struct box_route *r)
{
	for (int i = 0; i < r->nhops; i++)
		if (r->hops[i].gateway != 0)
			return true;
	return false;
}

static int fill_route(struct rtnl_route *r, const struct box_route *from)
{
	struct nl_addr *dst = nl_ip4(from->prefix, from->len), *source = NULL;
	int nl = dst == NULL ? -NLE_NOMEM : rtnl_route_set_dst(r, dst);

	rtnl_route_set_table(r, RT_TABLE_MAIN);
	rtnl_route_set_protocol(r, BOX_PROTO);
	rtnl_route_set_priority(r, from->metric);
	rtnl_route_set_type(r, from->blackhole ? RTN_BLACKHOLE : RTN_UNICAST);
	rtnl_route_set_scope(r, from->blackhole || has_gateway(from) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
	if (from->mtu != 0)
		rtnl_route_set_metric(r, RTAX_MTU, from->mtu);
	if (from->source != 0 && (source = nl_ip4(from->source, 32)) != NULL)
		rtnl_route_set_pref_src(r, source);
	for (int i = 0; nl == 0 && i < from->nhops; i++)
		nl = put_hop(r, &from->hops[i]);
	nl_addr_put(source);
	nl_addr_put(dst);
	return nl;
}

static int route_change(struct kernel *k, const struct plan_op *op)
{
	struct rtnl_route *r = rtnl_route_alloc();
	int nl;

	if (r == NULL)
		return -NLE_NOMEM;
	nl = fill_route(r, &op->route);
	if (nl == 0 && op->kind == PLAN_ROUTE_DEL)
		nl = rtnl_route_delete(k->ask, r, 0);
	else if (nl == 0)
		nl = rtnl_route_add(k->ask, r, NLM_F_CREATE | (op->replaces ? NLM_F_REPLACE : NLM_F_EXCL));
	rtnl_route_put(r);
	return nl;
}

enum err kernel_do(struct kernel *k, const struct plan_op *op, const char **why)
{
	static int (*const does[])(struct kernel *, const struct plan_op *) = {
		[PLAN_LOOPBACK_DEL] = loopback_del,
		[PLAN_ADDR_DEL] = addr_change,
		[PLAN_LOOPBACK_ADD] = loopback_add,
		[PLAN_MTU] = link_change,
		[PLAN_DOWN] = link_change,
		[PLAN_ADDR_ADD] = addr_change,
		[PLAN_UP] = link_change,
		[PLAN_ROUTE_PUT] = route_change,
		[PLAN_ROUTE_DEL] = route_change,
	};
	int nl = does[op->kind](k, op);
	bool removes = op->kind == PLAN_LOOPBACK_DEL || op->kind == PLAN_ADDR_DEL || op->kind == PLAN_ROUTE_DEL;

	*why = nl_geterror(nl);
	/* The kernel was faster: an address goes with its device, a route with its address. */
	if (nl < 0 && removes && (kernel_err(nl) == ERR_NOT_FOUND || nl == -NLE_NOADDR || nl == -NLE_OBJ_NOTFOUND))
		return ERR_OK;
	return kernel_err(nl);
}

struct neighbours {
	void (*each)(void *ctx, const struct kernel_neighbour *n);
	void *ctx;
};

static int on_neighbour(struct nl_msg *msg, void *arg)
{
	static struct nla_policy policy[NDA_MAX + 1] = {
		[NDA_DST] = { .minlen = 4 },
		[NDA_LLADDR] = { .minlen = 6 },
		[NDA_CACHEINFO] = { .minlen = sizeof(struct nda_cacheinfo) },
	};
	struct neighbours *to = arg;
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct nlattr *attr[NDA_MAX + 1];
	struct kernel_neighbour n = { 0 };
	struct ndmsg *nd;

	if (h->nlmsg_type != RTM_NEWNEIGH || nlmsg_parse(h, sizeof(*nd), attr, NDA_MAX, policy) < 0)
		return NL_OK;
	nd = nlmsg_data(h);
	if (nd->ndm_family != AF_INET || nd->ndm_state & (NUD_NOARP | NUD_FAILED | NUD_INCOMPLETE) || !attr[NDA_DST] ||
		!attr[NDA_LLADDR])
		return NL_OK;
	if (if_indextoname((unsigned)nd->ndm_ifindex, n.ifname) == NULL)
		return NL_OK;
	memcpy(&n.ip, nla_data(attr[NDA_DST]), 4);
	n.ip = ntohl(n.ip);
	memcpy(n.mac, nla_data(attr[NDA_LLADDR]), sizeof(n.mac));
	if (attr[NDA_CACHEINFO]) {
		struct nda_cacheinfo info;

		memcpy(&info, nla_data(attr[NDA_CACHEINFO]), sizeof(info));
		n.age_s = info.ndm_confirmed / (uint32_t)sysconf(_SC_CLK_TCK);
	}
	to->each(to->ctx, &n);
	return NL_OK;
}

enum err kernel_neighbours(struct kernel *k, void (*each)(void *ctx, const struct kernel_neighbour *n), void *ctx)
{
	struct neighbours to = { each, ctx };
	struct ndmsg ask = { .ndm_family = AF_INET };
	struct nl_cb *usual = nl_socket_get_cb(k->ask), *cb = nl_cb_clone(usual);
	int nl;

	nl_cb_put(usual);
	if (cb == NULL)
		return ERR_NOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_neighbour, &to);
	nl = nl_send_simple(k->ask, RTM_GETNEIGH, NLM_F_DUMP, &ask, sizeof(ask));
	if (nl >= 0)
		nl = nl_recvmsgs(k->ask, cb);
	nl_cb_put(cb);
	return nl < 0 ? kernel_err(nl) : ERR_OK;
}
