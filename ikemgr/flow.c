/* Who needs a tunnel. A flow is one policy (one permit line) that traffic has asked for, or that has SAs.
 *
 *      acquire            IKE SA there?   yes            quick mode            pair
 *   IDLE ------> choose peer ------------------> QUICK ------------------> IDLE (up)
 *                    ^        \  no                 | silent: a fresh IKE SA once, then the next peer
 *                    |         v                    | refused: failed
 *                    +------- IKE (main mode) <-----+
 *               next peer      | failed
 *
 * While the peer's own quick mode for the same policy is under way, an acquire waits in IDLE: for that pair, or for its failure.
 * When no peer is left the flow has failed: the data path is told, and the flow tries again when traffic asks, or as soon as
 * the configuration changes while somebody still waits.
 */
#include "ikemgr/core.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <string.h>

#define HOLD_OFF_MS    1000
#define HOLD_OFF_STEPS 5
#define WANTED_S       60
#define JUST_UP_US     500000
/* A renewal that failed is tried again after this, as long as the old pair lives. */
#define RENEW_AGAIN_S 5
/* Quick mode: messages sent before the peer counts as silent. */
#define QUICK_TRIES 5

static void flow_again(void *ctx, void *owner);
static void flow_round(struct flow *f);

struct flow *flow_get(struct ike *k, const struct dp_policy_id *id, bool make)
{
	struct flow *f;

	EACH_OF(k, l, &k->flow_ids[bucket_of_policy(k, id)])
	if (policy_id_equal(&OWNER(l, struct flow, by_id)->id, id))
		return OWNER(l, struct flow, by_id);
	if (!make)
		return NULL;
	f = mem_zalloc(sizeof(*f));
	if (f == NULL || timer_reserve(&k->timers, FLOW_TIMERS) != ERR_OK) {
		mem_free(f);
		count(k, STAT_NOMEM);
		return NULL;
	}
	f->k = k;
	f->id = *id;
	f->again = (struct timer){ .fire = flow_again, .owner = f };
	link_init(&f->children);
	link_add(&k->flows, &f->link);
	link_add(&k->flow_ids[bucket_of_policy(k, id)], &f->by_id);
	return f;
}

void flow_peer(struct flow *f, struct addr peer)
{
	link_del(&f->by_peer);
	f->peer = peer;
	link_add(&f->k->flow_peers[bucket_of_peer(f->k, peer)], &f->by_peer);
}

/* The flows with that peer, onto a list of the caller's, who takes them from there one by one: what happens to one of them may
 * change the peer of others, or end them. */
static void flows_gather(struct ike *k, struct addr peer, struct link *mine)
{
	link_init(mine);
	EACH_OF(k, l, &k->flow_peers[bucket_of_peer(k, peer)])
	if (addr_equal(OWNER(l, struct flow, by_peer)->peer, peer)) {
		link_del(l);
		link_add(mine, l);
	}
}

/* The next one, back in its place; NULL: that was all. */
static struct flow *flow_gathered(struct link *mine)
{
	struct flow *f = mine->next == mine ? NULL : OWNER(mine->next, struct flow, by_peer);

	if (f != NULL)
		flow_peer(f, f->peer);
	return f;
}

void flow_free(struct flow *f)
{
	struct ike *k = f->k;

	timer_stop(&k->timers, &f->again);
	timer_release(&k->timers, FLOW_TIMERS);
	link_del(&f->link);
	link_del(&f->by_id);
	link_del(&f->by_peer);
	dynamic_unused(k, &f->id, NULL);
	mem_free(f);
}

static bool has_children(const struct flow *f)
{
	return f->children.next != &f->children;
}

/* As long as the configuration has its policy, it remembers which peer was good. */
void flow_maybe_free(struct flow *f)
{
	struct policy p;

	if (f->stage == FLOW_IDLE && !has_children(f) && f->again.place == 0 &&
		(f->k->closing || (f->id.ace_seq & DP_ACE_DYNAMIC) || !policy_find(f->k, &f->id, &p)))
		flow_free(f);
}

