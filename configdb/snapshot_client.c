/* The snapshot's part about remote access: lists of methods, pools and groups. */
#include "configdb/snapshot_impl.h"

#include <stdlib.h>
#include <string.h>

static void aaa_row(struct loader *l, struct values *v)
{
	l->cfg->aaa_new_model = value_get(v, "new_model") != NULL;
}

static void list_load(struct cfg_aaa_list *a, struct values *v)
{
	load_text(a->name, sizeof a->name, v, "name");
	a->method = !strcmp(value_or(v, "method", ""), "local") ? CFG_METHOD_LOCAL : CFG_METHOD_NONE;
}

static void login_row(struct loader *l, struct values *v)
{
	struct cfg_aaa_list *a = LOAD_MORE(l, l->cfg->logins, l->cfg->nlogins);
	if (a)
		list_load(a, v);
}

static void network_row(struct loader *l, struct values *v)
{
	struct cfg_aaa_list *a = LOAD_MORE(l, l->cfg->networks, l->cfg->nnetworks);
	if (a)
		list_load(a, v);
}

static void pool_row(struct loader *l, struct values *v)
{
	struct cfg_pool *p = LOAD_MORE(l, l->cfg->pools, l->cfg->npools);
	if (!p)
		return;
	load_text(p->name, sizeof p->name, v, "name");
	p->low = load_ip(v, "low", 0);
	p->high = load_ip(v, "high", p->low);
}

static void group_row(struct loader *l, struct values *v)
{
	struct cfg_client_group *g = LOAD_MORE(l, l->cfg->groups, l->cfg->ngroups);
	if (!g)
		return;
	load_text(g->name, sizeof g->name, v, "name");
	g->secret_id = strtoull(value_or(v, "secret", "0"), NULL, 10);
	g->dns[0] = load_ip(v, "dns", 0);
	g->dns[1] = load_ip(v, "dns2", 0);
	g->wins[0] = load_ip(v, "wins", 0);
	g->wins[1] = load_ip(v, "wins2", 0);
	g->netmask = load_ip(v, "netmask", 0);
	load_text(g->domain, sizeof g->domain, v, "domain");
	load_text(g->pool, sizeof g->pool, v, "pool");
	load_text(g->acl, sizeof g->acl, v, "acl");
	load_text(g->banner, sizeof g->banner, v, "banner");
	g->save_password = value_get(v, "save_password") != NULL;
	g->include_local_lan = value_get(v, "include_local_lan") != NULL;
	g->max_users = (uint16_t)load_number(v, "max_users", 0);
	g->max_logins = (uint16_t)load_number(v, "max_logins", 0);
}

static void client_pool_row(struct loader *l, struct values *v)
{
	load_text(l->cfg->client_pool, sizeof l->cfg->client_pool, v, "client_pool");
}

void load_client(struct loader *l)
{
	load_rows(l, "SELECT * FROM aaa", NOPARAMS, aaa_row);
	load_rows(l, "SELECT * FROM aaa_login ORDER BY name", NOPARAMS, login_row);
	load_rows(l, "SELECT * FROM aaa_network ORDER BY name", NOPARAMS, network_row);
	load_rows(l, "SELECT * FROM local_pool ORDER BY name, id", NOPARAMS, pool_row);
	load_rows(l, "SELECT * FROM client_group ORDER BY name", NOPARAMS, group_row);
	load_rows(l, "SELECT client_pool FROM isakmp", NOPARAMS, client_pool_row);
}
