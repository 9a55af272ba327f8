/* The SA table: every IKE SA by initiator cookie, by serial number and by peer. */
#include "ikemgr/core.h"

#include "platform/base/mem.h"

#include <string.h>

void link_init(struct link *head)
{
	head->next = head->prev = head;
}

void link_add(struct link *head, struct link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

void link_del(struct link *l)
{
	if (l->next == NULL)
		return;
	l->next->prev = l->prev;
	l->prev->next = l->next;
	l->next = l->prev = NULL;
}

/* Cookies come from outside: the key keeps strangers from filling one bucket. */
static size_t bucket(const struct ike *k, uint64_t v)
{
	v ^= k->table_key;
	v *= UINT64_C(0x9e3779b97f4a7c15);
	v ^= v >> 32;
	v *= UINT64_C(0xd6e8feb86659fd93);
	return (v >> 40) % TABLE_SIZE;
}

size_t bucket_of_peer(const struct ike *k, struct addr a)
{
	uint64_t v[2];

	memcpy(v, a.bytes, sizeof(v));
	return bucket(k, v[0] ^ (v[1] << 1));
}

static uint64_t text_hash(uint64_t v, const char *text)
{
	while (*text != '\0')
		v = (v ^ (uint8_t)*text++) * UINT64_C(0x100000001b3);
	return v;
}

size_t bucket_of_policy(const struct ike *k, const struct dp_policy_id *id)
{
	uint64_t names = text_hash(text_hash(UINT64_C(0xcbf29ce484222325), id->interface) + 1, id->map);

	return bucket(k, names ^ ((uint64_t)id->map_seq << 32) ^ id->ace_seq);
}

void sa_moved(struct ike_sa *sa)
{
	struct ike *k = sa->k;

	link_del(&sa->by_cookie);
	link_del(&sa->by_peer);
	link_add(&k->cookies[bucket(k, sa->st.cookie_i)], &sa->by_cookie);
	link_add(&k->peers[bucket_of_peer(k, sa->st.path.remote)], &sa->by_peer);
}

struct ike_sa *sa_new(struct ike *k, bool initiator, uint8_t exchange, const struct ike_path *path, uint64_t cookie_i)
{
	struct ike_sa *sa = mem_zalloc(sizeof(*sa));
	struct handshake *h = mem_zalloc(sizeof(*h));

	if (sa == NULL || h == NULL || timer_reserve(&k->timers, SA_TIMERS) != ERR_OK) {
		mem_free(sa);
		mem_free(h);
		count(k, STAT_NOMEM);
		return NULL;
	}
	sa->k = k;
	sa->h = h;
	sa->serial = k->next_serial++;
	sa->conn_id = k->next_conn_id++;
	sa->st.version = 1;
	sa->st.initiator = initiator;
	sa->st.exchange = exchange;
	sa->st.state = exchange == EXCH_AGGRESSIVE ? AG_NO_STATE : MM_NO_STATE;
	sa->st.cookie_i = cookie_i;
	sa->st.path = *path;
	sa->created_us = now_us(k);
	sa->next_quick = 1;
	link_init(&sa->quicks);
	sa_timers_init(sa);
	link_add(&k->sas, &sa->all);
	link_add(&k->serials[bucket(k, sa->serial)], &sa->by_serial);
	sa_moved(sa);
	link_add(&k->negotiating, &sa->negotiating);
	k->half_open++;
	k->nsas++;
	return sa;
}

static void handshake_free(struct ike_sa *sa)
{
	if (sa->h == NULL)
		return;
	if (sa->dh_held)
		ask_drop(sa->k, sa, NULL);
	sa->dh_held = false;
	mem_free_secret(sa->h, sizeof(*sa->h));
	sa->h = NULL;
	link_del(&sa->negotiating);
	sa->k->half_open--;
}

void sa_settled(struct ike_sa *sa)
{
	handshake_free(sa);
}

static void dead_row(struct ike_sa *sa)
{
	struct ike *k = sa->k;
	size_t i = k->ndead++ % DEAD_ROWS;
	struct ikem_sa *row = &k->dead[i];

	memset(row, 0, sizeof(*row));
	row->conn_id = sa->conn_id;
	row->version = sa->st.version;
	row->state = MM_NO_STATE;
	row->initiator = sa->st.initiator;
	row->deleted = 1;
	row->local = sa->st.path.local;
	row->remote = sa->st.path.remote;
	row->local_port = sa->st.path.local_port;
	row->remote_port = sa->st.path.remote_port;
	row->cookie_i = sa->st.cookie_i;
	row->cookie_r = sa->st.cookie_r;
	k->dead_at[i] = now_us(k) + DEAD_S * SECOND;
}

void sa_free(struct ike_sa *sa)
{
	struct ike *k = sa->k;

	while (sa->quicks.next != &sa->quicks)
		quick_free(OWNER(sa->quicks.next, struct quick, link));
	dead_row(sa);
	fragments_free(sa);
	k->nsas--;
	handshake_free(sa);
	timer_stop(&k->timers, &sa->life);
	timer_stop(&k->timers, &sa->rekey);
	timer_stop(&k->timers, &sa->keepalive);
	timer_stop(&k->timers, &sa->dpd);
	tx_free(k, &sa->tx);
	tx_free(k, &sa->client_tx);
	timer_release(&k->timers, SA_TIMERS);
	link_del(&sa->all);
	link_del(&sa->by_cookie);
	link_del(&sa->by_serial);
	link_del(&sa->by_peer);
	mem_free(sa->message_ids);
	mem_free_secret(sa, sizeof(*sa));
}

struct ike_sa *sa_by_cookies(struct ike *k, uint64_t cookie_i, uint64_t cookie_r)
{
	EACH_OF(k, l, &k->cookies[bucket(k, cookie_i)])
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, by_cookie);

		if (sa->st.cookie_i == cookie_i && sa->st.cookie_r == cookie_r)
			return sa;
	}
	return NULL;
}

