/* Configurations of the rig's routers, and the questions that tests ask. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One more element at the end of an array that was made here. */
static void *grow(void *array, size_t *n, size_t size)
{
	uint8_t *bigger = realloc(array, (*n + 1) * size);

	if (bigger == NULL)
		abort();
	memset(bigger + *n * size, 0, size);
	(*n)++;
	return bigger;
}
#define GROW(c, array, count) ((c)->array = grow((c)->array, &(c)->count, sizeof(*(c)->array)), &(c)->array[(c)->count - 1])

static uint32_t ip(const char *text)
{
	uint32_t v;

	if (ip4_parse(&v, text) != ERR_OK)
		abort();
	return v;
}

struct cfg_isakmp_policy *cfg_policy_add(
	struct cfg *c, uint16_t priority, enum alg_cipher e, enum alg_hash h, enum alg_group g, uint32_t life)
{
	struct cfg_isakmp_policy *p = GROW(c, policies, npolicies);

	*p = (struct cfg_isakmp_policy){ priority, e, h, AUTH_PRE_SHARED, g, life };
	return p;
}

struct cfg_transform_set *cfg_set_add(struct cfg *c, const char *name, enum alg_cipher e, enum alg_hash h)
{
	struct cfg_transform_set *s = GROW(c, sets, nsets);

	snprintf(s->name, sizeof(s->name), "%s", name);
	s->cipher = e;
	s->auth = h;
	return s;
}

struct cfg_ace *cfg_ace_add(
	struct cfg *c, const char *acl, uint32_t seq, bool permit, const char *src, int src_len, const char *dst, int dst_len)
{
	struct cfg_acl *a = NULL;
	struct cfg_ace *e;

	for (size_t i = 0; i < c->nacls; i++)
		if (strcmp(c->acls[i].name, acl) == 0)
			a = &c->acls[i];
	if (a == NULL) {
		a = GROW(c, acls, nacls);
		snprintf(a->name, sizeof(a->name), "%s", acl);
		a->extended = true;
	}
	e = GROW(a, entries, nentries);
	e->seq = seq;
	e->permit = permit;
	e->protocol = -1;
	e->src_wild = ~ip4_mask_of(src_len);
	e->src = ip(src) & ~e->src_wild;
	e->dst_wild = ~ip4_mask_of(dst_len);
	e->dst = ip(dst) & ~e->dst_wild;
	e->icmp_type = e->icmp_code = e->dscp = e->precedence = e->tos = -1;
	return e;
}

struct cfg_map_entry *cfg_map_add(struct cfg *c, uint16_t seq, const char *peer, const char *set, const char *acl)
{
	struct cfg_map_entry *m = GROW(c, maps, nmaps);

	snprintf(m->map, sizeof(m->map), "M");
	m->seq = seq;
	m->peers[m->npeers++].addr = ip(peer);
	snprintf(m->sets[m->nsets++], CFG_NAME, "%s", set);
	snprintf(m->acl, sizeof(m->acl), "%s", acl);
	return m;
}

void cfg_key_add(struct node *n, const char *peer, const char *psk)
{
	struct cfg_isakmp_key *k = GROW(n->cfg, keys, nkeys);
	uint64_t id = 1;

	while (n->psk[id - 1][0] != '\0')
		id++;
	snprintf(n->psk[id - 1], sizeof(n->psk[0]), "%s", psk);
	k->secret_id = id;
	k->addr = ip(peer);
	k->mask = 0xffffffff;
}

struct cfg_isakmp_key *cfg_key_named_add(struct node *n, const char *keyring, const char *host, const char *psk)
{
	struct cfg_isakmp_key *k;

	cfg_key_add(n, "0.0.0.0", psk);
	k = &n->cfg->keys[n->cfg->nkeys - 1];
	k->mask = 0;
	snprintf(k->host, sizeof(k->host), "%s", host);
	snprintf(k->keyring, sizeof(k->keyring), "%s", keyring);
	return k;
}

struct cfg_isakmp_profile *cfg_profile_add(struct cfg *c, const char *name)
{
	struct cfg_isakmp_profile *p = GROW(c, profiles, nprofiles);

	snprintf(p->name, sizeof(p->name), "%s", name);
	return p;
}

struct cfg_keyring *cfg_keyring_add(struct cfg *c, const char *name)
{
	struct cfg_keyring *r = GROW(c, keyrings, nkeyrings);

	snprintf(r->name, sizeof(r->name), "%s", name);
	return r;
}

void cfg_profile_match(struct cfg_isakmp_profile *p, enum cfg_id_kind kind, const char *text)
{
	struct cfg_id *id = &p->match[p->nmatch++];

	id->kind = kind;
	snprintf(id->text, sizeof(id->text), "%s", text);
	if (kind == CFG_ID_ADDRESS) {
		id->addr = ip(text);
		id->mask = UINT32_MAX;
	}
}

struct cfg_isakmp_peer *cfg_isakmp_peer_add(struct cfg *c, const char *addr, enum cfg_id_kind kind, const char *endpoint)
{
	struct cfg_isakmp_peer *p = GROW(c, isakmp_peers, nisakmp_peers);

	p->addr = ip(addr);
	p->has_endpoint = true;
	p->endpoint.kind = kind;
	snprintf(p->endpoint.text, sizeof(p->endpoint.text), "%s", endpoint);
	return p;
}

struct cfg_client_group *rig_clients(struct node *n, const char *low, const char *high)
{
	struct cfg *c = n->cfg;
	struct cfg_map *m = GROW(c, map_settings, nmap_settings);
	struct cfg_pool *p = GROW(c, pools, npools);
	struct cfg_client_group *g = GROW(c, groups, ngroups);

