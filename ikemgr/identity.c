/* See identity.h.
 *
 *   initiator            profile of the crypto map entry, or by the peer's address ---> its keyrings ---> key by address
 *   main mode, answer    all keyrings that profiles name, and the global keys --------> key by address ---> identity ---> profile
 *   aggressive, answer   identity ---> profile, `crypto isakmp peer`, keys by name ---> key
 */
#include "ikemgr/identity.h"

#include "ikemgr/signature.h"
#include "ikemgr/x509.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- whose identity is it --- */

static bool text_equal(struct span s, const char *text)
{
	return s.len == strlen(text) && strncasecmp((const char *)s.data, text, s.len) == 0;
}

/* Behind the first `mark`, or at one of several: a domain is the whole end of a name. */
static bool domain_of(struct span name, char mark, const char *domain)
{
	size_t n = strlen(domain);

	return name.len > n && name.data[name.len - n - 1] == (uint8_t)mark &&
	       text_equal(span_of(name.data + name.len - n, n), domain);
}

bool identity_matches(const struct cfg_id *m, const struct payload_id *id)
{
	struct reader r = reader_of(id->data);

	switch (m->kind) {
	case CFG_ID_ADDRESS:
		return id->type == ID_IPV4_ADDR && id->data.len == 4 && ((reader_u32(&r) ^ m->addr) & m->mask) == 0;
	case CFG_ID_HOST:
		return id->type == ID_FQDN && text_equal(id->data, m->text);
	case CFG_ID_HOST_DOMAIN:
		return id->type == ID_FQDN && domain_of(id->data, '.', m->text);
	case CFG_ID_USER:
		return id->type == ID_USER_FQDN && text_equal(id->data, m->text);
	case CFG_ID_USER_DOMAIN:
		return id->type == ID_USER_FQDN && domain_of(id->data, '@', m->text);
	case CFG_ID_GROUP:
		return id->type == ID_KEY_ID && span_equal(id->data, span_of(m->text, strlen(m->text)));
	case CFG_ID_DN:
	case CFG_ID_CERT_MAP:
		return false;
	}
	return false;
}

static bool profile_matches(const struct ike *k, const struct cfg_isakmp_profile *p, const struct payload_id *id)
{
	for (size_t i = 0; i < p->nmatch; i++)
		if (p->match[i].kind == CFG_ID_CERT_MAP ? k->leaf != NULL && x509_map_matches(k->cfg, p->match[i].text, k->leaf)
							: identity_matches(&p->match[i], id))
			return true;
	return false;
}

static bool profile_here(const struct ike *k, const struct cfg_isakmp_profile *p, struct addr local)
{
	return cfg_local_fits(k->cfg, p->local_addr, p->local_interface, addr_to_v4(local));
}

static const struct cfg_isakmp_profile *profile_by_id(const struct ike *k, struct addr local, const struct payload_id *id)
{
	for (size_t i = 0; i < k->cfg->nprofiles; i++)
		if (profile_here(k, &k->cfg->profiles[i], local) && profile_matches(k, &k->cfg->profiles[i], id))
			return &k->cfg->profiles[i];
	return NULL;
}

const struct cfg_isakmp_profile *sa_profile(const struct ike *k, const struct sa_state *s)
{
	return k->cfg == NULL || s->profile[0] == '\0' ? NULL : cfg_isakmp_profile(k->cfg, s->profile);
}

static void profile_set(struct sa_state *s, const struct cfg_isakmp_profile *p)
{
	snprintf(s->profile, sizeof(s->profile), "%s", p == NULL ? "" : p->name);
}

/* An address as the identity that its owner would send. */
static struct payload_id id_of_address(uint8_t bytes[4], struct addr a)
{
	memcpy(bytes, a.bytes, 4);
	return (struct payload_id){ .type = ID_IPV4_ADDR, .data = span_of(bytes, 4) };
}

static bool peer_aggressive(const struct ike *k, struct addr remote)
{
	const struct cfg_isakmp_peer *p = cfg_isakmp_peer(k->cfg, addr_to_v4(remote));

	return p != NULL && p->has_endpoint;
}