struct ike_sa *sa_by_initiator(struct ike *k, uint64_t cookie_i, struct addr remote)
{
	EACH_OF(k, l, &k->cookies[bucket(k, cookie_i)])
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, by_cookie);

		if (sa->st.cookie_i == cookie_i && addr_equal(sa->st.path.remote, remote))
			return sa;
	}
	return NULL;
}

struct ike_sa *sa_by_serial(struct ike *k, uint64_t serial)
{
	EACH_OF(k, l, &k->serials[bucket(k, serial)])
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, by_serial);

		if (sa->serial == serial)
			return sa;
	}
	return NULL;
}

static bool between(const struct ike_sa *sa, struct addr local, struct addr remote)
{
	return addr_equal(sa->st.path.remote, remote) && (!addr_is_set(local) || addr_equal(sa->st.path.local, local));
}

struct ike_sa *sa_established(struct ike *k, struct addr local, struct addr remote)
{
	struct ike_sa *best = NULL;

	EACH_OF(k, l, &k->peers[bucket_of_peer(k, remote)])
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, by_peer);

		if (sa->st.state == QM_IDLE && !sa->forgotten && between(sa, local, remote) && sa->nmessage_ids < MESSAGE_IDS_MAX &&
			(best == NULL || sa->expires_us > best->expires_us))
			best = sa;
	}
	return best;
}

struct ike_sa *sa_starting(struct ike *k, struct addr local, struct addr remote)
{
	EACH_OF(k, l, &k->peers[bucket_of_peer(k, remote)])
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, by_peer);

		if (sa->st.state != QM_IDLE && sa->st.initiator && between(sa, local, remote))
			return sa;
	}
	return NULL;
}

bool sa_other_with_peer(const struct ike_sa *me)
{
	struct ike *k = me->k;

	EACH_OF(k, l, &k->peers[bucket_of_peer(k, me->st.path.remote)])
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, by_peer);

		if (sa != me && between(sa, me->st.path.local, me->st.path.remote))
			return true;
	}
	return false;
}

unsigned sa_half_open_of(struct ike *k, struct addr remote)
{
	unsigned n = 0;

	EACH_OF(k, l, &k->peers[bucket_of_peer(k, remote)])
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, by_peer);

		n += sa->h != NULL && !sa->st.initiator && addr_equal(sa->st.path.remote, remote);
	}
	return n;
}

struct ike_sa *sa_oldest_unproved(struct ike *k)
{
	EACH_OF(k, l, &k->negotiating)
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, negotiating);

		if (!sa->st.initiator && (sa->st.state <= MM_SA_SETUP || sa->st.state == AG_INIT_EXCH))
			return sa;
	}
	return NULL;
}
