/* The log lines of interfaces that come and go: %LINK-3-UPDOWN, %LINK-5-CHANGED, %LINEPROTO-5-UPDOWN. */
#ifndef POSTERN_PLATFORM_LINKLOG_H
#define POSTERN_PLATFORM_LINKLOG_H

#include "platform/daemon/box.h"

struct linklog_state {
	char ifname[BOX_IFNAME];
	bool up, line;
	bool seen; /* in the round that is going on */
};

struct linklog {
	struct linklog_state *of;
	size_t n;
	bool silent; /* the next update only learns: the router runs already, only this program is new */
};

void linklog_free(struct linklog *l);
/* Logs what changed since the last call. An interface that is new was down before. */
enum err linklog_update(struct linklog *l, const struct box *now) MUST_CHECK;

#endif
