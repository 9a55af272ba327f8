/* Running the nft program with pipes on its three standard descriptors. */
#include "datapath/filter/nft.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS   20000
#define MAX_ARGS  4
#define COMPLAINT 4096 /* of an error; the rest is read and dropped */

struct run {
	int fd[3]; /* our ends: its input, output, errors; -1 once closed */
	int theirs[3];
	pid_t pid;
	const char *in;
	size_t left;
	struct text *out, *complaint;
};

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool pipes(struct run *r)
{
	for (int i = 0; i < 3; i++) {
		int p[2];

		if (pipe2(p, O_CLOEXEC) < 0)
			return false;
		r->fd[i] = i == 0 ? p[1] : p[0];
		r->theirs[i] = i == 0 ? p[0] : p[1];
		if (fcntl(r->fd[i], F_SETFL, O_NONBLOCK) < 0)
			return false;
	}
	return true;
}

static bool spawn(struct run *r, const char *const *args)
{
	static char name[] = "nft", path[] = "PATH=/usr/sbin:/sbin:/usr/bin:/bin", locale[] = "LC_ALL=C";
	char *const environment[] = { path, locale, NULL };
	char *argv[MAX_ARGS + 2] = { name };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, pipe_default;
	bool ok;

	for (int i = 0; i < MAX_ARGS && args[i]; i++)
		argv[i + 1] = (char *)(uintptr_t)args[i];
	sigemptyset(&none);
	sigemptyset(&pipe_default);
	sigaddset(&pipe_default, SIGPIPE);
	if (posix_spawn_file_actions_init(&fa) != 0)
		return false;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return false;
	}
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&fa, r->theirs[i], i);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe_default);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	ok = posix_spawn(&r->pid, "/usr/sbin/nft", &fa, &attr, argv, environment) == 0;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return ok;
}

static void feed(struct run *r)
{
	ssize_t n = r->left ? write(r->fd[0], r->in, r->left) : 0;

	if (n > 0) {
		r->in += n;
		r->left -= (size_t)n;
	}
	if (!r->left || (n < 0 && errno != EAGAIN && errno != EINTR))
		shut(&r->fd[0]);
}

static void drain(struct run *r, int i)
{
	char buf[16384];
	struct text *to = i == 1 ? r->out : r->complaint;
	ssize_t n = read(r->fd[i], buf, sizeof(buf));

	if (n > 0) {
		if (to && !(i == 2 && to->len > COMPLAINT))
			text_bytes(to, buf, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		shut(&r->fd[i]);
	}
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until both outputs are closed. */
static bool talk(struct run *r)
{
	long end = now_ms() + WAIT_MS;

	while (r->fd[1] >= 0 || r->fd[2] >= 0) {
		struct pollfd p[3] = { { r->fd[0], POLLOUT, 0 }, { r->fd[1], POLLIN, 0 }, { r->fd[2], POLLIN, 0 } };
		long left = end - now_ms();

		if (left <= 0)
			return false;
		if (poll(p, 3, (int)left) < 0 && errno != EINTR)
			return false;
		if (r->fd[0] >= 0 && p[0].revents)
			feed(r);
		for (int i = 1; i < 3; i++)
			if (r->fd[i] >= 0 && p[i].revents)
				drain(r, i);
	}
	return true;
}

static enum err finish(struct run *r, bool in_time)
{
	int status;

	if (!in_time)
		kill(r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0)
		if (errno != EINTR)
			return ERR_SYS;
	if (!in_time)
		return ERR_TIMEOUT;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ERR_OK : ERR_INVALID;
}

enum err nft_run(const char *const *args, const char *in, size_t len, struct text *out, struct text *complaint)
{
	struct run r = {
		.fd = { -1, -1, -1 }, .theirs = { -1, -1, -1 }, .in = in, .left = len, .out = out, .complaint = complaint
	};
	bool started = pipes(&r) && spawn(&r, args);
	enum err e = ERR_SYS;

	for (int i = 0; i < 3; i++)
		shut(&r.theirs[i]);
	if (started)
		e = finish(&r, talk(&r));
	for (int i = 0; i < 3; i++)
		shut(&r.fd[i]);
	return e;
}
