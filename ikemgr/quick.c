/* The quick mode as an object below its IKE SA. While it lasts it has its state; afterwards, for a while, only the last
 * message, to answer repetitions. Its message id is never used again under that IKE SA.
 */
#include "ikemgr/core.h"

#include "platform/base/mem.h"

#include <string.h>

static void quick_life(void *ctx, void *owner);
static void quick_again(void *ctx, void *owner);

/* Room to remember the ids of all quick modes that live, so that their end cannot fail. */
static bool ids_reserve(struct ike_sa *sa)
{
	size_t want = sa->nmessage_ids + sa->nquicks + 1, size = want * 2 < 16 ? 16 : want * 2;
	uint32_t *bigger;

	if (want > MESSAGE_IDS_MAX)
		return false;
	if (want <= sa->message_ids_size)
		return true;
	bigger = mem_realloc_array(sa->message_ids, size, sizeof(*bigger));
	if (bigger == NULL)
		return false;
	sa->message_ids = bigger;
	sa->message_ids_size = size;
	return true;
}

void message_id_use(struct ike_sa *sa, uint32_t id)
{
	if (ids_reserve(sa))
		sa->message_ids[sa->nmessage_ids++] = id;
}

void quick_number(struct quick *q)
{
	if (q->number == 0)
		q->number = q->sa->next_quick++;
}

struct quick *quick_new(struct ike_sa *sa, bool initiator, uint32_t message_id)
{
	struct ike *k = sa->k;
	struct quick *q = mem_zalloc(sizeof(*q));
	struct quick_state *st = mem_zalloc(sizeof(*st));

	if (q == NULL || st == NULL || !ids_reserve(sa) || message_iv(&sa->st, message_id, st->iv) != ERR_OK ||
		timer_reserve(&k->timers, QUICK_TIMERS) != ERR_OK) {
		count(k, STAT_NOMEM);
		mem_free(q);
		mem_free(st);
		return NULL;
	}
	q->sa = sa;
	q->message_id = message_id;
	q->st = st;
	st->initiator = initiator;
	st->stage = QUICK_NEW;
	st->message_id = message_id;
	q->life = (struct timer){ .fire = quick_life, .owner = q };
	q->tx.timer = (struct timer){ .fire = quick_again, .owner = q };
	if (initiator)
		quick_number(q);
	link_add(&sa->quicks, &q->link);
	sa->nquicks++;
	sa->nactive++;
	timer_set(&k->timers, &q->life, now_us(k) + HALF_OPEN_S * SECOND);
	return q;
}

struct quick *quick_find(struct ike_sa *sa, uint32_t message_id)
{
	EACH(l, &sa->quicks)
	if (OWNER(l, struct quick, link)->message_id == message_id)
		return OWNER(l, struct quick, link);
	return NULL;
}

struct quick *quick_by_number(struct ike_sa *sa, uint32_t number)
{
	EACH(l, &sa->quicks)
	if (OWNER(l, struct quick, link)->number == number)
		return OWNER(l, struct quick, link);
	return NULL;
}

void quick_policy_known(struct quick *q)
{
	struct ike *k = q->sa->k;

	link_del(&q->by_policy);
	link_add(&k->quick_policies[bucket_of_policy(k, &q->st->policy)], &q->by_policy);
}

static void state_free(struct quick *q)
{
	if (q->st == NULL)
		return;
	if (q->dh_held)
		ask_drop(q->sa->k, q->sa, q);
	q->dh_held = false;
	link_del(&q->by_policy);
	mem_free_secret(q->st, sizeof(*q->st));
	q->st = NULL;
	q->sa->nactive--;
}

void quick_put_forget(struct quick *q)
{
	memset(q->put, 0, sizeof(q->put));
}

/* SAs that were put for a pair that did not come to be. */
static void put_back(struct quick *q)
{
	struct ike *k = q->sa->k;
	struct dpm_sa sa;

	for (enum part p = PART_ESP; p < PARTS; p++)
		for (int inbound = 0; inbound < 2; inbound++) {
			if (q->st == NULL || !q->put[p][inbound])
				continue;
			quick_sa(q, p, inbound, &sa);
			k->host.sa_del(k->host.ctx, &sa.key);
			wipe(&sa, sizeof(sa));
		}
	quick_put_forget(q);
}

void quick_free(struct quick *q)
{
	struct ike_sa *sa = q->sa;
	struct ike *k = sa->k;

	put_back(q);
	flow_left(k, q);
	if (q->st != NULL)
		dynamic_unused(k, &q->st->policy, q);
	/* Nobody but the peer could take a message id. */
	if (q->st == NULL || q->st->stage != QUICK_NEW)
		sa->message_ids[sa->nmessage_ids++] = q->message_id;
	state_free(q);
	timer_stop(&k->timers, &q->life);
	tx_free(k, &q->tx);
	timer_release(&k->timers, QUICK_TIMERS);
	link_del(&q->link);
	sa->nquicks--;
	mem_free(q);
}

void quick_settled(struct quick *q)
{
	struct ike *k = q->sa->k;

	quick_put_forget(q);
	state_free(q);
	timer_set(&k->timers, &q->life, now_us(k) + QUICK_KEPT_S * SECOND);
}

static void quick_life(void *ctx, void *owner)
{
	struct quick *q = owner;

	(void)ctx;
	if (q->st == NULL)
		quick_free(q);
	else
		quick_fail(q, 0, "no end in 60 s", false);
}

