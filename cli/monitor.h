/* Log lines on the terminal: always on the console, as `logging console` says; elsewhere after `terminal monitor`. */
#ifndef POSTERN_CLI_MONITOR_H
#define POSTERN_CLI_MONITOR_H

#include "cli/term.h"
#include "platform/base/msg.h"

struct monitor {
	const char *run_dir;
	struct term *term;
	bool console, on;
	struct msg_sync conn;
	int64_t next_try_ms; /* platformd was away: not before that */
};

/* Has the terminal watch for log lines from now on. */
void monitor_init(struct monitor *m, const char *run_dir, struct term *t, bool console);
void monitor_close(struct monitor *m);
void monitor_set(struct monitor *m, bool on);
/* The descriptor to wait for, -1: none. Connects when needed. */
int monitor_fd(struct monitor *m);
/* Shows what has come. */
void monitor_show(struct monitor *m);

#endif
