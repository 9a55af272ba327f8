/* See dynamic.h. */
#include "datapath/dynamic.h"

#include "datapath/plan.h"
#include "datapath/prefixes.h"
#include "platform/base/mem.h"

#include <string.h>

static const struct cfg_map_entry *place_of(const struct cfg *c, const struct dp_policy_id *id)
{
	const struct cfg_interface *i = cfg_interface(c, id->interface);
	const struct cfg_map_entry *e = i && strcmp(i->crypto_map, id->map) == 0 ? cfg_map_first(c, id->map) : NULL;

	while (e && e->seq != id->map_seq)
		e = cfg_map_next(c, e);
	return e && e->kind == MAP_DYNAMIC ? e : NULL;
}

bool dynamic_fits(const struct cfg *c, const struct dpm_dynamic *d)
{
	const struct cfg_map_entry *place = place_of(c, &d->id);
	const struct cfg_map_entry *e = place && strcmp(place->dynamic, d->dynamic) == 0 ? cfg_dynamic_first(c, d->dynamic) : NULL;

	while (e && e->seq != d->dynamic_seq)
		e = cfg_dynamic_next(c, e);
	return e && !cfg_map_entry_fault(c, e);
}

static bool side_sound(const struct dp_selector *s)
{
	return s->from.family == AF_INET && s->to.family == AF_INET && addr_cmp(s->from, s->to) <= 0 && s->port_from <= s->port_to;
}

size_t dynamic_lines_of(const struct dpm_dynamic *d)
{
	struct prefix pieces[PREFIXES_MAX];

	return prefixes_of(pieces, addr_to_v4(d->sel.local.from), addr_to_v4(d->sel.local.to)) *
	       prefixes_of(pieces, addr_to_v4(d->sel.remote.from), addr_to_v4(d->sel.remote.to));
}

static size_t find(const struct dynamics *s, const struct dp_policy_id *id)
{
	size_t i = 0;

	while (i < s->n && !plan_same_id(&s->list[i].id, id))
		i++;
	return i;
}

enum err dynamics_put(struct dynamics *s, const struct dpm_dynamic *d)
{
	size_t i = find(s, &d->id);

	if (!(d->id.ace_seq & DP_ACE_DYNAMIC) || !side_sound(&d->sel.local) || !side_sound(&d->sel.remote))
		return ERR_INVALID;
	if (i == DYNAMICS_MAX || dynamic_lines_of(d) > DYNAMIC_LINES_MAX)
		return ERR_LIMIT;
	if (i == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct dpm_dynamic *grown = mem_realloc_array(s->list, room, sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		s->list = grown;
		s->room = room;
	}
	s->list[i] = *d;
	s->n += i == s->n;
	return ERR_OK;
}

static void remove_at(struct dynamics *s, size_t i)
{
	memmove(&s->list[i], &s->list[i + 1], (s->n - i - 1) * sizeof(*s->list));
	s->n--;
}

bool dynamics_del(struct dynamics *s, const struct dp_policy_id *id)
{
	size_t i = find(s, id);

	if (i == s->n)
		return false;
	remove_at(s, i);
	return true;
}

size_t dynamics_prune(struct dynamics *s, const struct cfg *c)
{
	size_t before = s->n;

	for (size_t i = s->n; i-- > 0;)
		if (!dynamic_fits(c, &s->list[i]))
			remove_at(s, i);
	return before - s->n;
}

void dynamics_free(struct dynamics *s)
{
	mem_free(s->list);
	*s = (struct dynamics){ 0 };
}
