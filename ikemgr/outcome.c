/* How exchanges end, well or badly, and what follows for the flows that waited. */
#include "ikemgr/core.h"
#include "ikemgr/phase1.h"

#include "platform/base/log.h"

#include <stdio.h>
#include <string.h>

static void failure_say(struct ike *k, const struct sa_state *s, uint32_t conn_id, const char *mode, const char *why)
{
	char peer[ADDR_TEXT];

	addr_print(peer, s->path.remote);
	if (s->initiator || (s->evidence & EV_KEYS) || say_allowed(k))
		log_msg("CRYPTO", LOG_SEV_INFO, "IKMP_MODE_FAILURE", "Processing of %s mode failed with peer at %s: %s", mode, peer,
			why);
	say_failure(k, s->path.remote, conn_id, "%s mode with %s failed: %s", mode, peer, why);
}

/* INITIAL-CONTACT: what the peer had before this SA is gone there (RFC 2407 4.6.3.3). An SA that was heard of since is not meant:
 * both ends may have begun at once. */
static void initial_contact(struct ike_sa *sa)
{
	struct ike *k = sa->k;

	if (!sa->st.peer_initial_contact)
		return;
	EACH_OF(k, l, &k->peers[bucket_of_peer(k, sa->st.path.remote)])
	{
		struct ike_sa *other = OWNER(l, struct ike_sa, by_peer);

		/* Clients behind one NAT share an address. */
		if (strcmp(sa->st.client.user, other->st.client.user) != 0)
			continue;
		if (other != sa && other->h == NULL && addr_equal(other->st.path.remote, sa->st.path.remote) &&
			addr_equal(other->st.path.local, sa->st.path.local) && other->heard_us < sa->created_us) {
			children_of_sa_delete(other, sa->created_us);
			sa_free(other);
		}
	}
	children_of_sa_delete(sa, sa->created_us);
}

/* RESPONDER-LIFETIME of an aggressive mode, which had no protected message of ours. */
static void lifetime_tell(struct ike_sa *sa)
{
	uint8_t spi[16], life[16];
	struct writer w = writer_of(spi, sizeof(spi));

	if (sa->st.exchange != EXCH_AGGRESSIVE || sa->st.terms.told_lifetime_s == 0)
		return;
	writer_u64(&w, sa->st.cookie_i);
	writer_u64(&w, sa->st.cookie_r);
	info_send_notify(sa, NOTIFY_RESPONDER_LIFETIME, PROTO_ISAKMP, writer_span(&w),
		span_of(life, lifetime_encode(life, sa->st.terms.told_lifetime_s)));
}

void phase1_done(struct ike_sa *sa)
{
	struct ike *k = sa->k;
	char terms[64], peer[ADDR_TEXT];

	count(k, STAT_PHASE1_OK);
	sa->established_us = sa->heard_us = now_us(k);
	sa->expires_us = sa->established_us + sa->st.terms.lifetime_s * SECOND;
	sa_settled(sa);
	timer_set(&k->timers, &sa->life, sa->expires_us);
	rekey_sa_schedule(sa);
	keepalive_set(sa);
	dpd_set(sa);
	terms_print(terms, sizeof(terms), &sa->st.terms);
	trace(k, sa->conn_id, "SA has been authenticated with %s (%s), %s, lifetime %u s%s", addr_print(peer, sa->st.path.remote),
		sa->st.identity, terms, sa->st.terms.lifetime_s, natt_used(&sa->st) ? ", UDP encapsulation" : "");
	lifetime_tell(sa);
	initial_contact(sa);
	flow_ike_up(sa);
}

