/* The pairs of IPsec SAs: who has which SPI, sessions, taking them down. Times and renewal are rekey.c's. */
#include "ikemgr/core.h"

#include "platform/base/mem.h"

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
	child_timers_init(c);
	link_add(&f->children, &c->of_flow);
	link_add(&k->children, &c->all);
	return c;
}

void child_index(struct child *c)
{
	struct ike *k = c->flow->k;

	link_del(&c->by_in);
	link_del(&c->by_out);
	if (c->has_in)
		link_add(&k->ins[spi_bucket(c->in.spi)], &c->by_in);
	if (c->has_out)
		link_add(&k->outs[spi_bucket(c->out.spi)], &c->by_out);
}

struct child *child_by_in(struct ike *k, uint32_t spi)
{
	EACH(l, &k->ins[spi_bucket(spi)])
	if (OWNER(l, struct child, by_in)->in.spi == spi)
		return OWNER(l, struct child, by_in);
	return NULL;
}

struct child *child_by_out(struct ike *k, uint32_t spi, struct addr remote)
{
	EACH(l, &k->outs[spi_bucket(spi)])
	{
		struct child *c = OWNER(l, struct child, by_out);

		if (c->out.spi == spi && addr_equal(c->remote, remote))
			return c;
	}
	return NULL;
}

static struct session *session_find(const struct child *c)
{
	EACH(l, &c->flow->k->sessions)
	{
		struct session *s = OWNER(l, struct session, link);

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
	say_session(k, s, true);
}

static void session_leave(struct ike *k, struct session *s)
{
	if (s->children > 0 && --s->children > 0)
		return;
	if (s->link.next != NULL && !k->closing)
		say_session(k, s, false);
	link_del(&s->link);
	mem_free(s);
}

void child_free(struct child *c, bool take_back)
{
	struct flow *f = c->flow;
	struct ike *k = f->k;

	if (take_back && c->has_in)
		k->host.sa_del(k->host.ctx, &c->in);
	if (take_back && c->has_out)
		k->host.sa_del(k->host.ctx, &c->out);
	timer_stop(&k->timers, &c->life);
	timer_stop(&k->timers, &c->rekey);
	timer_release(&k->timers, CHILD_TIMERS);
	link_del(&c->of_flow);
	link_del(&c->all);
	link_del(&c->by_in);
	link_del(&c->by_out);
	session_leave(k, c->session);
	mem_free(c);
	flow_maybe_free(f);
}

void child_delete(struct child *c, const char *why)
{
	struct ike *k = c->flow->k;

	trace(k, c->ike_conn_id, "deleting IPsec SAs 0x%08X/0x%08X: %s", c->in.spi, c->out.spi, why);
	if (c->has_in)
		info_delete_spi(k, c->local, c->remote, c->in.spi);
	child_free(c, true);
}

bool child_with_peer(struct ike *k, struct addr local, struct addr remote)
{
	EACH(l, &k->children)
	{
		struct child *c = OWNER(l, struct child, all);

		if (addr_equal(c->remote, remote) && addr_equal(c->local, local))
			return true;
	}
	return false;
}

void children_with_peer_delete(struct ike *k, struct addr local, struct addr remote, bool tell, uint64_t older_than_us)
{
	/* child_free may free its flow, never another child. */
	EACH(l, &k->children)
	{
		struct child *c = OWNER(l, struct child, all);

		if (!addr_equal(c->remote, remote) || !addr_equal(c->local, local) || c->created_us >= older_than_us)
			continue;
		if (tell)
			child_delete(c, "peer is gone");
		else
			child_free(c, true);
	}
}

/* The other half of a pair that datapathd kept. */
static struct child *adopt_half(struct ike *k, const struct dpm_sa_info *i)
{
	EACH(l, &k->children)
	{
		struct child *c = OWNER(l, struct child, all);

		if (!addr_equal(c->remote, i->remote) || !policy_id_equal(&c->flow->id, &i->policy))
			continue;
		if (i->key.inbound ? !c->has_in && c->out.spi == i->peer_spi && c->in.spi == i->key.spi
				   : !c->has_out && c->in.spi == i->peer_spi && c->out.spi == i->key.spi)
			return c;
	}
	return NULL;
}

void child_adopt(struct ike *k, const struct dpm_sa_info *i)
{
	struct child *c = adopt_half(k, i);
	struct flow *f = c != NULL ? c->flow : flow_get(k, &i->policy, true);
	uint64_t now = now_us(k), age = i->age_s * SECOND;
	bool fresh = c == NULL;

	if (f == NULL)
		return;
	if (fresh && (c = child_new(f)) == NULL)
		return;
	if (i->key.inbound) {
		c->in = i->key;
		c->has_in = true;
		c->conn_in = i->conn_id;
		c->out.spi = i->peer_spi;
	} else {
		c->out = i->key;
		c->has_out = true;
		c->conn_out = i->conn_id;
		c->in.spi = i->peer_spi;
	}
	if (i->conn_id >= k->next_child_id)
		k->next_child_id = i->conn_id + 1;
	child_index(c);
	if (!fresh)
		return;
	c->local = i->local;
	c->remote = i->remote;
	c->remote_port = i->udp_encap ? i->remote_port : 500;
	c->udp_encap = i->udp_encap;
	c->group = (enum alg_group)i->pfs_group;
	c->ike_conn_id = i->ike_conn_id;
	c->sel = i->sel;
	c->created_us = now > age ? now - age : 0;
	c->end_us = c->created_us + i->lifetime_s * SECOND;
	child_up(c);
	rekey_child_schedule(c);
}
