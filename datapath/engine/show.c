/* What the console sees: SAs, policies, lines, drops. */
#include "datapath/engine/control.h"

#include <stdio.h>
#include <string.h>

/* Outbound: new traffic takes it, or the ESP SA inside it. */
static bool preferred(const struct sa *sa)
{
	const struct sa *first = sa->policy->out;

	if (sa->conf.key.inbound)
		return false;
	while (first && first->around)
		first = first->out_next;
	return first && (first == sa || first->outer == sa);
}

static void sa_info(const struct sa *sa, struct dpm_sa_info *i)
{
	const struct dpm_sa *c = &sa->conf;
	struct count n = count_read(&sa->state->count, &sa->state->base);
	uint64_t now = engine_now(), last = COUNT_GET(sa->state->last_us), place = RCU_GET(sa->remote);

	*i = (struct dpm_sa_info){ .key = c->key,
		.local = c->local,
		.remote = addr_v4(place_address(place)),
		.policy = c->policy,
		.sel = c->sel,
		.transport = c->transport,
		.udp_encap = c->udp_encap,
		.cipher = c->cipher,
		.auth = c->auth,
		.esn = c->esn,
		.bundle_spi = c->bundle_spi,
		.local_port = c->local_port,
		.remote_port = place_port(place),
		.replay_window = c->replay_window,
		.conn_id = c->conn_id,
		.ike_conn_id = c->ike_conn_id,
		.peer_spi = c->peer_spi,
		.pfs_group = c->pfs_group,
		.lifetime_s = c->lifetime_s,
		.lifetime_kb = c->lifetime_kb };
	i->preferred = preferred(sa);
	if (c->esn && c->replay_window < REPLAY_ESN_MIN)
		i->replay_window = REPLAY_ESN_MIN;
	i->sequence = c->key.inbound ? COUNT_GET(sa->state->replay.top) : COUNT_GET(sa->state->seq);
	i->count = (struct dp_counters){ n.packets, n.bytes, count_errors(&n) };
	memcpy(i->drops, n.drops, sizeof(i->drops));
	i->idle_s = last ? (now - last) / 1000000 : 0;
}

static bool wanted(const struct dpm_dump_filter *f, const struct dp_policy_id *id, struct addr a, struct addr moved)
{
	if (f->interface[0] && strncmp(f->interface, id->interface, sizeof(f->interface)) != 0)
		return false;
	return !addr_is_set(f->peer) || addr_equal(f->peer, a) || addr_equal(f->peer, moved);
}

enum err engine_sa_dump(
	struct backend *b, const struct dpm_dump_filter *f, bool (*each)(void *ctx, const struct dpm_sa_info *i), void *ctx)
{
	uint64_t wall = b->args.env->wall_us(b->args.env->ctx);

	for (struct sa *sa = b->sas.all; sa; sa = sa->all_next) {
		struct dpm_sa_info i;

		if (!wanted(f, &sa->conf.policy, sa->conf.remote, addr_v4(place_address(RCU_GET(sa->remote)))))
			continue;
		sa_info(sa, &i);
		i.age_s = wall > sa->conf.created_wall_us && sa->conf.created_wall_us ? (wall - sa->conf.created_wall_us) / 1000000
										      : 0;
		if (i.idle_s == 0 && !COUNT_GET(sa->state->last_us))
			i.idle_s = i.age_s;
		if (!each(ctx, &i))
			break;
	}
	return ERR_OK;
}

static void policy_info(const struct policy *p, struct dpm_policy_info *i)
{
	struct count out = count_read(&p->sealed, &p->sealed_base), in = count_read(&p->opened, &p->opened_base);
	const struct sa *sa = p->out;

	while (sa && sa->around)
		sa = sa->out_next;
	*i = (struct dpm_policy_info){
		.id = p->id, .sel = p->sel, .held = COUNT_GET(p->hold.packets), .acquiring = FLAG_GET(p->acquire_us) != 0
	};
	if (sa) {
		i->path_mtu = sa->hop->data->mtu;
		i->plain_mtu = sa_plain_mtu(sa, sa->outer, i->path_mtu, 20);
	}
	i->out = (struct dp_counters){ out.packets, out.bytes, count_errors(&out) };
	i->in = (struct dp_counters){ in.packets, in.bytes, count_errors(&in) };
	for (int d = 0; d < DP_DROP_COUNT; d++)
		i->drops[d] = out.drops[d] + in.drops[d];
}

