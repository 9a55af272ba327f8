/* The snapshot's part about phase 1: what holds for all peers, keys, keyrings, peers, profiles. */
#include "configdb/snapshot_impl.h"

#include <stdlib.h>
#include <string.h>

static void isakmp_row(struct loader *l, struct values *v)
{
	struct cfg_isakmp *s = &l->cfg->isakmp;
	const char *identity = value_or(v, "identity", "");
	l->cfg->isakmp_enabled = !value_get(v, "enable_off");
	s->identity = !strcmp(identity, "hostname") ? CFG_ID_HOST : !strcmp(identity, "dn") ? CFG_ID_DN : CFG_ID_ADDRESS;
	s->keepalive_s = (uint16_t)load_number(v, "keepalive", 0);
	s->keepalive_retry_s = (uint8_t)load_number(v, "keepalive_retry", 2);
	s->keepalive_periodic = !strcmp(value_or(v, "keepalive_mode", ""), "periodic");
	s->nat_keepalive_s = (uint16_t)load_number(v, "nat_keepalive", 0);
	s->aggressive_disable = value_get(v, "aggressive_off") != NULL;
	s->invalid_spi_recovery = value_get(v, "spi_recovery") != NULL;
	s->fragmentation = value_get(v, "fragmentation") != NULL;
	s->nat_transparency_off = value_get(v, "nat_transparency_off") != NULL;
	s->admission_sa = load_number(v, "admission_sa", 0);
	s->admission_negotiation = load_number(v, "admission_negotiation", 0);
}

static void key_row(struct loader *l, struct values *v)
{
	struct cfg_isakmp_key *k = LOAD_MORE(l, l->cfg->keys, l->cfg->nkeys);
	if (!k)
		return;
	k->secret_id = strtoull(value_or(v, "secret", "0"), NULL, 10);
	k->addr = load_ip(v, "addr", 0);
	k->mask = load_ip(v, "mask", 0);
	load_text(k->host, sizeof k->host, v, "host");
	load_text(k->keyring, sizeof k->keyring, v, "keyring");
	k->no_xauth = value_get(v, "no_xauth") != NULL;
}

static int most_specific_first(const void *a, const void *b)
{
	const struct cfg_isakmp_key *x = a, *y = b;
	if (x->mask != y->mask)
		return x->mask > y->mask ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* The first of these columns that has a value. */
struct id_column {
	const char *column;
	enum cfg_id_kind kind;
};

static bool id_load(struct cfg_id *id, const struct values *v, const struct id_column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!value_get(v, columns[i].column))
			continue;
		id->kind = columns[i].kind;
		if (id->kind == CFG_ID_ADDRESS)
			id->addr = load_ip(v, columns[i].column, 0);
		else
			load_text(id->text, sizeof id->text, v, columns[i].column);
		return true;
	}
	return false;
}
#define ID_LOAD(id, v, ...)                                                                                                        \
	id_load(id, v, (const struct id_column[]){ __VA_ARGS__ },                                                                  \
		sizeof((const struct id_column[]){ __VA_ARGS__ }) / sizeof(struct id_column))

static void keyring_row(struct loader *l, struct values *v)
{
	struct cfg_keyring *k = LOAD_MORE(l, l->cfg->keyrings, l->cfg->nkeyrings);
	if (!k)
		return;
	load_text(k->name, sizeof k->name, v, "name");
	load_text(k->description, sizeof k->description, v, "description");
	k->local_addr = load_ip(v, "local_addr", 0);
	load_text(k->local_interface, sizeof k->local_interface, v, "local_interface");
}

static void isakmp_peer_row(struct loader *l, struct values *v)
{
	struct cfg_isakmp_peer *p = LOAD_MORE(l, l->cfg->isakmp_peers, l->cfg->nisakmp_peers);
	if (!p)
		return;
	if (!strcmp(value_or(v, "kind", ""), "address"))
		p->addr = load_ip(v, "name", 0);
	else
		load_text(p->host, sizeof p->host, v, "name");
	load_text(p->description, sizeof p->description, v, "description");
	p->has_endpoint =
		ID_LOAD(&p->endpoint, v, { "ep_addr", CFG_ID_ADDRESS }, { "ep_fqdn", CFG_ID_HOST }, { "ep_user", CFG_ID_USER });
	p->password_id = strtoull(value_or(v, "password", "0"), NULL, 10);
}

