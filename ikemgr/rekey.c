/* Time: the end of SAs, and their renewal before it.
 *
 *   pair   |------------------------ lifetime ------------------------|
 *                                        ^ initiator: 30..35 s before   the end: out of the data path, DELETE
 *                                              ^ responder: 20..25 s before, if nobody did
 * Old inbound SAs live to their end, so nothing in flight is lost. Two pairs made at once by both ends live side by side; only
 * the one with the greater SPI is renewed, which both ends see alike, so that there is one again afterwards.
 *
 * Phase 1 is renewed only while pairs exist that may need it.
 */
#include "ikemgr/core.h"
#include "ikemgr/identity.h"

#include <stdio.h>

#define RENEW_S           30
#define RENEW_RESPONDER_S 20
#define RENEW_JITTER_S    5
/* Pairs that were made within this time of each other are of one collision. */
#define COLLISION_S 10
/* An old pair whose volume was used up makes room after this time. */
#define WORN_S 60
/* A little before the end, so that the peer does not use what we have just dropped. */
#define LAST_CHANCE_S 10

static void phase1_timeout(struct ike_sa *sa)
{
	static const char *const why[IKE_STATE_COUNT] = {
		[MM_NO_STATE] = "the peer does not answer",
		[MM_SA_SETUP] = "no answer to our key exchange",
		[MM_KEY_EXCH] = "no answer to our identity; most likely the pre-shared keys differ",
		[AG_NO_STATE] = "no key pair was made",
		[AG_INIT_EXCH] = "the peer does not answer, or takes no part in aggressive mode",
	};
	const char *text = why[sa->st.state];

	if (!sa->st.initiator)
		text = sa->told_garbled ? "the peer's messages cannot be read; most likely the pre-shared keys differ"
					: "the peer did not go on";
	phase1_fail(sa, 0, text != NULL ? text : "no progress");
}

static void sa_again(void *ctx, void *owner)
{
	struct ike *k = ctx;
	struct ike_sa *sa = owner;

	if (sa->tx.tries >= sa->tx.limit) {
		phase1_timeout(sa);
		return;
	}
	count(k, STAT_REPEATED);
	trace(k, sa->conn_id, "retransmitting phase 1 %s, attempt %u of %u ...", ike_state_name(sa->st.state), sa->tx.tries,
		sa->tx.limit);
	tx_repeat(k, &sa->tx, &sa->st);
	timer_set(&k->timers, &sa->tx.timer, now_us(k) + tx_wait_us(sa->tx.tries++));
}

static void client_again(void *ctx, void *owner)
{
	struct ike *k = ctx;
	struct ike_sa *sa = owner;

	if (sa->client_tx.tries >= sa->client_tx.limit) {
		phase1_fail(sa, 0, "the client does not answer");
		return;
	}
	count(k, STAT_REPEATED);
	trace(k, sa->conn_id, "retransmitting transaction %08x, attempt %u of %u ...", sa->st.client.message_id,
		sa->client_tx.tries, sa->client_tx.limit);
	tx_repeat(k, &sa->client_tx, &sa->st);
	timer_set(&k->timers, &sa->client_tx.timer, now_us(k) + tx_wait_us(sa->client_tx.tries++));
}

static void sa_life(void *ctx, void *owner)
{
	struct ike_sa *sa = owner;

	(void)ctx;
	if (sa->h != NULL)
		phase1_timeout(sa);
	else
		sa_delete(sa, true, "lifetime is over");
}

static void sa_keepalive(void *ctx, void *owner)
{
	static const uint8_t keepalive = 0xff;
	struct ike *k = ctx;
	struct ike_sa *sa = owner;

	k->host.send(k->host.ctx, &sa->st.path, span_of(&keepalive, 1));
	keepalive_set(sa);
}

/* Is there another one that will serve when this is gone? */
static bool sa_succeeded(struct ike_sa *sa)
{
	struct ike_sa *best = sa_established(sa->k, sa->st.path.local, sa->st.path.remote);

	return best != NULL && best != sa && best->expires_us > sa->expires_us + SECOND;
}

