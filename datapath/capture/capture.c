/* Captures by name: their settings, one step at a time, and what the console asks. */
#include "datapath/capture/capture_impl.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const uint32_t limit_most[DP_LIMITS] = {
	[DP_LIMIT_PACKETS] = 100000000,
	[DP_LIMIT_DURATION] = 1000000,
	[DP_LIMIT_LENGTH] = DP_CAPTURE_BYTES,
	[DP_LIMIT_PPS] = 1000000,
	[DP_LIMIT_EVERY] = 100000,
};

static struct captures *captures_of(struct daemon *d)
{
	if (!d->captures)
		d->captures = mem_zalloc(sizeof(*d->captures));
	return d->captures;
}

static struct capture *find(struct daemon *d, const char *name)
{
	for (struct capture *x = d->captures ? d->captures->all : NULL; x; x = x->next)
		if (strcmp(x->conf.name, name) == 0)
			return x;
	return NULL;
}

struct step {
	struct daemon *d;
	const struct dpm_capture *ask;
	struct capture *x;
	struct dpm_capture_said *said;
};

static PRINTF_LIKE(2, 3) bool refuse(const struct step *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->said->text, sizeof(s->said->text), fmt, ap);
	va_end(ap);
	s->said->failed = 1;
	return false;
}

static struct capture *make(struct step *s)
{
	struct captures *all = captures_of(s->d);
	struct capture *x, **at;
	unsigned n = 0;

	for (at = all ? &all->all : NULL; at && *at; at = &(*at)->next)
		n++;
	if (n >= CAPTURES_MAX) {
		refuse(s, "There are %d captures; remove one first", CAPTURES_MAX);
		return NULL;
	}
	x = all ? mem_zalloc(sizeof(*x)) : NULL;
	if (!x) {
		refuse(s, "No memory");
		return NULL;
	}
	x->d = s->d;
	x->fd = -1;
	x->store.first = x->store.next = 1;
	x->conf.buffer_mb = CAPTURE_BUFFER_MB;
	memcpy(x->conf.name, s->ask->name, sizeof(x->conf.name));
	*at = x;
	return x;
}

/* As on IOS, `both` and then `in` is `in`. */
static bool put_interface(struct step *s)
{
	struct dpm_capture_info *c = &s->x->conf;
	const struct dp_capture_interface *f = &s->ask->interface;
	uint8_t i = 0;

	if (!s->d->cfg || !cfg_interface(s->d->cfg, f->name))
		return refuse(s, "Interface %s does not exist", f->name);
	while (i < c->ninterfaces && strcmp(c->interfaces[i].name, f->name) != 0)
		i++;
	if (i == DP_CAPTURE_INTERFACES)
		return refuse(s, "A capture has at most %d interfaces", DP_CAPTURE_INTERFACES);
	/* What is in the buffer names its interface by number. */
	if (s->x->store.first != s->x->store.next)
		return refuse(s, "There are packets in the buffer of capture %s; clear it first", c->name);
	c->interfaces[i] = *f;
	if (i == c->ninterfaces)
		c->ninterfaces++;
	return true;
}

static bool no_interface(struct step *s)
{
	struct dpm_capture_info *c = &s->x->conf;

	for (uint8_t i = 0; i < c->ninterfaces; i++) {
		if (strcmp(c->interfaces[i].name, s->ask->interface.name) != 0)
			continue;
		capture_store_clear(&s->x->store);
		c->ninterfaces--;
		memmove(&c->interfaces[i], &c->interfaces[i + 1], (size_t)(c->ninterfaces - i) * sizeof(c->interfaces[0]));
		return true;
	}
	return refuse(s, "Interface %s is not part of capture %s", s->ask->interface.name, c->name);
}

static bool put_filter(struct step *s)
{
	struct dpm_capture_info *c = &s->x->conf;

	if (s->ask->filter > DP_CAPTURE_ACL)
		return refuse(s, "Invalid filter");
	if (s->ask->filter == DP_CAPTURE_ACL && (!s->d->cfg || !cfg_acl(s->d->cfg, s->ask->acl)))
		return refuse(s, "Access list %s does not exist", s->ask->acl);
	c->filter = s->ask->filter;
	memset(c->acl, 0, sizeof(c->acl));
	if (c->filter == DP_CAPTURE_ACL)
		memcpy(c->acl, s->ask->acl, sizeof(c->acl));
	return true;
}