void phase1_fail(struct ike_sa *sa, uint16_t notify, const char *why)
{
	struct ike *k = sa->k;
	struct ike_path path = sa->st.path;
	bool initiator = sa->st.initiator;

	count(k, STAT_PHASE1_FAILED);
	failure_say(k, &sa->st, sa->conn_id,
		!client_settled(&sa->st)             ? "Transaction"
		: sa->st.exchange == EXCH_AGGRESSIVE ? "Aggressive"
						     : "Main",
		why);
	if (notify != 0 && (sa->st.evidence & EV_KEYS))
		info_send_notify(sa, notify, PROTO_ISAKMP, (struct span){ 0 }, (struct span){ 0 });
	else if (notify != 0)
		info_send_plain(k, &path, sa->st.cookie_i, sa->st.cookie_r, notify, k->in.head.length);
	/* To the peer it stands already: it had proved itself to us, or has taken our proof and been refused. */
	if ((sa->st.evidence & EV_AUTHED) || (notify != 0 && (sa->st.evidence & EV_PROOF_SENT)))
		info_send_delete_sa(sa);
	sa_free(sa);
	if (initiator)
		flow_ike_failed(k, path.local, path.remote);
}

static struct child *child_make(struct quick *q, struct flow *f)
{
	struct child *c = child_new(f);
	const struct quick_state *s = q->st;
	const struct sa_state *ike = &q->sa->st;

	if (c == NULL)
		return NULL;
	c->local = ike->path.local;
	c->remote = ike->path.remote;
	c->remote_port = ike->path.remote_port;
	for (enum part p = PART_ESP; p < PARTS; p++)
		for (int inbound = 0; inbound < 2 && part_used(&s->terms.is, p); inbound++) {
			struct child_sa *sa = &c->sas[p][inbound];

			sa->key = (struct dp_sa_key){ .spi = inbound ? s->terms.spi_in[p] : s->terms.spi_out[p],
				.protocol = part_ip(p),
				.inbound = (uint8_t)inbound,
				.dst = inbound ? c->local : c->remote };
			sa->there = true;
			sa->conn_id = q->conn_id[p][inbound];
		}
	c->udp_encap = natt_used(ike);
	c->initiator = s->initiator;
	c->group = s->terms.group;
	c->ike_conn_id = q->sa->conn_id;
	c->sel = s->sel;
	c->created_us = now_us(f->k);
	c->end_us = c->created_us + s->terms.lifetime_s * SECOND;
	return c;
}

void phase2_done(struct quick *q)
{
	struct ike *k = q->sa->k;
	struct flow *f = flow_get(k, &q->st->policy, true);
	struct child *c = f == NULL ? NULL : child_make(q, f);

	if (c == NULL) {
		count(k, STAT_NOMEM);
		quick_fail(q, 0, "out of memory", false);
		return;
	}
	count(k, STAT_PHASE2_OK);
	q->sa->children++;
	trace(k, q->sa->conn_id, "QM done, SPI in 0x%08X out 0x%08X", child_main(c, true)->key.spi, child_main(c, false)->key.spi);
	child_index(c);
	child_up(c);
	rekey_child_schedule(c);
	flow_up(f, q);
	quick_settled(q);
}

struct flow *quick_flow(const struct quick *q)
{
	struct flow *f = q->st == NULL ? NULL : flow_get(q->sa->k, &q->st->policy, false);

	return f != NULL && f->stage == FLOW_QUICK && f->quick_sa == q->sa->serial && f->quick_number == q->number ? f : NULL;
}

void quick_fail(struct quick *q, uint16_t notify, const char *why, bool silent_peer)
{
	struct ike_sa *sa = q->sa;
	struct ike *k = sa->k;
	struct flow *f = quick_flow(q);
	uint32_t spis[PARTS] = { 0 };

	if (q->st == NULL) {
		quick_free(q);
		return;
	}
	for (enum part p = PART_ESP; p < PARTS; p++)
		spis[p] = q->put[p][true] ? q->st->terms.spi_in[p] : 0;
	count(k, STAT_PHASE2_FAILED);
	failure_say(k, &sa->st, sa->conn_id, "Quick", why);
	if (notify != 0)
		info_send_notify(sa, notify, PROTO_ESP, (struct span){ 0 }, (struct span){ 0 });
	/* The peer may think that it has the pair. */
	for (enum part p = PART_ESP; p < PARTS; p++)
		if (spis[p] != 0)
			info_delete_spi(k, sa->st.path.local, sa->st.path.remote, part_protocol(p), spis[p]);
	quick_free(q);
	if (f != NULL)
		flow_quick_failed(f, sa, silent_peer);
}
