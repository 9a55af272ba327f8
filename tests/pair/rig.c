/* The event loop of the rig: one ordered list of what will happen; and the wire. */
#include "rig_host.h"

#include "configdb/secrets.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *rig_must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

uint64_t rig_random(struct rig *r)
{
	r->random += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = r->random;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

struct event *rig_event_add(struct rig *r, uint64_t in_us, int node, int kind)
{
	struct event *e = rig_must(calloc(1, sizeof(*e))), **at = &r->events;

	e->at = r->now + in_us;
	e->order = r->order++;
	e->node = node;
	e->kind = kind;
	while (*at != NULL && (*at)->at <= e->at)
		at = &(*at)->next;
	e->next = *at;
	*at = e;
	return e;
}

static int node_of(struct rig *r, struct addr a)
{
	if (addr_is_set(r->nat) && addr_equal(a, r->nat))
		return 0;
	for (int i = 0; i < r->nodes; i++)
		if (addr_equal(r->n[i].address, a))
			return i;
	return -1;
}

static void packet_queue(struct rig *r, int to, const struct packet *p)
{
	uint64_t late = r->jitter_us == 0 ? 0 : rig_random(r) % r->jitter_us;
	struct event *e = rig_event_add(r, r->delay_us + late, to, EVENT_PACKET);

	e->p = *p;
	e->p.bytes = rig_must(malloc(p->len + 1));
	memcpy(e->p.bytes, p->bytes, p->len);
}

static void packet_keep(struct rig *r, const struct packet *p)
{
	struct packet *k;

	r->kept = rig_must(realloc(r->kept, (r->nkept + 1) * sizeof(*r->kept)));
	k = &r->kept[r->nkept++];
	*k = *p;
	k->bytes = rig_must(malloc(p->len + 1));
	memcpy(k->bytes, p->bytes, p->len);
}

void rig_send(void *ctx, const struct ike_path *path, struct span s)
{
	struct node *n = ctx;
	struct rig *r = n->rig;
	struct packet p = { .path = *path, .len = s.len, .from = n->id };
	int to = node_of(r, path->remote);

	p.bytes = rig_must(malloc(s.len + 1));
	memcpy(p.bytes, s.data, s.len);
	n->sent++;
	n->keepalives += s.len == 1;
	n->bytes_out += s.len;
	if (r->keep)
		packet_keep(r, &p);
	if ((r->edit == NULL || r->edit(r, &p)) && to >= 0 && !r->n[to].deaf && rig_random(r) % 100 >= r->loss) {
		packet_queue(r, to, &p);
		if (rig_random(r) % 100 < r->duplicate)
			packet_queue(r, to, &p);
	}
	free(p.bytes);
}

static void log_sink(void *ctx, enum log_severity severity, const char *line)
{
	struct rig *r = ctx;

	(void)severity;
	if (getenv("RIG_LOG") != NULL)
		fprintf(stderr, "%10.6f %s\n", (double)r->now / 1e6, line);
	if (r->nlog + strlen(line) + 2 < sizeof(r->log))
		r->nlog += (size_t)sprintf(r->log + r->nlog, "%s\n", line);
}

struct rig *rig_new(uint64_t seed, int nodes)
{
	static const char *const addresses[NODES] = { "203.0.113.1", "198.51.100.2", "198.51.100.3" };
	struct rig *r = rig_must(calloc(1, sizeof(*r)));

	alg_init();
	r->random = seed;
	r->nodes = nodes;
	r->now = SECONDS(100);
	r->delay_us = 5000;
	log_capture(log_sink, r);
	for (int i = 0; i < nodes; i++) {
		struct node *n = &r->n[i];

		n->rig = r;
		n->id = i;
		if (addr_parse(&n->address, addresses[i]) != ERR_OK)
			abort();
		rig_core_new(n);
	}
	rig_cfg(&r->n[0], addresses[0], addresses[1], "192.168.1.0", "192.168.2.0");
	for (int i = 1; i < nodes; i++)
		rig_cfg(&r->n[i], addresses[i], addresses[0], "192.168.2.0", "192.168.1.0");
	for (int i = 0; i < nodes; i++)
		rig_config(&r->n[i]);
	return r;
}

void rig_restart(struct node *n)
{
	ike_free(n->k);
	rig_core_new(n);
	ike_config(n->k, n->cfg, CFG_ALL);
}

static void cfg_drop(struct cfg *c)
{
	for (size_t i = 0; i < c->nacls; i++)
		free(c->acls[i].entries);
	for (size_t i = 0; i < c->ntrustpoints; i++) {
		for (size_t k = 0; k < c->trustpoints[i].ncerts; k++)
			free(c->trustpoints[i].certs[k].der);
		free(c->trustpoints[i].certs);
	}
	free(c->trustpoints);
	free(c->cert_maps);
	free(c->acls);
	free(c->interfaces);
	free(c->policies);
	free(c->keys);
	free(c->keyrings);
	free(c->profiles);
	free(c->isakmp_peers);
	free(c->sets);
	free(c->maps);
	free(c->dynamics);
	free(c->map_settings);
	free(c->logins);
	free(c->networks);
	free(c->pools);
	free(c->groups);
	free(c);
}

void rig_free(struct rig *r)
{
	struct event *e;

	for (int i = 0; i < r->nodes; i++) {
		ike_free(r->n[i].k);
		for (size_t d = 0; d < 64; d++)
			dh_free(r->n[i].dh[d].dh);
		cfg_drop(r->n[i].cfg);
		secrets_close(r->n[i].secrets);
	}
	while ((e = r->events) != NULL) {
		r->events = e->next;
		free(e->p.bytes);
		free(e);
	}
	for (size_t i = 0; i < r->nkept; i++)
		free(r->kept[i].bytes);
	free(r->kept);
	log_capture(NULL, NULL);
	free(r);
}

static void packet_arrive(struct rig *r, struct node *n, struct packet *p)
{
	struct ike_path path = { .local = n->address,
		.remote = r->n[p->from].address,
		.local_port = p->path.remote_port,
		.remote_port = p->path.local_port };

	/* Behind the NAT: A's packets come from elsewhere. */
	if (addr_is_set(r->nat) && p->from == 0) {
		path.remote = r->nat;
		path.remote_port = (uint16_t)(p->path.local_port + 10000);
	}
	if (addr_is_set(r->nat) && n->id == 0)
		path.local_port = (uint16_t)(p->path.remote_port - 10000);
	n->bytes_in += p->len;
	ike_receive(n->k, &path, span_of(p->bytes, p->len));
}

static uint64_t idle_s(const struct node *n, uint64_t last_us)
{
	return last_us == 0 ? UINT64_MAX : (n->rig->now - last_us) / SECOND;
}

static void event_run(struct rig *r, struct event *e)
{
	struct node *n = &r->n[e->node];
	struct span s = span_of(e->p.bytes, e->p.len);

	switch (e->kind) {
	case EVENT_PACKET:
		packet_arrive(r, n, &e->p);
		break;
	case EVENT_GENERATED:
		ike_done_generate(n->k, e->serial, e->e, s);
		break;
	case EVENT_DERIVED:
		ike_done_derive(n->k, e->serial, e->e, s);
		break;
	case EVENT_SKEYID:
		ike_done_skeyid(n->k, e->serial, e->e, s);
		break;
	case EVENT_SIGNED:
		ike_done_sign(n->k, e->serial, e->e, s);
		break;
	case EVENT_FETCHED:
		ike_done_fetch(n->k, e->serial, e->e, s);
		break;
	case EVENT_SESSION:
		ike_done_session_keys(n->k, e->serial, e->e, (const struct ike_session_keys *)s.data);
		break;
	case EVENT_SPI:
		ike_done_spi(n->k, e->serial, e->e, e->spi);
		break;
	case EVENT_PUT:
		ike_done_sa_put(n->k, e->serial, e->e);
		break;
	case EVENT_ACTIVITY:
		ike_done_activity(n->k, e->serial, idle_s(n, n->last_in_us), idle_s(n, n->last_out_us));
		break;
	case EVENT_USER:
		ike_done_user(n->k, e->serial, e->e);
		break;
	case EVENT_CALL:
		e->call(r);
		break;
	}
}

/* The next thing that happens, or false if that is after `end`. */
static bool rig_step(struct rig *r, uint64_t end)
{
	uint64_t at = r->events != NULL ? r->events->at : TIMER_NEVER;
	struct event *e = r->events;
	struct node *late = NULL;

	for (int i = 0; i < r->nodes; i++) {
		r->n[i].wake = ike_tick(r->n[i].k);
		if (r->n[i].wake < at && (late == NULL || r->n[i].wake < late->wake))
			late = &r->n[i];
	}
	/* A tick may have queued something earlier. */
	if (e != r->events)
		return true;
	if (late != NULL)
		at = late->wake;
	if (at > end) {
		r->now = end;
		return false;
	}
	if (at > r->now)
		r->now = at;
	if (late != NULL)
		return true;
	r->events = e->next;
	event_run(r, e);
	free(e->p.bytes);
	free(e);
	if (r->each_event != NULL)
		r->each_event(r);
	return true;
}

void rig_run(struct rig *r, uint64_t for_us)
{
	uint64_t end = r->now + for_us;

	while (rig_step(r, end))
		;
}

bool rig_until(struct rig *r, bool (*done)(struct rig *r), uint64_t at_most_us)
{
	uint64_t end = r->now + at_most_us;

	while (!done(r))
		if (!rig_step(r, end))
			return done(r);
	return true;
}

void rig_later(struct rig *r, uint64_t in_us, void (*call)(struct rig *r))
{
	rig_event_add(r, in_us, 0, EVENT_CALL)->call = call;
}

void rig_inject(struct rig *r, int from, int to, const void *bytes, size_t len, uint16_t port)
{
	struct packet p = { .path = { .local_port = port, .remote_port = port }, .from = from, .len = len };

	p.bytes = rig_must(malloc(len + 1));
	memcpy(p.bytes, bytes, len);
	packet_arrive(r, &r->n[to], &p);
	free(p.bytes);
}
