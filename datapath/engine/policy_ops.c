/* The control thread and policies: replacing the set, with its receive rings; answers to acquires. */
#include "datapath/engine/control.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <string.h>

#define RING_MTU_MIN 1500

static struct ring *ring_of(const struct ring_set *s, int ifindex)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->rings[i]->ifindex == ifindex)
			return s->rings[i];
	return NULL;
}

static uint32_t link_mtu(struct backend *b, int ifindex)
{
	struct netlink_link l;

	if (!netlink_link(b->hops.requests, &b->hops.seq, ifindex, &l) || l.mtu < RING_MTU_MIN)
		return RING_MTU_MIN;
	return l.mtu;
}

/* Rings that stay are taken over; what is new is opened. An interface without one is served by the raw socket. */
static struct ring_set *rings_for(struct backend *b, const struct policy_set *set)
{
	struct ring_set *s = mem_zalloc(sizeof(*s));

	for (uint32_t i = 0; s && i < set->ninterfaces && s->n < RINGS_MAX; i++) {
		int ifindex = set->interfaces[i].ifindex;
		struct ring *r = ring_of(b->rings, ifindex);

		if (ring_of(s, ifindex))
			continue;
		if (!r && ring_open(&r, ifindex, link_mtu(b, ifindex)) != ERR_OK) {
			log_msg("CRYPTO", LOG_SEV_WARNING, "RING", "no receive ring on interface %d: the raw socket serves it",
				ifindex);
			continue;
		}
		s->rings[s->n++] = r;
	}
	return s;
}

static void swap_rings(struct backend *b, struct ring_set *to)
{
	struct ring_set *from = b->rings;

	RCU_SET(b->rings, to);
	note_wake(&b->in_worker.down);
	rcu_wait(&b->rcu);
	for (size_t i = 0; i < from->n; i++)
		if (!ring_of(to, from->rings[i]->ifindex))
			ring_free(from->rings[i]);
	mem_free(from);
}

enum err engine_policy_replace(struct backend *b, const struct backend_policies *from)
{
	struct policy_set *set, *old = b->set;
	struct ring_set *rings;
	enum err e = policy_set_new(&set, &b->policies, from);

	if (e != ERR_OK)
		return e;
	rings = rings_for(b, set);
	if (!rings) {
		policy_set_free(set);
		return ERR_NOMEM;
	}
	RCU_SET(b->set, set);
	swap_rings(b, rings); /* waits: nobody has the old set any more */
	policy_set_free(old);
	policy_sweep(&b->policies, set);
	note_wake(&b->out_worker.down); /* what is held is classified anew */
	return ERR_OK;
}

enum err engine_policy_state(struct backend *b, const struct dpm_policy_state *state)
{
	struct policy *p = ipsec_policy_find(&b->policies, &state->policy);

	if (!p)
		return ERR_NOT_FOUND;
	if (state->verdict == DP_POLICY_FAILED) {
		FLAG_SET(p->hold_off_us, engine_now() + state->hold_off_ms * 1000ull);
		FLAG_SET(p->failures, p->failures + 1);
	}
	FLAG_SET(p->acquire_us, 0);
	note_wake(&b->out_worker.down);
	return ERR_OK;
}
