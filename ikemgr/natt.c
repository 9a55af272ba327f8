/* NAT traversal in the negotiation: RFC 3947, and drafts 02 and 03 of it, which differ in numbers.
 *
 *   NAT-D = hash(CKY-I | CKY-R | address | port)      first of the receiver's end, then of the sender's
 *
 * Who cannot carry ESP without UDP says so by a NAT-D that matches nothing: the peer then takes us for behind a NAT.
 */
#include "ikemgr/core.h"

#include <string.h>

bool natt_permitted(const struct ike *k)
{
	return k->cfg == NULL || !k->cfg->isakmp.nat_transparency_off;
}

void natt_vendor(const struct ike *k, struct sa_state *s, struct span id)
{
	static const struct {
		enum vendor vendor;
		enum natt natt;
	} known[] = { { VENDOR_NATT_RFC, NATT_RFC }, { VENDOR_NATT_03, NATT_DRAFT_03 }, { VENDOR_NATT_02N, NATT_DRAFT_02 },
		{ VENDOR_NATT_02, NATT_DRAFT_02 } };
	enum vendor v = vendor_find(id);

	for (size_t i = 0; natt_permitted(k) && i < sizeof(known) / sizeof(known[0]); i++)
		if (v == known[i].vendor && known[i].natt > s->natt)
			s->natt = known[i].natt;
	if (v < VENDOR_COUNT)
		s->vendors |= UINT32_C(1) << v;
	if (v == VENDOR_DPD)
		s->peer_dpd = true;
	s->peer_xauth = s->peer_xauth || v == VENDOR_XAUTH;
	s->peer_unity = s->peer_unity || v == VENDOR_UNITY;
	if (v == VENDOR_FRAGMENTATION)
		s->peer_fragments = true;
}

/* Drafts 00 and 01 keep ESP on port 500, behind eight bytes that no IKE message begins with; 04 to 08 got the RFC's numbers one by
 * one. racoon and macOS, which say them, say 02, 03 or the RFC's as well; strongSwan and libreswan know them by name only. */
void natt_old_say(const struct step *st)
{
	static const enum vendor old[] = { VENDOR_NATT_00, VENDOR_NATT_01, VENDOR_NATT_04, VENDOR_NATT_05, VENDOR_NATT_06,
		VENDOR_NATT_07, VENDOR_NATT_08, VENDOR_NATT_DRAFT };

	for (size_t i = 0; natt_permitted(st->k) && st->s->natt == NATT_NONE && i < sizeof(old) / sizeof(old[0]); i++)
		if (st->s->vendors & UINT32_C(1) << old[i])
			trace(st->k, 0, "peer has %s, which we do not have: no NAT traversal", vendor_text(old[i]));
}

static enum payload_kind natd_kind(const struct sa_state *s)
{
	return s->natt == NATT_RFC ? PAYLOAD_NATD : PAYLOAD_NATD_DRAFT;
}

static enum err natd(const struct sa_state *s, struct addr a, uint16_t port, struct secret *out)
{
	uint8_t bytes[8 + 8 + 16 + 2];
	struct writer w = writer_of(bytes, sizeof(bytes));

	writer_u64(&w, s->cookie_i);
	writer_u64(&w, s->cookie_r);
	writer_bytes(&w, a.bytes, a.family == AF_INET ? 4 : 16);
	writer_u16(&w, port);
	return prf_hash(s->terms.hash, SPANS(writer_span(&w)), out);
}

void natt_put(struct step *st, struct build *b)
{
	const struct sa_state *s = st->s;
	struct secret theirs, ours;

	if (s->natt == NATT_NONE || natd(s, s->path.remote, s->path.remote_port, &theirs) != ERR_OK ||
		natd(s, s->path.local, s->path.local_port, &ours) != ERR_OK)
		return;
	if (!st->k->host.native_esp)
		random_bytes(st->k, ours.bytes, ours.len);
	build_data(b, natd_kind(s), secret_span(&theirs));
	build_data(b, natd_kind(s), secret_span(&ours));
}

void natt_check(struct step *st)
{
	struct sa_state *s = st->s;
	const struct payload *p = message_find(st->in, natd_kind(s), 0);
	struct secret ours, theirs;

	if (s->natt == NATT_NONE || p == NULL || natd(s, s->path.local, s->path.local_port, &ours) != ERR_OK ||
		natd(s, s->path.remote, s->path.remote_port, &theirs) != ERR_OK)
		return;
	s->nat_local = !span_equal(p->v.data.data, secret_span(&ours));
	s->nat_remote = true;
	for (size_t n = 1; (p = message_find(st->in, natd_kind(s), n)) != NULL; n++)
		if (span_equal(p->v.data.data, secret_span(&theirs)))
			s->nat_remote = false;
	/* Our own NAT-D matched nothing, on purpose: the peer will encapsulate, so we do. */
	if (!st->k->host.native_esp)
		s->nat_remote = true;
}

bool natt_used(const struct sa_state *s)
{
	return s->nat_local || s->nat_remote;
}

void natt_float(struct sa_state *s)
{
	if (!natt_used(s))
		return;
	s->path.local_port = 4500;
	s->path.remote_port = 4500;
}

/* RFC 2407 4.5, RFC 3947 5.1, draft-ietf-ipsec-nat-t-ike-02 4.1. */
uint16_t natt_encaps(const struct sa_state *s, bool transport)
{
	if (!natt_used(s))
		return transport ? ENCAPS_TRANSPORT : ENCAPS_TUNNEL;
	if (s->natt == NATT_RFC)
		return transport ? ENCAPS_UDP_TRANSPORT : ENCAPS_UDP_TUNNEL;
	return transport ? ENCAPS_UDP_TRANSPORT_DRAFT : ENCAPS_UDP_TUNNEL_DRAFT;
}