static void sa_renew(void *ctx, void *owner)
{
	struct ike *k = ctx;
	struct ike_sa *sa = owner;
	struct addr local = sa->st.path.local, remote = sa->st.path.remote;

	if (sa_succeeded(sa) || sa_starting(k, local, remote) != NULL || !child_with_peer(k, local, remote) ||
		!peer_configured(k, local, remote))
		return;
	trace(k, sa->conn_id, "renewing phase 1");
	phase1_begin(k, local, remote, true);
	/* Once more if that fails. */
	if (now_us(k) + 2 * LAST_CHANCE_S * SECOND < sa->expires_us)
		timer_set(&k->timers, &sa->rekey, now_us(k) + LAST_CHANCE_S * SECOND);
}

void sa_timers_init(struct ike_sa *sa)
{
	sa->life = (struct timer){ .fire = sa_life, .owner = sa };
	sa->rekey = (struct timer){ .fire = sa_renew, .owner = sa };
	sa->keepalive = (struct timer){ .fire = sa_keepalive, .owner = sa };
	sa->dpd = (struct timer){ .fire = dpd_fire, .owner = sa };
	sa->tx.timer = (struct timer){ .fire = sa_again, .owner = sa };
	sa->client_tx.timer = (struct timer){ .fire = client_again, .owner = sa };
}

/* A fifth of the life before its end, 10 s at least and two minutes at most; the responder later. */
void rekey_sa_schedule(struct ike_sa *sa)
{
	struct ike *k = sa->k;
	uint64_t margin = sa->st.terms.lifetime_s / 5;

	margin = margin < 10 ? 10 : margin > 120 ? 120 : margin;
	margin = margin * SECOND + random_below(k, margin * SECOND / 4);
	if (!sa->st.initiator)
		margin = margin * 2 / 3;
	timer_set(&k->timers, &sa->rekey, sa->expires_us - margin);
}

void phase1_begin(struct ike *k, struct addr local, struct addr peer, bool patient)
{
	struct ike_path path = { .local = local, .remote = peer, .local_port = 500, .remote_port = 500 };
	struct ike_sa *sa = NULL;
	uint64_t cookie;

	do {
		cookie = random_u64(k);
	} while (cookie == 0 || sa_by_initiator(k, cookie, peer) != NULL);
	if (addr_is_set(local) && k->half_open < HALF_OPEN_MAX && admission_out(k, local, peer))
		sa = sa_new(k, true, EXCH_MAIN, &path, cookie);
	if (sa == NULL) {
		flow_ike_failed(k, local, peer);
		return;
	}
	identity_begin(k, &sa->st);
	if (!patient)
		sa->tx.limit = 4;
	timer_set(&k->timers, &sa->life, now_us(k) + 2 * HALF_OPEN_S * SECOND);
	exchange_start(k, sa, NULL);
}

void sa_delete(struct ike_sa *sa, bool tell, const char *why)
{
	struct ike *k = sa->k;
	struct ike_path path = sa->st.path;

	trace(k, sa->conn_id, "deleting SA reason \"%s\" state (%c) %s", why, sa->st.initiator ? 'I' : 'R',
		ike_state_name(sa->st.state));
	if (tell && (sa->st.evidence & EV_AUTHED))
		info_send_delete_sa(sa);
	/* Its flows look for another way: after it has gone, or they would find it again. */
	EACH(l, &sa->quicks)
	{
		struct flow *f = quick_flow(OWNER(l, struct quick, link));

		if (f != NULL)
			f->stage = FLOW_IKE;
	}
	sa_free(sa);
	flow_orphans(k, path.local, path.remote);
}

/* --- pairs --- */

static bool collided(const struct child *a, const struct child *b)
{
	uint64_t apart = a->created_us > b->created_us ? a->created_us - b->created_us : b->created_us - a->created_us;

	return apart < COLLISION_S * SECOND;
}

