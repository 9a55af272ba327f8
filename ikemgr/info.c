/* Informational exchanges: notifications, and deletions (RFC 2408 4.8, RFC 2409 5.7).
 *
 * The rows' handlers only judge whether a message is authentic; what it says is acted upon after the commit, in info_done.
 */
#include "ikemgr/core.h"
#include "ikemgr/phase1.h"

#include "platform/base/log.h"

#include <stdio.h>
#include <string.h>

#define RECOVERY_S 10

enum err info_protected(struct step *st)
{
	struct secret want;

	if (message_hash(st->s, st->in->head.message_id, st->in, (struct span){ 0 }, &want) != ERR_OK ||
		!span_equal_ct(secret_span(&want), st->in->payloads[0].v.data.data)) {
		count(st->k, STAT_BAD_HASH);
		return step_ignore(st, "hash of an informational message did not verify");
	}
	return ERR_OK;
}

enum err info_plain(struct step *st)
{
	count(st->k, STAT_NOTIFIES_IN);
	return ERR_OK;
}

/* The established SA is unknown to the peer, or so somebody says: a new one is made beside it. Once that stands, the old one is
 * put away (flow_ike_up); a lie costs one main mode. */
static void peer_forgot(struct ike_sa *sa)
{
	struct ike *k = sa->k;

	if (sa->forgotten || sa->heard_us + 2 * SECOND > now_us(k) || !peer_configured(k, sa->st.path.local, sa->st.path.remote) ||
		sa_starting(k, sa->st.path.local, sa->st.path.remote) != NULL)
		return;
	sa->forgotten = true;
	trace(k, sa->conn_id, "the peer does not know this SA any more");
	phase1_begin(k, sa->st.path.local, sa->st.path.remote, true);
}

/* In clear: anybody who has seen the cookies can have sent it. It ends only what was not established. */
static void plain_done(struct ike_sa *sa, const struct payload_notify *n)
{
	char name[NAME_TEXT], why[120];

	if (!NOTIFY_IS_ERROR(n->type))
		return;
	if (sa->st.evidence & EV_AUTHED) {
		if (n->type == NOTIFY_INVALID_COOKIE)
			peer_forgot(sa);
		return;
	}
	snprintf(why, sizeof(why), "the peer says %s", name_of(names_notify, n->type, name));
	if (sa->st.initiator)
		phase1_fail(sa, 0, why);
	else
		say_failure(sa->k, sa->st.path.remote, sa->conn_id, "%s", why);
}

/* Phase 1 ends earlier than we thought. Aggressive mode has no protected message to say it in (RFC 2407 4.6.3.1). */
static void lifetime_done(struct ike_sa *sa, const struct payload_notify *n)
{
	uint32_t before = sa->st.terms.lifetime_s;

	if (n->protocol != PROTO_ISAKMP || !sa->st.initiator)
		return;
	lifetime_take(&sa->st.terms, n);
	if (sa->st.terms.lifetime_s == before)
		return;
	sa->expires_us = sa->established_us + sa->st.terms.lifetime_s * SECOND;
	timer_set(&sa->k->timers, &sa->life, sa->expires_us);
	rekey_sa_schedule(sa);
}

/* The quick mode that a notification is about: by our SPI, else the oldest that waits for an answer. */
static struct quick *quick_meant(struct ike_sa *sa, const struct payload_notify *n)
{
	struct reader r = reader_of(n->spi);
	uint32_t spi = n->spi.len == 4 ? reader_u32(&r) : 0;
	struct quick *oldest = NULL;

	EACH(l, &sa->quicks)
	{
		struct quick *q = OWNER(l, struct quick, link);

		if (q->st == NULL || !q->st->initiator || q->st->stage != QUICK_SENT)
			continue;
		if (spi != 0 && (q->st->terms.spi_in[PART_ESP] == spi || q->st->terms.spi_in[PART_AH] == spi))
			return q;
		if (oldest == NULL)
			oldest = q;
	}
	return oldest;
}

static void error_done(struct ike_sa *sa, const struct payload_notify *n)
{
	char name[NAME_TEXT], why[120], sel[160], text[400];
	struct quick *q = quick_meant(sa, n);

	snprintf(why, sizeof(why), "the peer says %s", name_of(names_notify, n->type, name));
	if (q == NULL) {
		say_failure(sa->k, sa->st.path.remote, sa->conn_id, "%s", why);
		return;
	}
	selectors_print(sel, sizeof(sel), &q->st->sel);
	snprintf(text, sizeof(text), "%s (we asked for %s, crypto map %s %u)", why, sel, q->st->policy.map, q->st->policy.map_seq);
	quick_fail(q, 0, text, false);
}

