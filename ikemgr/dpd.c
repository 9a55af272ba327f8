/* Dead peers, RFC 3706.
 *
 *   every N s   periodic: R-U-THERE.   on-demand: only if something was sent and nothing authentic came back for N s
 *               <-- ACK with our number: alive
 *   no ACK      again every `retry` s, five times; then the peer is dead: its SAs go, and flows begin with another peer
 *
 * What counts as heard: an ACK or a question with a fresh number, a message of a new quick mode, ESP past its replay window.
 * Anything else could be an old message, sent again by somebody. Which traffic there was, datapathd is asked once a tick.
 */
#include "ikemgr/identity.h"

#include "platform/base/log.h"

#define DPD_RETRIES 5
/* A peer that was found dead is not the first to be tried for so long. */
#define DEAD_AVOID_S 60

struct dpd_terms {
	unsigned every_s, retry_s; /* every_s 0: off */
	bool periodic;
};

static struct dpd_terms dpd_terms(const struct ike_sa *sa)
{
	const struct ike *k = sa->k;
	const struct cfg_isakmp_profile *p = sa_profile(k, &sa->st);
	struct dpd_terms t = { 0 };

	if (k->cfg == NULL || !sa->st.peer_dpd)
		return t;
	t = (struct dpd_terms){ k->cfg->isakmp.keepalive_s, k->cfg->isakmp.keepalive_retry_s, k->cfg->isakmp.keepalive_periodic };
	if (p != NULL && p->has_keepalive)
		t = (struct dpd_terms){ p->keepalive_s, p->keepalive_retry_s, t.periodic };
	return t;
}

static void dpd_arm(struct ike_sa *sa, unsigned in_s)
{
	timer_set(&sa->k->timers, &sa->dpd, now_us(sa->k) + in_s * SECOND);
}

void dpd_set(struct ike_sa *sa)
{
	struct dpd_terms t = dpd_terms(sa);

	if (t.every_s == 0 || sa->st.state != QM_IDLE) {
		timer_stop(&sa->k->timers, &sa->dpd);
		sa->dpd_tries = 0;
	} else if (sa->dpd.place == 0) {
		dpd_arm(sa, t.every_s);
	} else if (sa->dpd_tries == 0 && now_us(sa->k) + t.every_s * SECOND < sa->dpd.at) {
		dpd_arm(sa, t.every_s);
	}
}

static void dpd_ask(struct ike_sa *sa, unsigned retry_s)
{
	uint8_t spi[16], number[4];
	struct writer w = writer_of(spi, sizeof(spi)), n = writer_of(number, sizeof(number));

	if (sa->dpd_seq == 0)
		sa->dpd_seq = (uint32_t)random_below(sa->k, UINT32_C(0x7fffffff));
	sa->dpd_seq++;
	if (sa->dpd_tries++ == 0)
		sa->dpd_first = sa->dpd_seq;
	writer_u64(&w, sa->st.cookie_i);
	writer_u64(&w, sa->st.cookie_r);
	writer_u32(&n, sa->dpd_seq);
	info_send_notify(sa, NOTIFY_R_U_THERE, PROTO_ISAKMP, writer_span(&w), writer_span(&n));
	dpd_arm(sa, retry_s);
}

/* Flows that went to it begin with another peer, if they have one. */
static void flows_avoid(struct ike *k, struct addr local, struct addr remote)
{
	EACH_OF(k, l, &k->flow_peers[bucket_of_peer(k, remote)])
	{
		struct flow *f = OWNER(l, struct flow, by_peer);

		if (!addr_equal(f->peer, remote) || !addr_equal(f->local, local))
			continue;
		f->dead = remote;
		f->dead_until_us = now_us(k) + DEAD_AVOID_S * SECOND;
		f->peer_good = false;
	}
}

static struct ike_sa *sa_of_peer(struct ike *k, struct addr local, struct addr remote)
{
	EACH_OF(k, l, &k->peers[bucket_of_peer(k, remote)])
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, by_peer);

		if (sa->h == NULL && addr_equal(sa->st.path.remote, remote) && addr_equal(sa->st.path.local, local))
			return sa;
	}
	return NULL;
}

