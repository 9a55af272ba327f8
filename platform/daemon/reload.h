/* `reload`: the router's programs start anew from the startup configuration. */
#ifndef POSTERN_PLATFORM_RELOAD_H
#define POSTERN_PLATFORM_RELOAD_H

#include "platform/base/err.h"

#include <stdbool.h>

struct reload {
	const char *run_dir;
	const char *service_dir; /* of runit: has configd, ikemgrd, datapathd; NULL: none */
	const char *command;     /* a program that does all of it in our place; NULL: none */
};

/* Whether it can be done at all. */
bool reload_possible(const struct reload *r);
/* Stops the other programs, removes the running configuration while nobody has it open, starts them. Blocks for some seconds.
 * The caller then starts itself anew. */
enum err reload_run(const struct reload *r) MUST_CHECK;

#endif
