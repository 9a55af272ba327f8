/* SAs whose keys an engineer has set (`crypto map … ipsec-manual`): no negotiation, no lifetime, no replay window (RFC 4301 4.5.1,
 * RFC 4303 3.4.3: sequence numbers that begin anew after a restart would all be replays).
 *
 *   snapshot --> what there should be --> compare --> gone or changed: taken out of the data path
 *                                                --> new: keys from the keys process --> SA put --> key wiped
 *
 * The keys pass through here and are not kept. What cannot be put is tried again.
 */
#include "ikemgr/core.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <string.h>

#define AGAIN_S      5
#define UNANSWERED_S 30

/* What the configuration says of one SA. Made of zeroed memory: compared as bytes. */
struct manual_sa {
	struct dp_sa_key key;
	struct dp_policy_id policy;
	struct addr local, remote;
	struct dp_selectors sel;
	enum alg_cipher cipher;
	enum alg_hash auth;
	bool transport, fragment_after;
	enum cfg_df df;
	uint32_t bundle_spi, peer_spi;
	uint64_t cipher_id, auth_id; /* in keys.db */
};

struct manual {
	struct ike *k;
	struct link link;
	uint64_t number; /* never used again */
	struct manual_sa want;
	bool stale, in_place, complained;
	uint32_t conn_id;
	struct timer again;
};

static void manual_ask(struct manual *m)
{
	struct ike *k = m->k;
	struct ike_session_request r = { .cipher_id = m->want.cipher_id, .auth_id = m->want.auth_id };

	timer_set(&k->timers, &m->again, now_us(k) + UNANSWERED_S * SECOND);
	k->host.session_keys(k->host.ctx, m->number << 8 | SERIAL_MANUAL, &r);
}

static void manual_again(void *ctx, void *owner)
{
	(void)ctx;
	manual_ask(owner);
}

static void manual_free(struct manual *m, bool take_back)
{
	struct ike *k = m->k;

	if (take_back)
		k->host.sa_del(k->host.ctx, &m->want.key);
	timer_stop(&k->timers, &m->again);
	timer_release(&k->timers, 1);
	link_del(&m->link);
	mem_free(m);
}

void manuals_free(struct ike *k)
{
	while (k->manuals.next != &k->manuals)
		manual_free(OWNER(k->manuals.next, struct manual, link), false);
}

static void manual_want(struct ike *k, const struct manual_sa *want)
{
	struct manual *m;

	EACH(l, &k->manuals)
	{
		m = OWNER(l, struct manual, link);
		if (memcmp(&m->want, want, sizeof(*want)) == 0) {
			m->stale = false;
			return;
		}
	}
	m = timer_reserve(&k->timers, 1) == ERR_OK ? mem_zalloc(sizeof(*m)) : NULL;
	if (m == NULL) {
		count(k, STAT_NOMEM);
		return;
	}
	m->k = k;
	m->number = k->next_manual++;
	m->want = *want;
	m->conn_id = k->next_child_id++;
	m->again = (struct timer){ .fire = manual_again, .owner = m };
	link_add(&k->manuals, &m->link);
	/* Soon, when what it may replace has been taken out. */
	timer_set(&k->timers, &m->again, now_us(k));
}

/* One SA of the entry. With ESP and AH both, AH is around ESP. */
static void one_sa(struct ike *k, const struct manual_sa *common, const struct cfg_transform_set *s,
	const struct cfg_session_keys *own, const struct cfg_session_keys *other, bool inbound, uint8_t protocol)
{
	struct manual_sa w = *common;
	bool ah = protocol == 51, both = s->ah != HASH_NONE && s->cipher != CIPHER_NONE;

	w.key.spi = ah ? own->ah_spi : own->esp_spi;
	w.key.protocol = protocol;
	w.key.inbound = inbound;
	w.key.dst = inbound ? w.local : w.remote;
	w.peer_spi = ah ? other->ah_spi : other->esp_spi;
	w.bundle_spi = !both ? 0 : ah ? own->esp_spi : own->ah_spi;
	w.cipher = ah ? CIPHER_NONE : s->cipher;
	w.auth = ah ? s->ah : s->auth;
	w.cipher_id = ah ? 0 : own->cipher_key_id;
	w.auth_id = ah ? own->ah_key_id : w.auth == HASH_NONE ? 0 : own->auth_key_id;
	if (w.cipher == CIPHER_NULL)
		w.cipher_id = 0;
	if (ah && both)
		w.transport = true;
	manual_want(k, &w);
}

static bool is_host(const struct dp_selector *s, struct addr a)
{
	return addr_equal(s->from, a) && addr_equal(s->to, a);
}

