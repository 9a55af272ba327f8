#include "ikemgr/proc/options.h"

#include <getopt.h>
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
	enum { RUN_DIR, DATA_DIR, USER, KEYS_USER, WORKERS, FOREGROUND, HELP, VERSION };
	static const struct option longs[] = {
		{ "run-dir", required_argument, NULL, RUN_DIR },
		{ "data-dir", required_argument, NULL, DATA_DIR },
		{ "user", required_argument, NULL, USER },
		{ "keys-user", required_argument, NULL, KEYS_USER },
		{ "workers", required_argument, NULL, WORKERS },
		{ "foreground", no_argument, NULL, FOREGROUND },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{ 0 },
	};
	int c;

	*o = (struct options){ .run_dir = "/run/postern", .data_dir = "/var/lib/postern", .workers = default_workers() };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case RUN_DIR:
			o->run_dir = optarg;
			break;
		case DATA_DIR:
			o->data_dir = optarg;
			break;
		case USER:
			o->user = optarg;
			break;
		case KEYS_USER:
			o->keys_user = optarg;
			break;
		case WORKERS:
			o->workers = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case FOREGROUND:
			break;
		case HELP:
			fputs(help, stdout);
			return 0;
		case VERSION:
			puts("ikemgrd (Postern) " POSTERN_VERSION);
			return 0;
		default:
			return 2;
		}
	}
	if (optind != argc || o->workers < 1 || o->workers > WORKERS_MAX) {
		fprintf(stderr, "ikemgrd: %s\n", optind != argc ? "no arguments are taken" : "--workers: 1 to 16");
		return 2;
	}
	if (!o->keys_user)
		o->keys_user = o->user;
	return -1;
}
