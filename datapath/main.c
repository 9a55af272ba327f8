/* datapathd: IPsec SAs, policies, packets, filters. */
#include "datapath/daemon.h"

#include "datapath/xfrm/probe.h"

#include "configdb/alg.h"
#include "platform/base/cmdline.h"
#include "platform/base/confine.h"
#include "platform/base/log.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	const char *run_dir, *data_dir, *user, *ike_user, *backend;
};

static const char usage[] = "usage: datapathd [options]\n"
			    "  --run-dir DIR       sockets and the running configuration (/run/postern)\n"
			    "  --data-dir DIR      not used by this program\n"
			    "  --user NAME         becomes this user, when started as root\n"
			    "  --ike-user NAME     ikemgrd's user (postern-ike)\n"
			    "  --backend NAME      engine, or xfrm (default: what the kernel can do)\n"
			    "  --foreground        the only way it runs\n"
			    "  --help, --version\n";

static int parse(struct options *o, int argc, char **argv)
{
	const struct cmdline_option options[] = { { "run-dir", &o->run_dir, NULL }, { "data-dir", &o->data_dir, NULL },
		{ "user", &o->user, NULL }, { "ike-user", &o->ike_user, NULL }, { "backend", &o->backend, NULL },
		{ "foreground", NULL, NULL }, { NULL, NULL, NULL } };

	return cmdline_parse(&(struct cmdline){ usage, "datapathd (Postern) " POSTERN_VERSION, options }, argc, argv);
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "datapathd: %s: %s\n", what, why);
	return 1;
}

/* This build has the engine alone; what the kernel can do is said, so that an engineer knows. */
static const struct backend_ops *choose_backend(const char *wanted, const char *kernel)
{
	if (wanted && strcmp(wanted, "engine") != 0) {
		fail(wanted, strcmp(wanted, "xfrm") == 0 ? "the kernel's IPsec is not part of this build; use --backend engine"
							 : "no such backend (engine, xfrm)");
		return NULL;
	}
	log_msg("POSTERN", LOG_SEV_INFO, "BACKEND", "packets are protected by the %s%s; the kernel %s", engine_backend.name,
		wanted ? " (forced)" : "", kernel);
	return &engine_backend;
}

static uid_t ike_uid(const char *user)
{
	uid_t uid;
	gid_t gid;

	return confine_find_user(user ? user : "postern-ike", &uid, &gid) == ERR_OK ? uid : geteuid();
}

static bool prepare_run_dir(const struct options *o)
{
	/* Whoever comes first makes it; it belongs to configd, which starts with root's power over it. */
	return mkdir(o->run_dir, 0755) == 0 || errno == EEXIST;
}

static enum err confine(const struct options *o)
{
	/* Ports below 1024 are IKE's. The capabilities stay for devices that come later, and for the nft program. */
	static const int caps[] = { CAP_NET_ADMIN + 1, CAP_NET_RAW + 1, CAP_NET_BIND_SERVICE + 1, 0 };

	return confine_user(o->user, caps);
}

/* The socket's folder is another user's, so it is made first; all else is done as the user that we become. */
static int run(const struct options *o)
{
	struct loop *loop = loop_new();
	struct daemon d = { 0 };
	const char *kernel = xfrm_ability_text(xfrm_probe());
	struct daemon_args args = {
		.loop = loop,
		.env = &env_system,
		.ops = choose_backend(o->backend, kernel),
		.run_dir = o->run_dir,
		.ike_uid = ike_uid(o->ike_user),
		.kernel = kernel,
	};
	enum err e;
	int status = 1;

	if (!loop || !args.ops)
		return 1;
	e = loop_signals(loop, NULL, NULL);
	if (e == ERR_OK && (e = daemon_open(&d, &args)) == ERR_OK && (e = confine(o)) == ERR_OK &&
		(e = daemon_start(&d)) == ERR_OK && (e = confine_seccomp(CONFINE_DATAPATH)) == ERR_OK)
		status = loop_run(loop);
	else
		fail("start", err_text(e));
	daemon_close(&d);
	loop_free(loop);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { .run_dir = "/run/postern", .data_dir = "/var/lib/postern" };
	int status = parse(&o, argc, argv);

	if (status >= 0)
		return status;
	if (!prepare_run_dir(&o))
		return fail(o.run_dir, strerror(errno));
	if (confine_early() != ERR_OK)
		return fail("confinement", strerror(errno));
	log_open("datapathd", o.run_dir);
	alg_init();
	status = run(&o);
	log_close();
	return status;
}
