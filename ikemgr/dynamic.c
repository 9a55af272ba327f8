/* Dynamic crypto maps, the answering side: a peer whose traffic no entry of its own names gets a policy made for it, under the
 * first entry of the dynamic map that takes it. The policy is known to datapathd before its SAs, has a number of ours, and lasts
 * as long as the flow: until its last pair has gone.
 *
 * Nobody is called because of such a policy: only pairs are renewed, or made again when the data path has lost them, under an IKE
 * SA that the peer has made.
 */
#include "ikemgr/core.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

struct dynamic {
	struct link link, by_id, by_peer;
	struct dpm_dynamic d;
};

static bool is_dynamic(const struct dp_policy_id *id)
{
	return (id->ace_seq & DP_ACE_DYNAMIC) != 0;
}

static struct dynamic *dynamic_find(const struct ike *k, const struct dp_policy_id *id)
{
	EACH(l, &k->dynamic_ids[bucket_of_policy(k, id)])
	if (policy_id_equal(&OWNER(l, struct dynamic, by_id)->d.id, id))
		return OWNER(l, struct dynamic, by_id);
	return NULL;
}

static bool peer_fits(const struct cfg_map_entry *e, struct addr peer)
{
	return e->npeers == 0 || policy_has_peer(e, peer);
}

bool dynamic_policy(const struct ike *k, const struct dp_policy_id *id, const struct cfg_map_entry *place, struct policy *out)
{
	const struct dynamic *m = dynamic_find(k, id);
	const struct cfg_map_entry *e;

	if (m == NULL || place->kind != MAP_DYNAMIC || strcmp(place->dynamic, m->d.dynamic) != 0)
		return false;
	for (e = cfg_dynamic_first(k->cfg, place->dynamic); e != NULL; e = cfg_dynamic_next(k->cfg, e))
		if (e->seq == m->d.dynamic_seq)
			break;
	if (e == NULL || cfg_map_entry_fault(k->cfg, e) != NULL)
		return false;
	out->place = place;
	out->entry = e;
	out->ace = NULL;
	out->sel = m->d.sel;
	out->peer = m->d.peer;
	return true;
}

bool dynamic_match(const struct ike *k, const struct cfg_map_entry *place, struct addr remote, const char *profile,
	const struct dp_selectors *sel, struct policy *out)
{
	const struct cfg_map_entry *e = place->kind == MAP_DYNAMIC ? cfg_dynamic_first(k->cfg, place->dynamic) : NULL;

	for (; e != NULL; e = cfg_dynamic_next(k->cfg, e)) {
		if (cfg_map_entry_fault(k->cfg, e) != NULL || !peer_fits(e, remote) || !policy_takes_profile(e, profile))
			continue;
		if (e->acl[0] != '\0' && policy_line(k, e, sel) == NULL)
			continue;
		out->place = place;
		out->entry = e;
		out->ace = NULL;
		out->sel = *sel;
		out->peer = remote;
		return true;
	}
	return false;
}

/* The policy's name: that of the same peer's same traffic if there is one, else a new number. */
void dynamic_id(struct ike *k, const struct policy *p, struct dp_policy_id *id)
{
	memset(id, 0, sizeof(*id));
	snprintf(id->interface, sizeof(id->interface), "%s", p->interface->name);
	snprintf(id->map, sizeof(id->map), "%s", p->place->map);
	id->map_seq = p->place->seq;
	EACH_OF(k, l, &k->dynamic_peers[bucket_of_peer(k, p->peer)])
	{
		const struct dpm_dynamic *d = &OWNER(l, struct dynamic, by_peer)->d;

		if (d->id.map_seq == id->map_seq && strcmp(d->id.map, id->map) == 0 &&
			strcmp(d->id.interface, id->interface) == 0 && addr_equal(d->peer, p->peer) &&
			d->dynamic_seq == p->entry->seq && strcmp(d->dynamic, p->entry->map) == 0 &&
			selectors_within(&d->sel, &p->sel) && selectors_within(&p->sel, &d->sel)) {
			*id = d->id;
			return;
		}
	}
	id->ace_seq = DP_ACE_DYNAMIC | k->next_dynamic++;
	k->next_dynamic &= ~DP_ACE_DYNAMIC;
}

static enum err dynamic_add(struct ike *k, const struct dpm_dynamic *d)
{
	struct dynamic *m = mem_zalloc(sizeof(*m));

