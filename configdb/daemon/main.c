/* configd: the one door for configuration. */
#include "configd.h"

#include "configdb/alg.h"
#include "configdb/machine_key.h"
#include "platform/base/cmdline.h"
#include "platform/base/confine.h"
#include "platform/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	const char *run_dir, *data_dir, *user, *keys_group, *ike_user, *initial;
	uid_t ike_uid;
};

static const char usage[] = "usage: configd [options]\n"
			    "  --run-dir DIR       sockets and the running configuration (/run/postern)\n"
			    "  --data-dir DIR      the startup configuration and the secrets (/var/lib/postern)\n"
			    "  --user NAME         becomes this user, when started as root\n"
			    "  --keys-group NAME   this group may read keys.db\n"
			    "  --ike-user NAME     ikemgrd's: it brings certificates that a CA granted\n"
			    "  --initial FILE      the configuration of a router that has none\n"
			    "  --foreground        the only way it runs\n"
			    "  --help, --version\n";

static int parse(struct options *o, int argc, char **argv)
{
	const struct cmdline_option options[] = { { "run-dir", &o->run_dir, NULL }, { "data-dir", &o->data_dir, NULL },
		{ "user", &o->user, NULL }, { "keys-group", &o->keys_group, NULL },
		{ "ike-user", &o->ike_user, NULL }, { "initial", &o->initial, NULL },
		{ "foreground", NULL, NULL }, { NULL, NULL, NULL } };

	return cmdline_parse(&(struct cmdline){ usage, "configd (Postern) " POSTERN_VERSION, options }, argc, argv);
}

static bool find_group(const char *group, gid_t *gid)
{
	char *end;
	unsigned long n = strtoul(group, &end, 10);
	const struct group *g = getgrnam(group);

	if (!g && (*end || !*group))
		return false;
	*gid = g ? g->gr_gid : (gid_t)n;
	return true;
}

/* Makes the folder if it is not there, and gives it to the user if it is still root's. */
static bool prepare_folder(const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return false;
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return false;
	}
	return geteuid() != 0 || uid == 0 || st.st_uid != 0 || chown(path, uid, gid) == 0;
}

/* A file that the group may read, for configd. */
static bool give(const char *path, uid_t uid, gid_t gid)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	bool ok = fd >= 0 && fchown(fd, uid, gid) == 0 && fchmod(fd, 0640) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* keys.db and machine.key with the group that may read them, while we may still give files away. */
static bool prepare_keys(const struct options *o, uid_t uid)
{
	char path[300], key[300];
	gid_t gid;

	if (geteuid() != 0 || !o->keys_group)
		return true;
	if (!find_group(o->keys_group, &gid)) {
		errno = ENOENT;
		return false;
	}
	snprintf(path, sizeof(path), "%s/keys.db", o->data_dir);
	return machine_key_path(key, sizeof(key), path) && machine_key_make(key) == ERR_OK && give(key, uid, gid) &&
	       give(path, uid, gid);
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "configd: %s: %s\n", what, why);
	return 1;
}

/* All that needs root, then root is given up. */
static int become_user(struct options *o)
{
	uid_t uid = geteuid();
	gid_t gid = getegid(), ignored;
	enum err e;

	o->ike_uid = uid;
	if (o->ike_user && confine_find_user(o->ike_user, &o->ike_uid, &ignored) != ERR_OK)
		return fail(o->ike_user, "no such user");

	if (geteuid() == 0 && o->user && confine_find_user(o->user, &uid, &gid) != ERR_OK)
		return fail(o->user, "no such user");
	if (!prepare_folder(o->run_dir, uid, gid))
		return fail(o->run_dir, strerror(errno));
	if (!prepare_folder(o->data_dir, uid, gid))
		return fail(o->data_dir, strerror(errno));
	if (!prepare_keys(o, uid))
		return fail("keys.db", strerror(errno));
	e = confine_user(o->user, NULL);
	return e == ERR_OK ? 0 : fail(o->user ? o->user : "capabilities", err_text(e));
}

static int serve(const struct options *o)
{
	struct configd d = { 0 };
	struct loop *l = loop_new();
	enum err e;
	int status = 1;

	umask(027);
	if (!l)
		return fail("event loop", "out of memory");
	e = loop_signals(l, NULL, NULL);
	if (e == ERR_OK)
		e = configd_open(&d, l, o->run_dir, o->data_dir);
	if (e != ERR_OK) {
		fail(o->run_dir, e == ERR_AUTH ? "keys.db is sealed with another machine.key" : err_text(e));
		goto out;
	}
	e = confine_seccomp(CONFINE_CONFIGD);
	if (e != ERR_OK) {
		fail("system call filter", err_text(e));
		goto out;
	}
	d.ike_uid = o->ike_uid;
	d.verifier = verifier_new(l, session_checked, &d);
	if (!d.verifier) {
		fail("verifier", "no thread");
		goto out;
	}
	configd_load(&d, o->initial);
	status = loop_run(l);
out:
	configd_close(&d);
	loop_free(l);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { .run_dir = "/run/postern", .data_dir = "/var/lib/postern" };
	int status = parse(&o, argc, argv);

	if (status >= 0)
		return status;
	if (confine_early() != ERR_OK)
		return fail("confinement", strerror(errno));
	umask(022);
	alg_init();
	log_open("configd", o.run_dir);
	status = become_user(&o);
	if (status == 0)
		status = serve(&o);
	log_close();
	return status;
}
