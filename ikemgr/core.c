/* The doors of ike.h: each hands over to the file whose matter it is. */
#include "ikemgr/core.h"
#include "ikemgr/identity.h"
#include "ikemgr/revocation.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <netinet/in.h>

#define RECOVER_S 600

uint64_t now_us(const struct ike *k)
{
	return k->host.env->now_us(k->host.env->ctx);
}

uint64_t wall_us(const struct ike *k)
{
	return k->host.env->wall_us(k->host.env->ctx);
}

void random_bytes(struct ike *k, void *out, size_t n)
{
	k->host.env->random(k->host.env->ctx, out, n);
}

uint64_t random_u64(struct ike *k)
{
	uint64_t v;

	random_bytes(k, &v, sizeof(v));
	return v;
}

uint64_t random_below(struct ike *k, uint64_t n)
{
	return n == 0 ? 0 : random_u64(k) % n;
}

struct ike *ike_new(const struct ike_host *host)
{
	struct ike *k = mem_zalloc(sizeof(*k));

	if (k == NULL)
		return NULL;
	k->host = *host;
	k->next_serial = 1;
	k->next_conn_id = 1001;
	k->next_child_id = 1;
	k->table_key = random_u64(k);
	k->began_us = now_us(k);
	k->frag_size = FRAGMENT_SIZE;
	link_init(&k->frag_sets);
	link_init(&k->sas);
	link_init(&k->negotiating);
	link_init(&k->flows);
	link_init(&k->children);
	link_init(&k->sessions);
	link_init(&k->manuals);
	link_init(&k->dynamics);
	k->next_dynamic = 1;
	k->next_manual = 1;
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		link_init(&k->cookies[i]);
		link_init(&k->serials[i]);
		link_init(&k->peers[i]);
		link_init(&k->spis[i]);
		link_init(&k->flow_ids[i]);
		link_init(&k->flow_peers[i]);
		link_init(&k->child_peers[i]);
		link_init(&k->session_peers[i]);
		link_init(&k->dynamic_ids[i]);
		link_init(&k->dynamic_peers[i]);
		link_init(&k->quick_policies[i]);
	}
	return k;
}

/* Nothing is sent and nothing taken out of the data path: the SAs there outlive us, to be adopted. */
void ike_free(struct ike *k)
{
	if (k == NULL)
		return;
	k->closing = true;
	while (k->sas.next != &k->sas)
		sa_free(OWNER(k->sas.next, struct ike_sa, all));
	while (k->children.next != &k->children)
		child_free(OWNER(k->children.next, struct child, all), false);
	while (k->flows.next != &k->flows)
		flow_free(OWNER(k->flows.next, struct flow, link));
	manuals_free(k);
	crls_free(k);
	dynamics_forget(k);
	timers_free(&k->timers);
	mem_free_secret(k, sizeof(*k));
}

void ike_config(struct ike *k, const struct cfg *now, unsigned tables)
{
	k->cfg = now;
	if (now == NULL)
		return;
	if (aggressive_psk_answered(k) && !k->told_aggressive) {
		k->told_aggressive = true;
		log_msg("CRYPTO", LOG_SEV_WARNING, "IKMP_AGGRESSIVE_PSK",
			"Aggressive mode is answered: whoever asks gets a hash to test guesses of the pre-shared key with; use "
			"long "
			"random keys");
	}
	change_apply(k, tables);
}

void ike_receive(struct ike *k, const struct ike_path *path, struct span packet)
{
	if (k->cfg == NULL || !k->cfg->isakmp_enabled)
		return;
	receive(k, path, packet);
	wipe(k->plain, packet.len < sizeof(k->plain) ? packet.len : sizeof(k->plain));
}

void ike_acquire(struct ike *k, const struct dpm_acquire *a)
{
	if (k->cfg != NULL)
		flow_acquire(k, a);
}

void ike_expire(struct ike *k, const struct dpm_expire *e)
{
	if (!manual_expired(k, e))
		child_expired(k, e);
}

/* Authentic packets of the peer come from another port, or address: a NAT has forgotten it (RFC 3948 5.1). An address that only
 * other peers may have is not followed. */
void ike_mapping(struct ike *k, const struct dpm_mapping *m)
{
	struct child *c = child_by_spi(k, m->key.protocol, true, m->key.spi, m->key.dst);

	if (c == NULL || !c->udp_encap || !c->sas[PART_ESP][false].there)
		return;
	if (!addr_equal(c->remote, m->remote) && peer_configured(k, c->local, c->remote) &&
		!peer_configured(k, c->local, m->remote))
		return;
	natt_move(k, c->local, c->remote, m->remote, m->remote_port);
}

/* Without an IKE SA the peer cannot be told. IOS makes one only with `crypto isakmp invalid-spi-recovery`; what it has of before
 * our own start we clear up in any case. */
void ike_invalid_spi(struct ike *k, const struct dpm_invalid_spi *i)
{
	if (k->cfg == NULL)
		return;
	if (sa_established(k, i->local, i->remote) != NULL)
		info_delete_spi(k, i->local, i->remote, i->protocol == IPPROTO_AH ? PROTO_AH : PROTO_ESP, i->spi);
	else if (k->cfg->isakmp.invalid_spi_recovery || now_us(k) < k->began_us + RECOVER_S * SECOND)
		recover_unknown(k, i->local, i->remote);
}

void ike_datapath_reset(struct ike *k)
{
	manuals_reset(k);
	k->resetting = true;
	EACH(l, &k->children)
	{
		struct child *c = OWNER(l, struct child, all);

		child_tell(c);
		child_free(c, false);
	}
	EACH(l, &k->sas)
	EACH(m, &OWNER(l, struct ike_sa, all)->quicks)
	{
		struct quick *q = OWNER(m, struct quick, link);

		quick_put_forget(q);
		quick_free(q);
	}
	EACH(l, &k->flows)
	{
		struct flow *f = OWNER(l, struct flow, link);

		f->acquire = f->wanted = false;
		f->stage = FLOW_IDLE;
		timer_stop(&k->timers, &f->again);
		flow_maybe_free(f);
	}
	k->resetting = false;
	dynamics_resume(k);
}

void ike_adopt(struct ike *k, const struct dpm_sa_info *sa)
{
	if (!manual_adopt(k, sa))
		child_adopt(k, sa);
}

void ike_adopt_dynamic(struct ike *k, const struct dpm_dynamic *d)
{
	dynamic_adopt(k, d);
}

void ike_adopted(struct ike *k)
{
	dynamics_adopted(k);
}

uint64_t ike_tick(struct ike *k)
{
	struct timer *t;

	while ((t = timer_due(&k->timers, now_us(k))) != NULL)
		t->fire(k, t->owner);
	return timer_next(&k->timers);
}
