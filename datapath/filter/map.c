/* What the entries of a crypto map do with packets.
 *
 * `set ip access-group`: a list for the clear packets of one entry, asked before they are protected and after they were. Of
 * what comes out of a tunnel the entry is found by its list in mirror image, the first that takes it.
 *
 *   egress    c<list> --permit--> [x<n>: jump a<list>] --> engine
 *   TAP       t<list> --permit--> [x<n>: jump a<list>] --> accept       only where some entry has a list for what comes in
 */
#include "datapath/filter/entry.h"
#include "datapath/filter/generator.h"

#include <stdio.h>
#include <string.h>

enum purpose { PROTECT, REFUSE_CLEAR, CHECK_OPENED };

/* A chain that asks the list first. Its verdict for the crypto list; `plain` where there is none to ask. */
static const char *check_chain(struct generator *g, const char *name, const char *plain, char verdict[24])
{
	const struct cfg_acl *acl = cfg_acl(g->c, name);

	if (!list_has_lines(acl))
		return plain;
	list_once(g, acl, g->done.check, &list_use_check);
	text_put(g->t, "\tchain x%u {\n\t\tjump a%u\n\t\t%s\n\t}\n", g->checks, list_index(g->c, acl), plain);
	snprintf(verdict, 24, "goto x%u", g->checks++);
	return verdict;
}

/* Lists that are asked for their own sake are shared; those with a verdict of their own are not. */
static void list_jump(struct generator *g, const struct entry_list *l, const struct list_use *use, bool *shared)
{
	unsigned index;

	if (!list_has_lines(&l->acl))
		return;
	if (l->whole && shared) {
		index = list_index(g->c, l->whole);
		list_once(g, l->whole, shared, use);
	} else {
		index = (unsigned)g->c->nacls + g->made++;
		list_emit(g->t, &l->acl, index, use);
	}
	text_put(&g->chains, "\t\tjump %c%u\n", use->tag, index);
}

/* `settings`: the entry that has the access-groups, of the map or of the dynamic map. */
static void entry_jump(struct generator *g, const struct entry_list *l, const struct cfg_map_entry *settings, enum purpose purpose)
{
	struct list_use use;
	char verdict[24];

	if (!list_has_lines(&l->acl))
		return;
	switch (purpose) {
	case PROTECT:
		use = list_use_crypto;
		use.permit = check_chain(g, settings->acl_out, use.permit, verdict);
		list_jump(g, l, &use, use.permit == verdict ? NULL : g->done.crypto);
		break;
	case REFUSE_CLEAR:
		list_jump(g, l, &list_use_mirror, g->done.mirror);
		break;
	case CHECK_OPENED:
		use = list_use_opened;
		use.permit = check_chain(g, settings->acl_in, use.permit, verdict);
		list_jump(g, l, &use, NULL);
		break;
	}
}

static void one_list(struct generator *g, const struct cfg_interface *i, const struct cfg_map_entry *e,
	const struct cfg_map_entry *settings, enum purpose purpose)
{
	struct entry_list l;

	if (entry_list_make(&l, g->c, i, e, settings, g->env->dynamics) != ERR_OK) {
		g->failed = true;
		return;
	}
	entry_jump(g, &l, settings, purpose);
	entry_list_free(&l);
}

static void map_jumps(struct generator *g, const struct cfg_interface *i, enum purpose purpose)
{
	for (const struct cfg_map_entry *e = cfg_map_first(g->c, i->crypto_map); e; e = cfg_map_next(g->c, e)) {
		const struct cfg_map_entry *d = e->kind == MAP_DYNAMIC ? cfg_dynamic_first(g->c, e->dynamic) : NULL;

		if (e->kind != MAP_DYNAMIC)
			one_list(g, i, e, e, purpose);
		for (; d; d = cfg_dynamic_next(g->c, d))
			one_list(g, i, e, d, purpose);
	}
}

void map_protect(struct generator *g, const struct cfg_interface *i)
{
	map_jumps(g, i, PROTECT);
}

void map_refuse_clear(struct generator *g, const struct cfg_interface *i)
{
	map_jumps(g, i, REFUSE_CLEAR);
}

/* Does an entry of the map ask a list about what comes in? */
static bool asks_in(const struct cfg *c, const char *map)
{
	for (const struct cfg_map_entry *e = cfg_map_first(c, map); e; e = cfg_map_next(c, e)) {
		const struct cfg_map_entry *d = e->kind == MAP_DYNAMIC ? cfg_dynamic_first(c, e->dynamic) : NULL;

		if (e->acl_in[0])
			return true;
		for (; d; d = cfg_dynamic_next(c, d))
			if (d->acl_in[0])
				return true;
	}
	return false;
}

void map_check_opened(struct generator *g)
{
	for (size_t k = 0; k < g->c->ninterfaces; k++)
		if (asks_in(g->c, g->c->interfaces[k].crypto_map))
			map_jumps(g, &g->c->interfaces[k], CHECK_OPENED);
}