void identity_begin(const struct ike *k, struct sa_state *s)
{
	const struct cfg_map_entry *e = peer_entry(k, s->path.local, s->path.remote);
	const struct cfg_isakmp_profile *p = e == NULL ? NULL : cfg_isakmp_profile(k->cfg, e->profile);
	uint8_t bytes[4];
	struct payload_id id = id_of_address(bytes, s->path.remote);

	s->profile_fixed = p != NULL;
	if (p == NULL)
		p = profile_by_id(k, s->path.local, &id);
	profile_set(s, p);
	if (!k->cfg->isakmp.aggressive_disable && ((p != NULL && p->initiate_aggressive) || peer_aggressive(k, s->path.remote))) {
		s->exchange = EXCH_AGGRESSIVE;
		s->state = AG_NO_STATE;
	}
}

/* --- keys --- */

/* The better of two keys by address: the more specific one, the first of equals. */
static const struct cfg_isakmp_key *key_better(const struct cfg_isakmp_key *a, const struct cfg_isakmp_key *b)
{
	return a == NULL || (b != NULL && b->mask > a->mask) ? b : a;
}

static bool ring_here(const struct ike *k, const char *name, struct addr local)
{
	const struct cfg_keyring *r = cfg_keyring(k->cfg, name);

	return r != NULL && cfg_local_fits(k->cfg, r->local_addr, r->local_interface, addr_to_v4(local));
}

/* By address, among what the profile may use; without a profile the global keys. */
static const struct cfg_isakmp_key *key_of(const struct ike *k, const struct cfg_isakmp_profile *p, const struct ike_path *path)
{
	const struct cfg_isakmp_key *best = NULL;

	if (p == NULL || p->nkeyrings == 0)
		return cfg_key_for(k->cfg, addr_to_v4(path->remote));
	for (size_t i = 0; i < p->nkeyrings; i++)
		if (ring_here(k, p->keyrings[i], path->local))
			best = key_better(best, cfg_key_in(k->cfg, p->keyrings[i], addr_to_v4(path->remote)));
	return best;
}

static const struct cfg_isakmp_key *key_named(
	const struct ike *k, const struct cfg_isakmp_profile *p, struct addr local, const char *name)
{
	const struct cfg_isakmp_key *key = NULL;

	if (p == NULL || p->nkeyrings == 0)
		return cfg_key_named(k->cfg, "", name);
	for (size_t i = 0; i < p->nkeyrings && key == NULL; i++)
		if (ring_here(k, p->keyrings[i], local))
			key = cfg_key_named(k->cfg, p->keyrings[i], name);
	return key;
}

/* Main mode's responder knows the address alone: everything that some profile may use. */
static const struct cfg_isakmp_key *key_of_any(const struct ike *k, const struct ike_path *path)
{
	const struct cfg_isakmp_key *best = cfg_key_for(k->cfg, addr_to_v4(path->remote));

	for (size_t i = 0; i < k->cfg->nprofiles; i++)
		if (k->cfg->profiles[i].nkeyrings > 0 && profile_here(k, &k->cfg->profiles[i], path->local))
			best = key_better(best, key_of(k, &k->cfg->profiles[i], path));
	return best;
}

static uint64_t secret_of(const struct cfg_isakmp_key *key)
{
	return key == NULL ? 0 : key->secret_id;
}

static uint64_t secret_by_address(const struct ike *k, const struct sa_state *s)
{
	const struct cfg_isakmp_profile *p = sa_profile(k, s);
	const struct cfg_isakmp_peer *peer = cfg_isakmp_peer(k->cfg, addr_to_v4(s->path.remote));

	if (s->exchange == EXCH_AGGRESSIVE && s->initiator && peer != NULL && peer->password_id != 0)
		return peer->password_id;
	return secret_of(p != NULL || s->initiator ? key_of(k, p, &s->path) : key_of_any(k, &s->path));
}

/* Where an aggressive mode's first message may find its key, in this order. */
struct claim {
	const struct ike *k;
	const struct sa_state *s;
	const struct cfg_isakmp_profile *profile;
	const struct cfg_isakmp_peer *peer;
	const struct payload_id *id;
	char name[128]; /* the identity when it is a name, else empty */
};

static uint64_t claim_password(const struct claim *c)
{
	return c->peer == NULL ? 0 : c->peer->password_id;
}

/* The key of a client group, by its name: only groups that somebody looks up. */
static const struct cfg_client_group *group_claimed(const struct ike *k, const struct sa_state *s, const struct payload_id *id)
{
	const struct cfg_client_group *g;
	char name[CFG_NAME];

	if (id->type != ID_KEY_ID || id->data.len >= sizeof(name) || memchr(id->data.data, 0, id->data.len) != NULL)
		return NULL;
	memcpy(name, id->data.data, id->data.len);
	name[id->data.len] = '\0';
	g = cfg_client_group(k->cfg, name);
	return g != NULL && g->secret_id != 0 && client_groups_used(k, s) ? g : NULL;
}