static void policy_tell(struct flow *f, uint8_t verdict, uint32_t hold_off_ms)
{
	struct dpm_policy_state s = { .policy = f->id, .verdict = verdict, .hold_off_ms = hold_off_ms };

	f->k->host.policy_state(f->k->host.ctx, &s);
}

/* A child of the flow that will have to be renewed and has no successor yet. */
static struct child *renewing(const struct flow *f)
{
	EACH(l, &f->children)
	{
		struct child *c = OWNER(l, struct child, of_flow);

		if (c->renewing && child_newer(c) == NULL)
			return c;
	}
	return NULL;
}

void flow_failed(struct flow *f)
{
	struct ike *k = f->k;
	uint64_t now = now_us(k);

	f->stage = FLOW_IDLE;
	f->tried_set = 0;
	if (f->failures < HOLD_OFF_STEPS)
		f->failures++;
	if (f->acquire)
		policy_tell(f, DP_POLICY_FAILED, HOLD_OFF_MS * f->failures);
	if (f->acquire)
		f->wanted = true;
	f->acquire = false;
	timer_set(&k->timers, &f->again, now + (renewing(f) != NULL ? RENEW_AGAIN_S : WANTED_S) * SECOND);
}

static bool making(const struct quick *q, const struct flow *f)
{
	return q->st != NULL && !q->st->initiator && q->st->stage != QUICK_NEW && policy_id_equal(&q->st->policy, &f->id) &&
	       (!f->narrowed || selectors_within(&f->narrow, &q->st->sel));
}

/* The peer has begun a quick mode for it, and its third message is not here yet: ESP under the new pair may have overtaken it, and
 * the answer to that asks for a pair that is as good as there. Under an SA that the peer has forgotten nothing more comes. */
static bool peer_makes_it(const struct flow *f)
{
	EACH_OF(f->k, l, &f->k->quick_policies[bucket_of_policy(f->k, &f->id)])
	{
		const struct quick *q = OWNER(l, struct quick, by_policy);

		if (!q->sa->forgotten && making(q, f))
			return true;
	}
	return false;
}

/* Not at once: the quick mode, and maybe its IKE SA, is just being taken apart. */
void flow_left(struct ike *k, const struct quick *q)
{
	struct flow *f = q->st == NULL || q->st->initiator ? NULL : flow_get(k, &q->st->policy, false);

	if (f != NULL && f->acquire && f->stage == FLOW_IDLE)
		timer_set(&k->timers, &f->again, now_us(k));
}

static void flow_again(void *ctx, void *owner)
{
	struct flow *f = owner;
	struct child *c = renewing(f);

	(void)ctx;
	f->wanted = false;
	f->failures = 0;
	if (f->acquire && f->stage == FLOW_IDLE && !peer_makes_it(f)) {
		flow_round(f);
	} else if (c != NULL && f->stage == FLOW_IDLE) {
		flow_narrow(f, c->sel.local.from, c->sel.remote.from);
		flow_renew(f, c->remote);
	} else {
		flow_maybe_free(f);
	}
}

static bool peer_avoided(const struct flow *f, uint32_t addr)
{
	return addr_is_set(f->dead) && addr_to_v4(f->dead) == addr && now_us(f->k) < f->dead_until_us;
}

/* Index of the next peer to be tried, or -1: the `default` one first, else the last that was good, else in order. One that was
 * just found dead only when no other is left. */
static int peer_choose(const struct flow *f, const struct cfg_map_entry *e)
{
	int first = -1, good = -1, avoided = -1;

	for (size_t i = 0; i < e->npeers; i++) {
		if (e->peers[i].addr == 0 || (f->tried_set & (UINT32_C(1) << i)))
			continue;
		if (peer_avoided(f, e->peers[i].addr)) {
			avoided = (int)i;
			continue;
		}
		if (e->peers[i].is_default)
			return (int)i;
		if (f->peer_good && addr_to_v4(f->peer) == e->peers[i].addr)
			good = (int)i;
		if (first < 0)
			first = (int)i;
	}
	return good >= 0 ? good : first >= 0 ? first : avoided;
}