static void invalid_spi_done(struct ike_sa *sa, const struct payload_notify *n)
{
	struct reader r = reader_of(n->spi.len == 4 ? n->spi : n->data);
	uint32_t spi = reader_u32(&r);
	enum part part = part_of(n->protocol);
	struct child *c = r.failed || part == PARTS ? NULL : child_by_spi(sa->k, part_ip(part), false, spi, sa->st.path.remote);

	if (c != NULL)
		child_free(c, true);
}

static void notify_done(struct ike_sa *sa, const struct payload_notify *n)
{
	char name[NAME_TEXT];

	count(sa->k, STAT_NOTIFIES_IN);
	trace(sa->k, sa->conn_id, "processing NOTIFY %s protocol %u", name_of(names_notify, n->type, name), n->protocol);
	switch (n->type) {
	case NOTIFY_R_U_THERE:
		dpd_asked(sa, n);
		break;
	case NOTIFY_R_U_THERE_ACK:
		dpd_answered(sa, n);
		break;
	case NOTIFY_RESPONDER_LIFETIME:
		lifetime_done(sa, n);
		break;
	case NOTIFY_INVALID_SPI:
		invalid_spi_done(sa, n);
		break;
	case NOTIFY_INITIAL_CONTACT:
		children_of_sa_delete(sa, sa->created_us);
		break;
	default:
		if (NOTIFY_IS_ERROR(n->type))
			error_done(sa, n);
	}
}

/* The SPI is the sender's own (RFC 2408 3.15). Some name ours instead: strongSwan 5.9 of an SA that it could not install. */
static struct child *deleted_child(struct ike_sa *sa, uint8_t protocol, uint32_t spi)
{
	uint8_t ip = part_ip(part_of(protocol));
	struct child *c = child_by_spi(sa->k, ip, false, spi, sa->st.path.remote);

	if (c == NULL)
		c = child_by_spi(sa->k, ip, true, spi, sa->st.path.remote);
	return c != NULL && addr_equal(c->remote, sa->st.path.remote) ? c : NULL;
}

/* Returns whether the IKE SA itself is meant. */
static bool delete_done(struct ike_sa *sa, const struct payload_delete *d)
{
	struct reader r = reader_of(d->spis);
	struct child *c;
	bool self = false;

	count(sa->k, STAT_DELETES_IN);
	for (unsigned i = 0; i < d->count; i++) {
		if (d->protocol == PROTO_ISAKMP && d->spi_size == 16) {
			uint64_t ci = reader_u64(&r), cr = reader_u64(&r);

			self = self || (!r.failed && ci == sa->st.cookie_i && cr == sa->st.cookie_r);
		} else if (part_of(d->protocol) != PARTS && d->spi_size == 4) {
			/* Of AH around ESP both go with the first that is named. */
			c = deleted_child(sa, d->protocol, reader_u32(&r));
			if (c != NULL)
				child_free(c, true);
		} else {
			break;
		}
	}
	return self;
}

/* Acts on everything that does not end the SA first; the SA goes once, at last. */
static void protected_done(struct ike_sa *sa, const struct message *m)
{
	bool self = false;

	for (size_t i = 0; i < m->npayloads; i++) {
		const struct payload *p = &m->payloads[i];

		if (p->kind == PAYLOAD_NOTIFY)
			notify_done(sa, &p->v.notify);
		else if (p->kind == PAYLOAD_DELETE)
			self = delete_done(sa, &p->v.del) || self;
	}
	if (self)
		sa_delete(sa, false, "deleted by the peer");
}

void info_done(struct ike_sa *sa, const struct message *m, bool protected)
{
	const struct payload *n = message_find(m, PAYLOAD_NOTIFY, 0);
	char name[NAME_TEXT], why[120];

	if (!protected) {
		plain_done(sa, &n->v.notify);
	} else if (sa->st.evidence & EV_AUTHED) {
		protected_done(sa, m);
	} else if (NOTIFY_IS_ERROR(n->v.notify.type)) {
		snprintf(why, sizeof(why), "the peer says %s", name_of(names_notify, n->v.notify.type, name));
		phase1_fail(sa, 0, why);
	}
}

/* --- sending --- */

