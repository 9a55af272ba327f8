#include "ikemgr/proc/options.h"

#include "platform/base/cmdline.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKERS_MAX 16

static const char help[] = "usage: ikemgrd [options]\n"
			   "IKE for Postern: negotiates IPsec SAs for datapathd.\n\n"
			   "  --run-dir DIR     sockets and the running configuration (default /run/postern)\n"
			   "  --data-dir DIR    keys.db (default /var/lib/postern)\n"
			   "  --user USER       of the process that parses packets, when started as root\n"
			   "  --keys-user USER  of the process that holds the pre-shared keys (default: --user)\n"
			   "  --workers N       threads for Diffie-Hellman (default: one per processor, at most 4)\n"
			   "  --foreground      the only mode\n"
			   "  --help, --version\n";

static unsigned default_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 4 ? 4 : (unsigned)n;
}

int options_parse(struct options *o, int argc, char **argv)
{
	const char *workers = NULL;
	const struct cmdline_option options[] = { { "run-dir", &o->run_dir, NULL }, { "data-dir", &o->data_dir, NULL },
		{ "user", &o->user, NULL }, { "keys-user", &o->keys_user, NULL }, { "workers", &workers, NULL },
		{ "foreground", NULL, NULL }, { NULL, NULL, NULL } };
	int status;

	*o = (struct options){ .run_dir = "/run/postern", .data_dir = "/var/lib/postern", .workers = default_workers() };
	status = cmdline_parse(&(struct cmdline){ help, "ikemgrd (Postern) " POSTERN_VERSION, options }, argc, argv);
	if (status >= 0)
		return status;
	if (workers != NULL)
		o->workers = (unsigned)strtoul(workers, NULL, 10);
	if (o->workers < 1 || o->workers > WORKERS_MAX) {
		fprintf(stderr, "ikemgrd: --workers: 1 to %d\n", WORKERS_MAX);
		return 2;
	}
	if (!o->keys_user)
		o->keys_user = o->user;
	return -1;
}
