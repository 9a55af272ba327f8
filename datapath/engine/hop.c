/* Next hops: looking them up and keeping them true. */
#include "datapath/engine/hop.h"

#include "datapath/engine/netlink.h"
#include "platform/base/mem.h"

#include <linux/neighbour.h>
#include <string.h>
#include <unistd.h>

#define LEARNED_US (600ull * 1000000)
#define SETTLE_US  5000
#define MTU_MIN    576

#define USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

static struct hop_data *look_up(struct hops *h, struct hop *hop)
{
	struct hop_data *d = mem_zalloc(sizeof(*d));
	struct netlink_route r;
	struct netlink_link link;

	if (!d)
		return NULL;
	d->mtu = 1500;
	if (!netlink_route(h->requests, &h->seq, hop->local, hop->remote, &r) ||
		!netlink_link(h->requests, &h->seq, r.ifindex, &link))
		goto out;
	d->ifindex = r.ifindex;
	d->mtu = r.mtu ? r.mtu : link.mtu;
	hop->gateway = r.gateway ? r.gateway : hop->remote;
	hop->neighbour_state = 0;
	if (link.ethernet && h->packet) {
		hop->neighbour_state = netlink_neighbour(h->requests, &h->seq, r.ifindex, hop->gateway, d->ethernet);
		memcpy(d->ethernet + 6, link.mac, 6);
		d->ethernet[12] = 0x08;
		d->resolved = (hop->neighbour_state & USABLE) != 0;
	}
out:
	if (hop->learned_mtu && hop->learned_mtu < d->mtu)
		d->mtu = hop->learned_mtu;
	return d;
}

static bool same_data(const struct hop_data *a, const struct hop_data *b)
{
	return a->ifindex == b->ifindex && a->mtu == b->mtu && a->resolved == b->resolved &&
	       memcmp(a->ethernet, b->ethernet, sizeof(a->ethernet)) == 0;
}

static void refresh(struct hops *h, struct hop *hop)
{
	struct hop_data *d = look_up(h, hop), *old = hop->data;

	if (!d)
		return;
	if (old && same_data(old, d)) {
		mem_free(d);
		return;
	}
	RCU_SET(hop->data, d);
	if (old) {
		rcu_wait(h->rcu);
		mem_free(old);
	}
}

static void settled(void *ctx)
{
	struct hops *h = ctx;

	for (struct hop *p = h->all; p; p = p->next)
		refresh(h, p);
}

static void changed(void *ctx, int fd, int what)
{
	struct hops *h = ctx;

	(void)what;
	/* What changed does not matter: many messages, one new look. */
	netlink_discard(fd);
	loop_timer_set(h->settle, SETTLE_US);
}

enum err hops_open(struct hops *h, struct loop *loop, struct rcu *rcu)
{
	*h = (struct hops){ .rcu = rcu, .loop = loop, .packet = true, .events = netlink_events(), .requests = netlink_requests() };
	if (h->events < 0 || h->requests < 0)
		return ERR_SYS;
	h->watch = loop_fd_add(loop, h->events, LOOP_READ, changed, h);
	h->settle = loop_timer_new(loop, settled, h);
	return h->watch && h->settle ? ERR_OK : ERR_NOMEM;
}

void hops_close(struct hops *h)
{
	while (h->all) {
		struct hop *p = h->all;

		h->all = p->next;
		mem_free(p->data);
		mem_free(p);
	}
	loop_fd_del(h->watch);
	loop_timer_free(h->settle);
	if (h->events > 0)
		close(h->events);
	if (h->requests > 0)
		close(h->requests);
}

struct hop *hop_get(struct hops *h, uint32_t local, uint32_t remote)
{
	struct hop *p = h->all;

	while (p && (p->local != local || p->remote != remote))
		p = p->next;
	if (!p) {
		p = mem_zalloc(sizeof(*p));
		if (!p)
			return NULL;
		p->local = local;
		p->remote = remote;
		refresh(h, p);
		if (!p->data) {
			mem_free(p);
			return NULL;
		}
		p->next = h->all;
		h->all = p;
		if (!p->data->resolved && p->data->ifindex && h->packet)
			netlink_use_neighbour(h->requests, &h->seq, p->data->ifindex, p->gateway);
	}
	p->refs++;
	return p;
}

void hop_put(struct hops *h, struct hop *hop)
{
	struct hop **at = &h->all;

	if (!hop || --hop->refs > 0)
		return;
	/* What was learned about the path outlives the last SA for a while: hops_tick frees. */
	if (hop->learned_mtu)
		return;
	while (*at != hop)
		at = &(*at)->next;
	*at = hop->next;
	rcu_wait(h->rcu);
	mem_free(hop->data);
	mem_free(hop);
}

bool hop_learn_mtu(struct hops *h, struct hop *hop, uint16_t mtu, uint64_t now_us)
{
	if (mtu < MTU_MIN)
		mtu = MTU_MIN;
	if (mtu >= hop->data->mtu)
		return false;
	hop->learned_mtu = mtu;
	hop->learned_us = now_us;
	refresh(h, hop);
	return true;
}

void hops_tick(struct hops *h, uint64_t now_us)
{
	for (struct hop *p = h->all, *next; p; p = next) {
		next = p->next;
		if (p->learned_mtu && now_us - p->learned_us > LEARNED_US) {
			p->learned_mtu = 0;
			refresh(h, p);
		}
		if (p->refs == 0) {
			p->refs = 1;
			hop_put(h, p);
			continue;
		}
		if (!p->data->resolved)
			refresh(h, p);
		/* AF_PACKET does not tell the kernel that the neighbour is in use: we do, so that it is checked and kept. */
		if (h->packet && p->data->ifindex && !(p->neighbour_state & (NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP)))
			netlink_use_neighbour(h->requests, &h->seq, p->data->ifindex, p->gateway);
	}
}
