/* Events of the backend: kept for ikemgrd until answered, passed on, or said in the log. */
#include "datapath/daemon.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <string.h>

#define TELL_AGAIN_US 1000000  /* the same wish to the same ikemgrd */
#define STALE_US      60000000 /* nobody asks for it any more: what was held is gone */
#define NO_HOPE_MS    60000    /* a line that cannot be negotiated */

void ike_tell(struct daemon *d, uint32_t type, struct span body)
{
	if (d->ike && msg_send(d->ike, type, 0, ERR_OK, 0, body) != ERR_OK)
		log_msg("POSTERN", LOG_SEV_WARNING, "IKE_SLOW", "ikemgrd does not take its messages; one was dropped");
}

static struct wanted **wanted_at(struct daemon *d, const struct dp_policy_id *id)
{
	struct wanted **at = &d->wanted;

	while (*at && !plan_same_id(&(*at)->acquire.policy, id))
		at = &(*at)->next;
	return at;
}

static void wanted_remove(struct wanted **at)
{
	struct wanted *w = *at;

	*at = w->next;
	mem_free(w);
}

void wanted_done(struct daemon *d, const struct dp_policy_id *id)
{
	struct wanted **at = wanted_at(d, id);

	if (*at)
		wanted_remove(at);
}

void wanted_prune(struct daemon *d)
{
	for (struct wanted **at = &d->wanted; *at;) {
		if (plan_find(&d->plan, &(*at)->acquire.policy))
			at = &(*at)->next;
		else
			wanted_remove(at);
	}
}

void wanted_free(struct daemon *d)
{
	while (d->wanted)
		wanted_remove(&d->wanted);
}

static void tell(struct daemon *d, struct wanted *w)
{
	uint64_t now = d->env->now_us(d->env->ctx);

	if (!d->ike || (w->told_us && now - w->told_us < TELL_AGAIN_US))
		return;
	w->told_us = now;
	ike_tell(d, DPM_ACQUIRE, span_of(&w->acquire, sizeof(w->acquire)));
}

void wanted_tell_all(struct daemon *d)
{
	for (struct wanted **at = &d->wanted; *at;) {
		if (d->env->now_us(d->env->ctx) - (*at)->since_us > STALE_US) {
			wanted_remove(at);
			continue;
		}
		(*at)->told_us = 0;
		tell(d, *at);
		at = &(*at)->next;
	}
}

static void acquire(struct daemon *d, const struct dpm_acquire *a)
{
	struct wanted **at = wanted_at(d, &a->policy);
	const struct backend_policy *p = plan_find(&d->plan, &a->policy);

	/* Its SAs come when its keys are there; nobody negotiates them. */
	if (p && p->kind == MAP_MANUAL)
		return;
	if (!plan_negotiable(&d->plan, &a->policy)) {
		struct dpm_policy_state failed = { .policy = a->policy, .verdict = DP_POLICY_FAILED, .hold_off_ms = NO_HOPE_MS };

		(void)d->ops->policy_state(d->backend, &failed);
		return;
	}
	if (!*at) {
		*at = mem_zalloc(sizeof(**at));
		if (!*at)
			return;
		debug_acquire(d, a);
	}
	(*at)->acquire = *a;
	(*at)->since_us = d->env->now_us(d->env->ctx);
	tell(d, *at);
}

void daemon_event(void *ctx, const struct backend_event *ev)
{
	struct daemon *d = ctx;

	switch (ev->kind) {
	case BACKEND_ACQUIRE:
		acquire(d, &ev->acquire);
		break;
	case BACKEND_EXPIRE:
		ike_tell(d, DPM_EXPIRE, span_of(&ev->expire, sizeof(ev->expire)));
		break;
	case BACKEND_MAPPING:
		ike_tell(d, DPM_MAPPING, span_of(&ev->mapping, sizeof(ev->mapping)));
		break;
	case BACKEND_INVALID_SPI:
		ike_tell(d, DPM_INVALID_SPI, span_of(&ev->invalid_spi, sizeof(ev->invalid_spi)));
		break;
	case BACKEND_PASSED_IKE:
		if (ev->passed_ike.len <= MSG_BODY_MAX - sizeof(struct dpm_packet))
			ike_tell(d, DPM_PASSED_IKE, span_of(ev->passed_ike.packet, sizeof(struct dpm_packet) + ev->passed_ike.len));
		break;
	case BACKEND_DROP:
		report_drop(d, ev);
		break;
	}
}