static bool first_permit(const struct cfg_acl *acl, struct dp_selectors *sel, uint32_t *seq)
{
	for (size_t i = 0; acl != NULL && i < acl->nentries; i++)
		if (acl->entries[i].permit && !acl->entries[i].remark) {
			*seq = acl->entries[i].seq;
			return ace_selectors(&acl->entries[i], sel);
		}
	return false;
}

static void entry_want(struct ike *k, const struct cfg_interface *i, const struct cfg_map_entry *e)
{
	const struct cfg_transform_set *s = cfg_transform_set(k->cfg, e->sets[0]);
	struct manual_sa w;

	memset(&w, 0, sizeof(w));
	w.remote = addr_v4(e->peers[0].addr);
	w.local = ike_policy_local(k, i, w.remote);
	if (s == NULL || e->peers[0].addr == 0 || !addr_is_set(w.local) ||
		!first_permit(cfg_acl(k->cfg, e->acl), &w.sel, &w.policy.ace_seq))
		return;
	memcpy(w.policy.interface, i->name, strlen(i->name));
	memcpy(w.policy.map, e->map, strlen(e->map));
	w.policy.map_seq = e->seq;
	w.transport = s->transport && is_host(&w.sel.local, w.local) && is_host(&w.sel.remote, w.remote);
	w.df = k->cfg->ipsec.df_bit;
	w.fragment_after = k->cfg->ipsec.fragment_after;
	for (int inbound = 1; inbound >= 0; inbound--) {
		const struct cfg_session_keys *own = inbound ? &e->keys_in : &e->keys_out;
		const struct cfg_session_keys *other = inbound ? &e->keys_out : &e->keys_in;

		if (s->ah != HASH_NONE)
			one_sa(k, &w, s, own, other, inbound, 51);
		if (s->cipher != CIPHER_NONE)
			one_sa(k, &w, s, own, other, inbound, 50);
	}
}

static void all_want(struct ike *k)
{
	for (size_t n = 0; n < k->cfg->ninterfaces; n++) {
		const struct cfg_interface *i = &k->cfg->interfaces[n];
		const struct cfg_map_entry *e =
			cfg_map_owner(k->cfg, i) == i && policy_interface_up(k, i) ? cfg_map_first(k->cfg, i->crypto_map) : NULL;

		for (; e != NULL; e = cfg_map_next(k->cfg, e))
			if (e->kind == MAP_MANUAL && cfg_map_entry_fault(k->cfg, e) == NULL)
				entry_want(k, i, e);
	}
}

void manuals_configure(struct ike *k)
{
	EACH(l, &k->manuals)
	OWNER(l, struct manual, link)->stale = true;
	all_want(k);
	EACH(l, &k->manuals)
	{
		struct manual *m = OWNER(l, struct manual, link);

		if (m->stale)
			manual_free(m, true);
	}
}

static struct manual *by_serial(struct ike *k, uint64_t serial)
{
	EACH(l, &k->manuals)
	if (OWNER(l, struct manual, link)->number == serial >> 8)
		return OWNER(l, struct manual, link);
	return NULL;
}

static struct manual *by_key(struct ike *k, const struct dp_sa_key *key)
{
	EACH(l, &k->manuals)
	{
		struct manual *m = OWNER(l, struct manual, link);

		if (m->want.key.spi == key->spi && m->want.key.protocol == key->protocol && m->want.key.inbound == key->inbound &&
			addr_equal(m->want.key.dst, key->dst))
			return m;
	}
	return NULL;
}

static void failed(struct manual *m, const char *what, enum err e)
{
	struct ike *k = m->k;
	char peer[ADDR_TEXT];

	if (!m->complained && e != ERR_CLOSED)
		log_msg("CRYPTO", LOG_SEV_ERROR, "MANUAL_SA",
			"crypto map %s %u: the %s SA 0x%X with %s that is keyed by hand cannot be used: %s: %s", m->want.policy.map,
			m->want.policy.map_seq, m->want.key.inbound ? "inbound" : "outbound", m->want.key.spi,
			addr_print(peer, m->want.remote), what, err_text(e));
	m->complained = m->complained || e != ERR_CLOSED;
	timer_set(&k->timers, &m->again, now_us(k) + AGAIN_S * SECOND);
}

/* As much of a key as the algorithm takes; what is longer is cut, as on IOS. */
static bool key_take(uint8_t to[DP_KEY_MAX], uint8_t *len, size_t want, const uint8_t *from, size_t have)
{
	if (have < want || want > DP_KEY_MAX)
		return false;
	memcpy(to, from, want);
	*len = (uint8_t)want;
	return true;
}

