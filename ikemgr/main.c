/* ikemgrd: starts the three processes, gives each its user and nothing else, and ends both when one ends.
 *
 *   ikemgrd -+- proto   --user        parses packets, holds no long-term secret        (proc/proto.h)
 *            |- keys    --keys-user   holds the pre-shared keys, parses no packets     (proc/keys.h)
 *            '- fetch   --user        fetches CRLs over HTTP; no secret, no packets    (proc/fetch.h)
 *
 * The supervisor starts us again: a fresh pair is simpler than half of an old one. Each child has the reading end of a pipe
 * whose writing end only the parent has: whatever happens to the parent, its children see it.
 */
#include "configdb/alg.h"
#include "ikemgr/proc/fetch.h"
#include "ikemgr/proc/keys.h"
#include "ikemgr/proc/options.h"
#include "ikemgr/proc/proto.h"
#include "platform/base/confine.h"
#include "platform/base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define END_MS 2000 /* for a child to end by itself */

struct family {
	int keys[2];  /* socketpair: proto's end, keys' end */
	int fetch[2]; /* the same */
	int life[2];  /* pipe: reading, writing */
	pid_t proto, keys_pid, fetch_pid;
};

static int fail(const char *what, enum err e)
{
	fprintf(stderr, "ikemgrd: %s: %s\n", what, e == ERR_SYS ? strerror(errno) : err_text(e));
	return 1;
}

/* The folder of files that users name (flash:): exported keys go there, by the hand of an unprivileged process. */
static void make_flash(const char *data_dir)
{
	char path[256];

	if (geteuid() != 0 || (size_t)snprintf(path, sizeof(path), "%s/flash", data_dir) >= sizeof(path))
		return;
	if (mkdir(path, 01777) == 0)
		(void)chmod(path, 01777);
}

/* What a child gives up, from here on. */
static enum err confine(const char *user, enum confine_profile profile)
{
	enum err e = confine_user(user, NULL);

	return e != ERR_OK ? e : confine_seccomp(profile);
}

static int be_keys(const struct options *o, const struct family *f)
{
	close(f->life[1]);
	close(f->keys[0]);
	close(f->fetch[0]);
	close(f->fetch[1]);
	enum err e = confine(o->keys_user, CONFINE_IKE_KEYS);
	return e == ERR_OK ? keys_serve(f->keys[1], f->life[0], o->data_dir) : fail("keys process", e);
}

static int be_fetch(const struct options *o, const struct family *f)
{
	close(f->life[1]);
	close(f->keys[0]);
	close(f->keys[1]);
	close(f->fetch[0]);
	enum err e = confine(o->user, CONFINE_IKE_FETCH);
	return e == ERR_OK ? fetch_serve(f->fetch[1], f->life[0]) : fail("fetch process", e);
}

static int be_proto(const struct options *o, const struct family *f)
{
	struct proto *p = proto_open(o);

	close(f->life[1]);
	close(f->keys[1]);
	close(f->fetch[1]);
	if (!p)
		return 1;
	enum err e = confine(o->user, CONFINE_IKE_PROTO);
	return e == ERR_OK ? proto_run(p, f->keys[0], f->fetch[0], f->life[0]) : fail("proto process", e);
}

static pid_t start(const struct options *o, const struct family *f, int (*be)(const struct options *o, const struct family *f),
	const sigset_t *signals)
{
	pid_t pid = fork();

	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, signals, NULL);
		exit(be(o, f));
	}
	return pid;
}

/* Waits for a signal; true when it asked us to end, false when a child ended. */
static bool wait_for_end(const sigset_t *signals)
{
	int number = 0;

	while (sigwait(signals, &number) != 0)
		;
	return number != SIGCHLD;
}

static void end_child(pid_t pid)
{
	for (int waited = 0; pid > 0 && waited < END_MS; waited += 10) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		usleep(10000);
	}
	if (pid > 0)
		(void)kill(pid, SIGKILL);
}

static bool open_family(struct family *f)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->keys) == 0 &&
	       socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->fetch) == 0 && pipe(f->life) == 0;
}

int main(int argc, char **argv)
{
	struct options o;
	struct family f;
	sigset_t signals;
	int status = options_parse(&o, argc, argv);

	if (status >= 0)
		return status;
	enum err e = confine_early();
	if (e != ERR_OK || !open_family(&f))
		return fail("start", e ? e : ERR_SYS);
	alg_init();
	log_open("ikemgrd", o.run_dir);
	make_flash(o.data_dir);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	f.keys_pid = start(&o, &f, be_keys, &signals);
	f.fetch_pid = start(&o, &f, be_fetch, &signals);
	f.proto = start(&o, &f, be_proto, &signals);
	close(f.keys[0]);
	close(f.keys[1]);
	close(f.fetch[0]);
	close(f.fetch[1]);
	close(f.life[0]);
	e = confine(o.user, CONFINE_IKE_KEYS);
	bool asked = f.keys_pid > 0 && f.fetch_pid > 0 && f.proto > 0 && e == ERR_OK && wait_for_end(&signals);
	close(f.life[1]);
	end_child(f.proto);
	end_child(f.keys_pid);
	end_child(f.fetch_pid);
	return asked ? 0 : 1;
}
