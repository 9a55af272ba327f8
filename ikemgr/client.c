/* Remote-access clients: what the configuration wants of one, which group it is of, what traffic it may ask for. */
#include "ikemgr/identity.h"
#include "ikemgr/signature.h"

#include "platform/base/log.h"

#include <stdio.h>
#include <string.h>

/* What a crypto map or an ISAKMP profile says to clients. */
struct settings {
	const char *auth_list, *author_list, *group;
	bool respond, initiate;
};

static bool map_here(const struct ike *k, const struct cfg_interface *i, const struct sa_state *s)
{
	return s == NULL || addr_equal(ike_policy_local(k, i, s->path.remote), s->path.local);
}

static void settings_of_map(const struct ike *k, const struct sa_state *s, struct settings *out)
{
	for (size_t n = 0; n < k->cfg->ninterfaces; n++) {
		const struct cfg_interface *i = &k->cfg->interfaces[n];
		const struct cfg_map *m = cfg_map_settings(k->cfg, i->crypto_map);

		if (m == NULL || !map_here(k, i, s))
			continue;
		*out = (struct settings){ m->client_auth_list, m->author_list, "", m->config_respond, m->config_initiate };
		return;
	}
}

/* A profile that speaks of clients speaks for its own. */
static struct settings settings_of(const struct ike *k, const struct sa_state *s)
{
	const struct cfg_isakmp_profile *p = sa_profile(k, s);
	struct settings out = { "", "", "", false, false };

	if (k->cfg == NULL)
		return out;
	if (p != NULL && (p->client_auth_list[0] != '\0' || p->author_list[0] != '\0' || p->config_respond || p->config_initiate))
		out = (struct settings){ p->client_auth_list, p->author_list, p->client_group, p->config_respond,
			p->config_initiate };
	else
		settings_of_map(k, s, &out);
	return out;
}

bool client_groups_used(const struct ike *k, const struct sa_state *s)
{
	for (size_t n = 0; n < k->cfg->ninterfaces; n++) {
		const struct cfg_interface *i = &k->cfg->interfaces[n];
		const struct cfg_map *m = cfg_map_settings(k->cfg, i->crypto_map);

		if (m != NULL && m->author_list[0] != '\0' && map_here(k, i, s))
			return true;
	}
	for (size_t n = 0; n < k->cfg->nprofiles; n++)
		if (k->cfg->profiles[n].author_list[0] != '\0')
			return true;
	return false;
}

/* `no-xauth` stands at the key: a router among the clients. Who comes with a certificate has no key. */
static bool key_skips_xauth(const struct ike *k, const struct sa_state *s, uint16_t auth)
{
	if (auth != AUTH_PRE_SHARED)
		return false;
	for (size_t i = 0; i < k->cfg->nkeys; i++) {
		const struct cfg_isakmp_key *key = &k->cfg->keys[i];

		if (key->secret_id == s->secret_id && key->no_xauth &&
			(key->host[0] != '\0' || ((addr_to_v4(s->path.remote) ^ key->addr) & key->mask) == 0))
			return true;
	}
	return false;
}

/* Which profile it will be is not known before the identity. */
static bool profiles_say(const struct ike *k, bool xauth)
{
	for (size_t n = 0; k->cfg != NULL && n < k->cfg->nprofiles; n++) {
		const struct cfg_isakmp_profile *p = &k->cfg->profiles[n];

		if (p->client_auth_list[0] != '\0' || (!xauth && (p->config_respond || p->config_initiate)))
			return true;
	}
	return false;
}

bool client_wanted(const struct ike *k, const struct sa_state *s)
{
	struct settings set = settings_of(k, s);

	return set.auth_list[0] != '\0' || set.respond || set.initiate || profiles_say(k, false);
}

bool client_xauth_wanted(const struct ike *k, const struct sa_state *s, uint16_t auth)
{
	return (settings_of(k, s).auth_list[0] != '\0' || profiles_say(k, true)) && !key_skips_xauth(k, s, auth);
}

/* The profile's group; else the one that the certificate names as its OU, as on IOS; else `default`. */
static void group_choose(struct step *st, const struct settings *set)
{
	char unit[CFG_NAME] = "";

	if (set->group[0] == '\0' && auth_is_signature(st->s->terms.auth))
		sig_unit(st, unit);
	snprintf(st->s->client.group, sizeof(st->s->client.group), "%s",
		set->group[0] != '\0'                        ? set->group
		: cfg_client_group(st->k->cfg, unit) != NULL ? unit
							     : "default");
}

enum err client_decide(struct step *st)
{
	struct client_state *c = &st->s->client;
	struct settings set = settings_of(st->k, st->s);
	const struct cfg_aaa_list *login = cfg_login_list(st->k->cfg, set.auth_list);
	const struct cfg_aaa_list *network = cfg_network_list(st->k->cfg, set.author_list);
	bool xauth = set.auth_list[0] != '\0' && !key_skips_xauth(st->k, st->s, st->s->terms.auth);

	if (xauth && login == NULL)
		return step_refuse(st, 0, "the list \"%s\" of aaa authentication login does not exist", set.auth_list);
	if (set.author_list[0] != '\0' && network == NULL)
		return step_refuse(st, 0, "the list \"%s\" of aaa authorization network does not exist", set.author_list);
	if (st->s->terms.xauth && !xauth)
		return step_refuse(st, 0, "the client offers XAUTH, which is not configured");
	c->open = xauth && login->method == CFG_METHOD_NONE;
	c->authorize = network != NULL && network->method == CFG_METHOD_LOCAL;
	if (!c->group_proved)
		group_choose(st, &set);
	c->respond = set.respond;
	if (set.initiate)
		st->s->evidence |= EV_PUSH;
	if (xauth)
		c->stage = CLIENT_XAUTH_BEGIN;
	else if (set.initiate)
		c->stage = CLIENT_PUSH_BEGIN;
	else if (set.respond)
		c->stage = CLIENT_READY;
	return ERR_OK;
}

