/* The messages, a row each: the body's length, the privilege, who answers. */
#include "platform/daemon/serve.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/daemon/dumps.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define VIEW_MONITOR 1u
#define VIEW_CONSOLE 2u

static void done(struct msg_conn *c, struct msg *m, enum err e)
{
	msg_reply(c, m, e, 0, (struct span){ 0 });
}

static void object(struct msg_conn *c, struct msg *m, const void *body, size_t len)
{
	msg_reply(c, m, ERR_OK, MSG_FLAG_MORE, span_of(body, len));
}

static void one_interface(struct serve *s, struct msg_conn *c, struct msg *m, const struct cfg_interface *i,
	const struct box_link *l, const struct box *b)
{
	struct platm_interface row;
	uint64_t now = s->env->now_us(s->env->ctx);

	if (l != NULL && counters_sample(s->counters, l, now) != ERR_OK)
		l = NULL;
	dump_interface(&row, i, l, b, l != NULL ? counters_find(s->counters, l->ifname) : NULL, now);
	snprintf(row.fault, sizeof(row.fault), "%s", s->fault(s->ctx, row.ifname));
	object(c, m, &row, sizeof(row));
}

/* Those of the configuration in its order, then devices that are ours by name and that nobody configured. */
static void dump_interfaces(struct serve *s, struct msg_conn *c, struct msg *m)
{
	const struct cfg *cfg = s->config(s->ctx);
	struct box b = { 0 };
	enum err e = s->box(s->ctx, &b);

	for (size_t i = 0; e == ERR_OK && cfg != NULL && i < cfg->ninterfaces; i++)
		one_interface(s, c, m, &cfg->interfaces[i], box_link(&b, cfg->interfaces[i].ifname), &b);
	for (size_t i = 0; e == ERR_OK && i < b.nlinks; i++)
		if (box_name_is_ours(b.links[i].ifname) && (cfg == NULL || cfg_interface_by_ifname(cfg, b.links[i].ifname) == NULL))
			one_interface(s, c, m, NULL, &b.links[i], &b);
	box_free(&b);
	done(c, m, e);
}

static void dump_route_table(struct serve *s, struct msg_conn *c, struct msg *m)
{
	struct platm_route *rows = NULL;
	struct box b = { 0 };
	enum err e = s->box(s->ctx, &b);
	size_t n = e == ERR_OK ? dump_routes(&rows, &b, s->rib(s->ctx)) : 0;

	if (n == SIZE_MAX)
		e = ERR_NOMEM;
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		object(c, m, &rows[i], sizeof(rows[i]));
	mem_free(rows);
	box_free(&b);
	done(c, m, e);
}

struct neighbour_to {
	struct msg_conn *c;
	struct msg *m;
};

static void one_neighbour(void *to, const struct kernel_neighbour *n)
{
	struct neighbour_to *t = to;
	struct platm_neighbour row;

	if (!box_name_is_ours(n->ifname))
		return;
	memset(&row, 0, sizeof(row));
	row.ip = addr_v4(n->ip);
	memcpy(row.mac, n->mac, sizeof(row.mac));
	box_ios_name(row.interface, n->ifname);
	row.age_min = (int32_t)(n->age_s / 60);
	object(t->c, t->m, &row, sizeof(row));
}

static void dump_neighbours(struct serve *s, struct msg_conn *c, struct msg *m)
{
	struct neighbour_to to = { c, m };
	struct box b = { 0 };
	enum err e = s->box(s->ctx, &b);

	for (size_t i = 0; e == ERR_OK && i < b.naddrs; i++) {
		const struct box_link *l = box_link(&b, b.addrs[i].ifname);
		struct platm_neighbour row;

		if (l == NULL || !l->up || box_name_is_loopback(l->ifname) || !box_name_is_ours(l->ifname))
			continue;
		memset(&row, 0, sizeof(row));
		row.ip = addr_v4(b.addrs[i].addr);
		row.age_min = -1;
		memcpy(row.mac, l->mac, sizeof(row.mac));
		box_ios_name(row.interface, l->ifname);
		object(c, m, &row, sizeof(row));
	}
	box_free(&b);
	if (e == ERR_OK)
		e = s->neighbours(s->ctx, one_neighbour, &to);
	done(c, m, e);
}

