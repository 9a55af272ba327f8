/* platformd: the box itself. Follows the configuration, the kernel and the log socket; answers the console.
 *
 *   configd --- revisions --> follow --> apply --> rtnetlink, sysctl
 *   kernel  --- changes ----------------^
 *   programs -- log lines --> logd --> buffer, consoles, monitors
 *   console --- questions --> serve
 */
#include "configdb/follow.h"
#include "platform/base/cmdline.h"
#include "platform/base/confine.h"
#include "platform/base/env.h"
#include "platform/base/log.h"
#include "platform/daemon/apply.h"
#include "platform/daemon/inventory.h"
#include "platform/daemon/reload.h"
#include "platform/daemon/serve.h"
#include "platform/daemon/sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIST_AFTER_US    20000
#define RELOAD_AFTER_US  300000 /* the console gets its answer, and its last lines */
#define OPENER_PERIOD_US 50000
#define OPENER_WAIT_MS   20

static struct {
	struct loop *loop;
	struct kernel *kernel;
	struct apply *apply;
	struct logd *log;
	struct cfg_follow *follow;
	struct msg_server *server;
	struct loop_timer *sampler, *reloader, *opener, *lister;
	struct counters counters;
	struct inventory inventory;
	struct system_start start;
	struct serve serve;
	struct reload reload;
	const char *run_dir;
	bool fresh, set_hostname, restart;
	char **argv;
} self;

static const char help[] =
	"Usage: platformd [--run-dir DIR] [--foreground] [--set-hostname] [--service-dir DIR | --reload-cmd FILE]\n"
	"Interfaces, addresses, routes, logs and reload of a Postern router. Stays root.\n\n"
	"  --run-dir DIR      sockets and running configuration (default /run/postern)\n"
	"  --data-dir DIR     accepted, not used\n"
	"  --user NAME        accepted, not used: platformd is root\n"
	"  --foreground       accepted: there is no other mode\n"
	"  --set-hostname     set the host name of the machine, or of its own UTS namespace\n"
	"  --service-dir DIR  runit's folder with configd, ikemgrd and datapathd, for `reload`\n"
	"  --reload-cmd FILE  program that does a reload instead; gets the run folder as argument\n";

static void host_refresh(void *ctx)
{
	(void)ctx;
	cfg_follow_catch_up(self.follow);
	apply_flush(self.apply);
}

static const struct cfg *host_config(void *ctx)
{
	(void)ctx;
	return self.follow != NULL ? cfg_follow_now(self.follow) : NULL;
}

static enum err host_box(void *ctx, struct box *out)
{
	(void)ctx;
	return kernel_read(self.kernel, out);
}

static enum err host_neighbours(void *ctx, void (*each)(void *to, const struct kernel_neighbour *n), void *to)
{
	(void)ctx;
	return kernel_neighbours(self.kernel, each, to);
}

static const struct rib *host_rib(void *ctx)
{
	(void)ctx;
	return apply_rib(self.apply);
}

static const char *host_fault(void *ctx, const char *ifname)
{
	(void)ctx;
	return apply_fault(self.apply, ifname);
}

static enum err host_may(void *ctx, pid_t pid, uint8_t privilege)
{
	(void)ctx;
	return cfg_follow_check_session(self.follow, pid, privilege);
}

static enum err host_reload(void *ctx, pid_t pid)
{
	(void)ctx;
	(void)pid;
	if (!reload_possible(&self.reload))
		return ERR_UNSUPPORTED;
	log_msg("SYS", LOG_SEV_NOTICE, "RELOAD", "Reload requested by console. Reload Reason: Reload Command.");
	loop_timer_set(self.reloader, RELOAD_AFTER_US);
	return ERR_OK;
}

static void on_reload(void *ctx)
{
	(void)ctx;
	if (reload_run(&self.reload) != ERR_OK)
		log_msg("SYS", LOG_SEV_ERROR, "RELOAD", "Reload failed: the supervisor of %s did not answer as it should",
			self.reload.service_dir != NULL ? self.reload.service_dir : self.run_dir);
	self.restart = true;
	loop_stop(self.loop, 0);
}