static void profile_row(struct loader *l, struct values *v)
{
	struct cfg_isakmp_profile *p = LOAD_MORE(l, l->cfg->profiles, l->cfg->nprofiles);
	if (!p)
		return;
	load_text(p->name, sizeof p->name, v, "name");
	load_text(p->description, sizeof p->description, v, "description");
	p->has_self = true;
	if (value_get(v, "self_address"))
		p->self.kind = CFG_ID_ADDRESS;
	else if (value_get(v, "self_fqdn") && !value_get(v, "self_host"))
		p->self.kind = CFG_ID_HOST; /* without a text: the router's own name */
	else
		p->has_self = ID_LOAD(&p->self, v, { "self_host", CFG_ID_HOST }, { "self_user", CFG_ID_USER });
	p->initiate_aggressive = value_get(v, "initiate") != NULL;
	p->has_keepalive = value_get(v, "keepalive") != NULL;
	p->keepalive_s = (uint16_t)load_number(v, "keepalive", 0);
	p->keepalive_retry_s = (uint8_t)load_number(v, "keepalive_retry", 2);
	p->local_addr = load_ip(v, "local_addr", 0);
	load_text(p->local_interface, sizeof p->local_interface, v, "local_interface");
}

static struct cfg_isakmp_profile *profile_of(struct loader *l, struct values *v)
{
	for (size_t i = 0; i < l->cfg->nprofiles; i++)
		if (!strcmp(l->cfg->profiles[i].name, value_or(v, "profile", "")))
			return &l->cfg->profiles[i];
	return NULL;
}

static void profile_client_row(struct loader *l, struct values *v)
{
	struct cfg_isakmp_profile *p = profile_of(l, v);
	if (!p)
		return;
	load_text(p->client_auth_list, sizeof p->client_auth_list, v, "client_auth");
	load_text(p->author_list, sizeof p->author_list, v, "author");
	load_text(p->client_group, sizeof p->client_group, v, "client_group");
	p->config_respond = value_get(v, "config_respond") != NULL;
	p->config_initiate = value_get(v, "config_initiate") != NULL;
}

static void profile_keyring_row(struct loader *l, struct values *v)
{
	struct cfg_isakmp_profile *p = profile_of(l, v);
	if (p && p->nkeyrings < CFG_PROFILE_KEYRINGS)
		load_text(p->keyrings[p->nkeyrings++], CFG_NAME, v, "name");
}

static void profile_match_row(struct loader *l, struct values *v)
{
	struct cfg_isakmp_profile *p = profile_of(l, v);
	if (!p || p->nmatch == CFG_PROFILE_IDS)
		return;
	struct cfg_id *id = &p->match[p->nmatch];
	p->nmatch += ID_LOAD(id, v, { "addr", CFG_ID_ADDRESS }, { "host", CFG_ID_HOST }, { "host_domain", CFG_ID_HOST_DOMAIN },
		{ "user", CFG_ID_USER }, { "user_domain", CFG_ID_USER_DOMAIN }, { "client_group", CFG_ID_GROUP });
	id->mask = load_ip(v, "mask", 0);
}

static void profile_pki_row(struct loader *l, struct values *v)
{
	struct cfg_isakmp_profile *p = profile_of(l, v);
	if (p && !strcmp(value_or(v, "kind", ""), "trust") && p->ntrustpoints < CFG_PROFILE_TRUSTS) {
		load_text(p->trustpoints[p->ntrustpoints++], CFG_NAME, v, "name");
	} else if (p && !strcmp(value_or(v, "kind", ""), "cert") && p->nmatch < CFG_PROFILE_IDS) {
		p->match[p->nmatch].kind = CFG_ID_CERT_MAP;
		load_text(p->match[p->nmatch++].text, CFG_NAME, v, "name");
	}
}

void load_isakmp(struct loader *l)
{
	load_rows(l, "SELECT * FROM isakmp", NOPARAMS, isakmp_row);
	load_rows(l, "SELECT * FROM isakmp_key ORDER BY id", NOPARAMS, key_row);
	if (l->cfg->nkeys)
		qsort(l->cfg->keys, l->cfg->nkeys, sizeof *l->cfg->keys, most_specific_first);
	load_rows(l, "SELECT * FROM keyring ORDER BY name", NOPARAMS, keyring_row);
	load_rows(l, "SELECT * FROM isakmp_peer ORDER BY kind, name", NOPARAMS, isakmp_peer_row);
	load_rows(l, "SELECT * FROM isakmp_profile ORDER BY name", NOPARAMS, profile_row);
	load_rows(l,
		"SELECT name AS profile, client_auth, author, client_group, config_respond, config_initiate FROM isakmp_profile",
		NOPARAMS, profile_client_row);
	load_rows(l, "SELECT * FROM profile_keyring ORDER BY profile, ord", NOPARAMS, profile_keyring_row);
	load_rows(l, "SELECT * FROM profile_match ORDER BY profile, ord", NOPARAMS, profile_match_row);
	load_rows(l, "SELECT * FROM profile_pki ORDER BY profile, kind, ord", NOPARAMS, profile_pki_row);
}