static void dump_log(struct serve *s, struct msg_conn *c, struct msg *m)
{
	struct platm_log row;

	memset(&row, 0, sizeof(row));
	for (const struct logring_entry *e = logd_ring(s->log)->first; e != NULL; e = e->next) {
		row.number = e->number;
		row.severity = e->severity;
		snprintf(row.text, sizeof(row.text), "%s", e->text);
		object(c, m, &row, offsetof(struct platm_log, text) + strlen(row.text) + 1);
	}
	done(c, m, ERR_OK);
}

static void log_info(struct serve *s, struct msg_conn *c, struct msg *m)
{
	struct platm_log_info info;

	logd_info(s->log, &info);
	msg_reply(c, m, ERR_OK, 0, span_of(&info, sizeof(info)));
}

static void log_clear(struct serve *s, struct msg_conn *c, struct msg *m)
{
	logd_clear(s->log);
	done(c, m, ERR_OK);
}

static void log_monitor(struct serve *s, struct msg_conn *c, struct msg *m)
{
	uintptr_t view = m->body.data[1] != 0 ? VIEW_CONSOLE : VIEW_MONITOR;

	(void)s;
	msg_set_user(c, (void *)(m->body.data[0] != 0 ? view : 0));
	done(c, m, ERR_OK);
}

static void version(struct serve *s, struct msg_conn *c, struct msg *m)
{
	const struct cfg *cfg = s->config(s->ctx);
	struct platm_version v;

	system_version(&v, s->start);
	for (size_t i = 0; cfg != NULL && i < cfg->ninterfaces; i++)
		v.gigabit += !cfg->interfaces[i].loopback;
	msg_reply(c, m, ERR_OK, 0, span_of(&v, sizeof(v)));
}

static void reload(struct serve *s, struct msg_conn *c, struct msg *m)
{
	done(c, m, s->reload(s->ctx, msg_peer_pid(c)));
}

struct door {
	uint32_t type;
	size_t body;       /* bytes, exactly */
	uint8_t privilege; /* 0: everybody's */
	void (*answer)(struct serve *s, struct msg_conn *c, struct msg *m);
};

static const struct door doors[] = {
	{ PLATM_INTERFACE_DUMP, 0, 0, dump_interfaces },
	{ PLATM_ROUTE_DUMP, 0, 0, dump_route_table },
	{ PLATM_LOG_DUMP, 0, 0, dump_log },
	{ PLATM_LOG_INFO, 0, 0, log_info },
	{ PLATM_LOG_CLEAR, 0, 15, log_clear },
	{ PLATM_LOG_MONITOR, 2, 0, log_monitor },
	{ PLATM_VERSION, 0, 0, version },
	{ PLATM_RELOAD, 0, 15, reload },
	{ PLATM_NEIGHBOUR_DUMP, 0, 0, dump_neighbours },
};

static void refresh_and_answer(struct serve *s, const struct door *d, struct msg_conn *c, struct msg *m)
{
	/* `shutdown`, and then `show ip interface brief`: the answer must not be older than the question. */
	s->refresh(s->ctx);
	d->answer(s, c, m);
}

void serve_message(struct serve *s, struct msg_conn *c, struct msg *m)
{
	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		const struct door *d = &doors[i];

		if (d->type != m->head.type)
			continue;
		if (m->body.len != d->body)
			done(c, m, ERR_INVALID);
		else if (d->privilege > 0 && s->may(s->ctx, msg_peer_pid(c), d->privilege) != ERR_OK)
			done(c, m, ERR_DENIED);
		else
			refresh_and_answer(s, d, c, m);
		return;
	}
	done(c, m, ERR_UNSUPPORTED);
}

void serve_line(struct serve *s, struct msg_conn *c, const struct platm_log *line, size_t len, bool console, bool monitor)
{
	uintptr_t view = (uintptr_t)msg_user(c);

	if (!(view == VIEW_CONSOLE && console) && !(view == VIEW_MONITOR && monitor))
		return;
	logd_count(s->log, view == VIEW_CONSOLE, msg_send(c, PLATM_LOG_LINE, 0, ERR_OK, 0, span_of(line, len)) != ERR_OK);
}