bool natt_encaps_read(const struct sa_state *s, uint64_t mode, bool *transport)
{
	*transport = mode == ENCAPS_TRANSPORT || mode == ENCAPS_UDP_TRANSPORT || mode == ENCAPS_UDP_TRANSPORT_DRAFT;
	if (!natt_used(s))
		return mode == ENCAPS_TUNNEL || mode == ENCAPS_TRANSPORT;
	return *transport ? mode != ENCAPS_TRANSPORT : mode == ENCAPS_UDP_TUNNEL || mode == ENCAPS_UDP_TUNNEL_DRAFT;
}

/* --- original addresses, RFC 3947 5.2 --- */

static enum payload_kind natoa_kind(const struct sa_state *s)
{
	return s->natt == NATT_RFC ? PAYLOAD_NATOA : PAYLOAD_NATOA_DRAFT;
}

static void natoa_put(struct step *st, struct build *b, struct addr a)
{
	union payload_value v = { .natoa = { .type = ID_IPV4_ADDR, .address = span_of(a.bytes, 4) } };

	build_payload(b, natoa_kind(st->s), &v);
}

/* As we see both ends: the initiator's address first. The drafts have one payload, the sender's own. */
void natt_originals_put(struct step *st, struct build *b)
{
	const struct ike_path *p = &st->s->path;
	bool first = st->q->initiator;

	if (!natt_used(st->s))
		return;
	if (st->s->natt == NATT_RFC) {
		natoa_put(st, b, first ? p->local : p->remote);
		natoa_put(st, b, first ? p->remote : p->local);
	} else {
		natoa_put(st, b, p->local);
	}
}

static struct addr natoa_read(const struct payload *p)
{
	struct reader r;
	uint32_t v;

	if (p == NULL || p->v.natoa.type != ID_IPV4_ADDR || p->v.natoa.address.len != 4)
		return (struct addr){ 0 };
	r = reader_of(p->v.natoa.address);
	v = reader_u32(&r);
	return addr_v4(v);
}

void natt_originals_take(struct step *st)
{
	const struct payload *one = message_find(st->in, natoa_kind(st->s), 0), *two = message_find(st->in, natoa_kind(st->s), 1);
	struct quick_state *q = st->q;

	if (!natt_used(st->s) || one == NULL)
		return;
	if (two == NULL) {
		q->nat_oa_remote = natoa_read(one);
		return;
	}
	q->nat_oa_local = natoa_read(q->initiator ? one : two);
	q->nat_oa_remote = natoa_read(q->initiator ? two : one);
}

/* `was` is the address that the peer names; `is` what the packets have here. */
static void original_replace(struct dp_selector *s, struct addr was, struct addr is)
{
	if (addr_is_set(was) && addr_equal(s->from, was) && addr_equal(s->to, was))
		s->from = s->to = is;
}

void natt_originals_replace(struct step *st)
{
	original_replace(&st->q->sel.local, st->q->nat_oa_local, st->s->path.local);
	original_replace(&st->q->sel.remote, st->q->nat_oa_remote, st->s->path.remote);
}

static void child_move(struct child *c, struct addr to, uint16_t port)
{
	struct dpm_sa_move move = { .key = c->sas[PART_ESP][false].key, .remote = to, .remote_port = port };

	c->remote_port = port;
	if (!addr_equal(c->remote, to)) {
		c->remote = to;
		child_index(c);
	}
	c->flow->k->host.sa_move(c->flow->k->host.ctx, &move);
}

static void session_move(struct ike *k, struct addr local, struct addr from, struct addr to, uint16_t port)
{
	EACH_OF(k, l, &k->session_peers[bucket_of_peer(k, from)])
	{
		struct session *s = OWNER(l, struct session, by_peer);

		if (!addr_equal(s->remote, from) || !addr_equal(s->local, local))
			continue;
		s->remote = to;
		s->remote_port = port;
		if (!addr_equal(from, to)) {
			link_del(&s->by_peer);
			link_add(&k->session_peers[bucket_of_peer(k, to)], &s->by_peer);
		}
	}
}

void natt_move(struct ike *k, struct addr local, struct addr from, struct addr to, uint16_t port)
{
	char was[ADDR_TEXT], is[ADDR_TEXT];

	EACH_OF(k, l, &k->child_peers[bucket_of_peer(k, from)])
	{
		struct child *c = OWNER(l, struct child, by_peer);

		if (c->udp_encap && c->sas[PART_ESP][false].there && addr_equal(c->remote, from) && addr_equal(c->local, local))
			child_move(c, to, port);
	}
	EACH_OF(k, l, &k->peers[bucket_of_peer(k, from)])
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, by_peer);

		if (!addr_equal(sa->st.path.remote, from) || !addr_equal(sa->st.path.local, local) ||
			sa->st.path.local_port != 4500)
			continue;
		trace(k, sa->conn_id, "peer moves from %s:%u to %s:%u", addr_print(was, from), sa->st.path.remote_port,
			addr_print(is, to), port);
		sa->st.path.remote = to;
		sa->st.path.remote_port = port;
		sa->tx.path = sa->st.path;
		if (!addr_equal(from, to))
			sa_moved(sa);
	}
	session_move(k, local, from, to, port);
}

void keepalive_set(struct ike_sa *sa)
{
	unsigned every_s =
		sa->k->cfg != NULL && sa->k->cfg->isakmp.nat_keepalive_s != 0 ? sa->k->cfg->isakmp.nat_keepalive_s : KEEPALIVE_S;

	if (sa->st.nat_local && sa->st.path.local_port == 4500)
		timer_set(&sa->k->timers, &sa->keepalive, now_us(sa->k) + every_s * SECOND);
}