/* A policy that is matched on several interfaces is one. */
static bool shown_before(const struct policy_set *s, uint32_t k)
{
	for (uint32_t i = 0; i < k; i++)
		if (s->entries[i].policy == s->entries[k].policy)
			return true;
	return false;
}

enum err engine_policy_dump(
	struct backend *b, const struct dpm_dump_filter *f, bool (*each)(void *ctx, const struct dpm_policy_info *i), void *ctx)
{
	for (uint32_t k = 0; k < b->set->nentries; k++) {
		const struct policy *p = b->set->entries[k].policy;
		struct dpm_policy_info i;
		struct addr peer = p && p->out ? p->out->conf.remote : (struct addr){ 0 };

		if (!p || !wanted(f, &p->id, peer, peer) || shown_before(b->set, k))
			continue;
		policy_info(p, &i);
		if (!each(ctx, &i))
			break;
	}
	return ERR_OK;
}

enum err engine_line_dump(struct backend *b, bool (*each)(void *ctx, const struct backend_line_count *c), void *ctx)
{
	for (const struct line *l = b->policies.lines; l; l = l->next) {
		struct backend_line_count c = { .ace_seq = l->ace_seq, .matches = COUNT_GET(l->matches) - l->base };

		memcpy(c.acl, l->acl, sizeof(c.acl));
		if (!each(ctx, &c))
			break;
	}
	return ERR_OK;
}

static uint64_t drops_now(struct backend *b, int reason)
{
	return COUNT_GET(b->out_worker.drops[reason]) + COUNT_GET(b->in_worker.drops[reason]);
}

void engine_drops(struct backend *b, uint64_t out[DP_DROP_COUNT])
{
	for (int i = 0; i < DP_DROP_COUNT; i++)
		out[i] = drops_now(b, i) - b->drops_base[i];
}

void engine_info(struct backend *b, struct dpm_engine_info *out)
{
	*out = (struct dpm_engine_info){ .threads = 2 };
	snprintf(out->backend, sizeof(out->backend), "engine");
	snprintf(out->detail, sizeof(out->detail), "%s", b->detail);
	out->packets_encrypted = COUNT_GET(b->out_worker.packets);
	out->packets_decrypted = COUNT_GET(b->in_worker.packets);
}

static bool of_peer(const struct sa *sa, struct addr remote)
{
	return !addr_is_set(remote) || addr_equal(sa->conf.remote, remote) || addr_to_v4(remote) == place_address(sa->remote);
}

void engine_clear_counters(struct backend *b, struct addr remote)
{
	for (struct sa *sa = b->sas.all; sa; sa = sa->all_next)
		if (of_peer(sa, remote)) {
			count_rebase(&sa->state->count, &sa->state->base);
			count_rebase(&sa->policy->sealed, &sa->policy->sealed_base);
			count_rebase(&sa->policy->opened, &sa->policy->opened_base);
		}
	if (addr_is_set(remote))
		return;
	for (struct policy *p = b->policies.all; p; p = p->next) {
		count_rebase(&p->sealed, &p->sealed_base);
		count_rebase(&p->opened, &p->opened_base);
	}
	for (int i = 0; i < DP_DROP_COUNT; i++)
		b->drops_base[i] = drops_now(b, i);
}

void engine_clear_line_counts(struct backend *b, const char *acl)
{
	for (struct line *l = b->policies.lines; l; l = l->next)
		if (strcmp(acl, "*") == 0 || strncmp(acl, l->acl, sizeof(l->acl)) == 0)
			l->base = COUNT_GET(l->matches);
}
