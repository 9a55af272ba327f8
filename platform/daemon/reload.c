/* Reload through the supervisor. */
#include "platform/daemon/reload.h"

#include "platform/daemon/system.h"

#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* In the order in which they stop; they start the other way round. */
static const char *const services[] = { "ikemgrd", "datapathd", "configd" };
#define SERVICES ((int)(sizeof(services) / sizeof(services[0])))

bool reload_possible(const struct reload *r)
{
	if (r->command != NULL)
		return access(r->command, X_OK) == 0;
	return r->service_dir != NULL && access(r->service_dir, X_OK) == 0;
}

static enum err run(const char *const argv[])
{
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ) != 0 || waitpid(pid, &status, 0) != pid)
		return ERR_SYS;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ERR_OK : ERR_SYS;
}

static enum err sv(const struct reload *r, const char *verb, const char *service)
{
	char path[PATH_MAX];
	const char *argv[] = { "sv", "-w", "5", verb, path, NULL };

	snprintf(path, sizeof(path), "%s/%s", r->service_dir, service);
	if (access(path, F_OK) != 0)
		return ERR_OK;
	return run(argv);
}

static void remove_running(const struct reload *r)
{
	static const char *const names[] = { "running.db", "running.db-wal", "running.db-shm" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", r->run_dir, names[i]);
		(void)unlink(path);
	}
}

static enum err by_supervisor(const struct reload *r)
{
	enum err e = ERR_OK;

	/* What does not end in time is killed: a program that hangs is one reason for a reload. */
	for (int i = 0; i < SERVICES; i++)
		if (sv(r, "force-stop", services[i]) != ERR_OK)
			e = ERR_SYS;
	if (e == ERR_OK)
		remove_running(r);
	for (int i = SERVICES - 1; i >= 0; i--)
		if (sv(r, "up", services[i]) != ERR_OK)
			e = ERR_SYS;
	return e;
}

enum err reload_run(const struct reload *r)
{
	const char *argv[] = { r->command, r->run_dir, r->service_dir, NULL };
	enum err e = system_mark_reload(r->run_dir);

	if (e != ERR_OK)
		return e;
	return r->command != NULL ? run(argv) : by_supervisor(r);
}