static size_t peers_left(const struct flow *f, const struct cfg_map_entry *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->npeers; i++)
		n += e->peers[i].addr != 0 && !(f->tried_set & (UINT32_C(1) << i));
	return n;
}

static void flow_try(struct flow *f, const struct policy *p, int i)
{
	struct ike *k = f->k;
	struct ike_sa *sa;
	bool patient;

	f->tried_set |= UINT32_C(1) << i;
	patient = peers_left(f, p->entry) == 0;
	flow_peer(f, addr_v4(p->entry->peers[i].addr));
	f->peer_good = false;
	f->local = ike_policy_local(k, p->interface, f->peer);
	f->stage = FLOW_IKE;
	sa = sa_established(k, f->local, f->peer);
	if (sa != NULL) {
		if (quick_begin(sa, f) != ERR_OK)
			flow_failed(f);
	} else if (sa_starting(k, f->local, f->peer) == NULL) {
		phase1_begin(k, f->local, f->peer, patient);
	}
}

/* Under a dynamic map nobody is called: there is an IKE SA, or there is none. */
static void flow_try_dynamic(struct flow *f, const struct policy *p)
{
	struct ike_sa *sa;

	f->local = ike_policy_local(f->k, p->interface, p->peer);
	flow_peer(f, p->peer);
	sa = f->tried_set == 0 ? dynamic_sa(f->k, f->local, p) : NULL;
	f->tried_set = 1;
	if (sa == NULL || quick_begin(sa, f) != ERR_OK)
		flow_failed(f);
}

void flow_start(struct flow *f)
{
	struct policy p;
	int i;

	if (!policy_find(f->k, &f->id, &p)) {
		flow_failed(f);
		return;
	}
	if (p.place != NULL) {
		flow_try_dynamic(f, &p);
		return;
	}
	i = peer_choose(f, p.entry);
	if (i < 0)
		flow_failed(f);
	else
		flow_try(f, &p, i);
}

static void flow_round(struct flow *f)
{
	timer_stop(&f->k->timers, &f->again);
	f->tried_set = 0;
	f->fresh = 0;
	flow_start(f);
}

void flow_renew(struct flow *f, struct addr peer)
{
	if (f->stage != FLOW_IDLE)
		return;
	flow_peer(f, peer);
	f->peer_good = true;
	flow_round(f);
}

void flow_narrow(struct flow *f, struct addr local, struct addr remote)
{
	struct policy p;

	f->narrowed = false;
	if ((f->id.ace_seq & DP_ACE_DYNAMIC) || !policy_find(f->k, &f->id, &p) || !p.entry->per_host || !addr_is_set(local) ||
		!addr_is_set(remote))
		return;
	f->narrow = p.sel;
	f->narrow.local.from = f->narrow.local.to = local;
	f->narrow.remote.from = f->narrow.remote.to = remote;
	f->narrowed = selectors_within(&f->narrow, &p.sel);
}

/* The question and the answer to the one before it have crossed. */
static bool just_up(const struct flow *f)
{
	EACH(l, &f->children)
	{
		const struct child *c = OWNER(l, struct child, of_flow);

		if (f->narrowed && !selectors_within(&f->narrow, &c->sel))
			continue;
		if (child_main((struct child *)c, false)->there && !c->worn && now_us(f->k) < c->created_us + JUST_UP_US)
			return true;
	}
	return false;
}

bool flow_connect(struct flow *f)
{
	EACH(l, &f->children)
	{
		struct child *c = OWNER(l, struct child, of_flow);

		if (child_whole(c) && !c->worn)
			return false;
	}
	if (f->stage != FLOW_IDLE)
		return true;
	f->narrowed = false;
	flow_round(f);
	return true;
}