bool client_settled(const struct sa_state *s)
{
	return s->client.stage == CLIENT_OFF || s->client.stage == CLIENT_READY;
}

bool client_begins(const struct sa_state *s)
{
	return s->client.stage == CLIENT_XAUTH_BEGIN || s->client.stage == CLIENT_PUSH_BEGIN;
}

void client_state_set(struct sa_state *s)
{
	if (s->state != QM_IDLE && s->state != CONF_XAUTH && s->state != CONF_ADDR)
		return;
	if (client_settled(s))
		s->state = QM_IDLE;
	else
		s->state = s->client.stage == CLIENT_PUSH_BEGIN || s->client.stage == CLIENT_PUSHED ? CONF_ADDR : CONF_XAUTH;
}

bool client_takes(const struct ike_sa *sa, uint32_t message_id)
{
	if (message_id == 0)
		return false;
	if (!client_settled(&sa->st))
		return message_id == sa->st.client.message_id;
	return !message_id_used(sa, message_id) && sa->nmessage_ids < MESSAGE_IDS_MAX;
}

bool client_same(const struct sa_state *a, const struct sa_state *b)
{
	return addr_equal(a->path.remote, b->path.remote) && strcmp(a->client.user, b->client.user) == 0 &&
	       strcmp(a->client.group, b->client.group) == 0 && (a->client.user[0] != '\0' || a->cookie_i == b->cookie_i);
}

const struct cfg_client_group *client_group_of(const struct ike *k, const struct sa_state *s)
{
	return s->client.authorize ? cfg_client_group(k->cfg, s->client.group) : NULL;
}

enum err client_limits(struct step *st)
{
	const struct cfg_client_group *g = client_group_of(st->k, st->s);
	unsigned of_group = 0, of_user = 0;

	if (g == NULL)
		return ERR_OK;
	EACH_OF(st->k, l, &st->k->sas)
	{
		const struct sa_state *o = &OWNER(l, struct ike_sa, all)->st;

		if (!(o->evidence & EV_NAMED) || strcmp(o->client.group, g->name) != 0 || client_same(o, st->s))
			continue;
		of_group++;
		of_user += strcmp(o->client.user, st->s->client.user) == 0;
	}
	if (g->max_users != 0 && of_group >= g->max_users)
		return step_refuse(st, 0, "group %s has its %u users already", g->name, g->max_users);
	if (g->max_logins != 0 && of_user >= g->max_logins)
		return step_refuse(st, 0, "user %s is logged in %u times already", st->s->client.user, g->max_logins);
	return ERR_OK;
}

enum err client_selectors(struct step *st, const struct dp_selectors *sel)
{
	uint32_t low = addr_to_v4(sel->remote.from), high = addr_to_v4(sel->remote.to), own = st->s->client.address;
	char text[160], ip[16];

	if (own != 0 ? low == own && high == own : !pool_has(st->k, low, high))
		return ERR_OK;
	selectors_print(text, sizeof(text), sel);
	if (own == 0)
		return step_refuse(st, NOTIFY_INVALID_ID_INFORMATION,
			"they want %s: addresses of a pool, of which none was given to them", text);
	return step_refuse(
		st, NOTIFY_INVALID_ID_INFORMATION, "they want %s, but the client's address is %s", text, ip4_print(ip, own));
}

void client_say(const struct step *st, const char *what, const char *why)
{
	const struct client_state *c = &st->s->client;
	char remote[ADDR_TEXT], local[ADDR_TEXT], ip[16] = "";

	addr_print(remote, st->s->path.remote);
	addr_print(local, st->s->path.local);
	if (c->address != 0)
		ip4_print(ip, c->address);
	log_msg("CRYPTO", LOG_SEV_INFO, "VPN_TUNNEL_STATUS",
		"(Server)  %s  User=%s  Group=%s  Client_public_addr=%s  Server_public_addr=%s%s%s%s%s", what, c->user,
		c->authorize ? c->group : "", remote, local, ip[0] != '\0' ? "  Assigned_client_addr=" : "", ip,
		why != NULL ? ": " : "", why != NULL ? why : "");
}

bool client_child_meant(struct ike *k, const char *user, const struct child *c)
{
	if (user[0] == '\0')
		return true;
	EACH_OF(k, l, &k->sas)
	{
		const struct sa_state *s = &OWNER(l, struct ike_sa, all)->st;

		if ((s->evidence & EV_NAMED) && strcmp(s->client.user, user) == 0 && s->client.address != 0 &&
			addr_to_v4(c->sel.remote.from) == s->client.address && addr_equal(c->sel.remote.from, c->sel.remote.to))
			return true;
	}
	return false;
}

void client_row(struct ikem_sa *row, const struct sa_state *s)
{
	const struct client_state *c = &s->client;

	row->cap_xauth = c->user[0] != '\0';
	row->cap_config = c->address != 0;
	if (s->evidence & EV_NAMED)
		snprintf(row->user, sizeof(row->user), "%s", c->user);
	if (c->authorize)
		snprintf(row->group_name, sizeof(row->group_name), "%s", c->group);
	if (c->address != 0)
		row->assigned = addr_v4(c->address);
}
