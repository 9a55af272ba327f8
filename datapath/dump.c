/* The console's questions: dumps, counters, debugging. */
#include "datapath/daemon.h"

#include "platform/base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct dump {
	struct msg_conn *c;
	struct msg *m;
	enum err e;
};

static bool object(struct dump *u, const void *body, size_t size)
{
	u->e = msg_answer(u->c, u->m, ERR_OK, MSG_FLAG_MORE, span_of(body, size));
	return u->e == ERR_OK;
}

static bool each_sa(void *ctx, const struct dpm_sa_info *i)
{
	return object(ctx, i, sizeof(*i));
}

static bool each_policy(void *ctx, const struct dpm_policy_info *i)
{
	return object(ctx, i, sizeof(*i));
}

/* A filter is optional: without one, everything. */
static enum err filter_take(struct dpm_dump_filter *f, const struct msg *m)
{
	memset(f, 0, sizeof(*f));
	if (m->body.len != 0 && m->body.len != sizeof(*f))
		return ERR_INVALID;
	if (m->body.len)
		memcpy(f, m->body.data, sizeof(*f));
	f->interface[CFG_NAME - 1] = '\0';
	return ERR_OK;
}

static enum err sa_dump(struct daemon *d, struct dump *u)
{
	struct dpm_dump_filter f;
	enum err e = filter_take(&f, u->m);

	return e != ERR_OK ? e : d->ops->sa_dump(d->backend, &f, each_sa, u);
}

static enum err policy_dump(struct daemon *d, struct dump *u)
{
	struct dpm_dump_filter f;
	enum err e = filter_take(&f, u->m);

	return e != ERR_OK ? e : d->ops->policy_dump(d->backend, &f, each_policy, u);
}

struct engine_lines {
	struct dump *u;
	const struct plan *plan;
};

/* The engine tells what it protected; lines that deny are counted in the filter, which sees all of them. */
static bool each_line(void *ctx, const struct backend_line_count *l)
{
	struct engine_lines *x = ctx;
	struct dpm_acl_count c = { .ace_seq = l->ace_seq, .matches = l->matches };

	for (size_t i = 0; i < x->plan->view.nentries; i++) {
		const struct backend_policy *p = &x->plan->entries[i];

		if (p->ace.permit && p->ace.seq == l->ace_seq && strcmp(p->acl, l->acl) == 0) {
			memcpy(c.acl, l->acl, CFG_NAME);
			return !l->matches || object(x->u, &c, sizeof(c));
		}
	}
	return true;
}

static enum err acl_dump(struct daemon *d, struct dump *u)
{
	struct engine_lines x = { u, &d->plan };
	const struct counts *counts = d->filter ? filter_live_counts(d->filter) : NULL;

	for (size_t i = 0; counts && i < counts->n; i++) {
		struct dpm_acl_count c = { .ace_seq = counts->lines[i].seq, .matches = counts_line(&counts->lines[i]) };

		memcpy(c.acl, counts->lines[i].acl, CFG_NAME);
		if (c.matches && !object(u, &c, sizeof(c)))
			return u->e;
	}
	return d->ops->line_dump(d->backend, each_line, &x);
}

static enum err drop_dump(struct daemon *d, struct dump *u)
{
	uint64_t drops[DP_DROP_COUNT] = { 0 };

	d->ops->drops(d->backend, drops);
	if (d->filter)
		drops[DP_DROP_NOT_IPSEC] += counts_clear_text(filter_live_counts(d->filter));
	for (int i = 0; i < DP_DROP_COUNT; i++) {
		struct dpm_drop one = { .reason = (uint8_t)i, .packets = drops[i] };

		if (!object(u, &one, sizeof(one)))
			break;
	}
	return ERR_OK;
}

/* Root alone is not enough: the session's privilege counts. */
bool dump_privileged(struct daemon *d, const struct msg_conn *c)
{
	return msg_peer_uid(c) == geteuid() || cfg_follow_check_session(d->follow, msg_peer_pid(c), 15) == ERR_OK;
}

static enum err clear(struct daemon *d, const struct dump *u)
{
	struct dpm_clear c;

	if (u->m->body.len != sizeof(c))
		return ERR_INVALID;
	if (!dump_privileged(d, u->c))
		return ERR_DENIED;
	memcpy(&c, u->m->body.data, sizeof(c));
	c.acl[CFG_NAME - 1] = '\0';
	if (c.acl[0]) {
		if (d->filter)
			filter_live_zero(d->filter, c.acl);
		d->ops->clear_line_counts(d->backend, c.acl);
		return ERR_OK;
	}
	if (d->filter && !addr_is_set(c.peer))
		filter_live_zero_clear_text(d->filter);
	d->ops->clear_counters(d->backend, c.peer);
	return ERR_OK;
}

static enum err debug(struct daemon *d, const struct dump *u, struct dpm_debug *now)
{
	struct dpm_debug b;

	if (u->m->body.len != sizeof(b))
		return ERR_INVALID;
	memcpy(&b, u->m->body.data, sizeof(b));
	/* To ask what is being debugged changes nothing. */
	if (b.ipsec && !dump_privileged(d, u->c))
		return ERR_DENIED;
	if (b.ipsec)
		d->debug_ipsec = b.on != 0;
	*now = (struct dpm_debug){ .ipsec = 1, .on = d->debug_ipsec };
	return ERR_OK;
}

static void engine_info(struct daemon *d, struct dpm_engine_info *info)
{
	size_t n;

	d->ops->info(d->backend, info);
	n = strnlen(info->detail, sizeof(info->detail) - 1);
	if (d->kernel)
		snprintf(info->detail + n, sizeof(info->detail) - n, "%sthe kernel %s", n ? "; " : "", d->kernel);
}

bool dump_message(struct daemon *d, struct msg_conn *c, struct msg *m)
{
	struct dump u = { .c = c, .m = m, .e = ERR_OK };
	struct dpm_engine_info info = { 0 };
	struct dpm_debug now = { 0 };
	struct span body = { 0 };
	enum err e = ERR_OK;

	if (m->head.type >= DPM_SA_DUMP)
		daemon_catch_up(d);
	if (captures_message(d, c, m) || keys_message(d, c, m))
		return true;
	switch (m->head.type) {
	case DPM_SA_DUMP:
		e = sa_dump(d, &u);
		break;
	case DPM_POLICY_DUMP:
		e = policy_dump(d, &u);
		break;
	case DPM_ACL_DUMP:
		e = acl_dump(d, &u);
		break;
	case DPM_DROP_DUMP:
		e = drop_dump(d, &u);
		break;
	case DPM_ENGINE_INFO:
		engine_info(d, &info);
		body = span_of(&info, sizeof(info));
		break;
	case DPM_CLEAR_COUNTERS:
		e = clear(d, &u);
		break;
	case DPM_DYNAMIC_DUMP:
		for (size_t i = 0; i < d->dynamics.n && object(&u, &d->dynamics.list[i], sizeof(*d->dynamics.list)); i++)
			;
		break;
	case DPM_DEBUG:
		e = debug(d, &u, &now);
		if (e == ERR_OK)
			body = span_of(&now, sizeof(now));
		break;
	default:
		return false;
	}
	msg_reply(c, m, u.e != ERR_OK ? u.e : e, 0, body);
	return true;
}