	*m = (struct cfg_map){ .name = "M", .client_auth_list = "USERS", .author_list = "GROUPS", .config_respond = true };
	*GROW(c, logins, nlogins) = (struct cfg_aaa_list){ "USERS", CFG_METHOD_LOCAL };
	*GROW(c, networks, nnetworks) = (struct cfg_aaa_list){ "GROUPS", CFG_METHOD_LOCAL };
	*p = (struct cfg_pool){ "P", ip(low), ip(high) };
	*g = (struct cfg_client_group){ .name = "default", .pool = "P" };
	return g;
}

void rig_dynamic(struct node *n)
{
	struct cfg_map_entry *m = &n->cfg->maps[0], *d = GROW(n->cfg, dynamics, ndynamics);

	m->kind = MAP_DYNAMIC;
	m->npeers = m->nsets = 0;
	m->acl[0] = '\0';
	snprintf(m->dynamic, sizeof(m->dynamic), "D");
	snprintf(d->map, sizeof(d->map), "D");
	d->seq = 5;
	snprintf(d->sets[d->nsets++], CFG_NAME, "T");
}

struct cfg *rig_cfg(struct node *n, const char *own, const char *peer, const char *own_net, const char *peer_net)
{
	struct cfg *c = calloc(1, sizeof(*c));
	struct cfg_interface *i;

	if (c == NULL)
		abort();
	n->cfg = c;
	c->isakmp_enabled = true;
	c->ipsec = (struct cfg_ipsec){ .lifetime_s = 3600, .lifetime_kb = 4608000, .replay_window = 64 };
	i = GROW(c, interfaces, ninterfaces);
	snprintf(i->name, sizeof(i->name), "GigabitEthernet0/1");
	i->ip = (struct cfg_ip){ ip(own), 0xffffff00 };
	snprintf(i->crypto_map, sizeof(i->crypto_map), "M");
	cfg_policy_add(c, 10, CIPHER_AES128, HASH_SHA1, GROUP_2, 86400);
	cfg_key_add(n, peer, "a key of the two sites");
	cfg_set_add(c, "T", CIPHER_AES128, HASH_SHA1);
	cfg_ace_add(c, "101", 10, true, own_net, 24, peer_net, 24);
	cfg_map_add(c, 10, peer, "T", "101");
	return c;
}

void rig_config(struct node *n)
{
	ike_config(n->k, n->cfg, CFG_ALL);
}

struct cfg_map_entry *rig_map(struct node *n, size_t i)
{
	return &n->cfg->maps[i];
}

void rig_acquire(struct node *n, unsigned map_seq, unsigned ace_seq)
{
	struct dpm_acquire a = {
		.policy = { .interface = "GigabitEthernet0/1", .map = "M", .map_seq = (uint16_t)map_seq, .ace_seq = ace_seq }
	};

	ike_acquire(n->k, &a);
}

struct count {
	unsigned n;
	enum ike_state want, first;
};

static void count_sa(void *ctx, const struct ikem_sa *sa)
{
	struct count *c = ctx;

	if (sa->deleted)
		return;
	if (c->first == IKE_STATE_COUNT)
		c->first = sa->state;
	c->n += sa->state == c->want;
}

unsigned rig_ike_count(struct node *n, enum ike_state state)
{
	struct count c = { 0, state, IKE_STATE_COUNT };

	ike_each_sa(n->k, count_sa, &c);
	return c.n;
}

enum ike_state rig_ike_state(struct node *n)
{
	struct count c = { 0, IKE_STATE_COUNT, IKE_STATE_COUNT };

	ike_each_sa(n->k, count_sa, &c);
	return c.first == IKE_STATE_COUNT ? MM_NO_STATE : c.first;
}

struct dpm_sa *rig_sa(struct node *n, bool inbound, size_t i)
{
	for (size_t s = 0; s < n->nsas; s++)
		if (n->sas[s].key.inbound == inbound && i-- == 0)
			return &n->sas[s];
	return NULL;
}

size_t rig_pairs(struct node *n)
{
	size_t count = 0;

	for (size_t s = 0; s < n->nsas; s++)
		count += n->sas[s].key.inbound;
	return count;
}

bool rig_carries(struct rig *r, int from, int to)
{
	const struct node *a = &r->n[from], *b = &r->n[to];
	const struct dpm_sa *out = NULL;

	for (size_t s = 0; s < a->nsas; s++)
		if (!a->sas[s].key.inbound && a->sas[s].hard_at_us > r->now)
			out = &a->sas[s];
	for (size_t s = 0; out != NULL && s < b->nsas; s++) {
		const struct dpm_sa *in = &b->sas[s];

		if (in->key.inbound && in->key.spi == out->key.spi)
			return in->cipher_key_len == out->cipher_key_len && in->auth_key_len == out->auth_key_len &&
			       memcmp(in->cipher_key, out->cipher_key, in->cipher_key_len) == 0 &&
			       memcmp(in->auth_key, out->auth_key, in->auth_key_len) == 0 && in->hard_at_us > r->now;
	}
	return false;
}

bool rig_up(struct rig *r)
{
	return rig_carries(r, 0, 1) && rig_carries(r, 1, 0);
}

bool rig_log_has(struct rig *r, const char *text)
{
	return strstr(r->log, text) != NULL;
}

uint64_t rig_stat(struct node *n, enum ike_stat s)
{
	return n->k->stats[s];
}

const char *rig_failure(struct node *n)
{
	return n->k->nfailures == 0 ? "" : n->k->failures[(n->k->nfailures - 1) % FAILURES].text;
}