static bool put_buffer(struct step *s)
{
	struct dpm_capture_info *c = &s->x->conf;

	if (s->ask->buffer_mb > CAPTURE_BUFFER_MAX)
		return refuse(s, "Invalid size");
	if (s->ask->buffer_mb && s->ask->buffer_mb != c->buffer_mb) {
		c->buffer_mb = s->ask->buffer_mb;
		capture_store_free(&s->x->store);
	}
	c->circular = s->ask->circular != 0;
	return true;
}

static bool put_limit(struct step *s)
{
	if (s->ask->limit >= DP_LIMITS || s->ask->value > limit_most[s->ask->limit])
		return refuse(s, "Invalid limit");
	s->x->conf.limits[s->ask->limit] = s->ask->value;
	return true;
}

/* What buffers there are take. */
static uint32_t memory_mb(const struct daemon *d)
{
	uint32_t mb = 0;

	for (const struct capture *x = d->captures->all; x; x = x->next)
		mb += x->store.bytes ? x->conf.buffer_mb : 0;
	return mb;
}

static bool start(struct step *s)
{
	const struct dpm_capture_info *c = &s->x->conf;
	char why[120];

	if (c->ninterfaces == 0)
		return refuse(s, "Unable to activate Capture %s: no interface specified", c->name);
	if (c->filter == DP_CAPTURE_ACL && (!s->d->cfg || !cfg_acl(s->d->cfg, c->acl)))
		return refuse(s, "Unable to activate Capture %s: access list %s does not exist", c->name, c->acl);
	if (!s->x->store.bytes && memory_mb(s->d) + c->buffer_mb > CAPTURE_MEMORY_MB)
		return refuse(s, "Unable to activate Capture %s: the buffers of all captures may have %u MB together", c->name,
			CAPTURE_MEMORY_MB);
	if (!capture_start(s->x, why, sizeof(why)))
		return refuse(s, "Unable to activate Capture %s: %s", c->name, why);
	log_msg("BUFCAP", LOG_SEV_INFO, "ENABLE", "Capture Point %s enabled.", c->name);
	return true;
}

static bool stop(struct step *s)
{
	if (!s->x->conf.running)
		return refuse(s, "Capture %s is not active", s->x->conf.name);
	capture_stop(s->x);
	log_msg("BUFCAP", LOG_SEV_INFO, "DISABLE", "Capture Point %s disabled.", s->x->conf.name);
	return true;
}

static bool clear(struct step *s)
{
	capture_store_clear(&s->x->store);
	s->x->count = (struct dp_capture_count){ 0 };
	return true;
}

static void capture_free(struct capture *x)
{
	capture_stop(x);
	capture_store_free(&x->store);
	mem_free(x);
}

static bool remove_it(struct step *s)
{
	struct capture **at = &s->d->captures->all;

	while (*at != s->x)
		at = &(*at)->next;
	*at = s->x->next;
	capture_free(s->x);
	s->x = NULL;
	return true;
}

static const struct {
	bool (*run)(struct step *s);
	bool makes, running; /* makes the capture; may be done while it runs */
} steps[DP_CAPTURE_STEPS] = {
	[DP_CAPTURE_INTERFACE] = { put_interface, true, false },
	[DP_CAPTURE_NO_INTERFACE] = { no_interface, false, false },
	[DP_CAPTURE_FILTER] = { put_filter, true, false },
	[DP_CAPTURE_BUFFER] = { put_buffer, true, false },
	[DP_CAPTURE_LIMIT] = { put_limit, true, false },
	[DP_CAPTURE_START] = { start, false, false },
	[DP_CAPTURE_STOP] = { stop, false, true },
	[DP_CAPTURE_CLEAR] = { clear, false, false },
	[DP_CAPTURE_REMOVE] = { remove_it, false, false },
};

