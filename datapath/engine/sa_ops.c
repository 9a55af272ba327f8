/* The control thread and SAs: SPIs, putting, deleting, moving, time limits. */
#include "datapath/engine/control.h"

#include "platform/base/mem.h"

#include <string.h>

#define RESERVED_US (60 * 1000000ull)

static bool reserved(const struct backend *b, uint32_t spi, uint64_t now)
{
	for (size_t i = 0; i < RESERVATIONS; i++)
		if (b->reserved[i].spi == spi && b->reserved[i].until_us > now)
			return true;
	return false;
}

enum err engine_spi_alloc(struct backend *b, const struct dpm_spi *req, uint32_t *spi)
{
	uint64_t now = engine_now();
	struct reservation *slot = NULL;

	if (req->protocol != 50)
		return ERR_UNSUPPORTED;
	for (size_t i = 0; i < RESERVATIONS && !slot; i++)
		if (b->reserved[i].until_us <= now)
			slot = &b->reserved[i];
	if (!slot)
		return ERR_LIMIT;
	do
		b->args.env->random(b->args.env->ctx, &slot->spi, sizeof(slot->spi));
	while (slot->spi < 256 || sa_spi_used(&b->sas, slot->spi) || reserved(b, slot->spi, now));
	slot->until_us = now + RESERVED_US;
	*spi = slot->spi;
	return ERR_OK;
}

static void unreserve(struct backend *b, uint32_t spi)
{
	for (size_t i = 0; i < RESERVATIONS; i++)
		if (b->reserved[i].spi == spi)
			b->reserved[i].until_us = 0;
}

/* What the last reference held. After the grace period. */
static void discard(struct backend *b, struct sa *sa)
{
	sa->policy->refs--;
	hop_put(&b->hops, sa->hop);
	ipsec_sa_free(sa);
}

/* An outbound SA fits the policy now: the worker looks at what it holds. */
static void answer(struct backend *b, struct policy *p)
{
	FLAG_SET(p->acquire_us, 0);
	FLAG_SET(p->hold_off_us, 0);
	note_wake(&b->out_worker.down);
}

static enum err attach(struct backend *b, struct sa *sa)
{
	sa->policy = ipsec_policy_get(&b->policies, &sa->conf.policy);
	if (!sa->policy)
		return ERR_NOMEM;
	sa->hop = hop_get(&b->hops, sa->local, place_address(sa->remote));
	return sa->hop ? ERR_OK : ERR_NOMEM;
}

enum err engine_sa_put(struct backend *b, const struct dpm_sa *conf)
{
	struct sa *old = ipsec_sa_find(&b->sas, &conf->key), *sa;
	enum err e = ipsec_sa_new(&sa, conf, old && sa_same_keys(old, conf) ? old : NULL);

	if (e != ERR_OK)
		return e;
	e = attach(b, sa);
	if (e != ERR_OK) {
		ipsec_sa_free(sa);
		return e;
	}
	sa->policy->refs++;
	if (conf->key.inbound)
		unreserve(b, conf->key.spi);
	sa_link(&b->sas, sa, old);
	if (old) {
		rcu_wait(&b->rcu);
		discard(b, old);
	}
	if (!conf->key.inbound)
		answer(b, sa->policy);
	return ERR_OK;
}

enum err engine_sa_del(struct backend *b, const struct dp_sa_key *key)
{
	struct sa *sa = ipsec_sa_find(&b->sas, key);

	if (!sa)
		return ERR_NOT_FOUND;
	sa_unlink(&b->sas, sa);
	rcu_wait(&b->rcu);
	discard(b, sa);
	return ERR_OK;
}

enum err engine_sa_move(struct backend *b, const struct dpm_sa_move *move)
{
	struct sa *sa = ipsec_sa_find(&b->sas, &move->key);
	struct hop *hop, *old;
	uint64_t place;

	if (!sa)
		return ERR_NOT_FOUND;
	if (move->remote.family != AF_INET)
		return ERR_INVALID;
	place = place_of(addr_to_v4(move->remote), move->remote_port);
	hop = hop_get(&b->hops, sa->local, place_address(place));
	if (!hop)
		return ERR_NOMEM;
	old = sa->hop;
	RCU_SET(sa->hop, hop);
	RCU_SET(sa->remote, place);
	rcu_wait(&b->rcu);
	hop_put(&b->hops, old);
	return ERR_OK;
}

enum err engine_flush(struct backend *b, struct addr remote)
{
	for (struct sa *sa = b->sas.all, *next; sa; sa = next) {
		next = sa->all_next;
		if (addr_is_set(remote) && !addr_equal(sa->conf.remote, remote) && addr_to_v4(remote) != place_address(sa->remote))
			continue;
		sa_unlink(&b->sas, sa);
		rcu_wait(&b->rcu);
		discard(b, sa);
	}
	return ERR_OK;
}

void sa_drop_all(struct backend *b)
{
	(void)!engine_flush(b, (struct addr){ 0 });
}

static struct sa *next_ended(struct backend *b)
{
	struct sa *sa = b->sas.all;

	while (sa && (!sa->dead || sa->end_told))
		sa = sa->all_next;
	return sa;
}

void sa_tick(struct backend *b, uint64_t now_us)
{
	for (struct sa *sa = b->sas.all; sa; sa = sa->all_next)
		if (sa->conf.hard_at_us != 0 && now_us >= sa->conf.hard_at_us)
			FLAG_SET(sa->dead, true);
	/* From the start each time: the handler may change the list. */
	for (struct sa *sa; (sa = next_ended(b)) != NULL;) {
		struct backend_event ev = { .kind = BACKEND_EXPIRE };

		sa->end_told = true;
		ev.expire.key = sa->conf.key;
		ev.expire.why = DP_EXPIRE_HARD;
		ev.expire.bytes = COUNT_GET(sa->state->count.bytes);
		ev.expire.packets = COUNT_GET(sa->state->count.packets);
		b->args.event(b->args.ctx, &ev);
	}
}
