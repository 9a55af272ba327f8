/* One child at a time; the console watches its output and the keyboard together. */
#include "cli/exec/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static pid_t start(char *const argv[], int out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t defaults;
	pid_t pid = -1;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	posix_spawnattr_init(&attr);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	if (posix_spawnp(&pid, argv[0], &actions, &attr, argv, environ) != 0)
		pid = -1;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* Until the output ends or the user has enough. */
static enum child_end watch(struct shell *sh, int fd, void (*text)(void *ctx, const char *bytes, size_t n), void *ctx)
{
	struct input *in = term_input(sh->term);

	for (;;) {
		struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
			{ .fd = in->ended || !term_is_tty(sh->term) ? -1 : in->fd, .events = POLLIN } };
		char buf[1024];
		ssize_t n;

		if (poll(p, 2, 500) < 0 && errno != EINTR)
			return CHILD_FAILED;
		if (term_is_tty(sh->term) ? input_break(in) : in->hangup != NULL && *in->hangup)
			return CHILD_BROKEN_OFF;
		monitor_show(&sh->monitor);
		if ((p[0].revents & (POLLIN | POLLHUP)) == 0)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			return n == 0 ? CHILD_ENDED : CHILD_FAILED;
		text(ctx, buf, (size_t)n);
		term_flush(sh->term);
	}
}

enum child_end child_run(
	struct shell *sh, char *const argv[], void (*text)(void *ctx, const char *bytes, size_t n), void *ctx, int *status)
{
	enum child_end end = CHILD_FAILED;
	int fds[2], raw = -1;
	pid_t pid;

	term_flush(sh->term);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return CHILD_FAILED;
	pid = start(argv, fds[1]);
	close(fds[1]);
	if (pid > 0) {
		end = watch(sh, fds[0], text, ctx);
		if (end != CHILD_ENDED)
			kill(pid, SIGKILL);
		while (waitpid(pid, &raw, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	*status = raw >= 0 && WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
	return end;
}
