/* The command line of ikemgrd. */
#ifndef POSTERN_IKEMGR_PROC_OPTIONS_H
#define POSTERN_IKEMGR_PROC_OPTIONS_H

#include "platform/base/err.h"

struct options {
	const char *run_dir, *data_dir;
	const char *user, *keys_user; /* NULL: keep the uid; keys_user defaults to user */
	unsigned workers;             /* DH threads */
};

/* Returns -1 to go on, else the status to exit with (--help, --version, mistakes). */
int options_parse(struct options *o, int argc, char **argv);

#endif
