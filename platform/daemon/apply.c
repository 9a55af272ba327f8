/* The reconciler.
 *
 *   revision, netlink event --> read the box --> plan interfaces --> do --+
 *                                   ^------------------------------------+  until nothing is left
 *                               plan routes --> do --> log what changed state
 *
 * What fails is remembered as the interface's fault, logged once, and tried again later.
 */
#include "platform/daemon/apply.h"

#include "platform/base/env.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/daemon/linklog.h"
#include "platform/daemon/plan.h"
#include "platform/daemon/sysctl.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS       4
#define SOON_US      20000  /* events come in bunches */
#define FAREWELL_US  300000 /* for ikemgrd to tell its peers, before their interface is down */
#define CALM_US      500000 /* while something fails, our own tries are among the events */
#define RETRY_MIN_US 1000000
#define RETRY_MAX_US 30000000

struct fault {
	char ifname[BOX_IFNAME]; /* empty: a route's */
	char text[128];
	bool current; /* of the round that is going on */
};

struct apply {
	struct loop_timer *timer;
	enum { IDLE, RETRY, SOON } pending;
	bool troubled; /* the last look left something undone */
	uint64_t retry_us, ran_us;
	struct kernel *kernel;
	const struct cfg *cfg;
	struct rib rib;
	struct linklog links;
	struct fault *faults;
	size_t nfaults;
};

static void run(void *ctx);

struct apply *apply_new(struct loop *l, struct kernel *k, bool fresh)
{
	struct apply *a = mem_zalloc(sizeof(*a));

	if (a == NULL)
		return NULL;
	a->kernel = k;
	a->links.silent = !fresh;
	a->retry_us = RETRY_MIN_US;
	a->timer = loop_timer_new(l, run, a);
	if (a->timer == NULL) {
		mem_free(a);
		return NULL;
	}
	return a;
}

void apply_free(struct apply *a)
{
	if (a == NULL)
		return;
	loop_timer_free(a->timer);
	rib_free(&a->rib);
	linklog_free(&a->links);
	mem_free(a->faults);
	mem_free(a);
}

/* Notes a fault; a new one is logged. */
static void blame(struct apply *a, const char *ifname, const char *text)
{
	char name[CFG_NAME];
	struct fault *f;

	for (size_t i = 0; i < a->nfaults; i++) {
		if (strcmp(a->faults[i].ifname, ifname) == 0 && strcmp(a->faults[i].text, text) == 0) {
			a->faults[i].current = true;
			return;
		}
	}
	f = mem_realloc_array(a->faults, a->nfaults + 1, sizeof(*f));
	if (f == NULL)
		return;
	a->faults = f;
	f += a->nfaults++;
	snprintf(f->ifname, sizeof(f->ifname), "%s", ifname);
	snprintf(f->text, sizeof(f->text), "%s", text);
	f->current = true;
	box_ios_name(name, ifname);
	log_msg("PLATFORM", LOG_SEV_ERROR, "APPLY", "%s%s%s", name, *name != '\0' ? ": " : "", text);
}

static void forgive(struct apply *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->nfaults; i++) {
		if (!a->faults[i].current)
			continue;
		a->faults[kept] = a->faults[i];
		a->faults[kept++].current = false;
	}
	a->nfaults = kept;
}

static enum err carry_out(struct apply *a, const struct plan *p)
{
	enum err worst = ERR_OK;

	for (size_t i = 0; i < p->n; i++) {
		char what[64], text[128];
		const char *why;
		enum err e = kernel_do(a->kernel, &p->ops[i], &why);

		if (e == ERR_OK)
			continue;
		worst = e;
		plan_describe(what, sizeof(what), &p->ops[i]);
		snprintf(text, sizeof(text), "%s failed: %s", what, why);
		blame(a, p->ops[i].ifname, text);
	}
	return worst;
}

/* One look at the interfaces. ERR_INCOMPLETE: something was done, look again. */
static enum err settle_once(struct apply *a, struct box *b)
{
	struct plan p = { 0 };
	enum err e = kernel_read(a->kernel, b);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < b->nlinks; i++)
		if (box_name_is_ours(b->links[i].ifname))
			sysctl_interface(b->links[i].ifname);
	e = plan_interfaces(&p, a->cfg, b);
	if (e == ERR_OK && p.n > 0 && (e = carry_out(a, &p)) == ERR_OK)
		e = ERR_INCOMPLETE;
	box_plan_free(&p);
	return e;
}