static void on_config(void *ctx, const struct cfg *now, unsigned tables)
{
	(void)ctx;
	if (tables & CFG_SYSTEM) {
		logd_configure(self.log, &now->system);
		if (self.set_hostname)
			system_set_hostname(now->system.hostname);
	}
	apply_config(self.apply, now, tables & (CFG_INTERFACES | CFG_ROUTES));
}

static void on_kernel(void *ctx)
{
	(void)ctx;
	apply_soon(self.apply);
	loop_timer_set(self.lister, LIST_AFTER_US);
}

/* Without the list every interface can be configured: what the box lacks is then a fault of it. */
static void on_list(void *ctx)
{
	struct box b = { 0 };

	(void)ctx;
	if (kernel_read_links(self.kernel, &b) == ERR_OK && inventory_update(&self.inventory, &b, self.run_dir) != ERR_OK)
		log_msg("PLATFORM", LOG_SEV_WARNING, "INVENTORY", "the list of interfaces cannot be written: %m");
	box_free(&b);
}

static void on_sample(void *ctx)
{
	struct box b = { 0 };
	uint64_t now = env_system.now_us(env_system.ctx);

	(void)ctx;
	loop_timer_set(self.sampler, COUNTERS_PERIOD_US);
	if (kernel_read_links(self.kernel, &b) != ERR_OK)
		return;
	for (size_t i = 0; i < b.nlinks; i++)
		if (box_name_is_ours(b.links[i].ifname) && counters_sample(&self.counters, &b.links[i], now) != ERR_OK)
			break;
	box_free(&b);
}

/* Packets are forwarded from the moment on at which datapathd's filter stands (it serves its door after that): else those that a
 * crypto map protects could leave in clear while the router starts. The rules outlive a datapathd that is killed. */
static void on_opener(void *ctx)
{
	struct msg_sync s;
	enum err e = ERR_CLOSED;
	char path[108];
	size_t len;

	(void)ctx;
	if (msg_path(path, self.run_dir, "datapathd") && msg_sync_open(&s, path, OPENER_WAIT_MS) == ERR_OK) {
		e = msg_sync_call(&s, 0, span_of(NULL, 0), NULL, 0, &len); /* no such question: any answer will do */
		msg_sync_close(&s);
	}
	if (e == ERR_CLOSED || e == ERR_TIMEOUT)
		loop_timer_set(self.opener, OPENER_PERIOD_US);
	else
		sysctl_forward();
}

struct line_out {
	const struct platm_log *line;
	size_t len;
	bool console, monitor;
};

static void line_to(void *ctx, struct msg_conn *c)
{
	const struct line_out *o = ctx;

	serve_line(&self.serve, c, o->line, o->len, o->console, o->monitor);
}

static void on_line(void *ctx, const struct platm_log *line, size_t len, bool console, bool monitor)
{
	struct line_out o = { line, len, console, monitor };

	(void)ctx;
	if (self.server != NULL)
		msg_server_each(self.server, line_to, &o);
}

static void on_message(void *ctx, struct msg_conn *c, struct msg *m)
{
	serve_message(ctx, c, m);
}

static bool fail(const char *what)
{
	fprintf(stderr, "platformd: %s: %s\n", what, strerror(errno));
	return false;
}

static bool open_log(void)
{
	/* First: it says how many lines may wait at the log's socket. */
	sysctl_router();
	self.log = logd_new(&env_system, on_line, NULL);
	if (self.log == NULL || logd_listen(self.log, self.loop, self.run_dir) != ERR_OK)
		return fail("log socket");
	log_open("platformd", self.run_dir);
	if (system_started(&self.start, self.run_dir, &self.fresh) != ERR_OK)
		return fail("run directory");
	logd_started(self.log, env_system.now_us(env_system.ctx) - system_uptime_us(&self.start));
	if (logd_keep(self.log, self.run_dir, self.fresh) != ERR_OK)
		log_msg("PLATFORM", LOG_SEV_WARNING, "LOG_NOT_KEPT", "the log buffer would be lost with this program: %m");
	if (self.fresh)
		log_msg("SYS", LOG_SEV_NOTICE, "RESTART", "System restarted -- Postern, Version " POSTERN_VERSION);
	return true;
}

