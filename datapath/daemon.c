/* datapathd's control side: what happens when the configuration or the devices change. */
#include "datapath/daemon.h"

#include "datapath/dynamic_keep.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_US  2000000
#define ROUTES_US 20000
#define APART_US  100000 /* between two changes of the filter: a list is typed or copied line by line */

/* Says once per change which lines can never be negotiated: their traffic is dropped. */
static void complain(const struct plan *plan, const struct plan *before)
{
	for (size_t i = 0; i < plan->view.nentries; i++) {
		const struct backend_policy *p = &plan->entries[i];
		const struct backend_policy *was = plan_find(before, &p->id);
		struct dp_selectors sel;
		const char *why;

		if (!p->ace.permit || plan->negotiable[i] || plan_find(plan, &p->id) != p ||
			(was && strcmp(was->ace.text, p->ace.text) == 0))
			continue;
		if (plan_selectors(&p->ace, &sel, &why) != ERR_OK)
			log_msg("CRYPTO", LOG_SEV_WARNING, "ACL_NOT_NEGOTIABLE",
				"access-list %s line %u (%s) of crypto map %s %u cannot be negotiated: %s; its traffic is dropped",
				p->acl, p->ace.seq, p->ace.text, p->id.map, p->id.map_seq, why);
	}
}

struct reap {
	struct daemon *d;
	struct dpm_sa_info *gone;
	size_t n, room;
};

static bool reap_look(void *ctx, const struct dpm_sa_info *i)
{
	struct reap *r = ctx;

	if (plan_permits(&r->d->plan, &i->policy, &i->sel))
		return true;
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		struct dpm_sa_info *grown = mem_realloc_array(r->gone, room, sizeof(*grown));

		if (!grown)
			return false;
		r->gone = grown;
		r->room = room;
	}
	r->gone[r->n++] = *i;
	return true;
}

/* Ends the SAs that the configuration no longer permits, and tells ikemgrd, which tells the peer. */
static void reap(struct daemon *d)
{
	struct reap r = { .d = d };
	struct dpm_dump_filter all = { 0 };

	if (d->ops->sa_dump(d->backend, &all, reap_look, &r) != ERR_OK)
		daemon_refresh_in(d, RETRY_US);
	for (size_t i = 0; i < r.n; i++) {
		struct dpm_expire e = {
			.key = r.gone[i].key,
			.why = DP_EXPIRE_HARD,
			.bytes = r.gone[i].count.bytes,
			.packets = r.gone[i].count.packets,
		};

		debug_sa_del(d, &e.key);
		if (d->ops->sa_del(d->backend, &e.key) == ERR_OK)
			ike_tell(d, DPM_EXPIRE, span_of(&e, sizeof(e)));
	}
	mem_free(r.gone);
}

/* The backend learns of what is protected before the filter sends it there, and the filter stops sending before the backend
 * forgets: between the two, packets that no policy has are dropped, never sent in clear. */
static bool apply(struct daemon *d)
{
	const struct filter_env env = { .ifindex = links_index, .tap = BACKEND_TAP, .dynamics = &d->dynamics };
	bool filtered;
	struct plan next, before = d->plan;

	d->applied_us = d->env->now_us(d->env->ctx);
	d->behind = false;
	if (dynamics_prune(&d->dynamics, d->cfg) != 0)
		dynamic_keep_save(d->kept_dynamics, &d->dynamics);
	if (plan_derive(&next, d->cfg, &d->dynamics, links_index, d) != ERR_OK) {
		daemon_refresh_in(d, RETRY_US);
		return false;
	}
	complain(&next, &before);
	if (d->ops->policy_replace(d->backend, &next.view) != ERR_OK) {
		log_msg("POSTERN", LOG_SEV_ERROR, "POLICY_REFUSED", "the %s refused the policies; the old ones stay", d->ops->name);
		plan_free(&next);
		daemon_refresh_in(d, RETRY_US);
		return false;
	}
	d->plan = next;
	plan_free(&before);
	filtered = !d->filter || filter_live_apply(d->filter, d->cfg, &env) == ERR_OK;
	if (!filtered)
		daemon_refresh_in(d, RETRY_US);
	wanted_prune(d);
	reap(d);
	captures_links(d);
	daemon_routes_soon(d);
	return filtered;
}

bool daemon_dynamics_changed(struct daemon *d)
{
	dynamic_keep_save(d->kept_dynamics, &d->dynamics);
	return apply(d);
}

void daemon_configure(struct daemon *d, const struct cfg *now, unsigned tables)
{
	bool first = d->cfg == NULL;
	uint64_t since_us;

	d->cfg = now;
	if (!first && !(tables & (CFG_INTERFACES | CFG_ACLS | CFG_IPSEC | CFG_CRYPTO_MAPS)))
		return;
	since_us = d->env->now_us(d->env->ctx) - d->applied_us;
	if (first || since_us >= APART_US) {
		(void)apply(d);
	} else {
		d->behind = true;
		daemon_refresh_in(d, APART_US - since_us);
	}
}

void daemon_catch_up(struct daemon *d)
{
	if (d->follow)
		cfg_follow_catch_up(d->follow);
	if (d->behind)
		(void)apply(d);
}

void daemon_refresh_in(struct daemon *d, uint64_t in_us)
{
	loop_timer_set(d->refresh, in_us);
}

static void on_refresh(void *ctx)
{
	struct daemon *d = ctx;

	if (d->cfg)
		(void)apply(d);
}

struct routing {
	struct daemon *d;
	struct rri_list want;
	enum err e;
};

static bool routing_look(void *ctx, const struct dpm_sa_info *i)
{
	struct routing *r = ctx;

	r->e = rri_sa(&r->want, r->d->cfg, &r->d->dynamics, i);
	return r->e == ERR_OK;
}