static enum err settle_interfaces(struct apply *a, struct box *b)
{
	enum err e = ERR_INCOMPLETE;

	for (int i = 0; e == ERR_INCOMPLETE && i < ROUNDS; i++)
		e = settle_once(a, b);
	/* One interface's fault is no reason to leave the others without routes. */
	return e == ERR_OK ? ERR_OK : kernel_read(a->kernel, b) != ERR_OK ? ERR_SYS : e;
}

static enum err settle_routes(struct apply *a, const struct box *b)
{
	struct plan p = { 0 };
	struct rib next;
	enum err e = rib_select(&next, a->cfg, b);

	if (e != ERR_OK)
		return e;
	rib_free(&a->rib);
	a->rib = next;
	e = plan_routes(&p, next.routes, next.n, b);
	if (e == ERR_OK)
		e = carry_out(a, &p);
	box_plan_free(&p);
	return e;
}

static void blame_absent(struct apply *a, const struct box *b)
{
	for (size_t i = 0; i < a->cfg->ninterfaces; i++) {
		const char *why = plan_fault(&a->cfg->interfaces[i], b);

		if (why != NULL)
			blame(a, a->cfg->interfaces[i].ifname, why);
	}
}

static void try_later(struct apply *a)
{
	a->pending = RETRY;
	loop_timer_set(a->timer, a->retry_us);
	a->retry_us = a->retry_us * 2 < RETRY_MAX_US ? a->retry_us * 2 : RETRY_MAX_US;
}

static void run(void *ctx)
{
	struct apply *a = ctx;
	struct box b = { 0 };
	enum err e, routes = ERR_OK;

	a->pending = IDLE;
	if (a->cfg == NULL)
		return;
	e = settle_interfaces(a, &b);
	if (b.nlinks > 0) {
		routes = settle_routes(a, &b);
		/* A device that appears tells so itself. */
		blame_absent(a, &b);
		if (linklog_update(&a->links, &b) != ERR_OK)
			e = ERR_NOMEM;
	}
	forgive(a);
	a->ran_us = env_system.now_us(env_system.ctx);
	a->troubled = e != ERR_OK || routes != ERR_OK;
	if (a->troubled)
		try_later(a);
	else
		a->retry_us = RETRY_MIN_US;
	box_free(&b);
}

void apply_soon(struct apply *a)
{
	if (a->pending == SOON)
		return;
	a->pending = SOON;
	loop_timer_set(a->timer, a->troubled ? CALM_US : SOON_US);
}

/* Does the interface carry IKE: has it a crypto map, or is it the one whose address a map uses? */
static bool carries_ike(const struct cfg *c, const struct cfg_interface *i)
{
	for (size_t n = 0; n < c->nmap_settings; n++)
		if (strcmp(c->map_settings[n].local_interface, i->name) == 0)
			return true;
	return i->crypto_map[0] != '\0';
}

/* Is one about to be shut down over which ikemgrd may want to tell its peers that their SAs end? */
static bool farewell_due(const struct cfg *before, const struct cfg *now)
{
	for (size_t n = 0; before != NULL && n < before->ninterfaces; n++) {
		const struct cfg_interface *was = &before->interfaces[n], *is = cfg_interface(now, was->name);

		if (!was->shutdown && is != NULL && is->shutdown && carries_ike(before, was))
			return true;
	}
	return false;
}

void apply_config(struct apply *a, const struct cfg *c, bool changed)
{
	bool farewell = changed && farewell_due(a->cfg, c);

	a->cfg = c;
	if (!changed)
		return;
	a->retry_us = RETRY_MIN_US;
	a->troubled = false;
	if (farewell) {
		a->pending = SOON;
		loop_timer_set(a->timer, FAREWELL_US);
		return;
	}
	if (env_system.now_us(env_system.ctx) - a->ran_us > SOON_US)
		run(a);
	else
		apply_soon(a);
}

void apply_flush(struct apply *a)
{
	if (a->pending != SOON)
		return;
	loop_timer_stop(a->timer);
	run(a);
}

const char *apply_fault(const struct apply *a, const char *ifname)
{
	for (size_t i = 0; i < a->nfaults; i++)
		if (strcmp(a->faults[i].ifname, ifname) == 0)
			return a->faults[i].text;
	return "";
}

const struct rib *apply_rib(const struct apply *a)
{
	return &a->rib;
}