	if (m == NULL) {
		count(k, STAT_NOMEM);
		return ERR_NOMEM;
	}
	m->d = *d;
	link_add(&k->dynamics, &m->link);
	link_add(&k->dynamic_ids[bucket_of_policy(k, &d->id)], &m->by_id);
	link_add(&k->dynamic_peers[bucket_of_peer(k, d->peer)], &m->by_peer);
	return ERR_OK;
}

static void dynamic_free(struct dynamic *m)
{
	link_del(&m->link);
	link_del(&m->by_id);
	link_del(&m->by_peer);
	mem_free(m);
}

void dynamic_put(struct ike *k, const struct quick *q)
{
	struct dpm_dynamic d = { .id = q->st->policy, .sel = q->st->sel, .peer = q->sa->st.path.remote };

	if (!is_dynamic(&d.id))
		return;
	snprintf(d.dynamic, sizeof(d.dynamic), "%s", q->st->dynamic);
	d.dynamic_seq = q->st->dynamic_seq;
	if (dynamic_find(k, &d.id) == NULL && dynamic_add(k, &d) == ERR_OK)
		k->host.dynamic_put(k->host.ctx, &d);
}

/* Does a quick mode that is under way, other than `but`, need it? */
static bool negotiated(struct ike *k, const struct dp_policy_id *id, const struct quick *but)
{
	EACH_OF(k, l, &k->quick_policies[bucket_of_policy(k, id)])
	{
		const struct quick *q = OWNER(l, struct quick, by_policy);

		if (q != but && policy_id_equal(&q->st->policy, id))
			return true;
	}
	return false;
}

void dynamic_unused(struct ike *k, const struct dp_policy_id *id, const struct quick *but)
{
	struct dynamic *m = is_dynamic(id) ? dynamic_find(k, id) : NULL;

	if (m == NULL || k->resetting || flow_get(k, id, false) != NULL || negotiated(k, id, but))
		return;
	/* At our own end everything stays: it will be taken up again. */
	if (!k->closing)
		k->host.dynamic_del(k->host.ctx, &m->d.id);
	dynamic_free(m);
}

void dynamic_adopt(struct ike *k, const struct dpm_dynamic *d)
{
	uint32_t number = d->id.ace_seq & ~DP_ACE_DYNAMIC;

	if (number >= k->next_dynamic)
		k->next_dynamic = number + 1;
	if (dynamic_find(k, &d->id) == NULL)
		(void)dynamic_add(k, d);
}

void dynamics_adopted(struct ike *k)
{
	EACH(l, &k->dynamics)
	{
		struct dp_policy_id id = OWNER(l, struct dynamic, link)->d.id;

		dynamic_unused(k, &id, NULL);
	}
}

/* The peer cannot be waited for: it asks for a pair when it has something to send, and what is sent to it until then has nowhere to
 * go. */
void dynamics_resume(struct ike *k)
{
	EACH(l, &k->dynamics)
	{
		const struct dynamic *m = OWNER(l, struct dynamic, link);
		struct dp_policy_id id = m->d.id;
		struct flow *f = NULL;
		struct policy p;

		if (policy_find(k, &id, &p) && dynamic_sa(k, ike_policy_local(k, p.interface, p.peer), &p) != NULL)
			f = flow_get(k, &id, true);
		if (f == NULL) {
			dynamic_unused(k, &id, NULL);
			continue;
		}
		k->host.dynamic_put(k->host.ctx, &m->d);
		flow_renew(f, p.peer);
	}
}

void dynamics_forget(struct ike *k)
{
	EACH(l, &k->dynamics)
	dynamic_free(OWNER(l, struct dynamic, link));
}

/* The IKE SA for a pair's renewal: several clients may have one address, behind a NAT, so it is the one that was given this one. */
struct ike_sa *dynamic_sa(struct ike *k, struct addr local, const struct policy *p)
{
	struct ike_sa *sa = NULL;

	EACH_OF(k, l, &k->peers[bucket_of_peer(k, p->peer)])
	{
		struct ike_sa *o = OWNER(l, struct ike_sa, by_peer);

		if (o->st.state == QM_IDLE && !o->forgotten && o->st.client.address != 0 &&
			o->st.client.address == addr_to_v4(p->sel.remote.from) && addr_equal(o->st.path.remote, p->peer) &&
			addr_equal(o->st.path.local, local) && (sa == NULL || o->expires_us > sa->expires_us))
			sa = o;
	}
	if (sa != NULL)
		return sa;
	sa = sa_established(k, local, p->peer);
	return sa != NULL && sa->st.client.address == 0 ? sa : NULL;
}
