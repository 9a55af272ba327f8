/* The pairs of IPsec SAs: who has which SPI, sessions, taking them down. Times and renewal are rekey.c's. */
#include "ikemgr/core.h"

#include "platform/base/mem.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static size_t spi_bucket(uint32_t spi)
{
	return (spi * UINT32_C(2654435761)) >> 20 & (TABLE_SIZE - 1);
}

struct child *child_new(struct flow *f)
{
	struct ike *k = f->k;
	struct child *c = mem_zalloc(sizeof(*c));
	struct session *s = mem_zalloc(sizeof(*s));

	if (c == NULL || s == NULL || timer_reserve(&k->timers, CHILD_TIMERS) != ERR_OK) {
		mem_free(c);
		mem_free(s);
		return NULL;
	}
	c->flow = f;
	c->session = s;
	for (enum part p = PART_ESP; p < PARTS; p++)
		c->sas[p][false].child = c->sas[p][true].child = c;
	child_timers_init(c);
	link_add(&f->children, &c->of_flow);
	link_add(&k->children, &c->all);
	return c;
}

void child_index(struct child *c)
{
	struct ike *k = c->flow->k;

	link_del(&c->by_peer);
	link_add(&k->child_peers[bucket_of_peer(k, c->remote)], &c->by_peer);
	for (enum part p = PART_ESP; p < PARTS; p++)
		for (int inbound = 0; inbound < 2; inbound++) {
			struct child_sa *s = &c->sas[p][inbound];

			link_del(&s->by_spi);
			if (s->there)
				link_add(&k->spis[spi_bucket(s->key.spi)], &s->by_spi);
		}
}

struct child *child_by_spi(struct ike *k, uint8_t ip_protocol, bool inbound, uint32_t spi, struct addr remote)
{
	EACH_OF(k, l, &k->spis[spi_bucket(spi)])
	{
		struct child_sa *s = OWNER(l, struct child_sa, by_spi);

		if (s->key.spi == spi && s->key.protocol == ip_protocol && s->key.inbound == inbound &&
			(inbound || addr_equal(s->child->remote, remote)))
			return s->child;
	}
	return NULL;
}

struct child_sa *child_main(struct child *c, bool inbound)
{
	return &c->sas[c->sas[PART_ESP][inbound].key.protocol != 0 ? PART_ESP : PART_AH][inbound];
}

bool child_whole(const struct child *c)
{
	bool any = false;

	for (enum part p = PART_ESP; p < PARTS; p++)
		for (int inbound = 0; inbound < 2; inbound++) {
			const struct child_sa *s = &c->sas[p][inbound];

			if (s->key.protocol != 0 && !s->there)
				return false;
			any = any || s->there;
		}
	return any;
}

static struct session *session_find(const struct child *c)
{
	struct ike *k = c->flow->k;

	EACH_OF(k, l, &k->session_peers[bucket_of_peer(k, c->remote)])
	{
		struct session *s = OWNER(l, struct session, by_peer);

		if (strcmp(s->interface, c->flow->id.interface) == 0 && addr_equal(s->remote, c->remote) &&
			addr_equal(s->local, c->local))
			return s;
	}
	return NULL;
}

/* A child comes with a session of its own, in case it is the first of its peer. */
void child_up(struct child *c)
{
	struct ike *k = c->flow->k;
	struct session *s = session_find(c);

	if (s != NULL) {
		mem_free(c->session);
		c->session = s;
		s->children++;
		s->remote_port = c->remote_port;
		return;
	}
	s = c->session;
	snprintf(s->interface, sizeof(s->interface), "%s", c->flow->id.interface);
	s->local = c->local;
	s->remote = c->remote;
	s->remote_port = c->remote_port;
	s->since_us = c->created_us;
	s->children = 1;
	link_add(&k->sessions, &s->link);
	link_add(&k->session_peers[bucket_of_peer(k, s->remote)], &s->by_peer);
	say_session(k, s, true);
}

static void session_leave(struct ike *k, struct session *s)
{
	if (s->children > 0 && --s->children > 0)
		return;
	if (s->link.next != NULL && !k->closing)
		say_session(k, s, false);
	link_del(&s->link);
	link_del(&s->by_peer);
	mem_free(s);
}

/* ESP before the AH around it, so that none of a bundle ever goes without the other. */
static void sas_leave(struct child *c, bool take_back)
{
	struct ike *k = c->flow->k;

	for (int inbound = 1; inbound >= 0; inbound--)
		for (enum part p = PART_ESP; p < PARTS; p++) {
			struct child_sa *s = &c->sas[p][inbound];

			if (take_back && s->there)
				k->host.sa_del(k->host.ctx, &s->key);
			link_del(&s->by_spi);
		}
}

void child_free(struct child *c, bool take_back)
{
	struct flow *f = c->flow;
	struct ike *k = f->k;

	sas_leave(c, take_back);
	timer_stop(&k->timers, &c->life);
	timer_stop(&k->timers, &c->rekey);
	timer_release(&k->timers, CHILD_TIMERS);
	link_del(&c->of_flow);
	link_del(&c->by_peer);
	link_del(&c->all);
	session_leave(k, c->session);
	mem_free(c);
	flow_maybe_free(f);
}

void child_tell(struct child *c)
{
	for (enum part p = PART_ESP; p < PARTS; p++)
		if (c->sas[p][true].there)
			info_delete_spi(c->flow->k, c->local, c->remote, part_protocol(p), c->sas[p][true].key.spi);
}

