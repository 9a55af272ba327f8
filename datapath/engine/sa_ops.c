/* The control thread and SAs: SPIs, putting, deleting, moving, time limits. */
#include "datapath/engine/control.h"

#include "platform/base/mem.h"

#include <netinet/in.h>
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

	if (req->protocol != IPPROTO_ESP && req->protocol != IPPROTO_AH)
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

/* Can it carry traffic now? One of a bundle only together with the other. */
static bool usable(const struct backend *b, const struct sa *sa)
{
	const struct sa *esp = b->sas.all;

	if (!sa->around)
		return !sa->conf.bundle_spi || sa->outer;
	while (esp && esp->outer != sa)
		esp = esp->all_next;
	return esp != NULL;
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
	if (sa->state->put_us == 0)
		sa->state->put_us = engine_now();
	if (!conf->key.inbound && usable(b, sa))
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

static void tell(struct backend *b, const struct sa *sa, enum dp_expire why)
{
	struct backend_event ev = { .kind = BACKEND_EXPIRE };

	ev.expire.key = sa->conf.key;
	ev.expire.why = (uint8_t)why;
	ev.expire.bytes = COUNT_GET(sa->state->count.bytes);
	ev.expire.packets = COUNT_GET(sa->state->count.packets);
	b->args.event(b->args.ctx, &ev);
}

static struct sa *next_ended(struct backend *b)
{
	struct sa *sa = b->sas.all;

	while (sa && (!sa->dead || sa->end_told))
		sa = sa->all_next;
	return sa;
}

static uint64_t used_us(const struct sa *sa)
{
	uint64_t last = COUNT_GET(sa->state->last_us);

	return last ? last : sa->state->put_us;
}

/* Since when the tunnel has been without a packet in either direction; 0: not for long enough, or told already. */
static uint64_t idle_since(const struct backend *b, const struct sa *sa, uint64_t now_us)
{
	uint64_t last = used_us(sa), limit = sa->conf.idle_s * UINT64_C(1000000);
	const struct sa *other;

	if (limit == 0 || sa->dead || last + limit > now_us || last == sa->idle_told_us)
		return 0;
	other = sa_partner(&b->sas, sa);
	if (other && used_us(other) > last)
		last = used_us(other);
	return last + limit > now_us || last == sa->idle_told_us ? 0 : last;
}

static struct sa *next_idle(struct backend *b, uint64_t now_us, uint64_t *since)
{
	struct sa *sa = b->sas.all;

	while (sa && (*since = idle_since(b, sa, now_us)) == 0)
		sa = sa->all_next;
	return sa;
}

void sa_tick(struct backend *b, uint64_t now_us)
{
	uint64_t since = 0;

	for (struct sa *sa = b->sas.all; sa; sa = sa->all_next)
		if (sa->conf.hard_at_us != 0 && now_us >= sa->conf.hard_at_us)
			FLAG_SET(sa->dead, true);
	/* From the start each time: the handler may change the list. */
	for (struct sa *sa; (sa = next_ended(b)) != NULL;) {
		sa->end_told = true;
		tell(b, sa, DP_EXPIRE_HARD);
	}
	for (struct sa *sa; (sa = next_idle(b, now_us, &since)) != NULL;) {
		sa->idle_told_us = since;
		tell(b, sa, DP_EXPIRE_IDLE);
	}
}