void flow_acquire(struct ike *k, const struct dpm_acquire *a)
{
	struct flow *f = flow_get(k, &a->policy, true);
	struct dpm_policy_state s = { .policy = a->policy, .verdict = DP_POLICY_FAILED, .hold_off_ms = HOLD_OFF_MS };

	if (f == NULL) {
		k->host.policy_state(k->host.ctx, &s);
		return;
	}
	f->acquire = true;
	if (f->stage != FLOW_IDLE)
		return;
	flow_narrow(f, a->src, a->dst);
	if (just_up(f)) {
		f->acquire = false;
		policy_tell(f, DP_POLICY_UP, 0);
	} else if (!peer_makes_it(f)) {
		flow_round(f);
	}
}

/* A set that cannot be had from this peer is left out, and it is said why. */
static void offer_fill(struct ike *k, const struct ike_sa *sa, struct quick_state *q, const struct policy *p)
{
	char peer[ADDR_TEXT];

	for (size_t i = 0; i < p->entry->nsets; i++) {
		const struct cfg_transform_set *set = cfg_transform_set(k->cfg, p->entry->sets[i]);
		struct protection is = set == NULL ? (struct protection){ 0 } : protection_of(set);
		const char *fault = set == NULL ? NULL : protection_fault(k, &sa->st, &is);

		if (fault != NULL)
			say_failure(k, sa->st.path.remote, sa->conn_id, "transform set %s is not offered to %s: %s", set->name,
				addr_print(peer, sa->st.path.remote), fault);
		if (fault != NULL)
			log_msg("CRYPTO", LOG_SEV_WARNING, "IKMP_NO_TRANSFORM", "Transform set %s is not offered to %s: %s",
				set->name, peer, fault);
		if (set == NULL || fault != NULL)
			continue;
		/* IOS: transport mode for the two ends only, tunnel mode for all else. */
		is.transport = is.transport && selectors_are_ends(&q->sel, &sa->st.path);
		q->offered[q->noffered++] = is;
	}
}

enum err quick_begin(struct ike_sa *sa, struct flow *f)
{
	struct ike *k = f->k;
	struct policy p;
	struct quick *q;

	if (!policy_find(k, &f->id, &p))
		return ERR_NOT_FOUND;
	k->admission.phase2_out++;
	if (sa->nactive >= QUICKS_MAX) {
		k->admission.phase2_out_rejected++;
		return ERR_NOT_FOUND;
	}
	q = quick_new(sa, true, message_id_new(sa));
	if (q == NULL)
		return ERR_NOMEM;
	q->tx.limit = QUICK_TRIES;
	q->st->policy = f->id;
	quick_policy_known(q);
	q->st->sel = f->narrowed && selectors_within(&f->narrow, &p.sel) ? f->narrow : p.sel;
	q->st->terms.group = p.entry->pfs;
	q->st->idle_s = policy_idle(k, p.entry);
	policy_lifetimes(k, p.entry, &q->st->terms.lifetime_s, &q->st->terms.lifetime_kb);
	selector_to_id(&q->st->id_i, &q->st->sel.local, p.sel.protocol);
	selector_to_id(&q->st->id_r, &q->st->sel.remote, p.sel.protocol);
	offer_fill(k, sa, q->st, &p);
	if (q->st->noffered == 0) {
		quick_free(q);
		return ERR_UNSUPPORTED;
	}
	f->stage = FLOW_QUICK;
	f->quick_sa = sa->serial;
	f->quick_number = q->number;
	exchange_start(k, sa, q);
	return ERR_OK;
}

static bool waits_for(const struct flow *f, struct addr local, struct addr peer)
{
	return f->stage == FLOW_IKE && addr_equal(f->peer, peer) && addr_equal(f->local, local);
}

/* Its quick mode runs under an SA that the peer has forgotten: begun anew under the new one. */
static void flow_leave_forgotten(struct flow *f, struct addr local, struct addr peer)
{
	struct ike_sa *sa = f->stage == FLOW_QUICK ? sa_by_serial(f->k, f->quick_sa) : NULL;
	struct quick *q = sa == NULL || !sa->forgotten ? NULL : quick_by_number(sa, f->quick_number);

	if (q == NULL || !addr_equal(f->peer, peer) || !addr_equal(f->local, local))
		return;
	quick_free(q);
	f->stage = FLOW_IKE;
}

