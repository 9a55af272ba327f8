/* The box itself: what it is, since when it runs, its host name. */
#ifndef POSTERN_PLATFORM_SYSTEM_H
#define POSTERN_PLATFORM_SYSTEM_H

#include "platform/daemon/platform_api.h"

#include <stdbool.h>

/* When the router (not this program) started, and why. Kept in the run directory, so that it outlives a crash. */
struct system_start {
	uint64_t now_us; /* CLOCK_BOOTTIME at the start */
	uint64_t wall_us;
	char reason[64]; /* "power-on", "reload" */
};

/* Reads or makes the record. *fresh: the router starts now; else this program alone was restarted. */
enum err system_started(struct system_start *s, const char *run_dir, bool *fresh) MUST_CHECK;
/* The next start is a reload. */
enum err system_mark_reload(const char *run_dir) MUST_CHECK;

void system_version(struct platm_version *v, const struct system_start *s);
uint64_t system_uptime_us(const struct system_start *s);
void system_set_hostname(const char *name);

#endif