static void peer_dead(struct ike_sa *sa)
{
	struct ike *k = sa->k;
	struct addr local = sa->st.path.local, remote = sa->st.path.remote;
	char peer[ADDR_TEXT];

	addr_print(peer, remote);
	count(k, STAT_DEAD_PEERS);
	log_msg("CRYPTO", LOG_SEV_WARNING, "IKMP_PEER_DEAD", "Peer %s does not answer %u R-U-THERE: its SAs are deleted", peer,
		sa->dpd_tries);
	say_failure(k, remote, sa->conn_id, "peer %s is dead: no answer to %u R-U-THERE", peer, sa->dpd_tries);
	flows_avoid(k, local, remote);
	children_of_sa_delete(sa, UINT64_MAX);
	/* Others behind the same NAT may live. */
	if (sa->st.client.address != 0) {
		sa_delete(sa, true, "peer is dead");
		return;
	}
	while ((sa = sa_of_peer(k, local, remote)) != NULL)
		sa_delete(sa, true, "peer is dead");
}

void dpd_fire(void *ctx, void *owner)
{
	struct ike *k = ctx;
	struct ike_sa *sa = owner;
	struct dpd_terms t = dpd_terms(sa);

	if (t.every_s == 0 || sa->st.state != QM_IDLE)
		return;
	/* Of several with one peer, the youngest asks. */
	if (sa->st.client.address == 0 && sa_established(k, sa->st.path.local, sa->st.path.remote) != sa) {
		sa->dpd_tries = 0;
		dpd_arm(sa, t.every_s);
	} else if (sa->dpd_tries > DPD_RETRIES) {
		peer_dead(sa);
	} else if (sa->dpd_tries > 0 || t.periodic) {
		dpd_ask(sa, t.retry_s);
	} else {
		dpd_arm(sa, t.every_s);
		k->host.activity(k->host.ctx, sa->serial, sa->st.path.local, sa->st.path.remote);
	}
}

void ike_done_activity(struct ike *k, uint64_t serial, uint64_t in_idle_s, uint64_t out_idle_s)
{
	struct ike_sa *sa = sa_by_serial(k, serial);
	struct dpd_terms t;
	uint64_t heard_s;

	if (sa == NULL || sa->st.state != QM_IDLE || sa->dpd_tries > 0)
		return;
	t = dpd_terms(sa);
	if (t.every_s == 0)
		return;
	heard_s = (now_us(k) - sa->heard_us) / SECOND;
	if (in_idle_s < heard_s)
		heard_s = in_idle_s;
	if (heard_s < t.every_s)
		dpd_arm(sa, t.every_s - (unsigned)heard_s);
	else if (out_idle_s < heard_s)
		dpd_ask(sa, t.retry_s);
	else
		dpd_arm(sa, (t.every_s + 1) / 2);
}

static void dpd_alive(struct ike_sa *sa)
{
	struct dpd_terms t = dpd_terms(sa);

	sa->heard_us = now_us(sa->k);
	sa->dpd_tries = 0;
	if (t.every_s != 0)
		dpd_arm(sa, t.every_s);
}

/* Is it about this SA, and which number does it have? */
static bool dpd_number(const struct ike_sa *sa, const struct payload_notify *n, uint32_t *number)
{
	struct reader spi = reader_of(n->spi), data = reader_of(n->data);
	uint64_t ci = reader_u64(&spi), cr = reader_u64(&spi);

	*number = reader_u32(&data);
	return n->spi.len == 16 && n->data.len == 4 && ci == sa->st.cookie_i && cr == sa->st.cookie_r;
}

/* Answers with the same cookies and sequence number (RFC 3706 5.3, 5.4). An older number than the last is an old message. */
void dpd_asked(struct ike_sa *sa, const struct payload_notify *n)
{
	uint32_t number;

	if (!dpd_number(sa, n, &number))
		return;
	if (sa->dpd_peer_known && (int32_t)(number - sa->dpd_peer_seq) < 0) {
		count(sa->k, STAT_DPD_OLD);
		return;
	}
	if (!sa->dpd_peer_known || number != sa->dpd_peer_seq)
		sa->heard_us = now_us(sa->k);
	sa->dpd_peer_known = true;
	sa->dpd_peer_seq = number;
	info_send_notify(sa, NOTIFY_R_U_THERE_ACK, PROTO_ISAKMP, n->spi, n->data);
}

void dpd_answered(struct ike_sa *sa, const struct payload_notify *n)
{
	uint32_t number;

	if (!dpd_number(sa, n, &number))
		return;
	if (sa->dpd_tries == 0 || number - sa->dpd_first > sa->dpd_seq - sa->dpd_first)
		count(sa->k, STAT_DPD_OLD);
	else
		dpd_alive(sa);
}
