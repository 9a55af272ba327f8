/* postern: the login shell and the console. */
#include "cli/shell.h"

#include "platform/base/cmdline.h"
#include "platform/base/confine.h"
#include "platform/base/log.h"

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
	struct shell_options o = { .run_dir = "/run/postern", .data_dir = "/var/lib/postern" };
	const struct cmdline_option options[] = { { "run-dir", &o.run_dir, NULL }, { "data-dir", &o.data_dir, NULL },
		{ "tty", &o.tty, NULL }, { "user", &o.user, NULL }, { "c", &o.command, NULL }, { NULL, NULL, NULL } };
	int status = cmdline_parse(&(struct cmdline){ usage, "postern " POSTERN_VERSION, options }, argc, argv);
	char from[64];

	if (status >= 0)
		return status;
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