void child_delete(struct child *c, const char *why)
{
	trace(c->flow->k, c->ike_conn_id, "deleting IPsec SAs 0x%08X/0x%08X: %s", child_main(c, true)->key.spi,
		child_main(c, false)->key.spi, why);
	child_tell(c);
	child_free(c, true);
}

bool child_with_peer(struct ike *k, struct addr local, struct addr remote)
{
	EACH_OF(k, l, &k->child_peers[bucket_of_peer(k, remote)])
	{
		struct child *c = OWNER(l, struct child, by_peer);

		if (addr_equal(c->remote, remote) && addr_equal(c->local, local))
			return true;
	}
	return false;
}

/* Several clients may have one address, behind a NAT: what tells them apart is the address that each was given. */
static bool of_sa(const struct child *c, const struct ike_sa *sa)
{
	const struct client_state *client = &sa->st.client;

	if (!addr_equal(c->remote, sa->st.path.remote) || !addr_equal(c->local, sa->st.path.local))
		return false;
	if (client->stage == CLIENT_OFF)
		return true;
	if (client->address == 0)
		return !pool_has(sa->k, addr_to_v4(c->sel.remote.from), addr_to_v4(c->sel.remote.to));
	return addr_to_v4(c->sel.remote.from) == client->address && addr_equal(c->sel.remote.from, c->sel.remote.to);
}

void children_of_sa_delete(struct ike_sa *sa, uint64_t older_than_us)
{
	EACH_OF(sa->k, l, &sa->k->child_peers[bucket_of_peer(sa->k, sa->st.path.remote)])
	{
		struct child *c = OWNER(l, struct child, by_peer);

		if (of_sa(c, sa) && c->created_us < older_than_us)
			child_free(c, true);
	}
}

/* Does the SA belong to this pair? Each names its twin of the other direction and, of a bundle, the other protocol's of its own. */
static bool adopt_fits(const struct child *c, const struct dpm_sa_info *i)
{
	enum part part = i->key.protocol == IPPROTO_AH ? PART_AH : PART_ESP, other = part == PART_AH ? PART_ESP : PART_AH;
	bool in = i->key.inbound;

	if (!addr_equal(c->remote, i->remote) || !policy_id_equal(&c->flow->id, &i->policy) || c->sas[part][in].there)
		return false;
	return (c->sas[part][in].key.protocol != 0 && c->sas[part][in].key.spi == i->key.spi) ||
	       (c->sas[part][!in].there && c->sas[part][!in].key.spi == i->peer_spi) ||
	       (i->bundle_spi != 0 && c->sas[other][in].key.protocol != 0 && c->sas[other][in].key.spi == i->bundle_spi);
}

static struct child *adopt_pair(struct ike *k, const struct dpm_sa_info *i)
{
	EACH_OF(k, l, &k->child_peers[bucket_of_peer(k, i->remote)])
	if (adopt_fits(OWNER(l, struct child, by_peer), i))
		return OWNER(l, struct child, by_peer);
	return NULL;
}

/* Only by its SPI, until it comes itself. */
static void adopt_expect(struct child *c, enum part part, bool inbound, uint32_t spi)
{
	struct child_sa *s = &c->sas[part][inbound];

	if (spi == 0 || s->key.protocol != 0)
		return;
	s->key = (struct dp_sa_key){
		.spi = spi, .protocol = part_ip(part), .inbound = inbound, .dst = inbound ? c->local : c->remote
	};
}

static void adopt_facts(struct child *c, const struct dpm_sa_info *i)
{
	uint64_t now = now_us(c->flow->k), age = i->age_s * SECOND;

	c->local = i->local;
	c->remote = i->remote;
	c->remote_port = i->udp_encap ? i->remote_port : 500;
	c->udp_encap = i->udp_encap;
	c->group = (enum alg_group)i->pfs_group;
	c->ike_conn_id = i->ike_conn_id;
	c->sel = i->sel;
	c->created_us = now > age ? now - age : 0;
	c->end_us = c->created_us + i->lifetime_s * SECOND;
}

static bool adopt_known(struct ike *k, const struct dpm_sa_info *i)
{
	return child_by_spi(k, i->key.protocol, i->key.inbound, i->key.spi, i->remote) != NULL;
}

void child_adopt(struct ike *k, const struct dpm_sa_info *i)
{
	enum part part = i->key.protocol == IPPROTO_AH ? PART_AH : PART_ESP;
	struct child *c = adopt_pair(k, i);
	struct flow *f = c != NULL ? c->flow : flow_get(k, &i->policy, true);
	bool fresh = c == NULL;
	struct child_sa *s;

	if (f == NULL || adopt_known(k, i))
		return;
	if (fresh && (c = child_new(f)) == NULL)
		return;
	if (fresh)
		adopt_facts(c, i);
	s = &c->sas[part][i->key.inbound];
	s->key = i->key;
	s->there = true;
	s->conn_id = i->conn_id;
	adopt_expect(c, part, !i->key.inbound, i->peer_spi);
	adopt_expect(c, part == PART_AH ? PART_ESP : PART_AH, i->key.inbound, i->bundle_spi);
	if (i->conn_id >= k->next_child_id)
		k->next_child_id = i->conn_id + 1;
	child_index(c);
	if (!fresh)
		return;
	child_up(c);
	rekey_child_schedule(c);
}
