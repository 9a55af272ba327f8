/* States of interfaces, told as IOS tells them. */
#include "platform/daemon/linklog.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <string.h>

void linklog_free(struct linklog *l)
{
	mem_free(l->of);
	*l = (struct linklog){ 0 };
}

static void say_line(const char *name, bool up)
{
	log_msg("LINEPROTO", LOG_SEV_NOTICE, "UPDOWN", "Line protocol on Interface %s, changed state to %s", name,
		up ? "up" : "down");
}

static void say_link(const char *name, bool up)
{
	log_msg("LINK", LOG_SEV_ERROR, "UPDOWN", "Interface %s, changed state to %s", name, up ? "up" : "down");
}

static void say_shutdown(const char *name)
{
	log_msg("LINK", LOG_SEV_NOTICE, "CHANGED", "Interface %s, changed state to administratively down", name);
}

/* `fresh`: seen for the first time, so nothing was said yet. */
static void tell(const struct linklog_state *before, const struct box_link *now, bool fresh)
{
	bool line = box_line_up(now), loopback = box_name_is_loopback(now->ifname);
	char name[CFG_NAME];

	box_ios_name(name, now->ifname);
	if (!now->up && (before->up || (fresh && !loopback)))
		say_shutdown(name);
	else if (now->up && line && !before->line && !(fresh && loopback))
		say_link(name, true);
	else if (now->up && !line && (before->line || (!before->up && !fresh)))
		say_link(name, false);
	if (line != before->line)
		say_line(name, line);
}

static struct linklog_state *find(struct linklog *l, const char *ifname)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->of[i].ifname, ifname) == 0)
			return &l->of[i];
	return NULL;
}

static enum err look(struct linklog *l, const struct box_link *now)
{
	struct linklog_state *s = find(l, now->ifname);
	bool fresh = s == NULL;

	if (fresh) {
		struct linklog_state *all = mem_realloc_array(l->of, l->n + 1, sizeof(*all));

		if (all == NULL)
			return ERR_NOMEM;
		l->of = all;
		s = &all[l->n++];
		memset(s, 0, sizeof(*s));
		memcpy(s->ifname, now->ifname, sizeof(s->ifname));
	}
	if (!l->silent)
		tell(s, now, fresh);
	s->up = now->up;
	s->line = box_line_up(now);
	s->seen = true;
	return ERR_OK;
}

static void forget(struct linklog *l, size_t i)
{
	char name[CFG_NAME];

	box_ios_name(name, l->of[i].ifname);
	if (l->of[i].up)
		say_shutdown(name);
	if (l->of[i].line)
		say_line(name, false);
	l->of[i] = l->of[--l->n];
}

enum err linklog_update(struct linklog *l, const struct box *now)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < l->n; i++)
		l->of[i].seen = false;
	for (size_t i = 0; e == ERR_OK && i < now->nlinks; i++)
		if (box_name_is_ours(now->links[i].ifname))
			e = look(l, &now->links[i]);
	for (size_t i = l->n; e == ERR_OK && i > 0; i--)
		if (!l->of[i - 1].seen)
			forget(l, i - 1);
	l->silent = false;
	return e;
}