static void put(struct manual *m, const struct ike_session_keys *keys)
{
	const struct manual_sa *w = &m->want;
	const struct cipher_alg *c = cipher_find(w->cipher);
	const struct hash_alg *h = hash_find(w->auth);
	struct ike *k = m->k;
	struct dpm_sa sa;

	memset(&sa, 0, sizeof(sa));
	sa.key = w->key;
	sa.local = w->local;
	sa.remote = w->remote;
	sa.policy = w->policy;
	sa.sel = w->sel;
	sa.transport = w->transport;
	sa.bundle_spi = w->bundle_spi;
	sa.cipher = (uint8_t)w->cipher;
	sa.auth = (uint8_t)w->auth;
	sa.df = (uint8_t)w->df;
	sa.fragment_after = w->fragment_after;
	sa.created_wall_us = wall_us(k);
	sa.conn_id = m->conn_id;
	sa.peer_spi = w->peer_spi;
	if (key_take(sa.cipher_key, &sa.cipher_key_len, c == NULL ? 0 : c->key_len, keys->cipher, keys->cipher_len) &&
		key_take(sa.auth_key, &sa.auth_key_len, h == NULL ? 0 : h->key_len, keys->auth, keys->auth_len))
		k->host.sa_put(k->host.ctx, m->number << 8 | SERIAL_MANUAL, &sa);
	else
		failed(m, "a key is too short", ERR_RANGE);
	wipe(&sa, sizeof(sa));
}

void ike_done_session_keys(struct ike *k, uint64_t serial, enum err e, const struct ike_session_keys *keys)
{
	struct manual *m = by_serial(k, serial);

	if (m == NULL)
		count(k, STAT_LATE_ANSWERS);
	else if (e != ERR_OK)
		failed(m, "its keys cannot be read", e);
	else
		put(m, keys);
}

bool manual_put_done(struct ike *k, uint64_t serial, enum err e)
{
	struct manual *m = (serial & 0xff) == SERIAL_MANUAL ? by_serial(k, serial) : NULL;

	if (m == NULL)
		return (serial & 0xff) == SERIAL_MANUAL;
	if (e != ERR_OK) {
		failed(m, "the data path refused it", e);
		return true;
	}
	timer_stop(&k->timers, &m->again);
	m->in_place = true;
	m->complained = false;
	trace(k, 0, "manual SA 0x%08X in place", m->want.key.spi);
	return true;
}

static void begin_anew(struct manual *m, bool take_back)
{
	struct ike *k = m->k;

	if (take_back)
		k->host.sa_del(k->host.ctx, &m->want.key);
	m->in_place = false;
	manual_ask(m);
}

bool manual_expired(struct ike *k, const struct dpm_expire *e)
{
	struct manual *m = by_key(k, &e->key);

	if (m == NULL)
		return false;
	if (e->why == DP_EXPIRE_SEQUENCE) {
		/* Nobody looks for replays of these: the numbers begin again (RFC 4303 3.3.3). */
		begin_anew(m, true);
	} else if (e->why == DP_EXPIRE_HARD) {
		/* Taken out because the data path's configuration does not have it: it may be a moment behind or ahead of ours. */
		m->in_place = false;
		timer_set(&k->timers, &m->again, now_us(k) + AGAIN_S * SECOND);
	}
	return true;
}

static bool is_manual(const struct ike *k, const struct dp_policy_id *id)
{
	const struct cfg_map_entry *e = k->cfg == NULL ? NULL : cfg_map_first(k->cfg, id->map);

	while (e != NULL && e->seq != id->map_seq)
		e = cfg_map_next(k->cfg, e);
	return e != NULL && e->kind == MAP_MANUAL;
}

bool manual_adopt(struct ike *k, const struct dpm_sa_info *i)
{
	struct manual *m = by_key(k, &i->key);

	if (m == NULL && !is_manual(k, &i->policy))
		return false;
	/* Ours is put over it: the same keys go on counting, others begin anew. */
	if (m == NULL)
		k->host.sa_del(k->host.ctx, &i->key);
	return true;
}

void manuals_reset(struct ike *k)
{
	EACH(l, &k->manuals)
	begin_anew(OWNER(l, struct manual, link), false);
}

unsigned manuals_clear(struct ike *k, const struct ikem_clear *c)
{
	unsigned n = 0;

	EACH(l, &k->manuals)
	{
		struct manual *m = OWNER(l, struct manual, link);

		if ((addr_is_set(c->peer) && !addr_equal(c->peer, m->want.remote)) ||
			(c->map[0] != '\0' && strcmp(c->map, m->want.policy.map) != 0))
			continue;
		begin_anew(m, true);
		n++;
	}
	return n;
}