static bool open_doors(void)
{
	static const struct msg_handlers handlers = { .message = on_message };
	char path[108];

	self.serve = (struct serve){ .refresh = host_refresh,
		.config = host_config,
		.box = host_box,
		.neighbours = host_neighbours,
		.rib = host_rib,
		.fault = host_fault,
		.may = host_may,
		.reload = host_reload,
		.log = self.log,
		.counters = &self.counters,
		.start = &self.start,
		.env = &env_system };
	if (!msg_path(path, self.run_dir, PLATFORMD_SOCKET))
		return fail("run directory");
	self.server = msg_listen(self.loop, path, 0666, &handlers, &self.serve);
	return self.server != NULL || fail(path);
}

static bool start(void)
{
	self.loop = loop_new();
	if (self.loop == NULL || loop_signals(self.loop, NULL, NULL) != ERR_OK)
		return fail("event loop");
	if (!open_log())
		return false;
	if (kernel_open(&self.kernel) != ERR_OK || kernel_watch(self.kernel, self.loop, on_kernel, NULL) != ERR_OK)
		return fail("rtnetlink");
	self.apply = apply_new(self.loop, self.kernel, self.fresh);
	self.sampler = loop_timer_new(self.loop, on_sample, NULL);
	self.reloader = loop_timer_new(self.loop, on_reload, NULL);
	self.opener = loop_timer_new(self.loop, on_opener, NULL);
	self.lister = loop_timer_new(self.loop, on_list, NULL);
	self.follow = cfg_follow_new(self.loop, self.run_dir, on_config, NULL);
	if (self.apply == NULL || self.sampler == NULL || self.reloader == NULL || self.opener == NULL || self.lister == NULL ||
		self.follow == NULL)
		return fail("memory");
	loop_timer_set(self.sampler, 0);
	loop_timer_set(self.opener, 0);
	on_list(NULL);
	if (!open_doors())
		return false;
	return confine_seccomp(CONFINE_PLATFORM) == ERR_OK || fail("seccomp");
}

static void stop(void)
{
	log_close();
	msg_server_free(self.server);
	self.server = NULL;
	cfg_follow_free(self.follow);
	apply_free(self.apply);
	kernel_close(self.kernel);
	loop_timer_free(self.sampler);
	loop_timer_free(self.reloader);
	loop_timer_free(self.opener);
	loop_timer_free(self.lister);
	logd_free(self.log);
	counters_free(&self.counters);
	loop_free(self.loop);
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv)
{
	const char *unused;
	const struct cmdline_option options[] = { { "run-dir", &self.run_dir, NULL }, { "data-dir", &unused, NULL },
		{ "user", &unused, NULL }, { "foreground", NULL, NULL }, { "set-hostname", NULL, &self.set_hostname },
		{ "service-dir", &self.reload.service_dir, NULL }, { "reload-cmd", &self.reload.command, NULL },
		{ NULL, NULL, NULL } };
	int status;

	self.run_dir = "/run/postern";
	status = cmdline_parse(&(struct cmdline){ help, "platformd (Postern) " POSTERN_VERSION, options }, argc, argv);
	self.reload.run_dir = self.run_dir;
	return status;
}

int main(int argc, char **argv)
{
	int status = read_options(argc, argv);

	if (status >= 0)
		return status;
	self.argv = argv;
	if (confine_early() != ERR_OK || !start())
		return 1;
	status = loop_run(self.loop);
	stop();
	if (self.restart) {
		execv("/proc/self/exe", argv);
		fail("restart");
	}
	return status;
}