static uint32_t greater_spi(const struct child *c)
{
	uint32_t greatest = 0;

	for (enum part p = PART_ESP; p < PARTS; p++)
		for (int inbound = 0; inbound < 2; inbound++)
			if (c->sas[p][inbound].key.spi > greatest)
				greatest = c->sas[p][inbound].key.spi;
	return greatest;
}

struct child *child_newer(const struct child *c)
{
	EACH(l, &c->flow->children)
	{
		struct child *o = OWNER(l, struct child, of_flow);

		if (o != c && !o->worn && !o->renewing && child_whole(o) && o->renew_us > c->renew_us && !collided(o, c) &&
			selectors_within(&c->sel, &o->sel))
			return o;
	}
	return NULL;
}

/* Another pair of the same collision that is the one to be renewed. */
static bool child_yields(const struct child *c)
{
	EACH(l, &c->flow->children)
	{
		struct child *o = OWNER(l, struct child, of_flow);

		if (o != c && collided(o, c) && selectors_within(&c->sel, &o->sel) && !o->worn && greater_spi(o) > greater_spi(c))
			return true;
	}
	return false;
}

static void child_renew(void *ctx, void *owner)
{
	struct ike *k = ctx;
	struct child *c = owner;
	uint64_t last = c->end_us - LAST_CHANCE_S * SECOND;

	if (child_newer(c) != NULL)
		return;
	if (!c->worn && child_yields(c) && now_us(k) < last) {
		timer_set(&k->timers, &c->rekey, last);
		return;
	}
	c->renewing = true;
	trace(k, c->ike_conn_id, "renewing IPsec SAs 0x%08X/0x%08X", child_main(c, true)->key.spi, child_main(c, false)->key.spi);
	if (c->flow->stage == FLOW_IDLE)
		flow_narrow(c->flow, c->sel.local.from, c->sel.remote.from);
	flow_renew(c->flow, c->remote);
}

static void child_life(void *ctx, void *owner)
{
	(void)ctx;
	child_delete(owner, "lifetime is over");
}

void child_timers_init(struct child *c)
{
	c->life = (struct timer){ .fire = child_life, .owner = c };
	c->rekey = (struct timer){ .fire = child_renew, .owner = c };
}

/* The worn ones that the new pair replaces need not stay for long. */
static void worn_retire(struct child *c)
{
	struct ike *k = c->flow->k;
	uint64_t soon = now_us(k) + WORN_S * SECOND;

	EACH(l, &c->flow->children)
	{
		struct child *o = OWNER(l, struct child, of_flow);

		if (o != c && o->worn && o->end_us > soon && selectors_within(&o->sel, &c->sel)) {
			o->end_us = soon;
			timer_set(&k->timers, &o->life, soon);
		}
	}
}

void rekey_child_schedule(struct child *c)
{
	struct ike *k = c->flow->k;
	uint64_t life = c->end_us - c->created_us, margin = c->initiator ? RENEW_S : RENEW_RESPONDER_S, before;

	before = margin * SECOND + random_below(k, RENEW_JITTER_S * SECOND);
	/* Below IOS's shortest lifetime: the margin shrinks with it. */
	if (life < 120 * SECOND)
		before = life / 120 * before / SECOND;
	c->renew_us = c->end_us - (before < life ? before : life / 2);
	worn_retire(c);
	timer_set(&k->timers, &c->rekey, c->renew_us);
	timer_set(&k->timers, &c->life, c->end_us);
}

void child_wear(struct child *c)
{
	if (c->worn)
		return;
	c->worn = true;
	child_renew(c->flow->k, c);
}

void child_expired(struct ike *k, const struct dpm_expire *e)
{
	struct child *c = child_by_spi(k, e->key.protocol, e->key.inbound, e->key.spi, e->key.dst);

	if (c == NULL)
		return;
	if (e->why == DP_EXPIRE_HARD)
		child_delete(c, "its volume is used up");
	else if (e->why == DP_EXPIRE_IDLE)
		child_delete(c, "no packet for its idle time");
	else
		child_wear(c);
}
