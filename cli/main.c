/* postern: the login shell and the console. */
#include "cli/shell.h"

#include "platform/base/confine.h"
#include "platform/base/log.h"

#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef POSTERN_SAN
/* el_end leaks the names given to EL_ADDFN; nothing else here copies wide strings. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:wcsdup\n";
}
#endif

static const char usage[] = "usage: postern [--run-dir DIR] [--data-dir DIR] [--tty NAME] [--user NAME] [-c COMMAND]\n"
			    "\n"
			    "The console of a Postern router.\n"
			    "\n"
			    "  --run-dir DIR   where the router's programs have their sockets (/run/postern)\n"
			    "  --data-dir DIR  where it keeps startup-config and flash: (/var/lib/postern)\n"
			    "  --tty NAME      the line, as show users tells it: \"con 0\" (default), \"vty 0\"\n"
			    "  --user NAME     who logged in; without it nobody on the console, else the user of the process\n"
			    "  -c COMMAND      run one EXEC command, unpaged; the status tells whether it went well\n"
			    "  --help --version\n";

/* A login shell of SSH has the client's address in its environment. */
static void find_origin(char out[64])
{
	const char *ssh = getenv("SSH_CONNECTION");

	out[0] = '\0';
	if (ssh != NULL)
		snprintf(out, 64, "%.*s", (int)strcspn(ssh, " "), ssh);
}

static const char *user_of(const char *given, const char *tty)
{
	const struct passwd *p;

	if (given != NULL)
		return given;
	if (strncmp(tty, "con", 3) == 0)
		return "";
	p = getpwuid(getuid());
	return p == NULL ? "" : p->pw_name;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "run-dir", required_argument, NULL, 'r' },
		{ "data-dir", required_argument, NULL, 'd' }, { "tty", required_argument, NULL, 't' },
		{ "user", required_argument, NULL, 'u' }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 } };
	struct shell_options o = { .run_dir = "/run/postern", .data_dir = "/var/lib/postern" };
	char from[64];
	int c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1)
		switch (c) {
		case 'r':
			o.run_dir = optarg;
			break;
		case 'd':
			o.data_dir = optarg;
			break;
		case 't':
			o.tty = optarg;
			break;
		case 'u':
			o.user = optarg;
			break;
		case 'c':
			o.command = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			puts("postern " POSTERN_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	find_origin(from);
	o.from = from;
	if (o.tty == NULL)
		o.tty = from[0] != '\0' ? "vty 0" : "con 0";
	o.user = user_of(o.user, o.tty);
	/* The filter is ping's and traceroute's, too: they do without privileges (net.ipv4.ping_group_range, UDP probes). */
	if (confine_early() != ERR_OK || confine_seccomp(CONFINE_CLI) != ERR_OK) {
		fputs("postern: cannot confine itself\n", stderr);
		return 1;
	}
	return shell_run(&o);
}