/* Repetition by timer, and its end. */
static void quick_again(void *ctx, void *owner)
{
	struct ike *k = ctx;
	struct quick *q = owner;

	if (q->tx.tries >= q->tx.limit) {
		quick_fail(q, 0, "the peer does not answer", true);
		return;
	}
	count(k, STAT_REPEATED);
	trace(k, q->sa->conn_id, "retransmitting phase 2 %08x ...", q->message_id);
	tx_repeat(k, &q->tx, &q->sa->st);
	timer_set(&k->timers, &q->tx.timer, now_us(k) + tx_wait_us(q->tx.tries++));
}

/* Keys in the order of RFC 2409 5.5 and RFC 4106 8.1: cipher key, salt, authentication key. */
static void keys_fill(struct dpm_sa *sa, const struct protection *p, enum part part, const struct secret *keymat)
{
	const struct cipher_alg *c = part == PART_AH ? NULL : cipher_find(p->cipher);
	const struct hash_alg *h = hash_find(part == PART_AH ? p->ah : p->auth);
	size_t n = c == NULL ? 0 : (size_t)c->key_len + c->salt_len, a = h == NULL ? 0 : h->key_len;

	if (n > sizeof(sa->cipher_key) || a > sizeof(sa->auth_key) || n + a > keymat->len)
		return;
	memcpy(sa->cipher_key, keymat->bytes, n);
	sa->cipher_key_len = (uint8_t)n;
	memcpy(sa->auth_key, keymat->bytes + n, a);
	sa->auth_key_len = (uint8_t)a;
}

static void limits_fill(struct dpm_sa *sa, const struct ike *k, const struct child_terms *t)
{
	uint64_t rest;

	sa->lifetime_s = t->lifetime_s;
	sa->lifetime_kb = t->lifetime_kb;
	sa->created_wall_us = wall_us(k);
	sa->hard_at_us = now_us(k) + t->lifetime_s * SECOND;
	if (t->lifetime_kb == 0)
		return;
	sa->hard_bytes = (uint64_t)t->lifetime_kb * 1024;
	/* IOS: a new pair 256 KB before the end of the volume. That is 4 ms at 500 Mb/s, so a large volume leaves a fortieth. */
	rest = sa->hard_bytes / 40 > 256 * 1024 ? sa->hard_bytes / 40 : 256 * 1024;
	sa->soft_bytes = sa->hard_bytes > 2 * rest ? sa->hard_bytes - rest : sa->hard_bytes / 2;
}

/* What the transform-set says, of this part of it. */
static void protection_fill(struct dpm_sa *out, const struct quick_state *s, enum part part, bool inbound)
{
	const struct protection *p = &s->terms.is;
	enum part other = part == PART_AH ? PART_ESP : PART_AH;

	out->transport = p->transport;
	out->esn = p->esn;
	out->cipher = (uint8_t)(part == PART_AH ? CIPHER_NONE : p->cipher);
	out->auth = (uint8_t)(part == PART_AH ? p->ah : p->auth);
	out->peer_spi = inbound ? s->terms.spi_out[part] : s->terms.spi_in[part];
	if (part_used(p, other))
		out->bundle_spi = inbound ? s->terms.spi_in[other] : s->terms.spi_out[other];
	keys_fill(out, p, part, inbound ? &s->keymat_in[part] : &s->keymat_out[part]);
}

/* Only where the peer sees other addresses than we do: else its checksums are as they should be. */
static void originals_fill(struct dpm_sa *out, const struct quick_state *s)
{
	if (!out->transport || !out->udp_encap)
		return;
	if (addr_is_set(s->nat_oa_local) && !addr_equal(s->nat_oa_local, out->local))
		out->nat_oa_local = s->nat_oa_local;
	if (addr_is_set(s->nat_oa_remote) && !addr_equal(s->nat_oa_remote, out->remote))
		out->nat_oa_remote = s->nat_oa_remote;
}

void quick_sa(const struct quick *q, enum part part, bool inbound, struct dpm_sa *out)
{
	const struct quick_state *s = q->st;
	const struct ike_sa *sa = q->sa;
	const struct cfg_ipsec *c = &sa->k->cfg->ipsec;

	memset(out, 0, sizeof(*out));
	out->local = sa->st.path.local;
	out->remote = sa->st.path.remote;
	out->key = (struct dp_sa_key){ .spi = inbound ? s->terms.spi_in[part] : s->terms.spi_out[part],
		.protocol = part_ip(part),
		.inbound = inbound,
		.dst = inbound ? out->local : out->remote };
	out->policy = s->policy;
	out->sel = s->sel;
	out->udp_encap = natt_used(&sa->st);
	if (out->udp_encap) {
		out->local_port = sa->st.path.local_port;
		out->remote_port = sa->st.path.remote_port;
	}
	protection_fill(out, s, part, inbound);
	originals_fill(out, s);
	out->replay_window = c->replay_window;
	out->df = (uint8_t)c->df_bit;
	out->fragment_after = c->fragment_after;
	out->pfs_group = (uint8_t)s->terms.group;
	out->conn_id = q->conn_id[part][inbound];
	out->ike_conn_id = sa->conn_id;
	out->idle_s = s->idle_s;
	limits_fill(out, sa->k, &s->terms);
}