static void count_fill(struct capture *x, struct dp_capture_count *c)
{
	capture_count(x);
	*c = x->count;
	c->packets = x->store.next - x->store.first;
	c->bytes = x->store.used;
}

static bool step_run(struct step *s)
{
	bool made = false, ok;

	s->x = find(s->d, s->ask->name);
	if (!s->x && !steps[s->ask->step].makes)
		return refuse(s, "Capture %s does not exist", s->ask->name);
	if (s->x && s->x->conf.running && !steps[s->ask->step].running)
		return refuse(s, "Capture %s is active; stop it first", s->ask->name);
	if (!s->x) {
		s->x = make(s);
		made = s->x != NULL;
	}
	if (!s->x)
		return false;
	ok = steps[s->ask->step].run(s);
	if (!ok && made)
		remove_it(s);
	if (ok && s->x)
		count_fill(s->x, &s->said->count);
	return ok;
}

static enum err step(struct daemon *d, const struct msg *m, struct dpm_capture_said *said)
{
	struct dpm_capture ask;
	struct step s = { .d = d, .ask = &ask, .said = said };

	if (m->body.len != sizeof(ask))
		return ERR_INVALID;
	memcpy(&ask, m->body.data, sizeof(ask));
	ask.name[sizeof(ask.name) - 1] = ask.acl[sizeof(ask.acl) - 1] = ask.interface.name[CFG_NAME - 1] = '\0';
	if (ask.step >= DP_CAPTURE_STEPS || ask.name[0] == '\0')
		return ERR_INVALID;
	(void)step_run(&s);
	return ERR_OK;
}

static enum err dump(struct daemon *d, struct msg_conn *c, const struct msg *m)
{
	enum err e = ERR_OK;

	for (struct capture *x = d->captures ? d->captures->all : NULL; x && e == ERR_OK; x = x->next) {
		struct dpm_capture_info info = x->conf;

		count_fill(x, &info.count);
		capture_store_times(&x->store, &info.first_ns, &info.last_ns);
		e = msg_answer(c, m, ERR_OK, MSG_FLAG_MORE, span_of(&info, sizeof(info)));
	}
	return e;
}

static enum err read_packets(struct daemon *d, const struct msg *m, struct span *body)
{
	static _Alignas(8) uint8_t room[MSG_BODY_MAX / 8 * 8];
	struct dpm_capture_read ask;
	struct capture *x;

	if (m->body.len != sizeof(ask))
		return ERR_INVALID;
	memcpy(&ask, m->body.data, sizeof(ask));
	ask.name[sizeof(ask.name) - 1] = '\0';
	x = find(d, ask.name);
	if (!x)
		return ERR_NOT_FOUND;
	*body = span_of(room, capture_store_read(&x->store, ask.from, room, sizeof(room)));
	return ERR_OK;
}

bool captures_message(struct daemon *d, struct msg_conn *c, struct msg *m)
{
	struct dpm_capture_said said = { 0 };
	struct span body = { 0 };
	enum err e;

	if (m->head.type != DPM_CAPTURE && m->head.type != DPM_CAPTURE_DUMP && m->head.type != DPM_CAPTURE_READ)
		return false;
	if (!dump_privileged(d, c)) {
		e = ERR_DENIED;
	} else if (m->head.type == DPM_CAPTURE) {
		e = step(d, m, &said);
		body = e == ERR_OK ? span_of(&said, sizeof(said)) : body;
	} else if (m->head.type == DPM_CAPTURE_DUMP) {
		e = dump(d, c, m);
	} else {
		e = read_packets(d, m, &body);
	}
	msg_reply(c, m, e, 0, body);
	return true;
}

void captures_links(struct daemon *d)
{
	for (struct capture *x = d->captures ? d->captures->all : NULL; x; x = x->next)
		if (x->conf.running)
			capture_find_links(x);
}

void captures_free(struct daemon *d)
{
	struct capture *x = d->captures ? d->captures->all : NULL;

	while (x) {
		struct capture *next = x->next;

		capture_free(x);
		x = next;
	}
	mem_free(d->captures);
	d->captures = NULL;
}