static void on_routing(void *ctx)
{
	struct daemon *d = ctx;
	struct routing r = { .d = d };
	struct dpm_dump_filter all = { 0 };

	if (!d->cfg || (d->routed && !rri_configured(d->cfg) && routes_count(d->routes) == 0))
		return;
	r.e = d->ops->sa_dump(d->backend, &all, routing_look, &r) == ERR_OK ? r.e : ERR_SYS;
	if (r.e == ERR_OK)
		r.e = rri_static(&r.want, d->cfg);
	if (r.e == ERR_OK)
		r.e = routes_set(d->routes, &r.want);
	d->routed = r.e == ERR_OK;
	if (r.e != ERR_OK)
		loop_timer_set(d->routing, RETRY_US);
	rri_free(&r.want);
}

void daemon_routes_soon(struct daemon *d)
{
	if (d->routes)
		loop_timer_set(d->routing, ROUTES_US);
}

static void on_way(void *ctx)
{
	struct daemon *d = ctx;

	if (d->cfg && rri_configured(d->cfg))
		daemon_routes_soon(d);
}

/* Only if a device that the configuration names has come, gone or been made anew. */
static void on_links(void *ctx)
{
	struct daemon *d = ctx;

	/* One change comes as several messages; the filter does nothing when its text is the same. */
	daemon_refresh_in(d, 20000);
}

static void on_follow(void *ctx, const struct cfg *now, unsigned tables)
{
	daemon_configure(ctx, now, tables);
}

static const char *name_of(void *ctx, unsigned ifindex)
{
	const struct daemon *d = ctx;

	for (size_t i = 0; d->cfg && i < d->cfg->ninterfaces; i++)
		if ((unsigned)links_index(NULL, d->cfg->interfaces[i].ifname) == ifindex)
			return d->cfg->interfaces[i].name;
	return NULL;
}

/* Fragments of our own IKE leave in clear by this mark, and nothing else does (filter.h). */
static void mark_sockets(struct daemon *d)
{
	const int mark = (int)FILTER_SOCKET_MARK;
	int fds[2] = { -1, -1 };

	if (d->ops->ike_sockets(d->backend, &fds[0], &fds[1]) != ERR_OK)
		return;
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			(void)setsockopt(fds[i], SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

static enum err open_filter(struct daemon *d)
{
	d->filter = filter_live_new();
	if (!d->filter)
		return ERR_NOMEM;
	filter_live_start(d->filter);
	d->links = links_open(d->loop, on_links, d);
	if (!d->links)
		return ERR_SYS;
	d->routing = loop_timer_new(d->loop, on_routing, d);
	d->routes = d->routing ? routes_open(d->loop, on_way, d) : NULL;
	if (!d->routes)
		return ERR_SYS;
	d->report = report_open(d->loop, d->env, name_of, d);
	if (!d->report)
		log_msg("POSTERN", LOG_SEV_WARNING, "NO_PACKET_REPORTS",
			"the kernel gives no log group: access-list lines with log are not reported");
	return ERR_OK;
}

enum err daemon_open(struct daemon *d, const struct daemon_args *args)
{
	char path[108];

	*d = (struct daemon){
		.loop = args->loop,
		.door = -1,
		.kept_dynamics = -1,
		.env = args->env,
		.ops = args->ops,
		.run_dir = args->run_dir,
		.ike_uid = args->ike_uid,
		.no_filter = args->no_filter,
		.kernel = args->kernel,
	};
	d->refresh = loop_timer_new(d->loop, on_refresh, d);
	if (!d->refresh)
		return ERR_NOMEM;
	if (!msg_path(path, d->run_dir, DATAPATHD_SOCKET))
		return ERR_RANGE;
	d->kept_dynamics = dynamic_keep_open(d->run_dir);
	dynamic_keep_load(d->kept_dynamics, &d->dynamics);
	d->door = msg_bind(path, 0666);
	if (d->door < 0) {
		log_msg("POSTERN", LOG_SEV_ERROR, "SOCKET", "%s: %m", path);
		return ERR_SYS;
	}
	return ERR_OK;
}

enum err daemon_start(struct daemon *d)
{
	const struct backend_args b = { .loop = d->loop, .env = d->env, .event = daemon_event, .ctx = d };
	enum err e = ERR_OK;

	if (!d->no_filter && (e = open_filter(d)) != ERR_OK)
		return e;
	e = d->ops->open(&d->backend, &b);
	if (e != ERR_OK) {
		log_msg("POSTERN", LOG_SEV_ERROR, "BACKEND", "the %s backend cannot start: %s", d->ops->name, err_text(e));
		return e;
	}
	mark_sockets(d);
	/* Who can connect knows that the filter stands: platformd forwards packets from then on. */
	d->server = msg_serve(d->loop, d->door, &daemon_handlers, d);
	if (!d->server)
		return ERR_SYS;
	d->door = -1;
	d->follow = cfg_follow_new(d->loop, d->run_dir, on_follow, d);
	return d->follow ? ERR_OK : ERR_NOMEM;
}

void daemon_close(struct daemon *d)
{
	cfg_follow_free(d->follow);
	msg_server_free(d->server);
	if (d->door >= 0)
		close(d->door);
	report_close(d->report);
	links_close(d->links);
	routes_close(d->routes);
	if (d->routing)
		loop_timer_free(d->routing);
	loop_timer_free(d->refresh);
	captures_free(d);
	keys_free(d);
	if (d->backend)
		d->ops->close(d->backend);
	filter_live_free(d->filter);
	plan_free(&d->plan);
	dynamics_free(&d->dynamics);
	if (d->kept_dynamics >= 0)
		close(d->kept_dynamics);
	wanted_free(d);
	*d = (struct daemon){ 0 };
}