static void info_send(struct ike_sa *sa, enum payload_kind kind, const union payload_value *v)
{
	static const uint8_t zero[PRF_MAX];
	struct ike *k = sa->k;
	uint32_t id = message_id_new(sa);
	struct isakmp_header h = { .cookie_i = sa->st.cookie_i,
		.cookie_r = sa->st.cookie_r,
		.version = 0x10,
		.exchange = EXCH_INFORMATIONAL,
		.message_id = id };
	const struct hash_alg *alg = hash_find(sa->st.terms.hash);
	uint8_t iv[CIPHER_BLOCK_MAX];
	struct span hash, body, packet;
	struct secret digest;
	struct build b;

	build_start(&b, k->out, sizeof(k->out), &h);
	hash = build_data(&b, PAYLOAD_HASH, span_of(zero, alg == NULL ? 0 : alg->digest_len));
	body = build_payload(&b, kind, v);
	if (body.len == 0 || keys_hash_phase2(&sa->st, id, &body, 1, &digest) != ERR_OK)
		return;
	memcpy(hash.data + ISAKMP_GENERIC_LEN, digest.bytes, digest.len);
	if (message_iv(&sa->st, id, iv) == ERR_OK && message_seal(&b, &sa->st, iv, &packet) == ERR_OK)
		packet_send(k, &sa->st.path, packet);
}

void info_send_notify(struct ike_sa *sa, uint16_t type, uint8_t protocol, struct span spi, struct span data)
{
	union payload_value v = { .notify = { .doi = DOI_IPSEC,
					  .protocol = protocol,
					  .spi_size = (uint8_t)spi.len,
					  .type = type,
					  .spi = spi,
					  .data = data } };
	char name[NAME_TEXT];

	trace(sa->k, sa->conn_id, "sending NOTIFY %s protocol %u", name_of(names_notify, type, name), protocol);
	info_send(sa, PAYLOAD_NOTIFY, &v);
}

void info_send_delete_sa(struct ike_sa *sa)
{
	uint8_t spi[16];
	struct writer w = writer_of(spi, sizeof(spi));
	union payload_value v = { .del = { .doi = DOI_IPSEC, .protocol = PROTO_ISAKMP, .spi_size = 16, .count = 1 } };

	writer_u64(&w, sa->st.cookie_i);
	writer_u64(&w, sa->st.cookie_r);
	v.del.spis = writer_span(&w);
	trace(sa->k, sa->conn_id, "sending DELETE of the IKE SA");
	info_send(sa, PAYLOAD_DELETE, &v);
}

void info_delete_spi(struct ike *k, struct addr local, struct addr remote, uint8_t protocol, uint32_t spi)
{
	uint8_t bytes[4];
	struct writer w = writer_of(bytes, sizeof(bytes));
	union payload_value v = { .del = { .doi = DOI_IPSEC, .protocol = protocol, .spi_size = 4, .count = 1 } };
	struct ike_sa *sa = sa_established(k, local, remote);

	if (sa == NULL)
		return;
	writer_u32(&w, spi);
	v.del.spis = writer_span(&w);
	trace(k, sa->conn_id, "sending DELETE of %s SPI 0x%08X", protocol == PROTO_AH ? "AH" : "ESP", spi);
	info_send(sa, PAYLOAD_DELETE, &v);
}

void info_send_plain(struct ike *k, const struct ike_path *path, uint64_t cookie_i, uint64_t cookie_r, uint16_t type, size_t bound)
{
	struct isakmp_header h = { .cookie_i = cookie_i, .cookie_r = cookie_r, .version = 0x10, .exchange = EXCH_INFORMATIONAL };
	union payload_value v = { .notify = { .doi = DOI_IPSEC, .protocol = PROTO_ISAKMP, .type = type } };
	struct span packet;
	struct build b;

	random_bytes(k, &h.message_id, sizeof(h.message_id));
	build_start(&b, k->out, sizeof(k->out), &h);
	build_payload(&b, PAYLOAD_NOTIFY, &v);
	packet = build_end(&b);
	if (packet.len != 0 && packet.len <= bound)
		packet_send(k, path, packet);
}

/* A peer of ours speaks of SAs that we do not have: since our start it was not told. Phase 1 with INITIAL-CONTACT tells it;
 * once in a while for each, since anybody can make us do it. */
void recover_unknown(struct ike *k, struct addr local, struct addr remote)
{
	size_t n = sizeof(k->recoveries) / sizeof(k->recoveries[0]);
	uint64_t now = now_us(k);

	if (!peer_configured(k, local, remote) || sa_established(k, local, remote) != NULL || sa_starting(k, local, remote) != NULL)
		return;
	for (size_t i = 0; i < n; i++)
		if (addr_equal(k->recoveries[i].peer, remote) && now < k->recoveries[i].at + RECOVERY_S * SECOND)
			return;
	k->recoveries[k->nrecoveries % n].peer = remote;
	k->recoveries[k->nrecoveries++ % n].at = now;
	phase1_begin(k, local, remote, true);
}