static uint64_t claim_group(const struct claim *c)
{
	const struct cfg_client_group *g = group_claimed(c->k, c->s, c->id);

	return g == NULL ? 0 : g->secret_id;
}

static uint64_t claim_named(const struct claim *c)
{
	return c->name[0] == '\0' ? 0 : secret_of(key_named(c->k, c->profile, c->s->path.local, c->name));
}

/* A key by address is not offered to the world: only where aggressive mode is wanted of this peer. */
static uint64_t claim_address(const struct claim *c)
{
	bool address = c->id->type == ID_IPV4_ADDR;

	if (c->peer == NULL && (c->profile == NULL || (address && !c->profile->initiate_aggressive)))
		return 0;
	return secret_of(key_of(c->k, c->profile, &c->s->path));
}

static uint64_t secret_by_identity(const struct ike *k, const struct sa_state *s, const struct payload_id *id)
{
	static uint64_t (*const finders[])(const struct claim *) = { claim_password, claim_group, claim_named, claim_address };
	struct claim c = { .k = k, .s = s, .id = id, .profile = profile_by_id(k, s->path.local, id) };
	uint64_t secret = 0;

	if ((id->type == ID_FQDN || id->type == ID_USER_FQDN) && id->data.len < sizeof(c.name))
		memcpy(c.name, id->data.data, id->data.len);
	c.peer = c.name[0] != '\0' ? cfg_isakmp_peer_named(k->cfg, c.name) : NULL;
	if (c.peer == NULL)
		c.peer = cfg_isakmp_peer(k->cfg, addr_to_v4(s->path.remote));
	for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]) && secret == 0; i++)
		secret = finders[i](&c);
	return secret;
}

/* Whoever has the group's key belongs to it. */
static void group_set(struct step *st, const struct cfg_client_group *g)
{
	struct client_state *c = &st->s->client;

	c->group_proved = g != NULL && g->secret_id == st->s->secret_id;
	if (c->group_proved)
		snprintf(c->group, sizeof(c->group), "%s", g->name);
}

enum err identity_key(struct step *st, const struct payload_id *id)
{
	char peer[ADDR_TEXT];

	if (st->k->cfg == NULL)
		return step_refuse(st, 0, "there is no configuration");
	if (id != NULL) {
		st->s->secret_id = secret_by_identity(st->k, st->s, id);
		if (st->s->secret_id == 0)
			count(st->k, STAT_NO_KEY);
		group_set(st, group_claimed(st->k, st->s, id));
		return ERR_OK;
	}
	st->s->secret_id = secret_by_address(st->k, st->s);
	if (st->s->secret_id != 0)
		return ERR_OK;
	count(st->k, STAT_NO_KEY);
	return step_refuse(st, 0, "no pre-shared key for %s is configured", addr_print(peer, st->s->path.remote));
}

enum err identity_key_maybe(struct step *st)
{
	st->s->secret_id = secret_by_address(st->k, st->s);
	return ERR_OK;
}

const char *identity_key_fault(const struct ike_sa *sa)
{
	union payload_value v;
	uint64_t now;

	if (sa->h == NULL)
		return NULL;
	if (sa->st.exchange == EXCH_AGGRESSIVE && !sa->st.initiator) {
		if (payload_decode(&v, payload_def(PAYLOAD_ID), id_span(&sa->h->id_i)) != ERR_OK)
			return NULL;
		now = secret_by_identity(sa->k, &sa->st, &v.id);
	} else {
		now = secret_by_address(sa->k, &sa->st);
	}
	if (now == 0 && sa->st.secret_id != 0)
		return "its pre-shared key was removed";
	return sa->st.secret_id != 0 && sa->st.secret_id != now ? "its pre-shared key was changed" : NULL;
}

/* --- both ends' identities --- */

static const struct cfg_id *own_of(const struct ike *k, const struct sa_state *s)
{
	static const struct cfg_id hostname = { .kind = CFG_ID_HOST };
	const struct cfg_isakmp_profile *p = sa_profile(k, s);
	const struct cfg_isakmp_peer *peer = cfg_isakmp_peer(k->cfg, addr_to_v4(s->path.remote));

	if (p != NULL && p->has_self)
		return &p->self;
	if (s->exchange == EXCH_AGGRESSIVE && s->initiator && peer != NULL && peer->has_endpoint)
		return &peer->endpoint;
	return k->cfg->isakmp.identity == CFG_ID_HOST ? &hostname : NULL;
}

