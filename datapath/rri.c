/* See rri.h. */
#include "datapath/rri.h"

#include "datapath/plan.h"
#include "datapath/prefixes.h"
#include "platform/base/mem.h"

#include <string.h>

bool rri_configured(const struct cfg *c)
{
	for (size_t i = 0; i < c->nmaps; i++)
		if (c->maps[i].reverse_route != RRI_OFF)
			return true;
	for (size_t i = 0; i < c->ndynamics; i++)
		if (c->dynamics[i].reverse_route != RRI_OFF)
			return true;
	return false;
}

static enum err add(struct rri_list *l, struct rri_route r)
{
	/* Everything, and the peer itself, are reached as they were. */
	if (r.mask == 0 || r.prefix == r.peer || r.peer == 0)
		return ERR_OK;
	for (size_t i = 0; i < l->n; i++)
		if (l->routes[i].prefix == r.prefix && l->routes[i].mask == r.mask)
			return ERR_OK;
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 32;
		struct rri_route *grown = mem_realloc_array(l->routes, room, sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		l->routes = grown;
		l->room = room;
	}
	l->routes[l->n++] = r;
	return ERR_OK;
}

static enum err add_side(struct rri_list *l, const struct dp_selector *s, uint32_t peer)
{
	struct prefix pieces[PREFIXES_MAX];
	size_t n = prefixes_of(pieces, addr_to_v4(s->from), addr_to_v4(s->to));
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = add(l, (struct rri_route){ pieces[i].addr, pieces[i].mask, peer });
	return e;
}

/* The peer that a static route leads to: the default one, else the first. */
static uint32_t peer_of(const struct cfg_map_entry *e)
{
	for (size_t i = 0; i < e->npeers; i++)
		if (e->peers[i].is_default && e->peers[i].addr)
			return e->peers[i].addr;
	return e->npeers ? e->peers[0].addr : 0;
}

static enum err static_entry(struct rri_list *l, const struct cfg *c, const struct cfg_map_entry *e)
{
	const struct cfg_acl *acl = cfg_acl(c, e->acl);
	struct dp_selectors sel;
	enum err err = ERR_OK;
	const char *why;

	for (size_t i = 0; err == ERR_OK && i < acl->nentries; i++) {
		if (acl->entries[i].remark || !acl->entries[i].permit || plan_selectors(&acl->entries[i], &sel, &why) != ERR_OK)
			continue;
		err = add_side(l, &sel.remote, peer_of(e));
		if (e->kind == MAP_MANUAL)
			break;
	}
	return err;
}

enum err rri_static(struct rri_list *l, const struct cfg *c)
{
	enum err err = ERR_OK;

	for (size_t k = 0; k < c->ninterfaces; k++) {
		const struct cfg_interface *i = &c->interfaces[k];
		const struct cfg_map_entry *e = i->shutdown ? NULL : cfg_map_first(c, i->crypto_map);

		for (; err == ERR_OK && e; e = cfg_map_next(c, e))
			if (e->kind != MAP_DYNAMIC && e->reverse_route == RRI_STATIC && !cfg_map_entry_fault(c, e))
				err = static_entry(l, c, e);
	}
	return err;
}

static const struct cfg_map_entry *map_entry_of(const struct cfg *c, const struct dp_policy_id *id)
{
	const struct cfg_map_entry *e = cfg_map_first(c, id->map);

	while (e && e->seq != id->map_seq)
		e = cfg_map_next(c, e);
	return e;
}

static const struct cfg_map_entry *dynamic_entry_of(
	const struct cfg *c, const struct dynamics *dynamics, const struct dp_policy_id *id)
{
	for (size_t i = 0; i < dynamics->n; i++) {
		const struct dpm_dynamic *d = &dynamics->list[i];
		const struct cfg_map_entry *e = plan_same_id(&d->id, id) ? cfg_dynamic_first(c, d->dynamic) : NULL;

		while (e && e->seq != d->dynamic_seq)
			e = cfg_dynamic_next(c, e);
		if (e)
			return e;
	}
	return NULL;
}

/* Outbound SAs in tunnel mode: what stands in transport mode is the peer itself. AH around ESP has the same selectors. */
enum err rri_sa(struct rri_list *l, const struct cfg *c, const struct dynamics *dynamics, const struct dpm_sa_info *sa)
{
	const struct cfg_map_entry *e = map_entry_of(c, &sa->policy);
	bool dynamic = e && e->kind == MAP_DYNAMIC;

	if (dynamic)
		e = dynamic_entry_of(c, dynamics, &sa->policy);
	if (!e || sa->key.inbound || e->reverse_route == RRI_OFF || (!dynamic && e->reverse_route == RRI_STATIC))
		return ERR_OK;
	return add_side(l, &sa->sel.remote, addr_to_v4(sa->remote));
}

void rri_free(struct rri_list *l)
{
	mem_free(l->routes);
	*l = (struct rri_list){ 0 };
}
