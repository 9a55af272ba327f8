/* Addresses of `ip local pool` for clients. Who has one is read from what there is: IKE SAs that were given it, and pairs of SAs
 * whose traffic it is. So a lease ends with its SA, and those of before our own start are known.
 */
#include "ikemgr/core.h"

#include <stdio.h>
#include <string.h>

bool pool_has(const struct ike *k, uint32_t low, uint32_t high)
{
	for (size_t i = 0; k->cfg != NULL && i < k->cfg->npools; i++)
		if (k->cfg->pools[i].low <= high && low <= k->cfg->pools[i].high)
			return true;
	return false;
}

static bool lease_taken(struct ike *k, const struct sa_state *s, uint32_t address)
{
	EACH_OF(k, l, &k->sas)
	{
		const struct sa_state *o = &OWNER(l, struct ike_sa, all)->st;

		if (o->client.address == address && !client_same(o, s))
			return true;
	}
	EACH_OF(k, c, &k->children)
	{
		const struct child *o = OWNER(c, struct child, all);

		if (addr_to_v4(o->sel.remote.from) == address && addr_equal(o->sel.remote.from, o->sel.remote.to) &&
			!addr_equal(o->remote, s->path.remote))
			return true;
	}
	return false;
}

static bool pool_lists(const struct ike *k, const char *name, uint32_t address)
{
	for (size_t i = 0; i < k->cfg->npools; i++)
		if (strcmp(k->cfg->pools[i].name, name) == 0 && address >= k->cfg->pools[i].low && address <= k->cfg->pools[i].high)
			return true;
	return false;
}

/* The address of the same user's other SA, which this one will take the place of; 0: none. */
static uint32_t lease_kept(struct ike *k, const struct sa_state *s)
{
	EACH_OF(k, l, &k->sas)
	{
		const struct sa_state *o = &OWNER(l, struct ike_sa, all)->st;

		if (o->client.address != 0 && o->cookie_i != s->cookie_i && client_same(o, s))
			return o->client.address;
	}
	return 0;
}

/* Round the pool, beginning behind the last one given: an address rests before it is given to somebody else. */
static uint32_t lease_next(struct ike *k, const struct sa_state *s, const char *name)
{
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < k->cfg->npools; i++) {
			const struct cfg_pool *p = &k->cfg->pools[i];

			if (strcmp(p->name, name) != 0)
				continue;
			for (uint32_t a = p->low; a <= p->high; a++)
				if ((round == 1 || a > k->last_lease) && !lease_taken(k, s, a))
					return a;
		}
	return 0;
}

uint32_t lease_choose(struct ike *k, const struct sa_state *s, uint32_t wanted, char *why, size_t size)
{
	const struct cfg_client_group *group = client_group_of(k, s);
	const char *name = group != NULL && group->pool[0] != '\0' ? group->pool : k->cfg->client_pool;
	uint32_t kept = lease_kept(k, s), a;

	if (name[0] == '\0') {
		snprintf(why, size, "%s%s has no pool, and there is no \"crypto isakmp client configuration address-pool\"",
			group != NULL ? "group " : "the client", group != NULL ? group->name : "");
		return 0;
	}
	if (kept != 0 && pool_lists(k, name, kept))
		return kept;
	if (wanted != 0 && pool_lists(k, name, wanted) && !lease_taken(k, s, wanted))
		return wanted;
	a = lease_next(k, s, name);
	if (a == 0)
		snprintf(why, size, "pool %s %s", name, pool_has(k, 0, UINT32_MAX) ? "has no free address" : "does not exist");
	else
		k->last_lease = a;
	return a;
}