void flow_ike_up(struct ike_sa *sa)
{
	struct ike *k = sa->k;
	struct addr local = sa->st.path.local, remote = sa->st.path.remote;
	struct link mine;

	flows_gather(k, remote, &mine);
	for (struct flow *f = flow_gathered(&mine); f != NULL; f = flow_gathered(&mine)) {
		flow_leave_forgotten(f, local, remote);
		if (waits_for(f, local, remote) && quick_begin(sa, f) != ERR_OK)
			flow_failed(f);
	}
	EACH_OF(k, l, &k->peers[bucket_of_peer(k, remote)])
	{
		struct ike_sa *old = OWNER(l, struct ike_sa, by_peer);

		if (old != sa && old->forgotten && addr_equal(old->st.path.remote, remote) && addr_equal(old->st.path.local, local))
			sa_free(old);
	}
}

void flow_ike_failed(struct ike *k, struct addr local, struct addr peer)
{
	struct ike_sa *other = sa_established(k, local, peer);
	struct link mine;

	flows_gather(k, peer, &mine);
	for (struct flow *f = flow_gathered(&mine); f != NULL; f = flow_gathered(&mine)) {
		if (!waits_for(f, local, peer))
			continue;
		if (other == NULL || quick_begin(other, f) != ERR_OK)
			flow_start(f);
	}
}

/* Their IKE SA was taken away, not refused: begun anew with the same peer. */
void flow_orphans(struct ike *k, struct addr local, struct addr peer)
{
	struct ike_sa *other = sa_established(k, local, peer);
	struct link mine;

	flows_gather(k, peer, &mine);
	for (struct flow *f = flow_gathered(&mine); f != NULL; f = flow_gathered(&mine)) {
		if (!waits_for(f, local, peer))
			continue;
		if (other != NULL ? quick_begin(other, f) != ERR_OK : false)
			flow_failed(f);
		else if (other == NULL && sa_starting(k, local, peer) == NULL)
			phase1_begin(k, local, peer, true);
	}
}

void flow_quick_failed(struct flow *f, struct ike_sa *sa, bool silent)
{
	f->stage = FLOW_IDLE;
	if (!silent) {
		flow_failed(f);
		return;
	}
	/* Once a round: the peer may have lost the IKE SA only. */
	if (!f->fresh) {
		f->fresh = 1;
		f->peer_good = true;
		f->tried_set = 0;
		sa_delete(sa, true, "the peer does not answer");
	}
	flow_start(f);
}

/* Of many pairs of hosts under one line others may have waited for their renewal meanwhile. */
static void renew_next(struct flow *f)
{
	struct child *c = f->narrowed && f->stage == FLOW_IDLE ? renewing(f) : NULL;

	if (c == NULL)
		return;
	flow_narrow(f, c->sel.local.from, c->sel.remote.from);
	flow_renew(f, c->remote);
}

void flow_up(struct flow *f, const struct quick *q)
{
	bool mine = f->stage == FLOW_QUICK && f->quick_sa == q->sa->serial && f->quick_number == q->number;

	/* A pair that the peer made serves as well as the one that we were about to ask for. */
	if (mine || (f->stage == FLOW_IKE && (!f->narrowed || selectors_within(&f->narrow, &q->st->sel))))
		f->stage = FLOW_IDLE;
	if (f->stage == FLOW_IDLE) {
		flow_peer(f, q->sa->st.path.remote);
		f->peer_good = true;
		timer_stop(&f->k->timers, &f->again);
	}
	f->acquire = f->wanted = false;
	f->failures = 0;
	policy_tell(f, DP_POLICY_UP, 0);
	renew_next(f);
}

void flows_retry(struct ike *k)
{
	EACH_OF(k, l, &k->flows)
	{
		struct flow *f = OWNER(l, struct flow, link);

		if (f->stage == FLOW_IDLE && f->wanted) {
			f->failures = 0;
			flow_round(f);
		}
	}
}