/* UDP port 500 (RFC 2407 4.6.2). Our address unless told otherwise; also for `dn`, when keys and not certificates prove it. */
void identity_own(const struct step *st, struct id_body *out)
{
	const struct cfg_id *own = own_of(st->k, st->s);
	struct writer w = writer_of(out->bytes, sizeof(out->bytes));
	union payload_value v = { .id = { .type = ID_IPV4_ADDR, .protocol = 17, .port = 500 } };
	struct addr a = st->s->path.local;
	const char *text;

	v.id.data = span_of(a.bytes, 4);
	if (own != NULL && own->kind == CFG_ID_ADDRESS && own->addr != 0) {
		a = addr_v4(own->addr);
		v.id.data = span_of(a.bytes, 4);
	} else if (own != NULL && (own->kind == CFG_ID_HOST || own->kind == CFG_ID_USER)) {
		text = own->text[0] != '\0' ? own->text : st->k->cfg->system.hostname;
		v.id.type = own->kind == CFG_ID_HOST ? ID_FQDN : ID_USER_FQDN;
		v.id.data = span_of(text, strlen(text));
	}
	payload_encode(&w, payload_def(PAYLOAD_ID), &v);
	out->len = (uint16_t)writer_len(&w);
}

enum err identity_profile(struct step *st, const struct payload_id *id)
{
	struct sa_state *s = st->s;
	const struct cfg_isakmp_profile *p = sa_profile(st->k, s);
	char text[128];

	id_print(text, sizeof(text), id);
	if (s->profile_fixed) {
		if (p == NULL || (p->nmatch > 0 && !profile_matches(st->k, p, id)))
			return step_refuse(
				st, NOTIFY_INVALID_ID_INFORMATION, "identity %s is not one of ISAKMP profile %s", text, s->profile);
	} else {
		p = profile_by_id(st->k, s->path.local, id);
		profile_set(s, p);
	}
	/* Aggressive mode's responder has found its key by the identity. */
	if (s->exchange == EXCH_AGGRESSIVE || auth_is_signature(s->terms.auth) ||
		secret_of(key_of(st->k, p, &s->path)) == s->secret_id)
		return ERR_OK;
	return step_refuse(st, NOTIFY_INVALID_ID_INFORMATION, "the pre-shared key that was used is not one for identity %s (%s%s)",
		text, p == NULL ? "no ISAKMP profile matches" : "profile ", p == NULL ? "" : p->name);
}

static bool profile_wants_aggressive(const struct cfg_isakmp_profile *p)
{
	for (size_t i = 0; i < p->nmatch; i++)
		if (p->match[i].kind >= CFG_ID_HOST && p->match[i].kind <= CFG_ID_GROUP)
			return true;
	return p->initiate_aggressive;
}

static bool psk_permitted(const struct cfg *c)
{
	for (size_t i = 0; i < c->npolicies; i++)
		if (c->policies[i].auth == AUTH_PRE_SHARED)
			return true;
	return false;
}

bool aggressive_psk_answered(const struct ike *k)
{
	if (k->cfg == NULL || k->cfg->isakmp.aggressive_disable || !psk_permitted(k->cfg))
		return false;
	for (size_t i = 0; i < k->cfg->nisakmp_peers; i++)
		if (k->cfg->isakmp_peers[i].has_endpoint || k->cfg->isakmp_peers[i].password_id != 0)
			return true;
	for (size_t i = 0; i < k->cfg->nkeys; i++)
		if (k->cfg->keys[i].host[0] != '\0')
			return true;
	for (size_t i = 0; i < k->cfg->nprofiles; i++)
		if (profile_wants_aggressive(&k->cfg->profiles[i]))
			return true;
	for (size_t i = 0; i < k->cfg->ngroups; i++)
		if (k->cfg->groups[i].secret_id != 0 && client_groups_used(k, NULL))
			return true;
	return false;
}

bool aggressive_answered(const struct ike *k)
{
	struct sa_state nobody = { .exchange = EXCH_AGGRESSIVE };

	if (k->cfg == NULL || k->cfg->isakmp.aggressive_disable)
		return false;
	return credential_any(k, &nobody) || aggressive_psk_answered(k);
}
