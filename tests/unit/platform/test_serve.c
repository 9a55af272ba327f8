/* The door: every message with its right and its wrong body, privileges, dumps, monitors; reload and the record of the start. */
#include "build.h"

#include "platform/base/loop.h"
#include "platform/daemon/reload.h"
#include "platform/daemon/serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	struct world *w;
	struct loop *loop;
	struct msg_conn *server, *client;
	struct serve serve;
	struct counters counters;
	struct system_start start;
	bool privileged, configured;
	int reloads, refreshed;
	/* What the client got. */
	int objects, events, status;
	size_t first_len;
	uint8_t first[4096];
} at;

static void host_refresh(void *ctx)
{
	(void)ctx;
	at.refreshed++;
}

static const struct cfg *host_config(void *ctx)
{
	(void)ctx;
	return at.configured ? &at.w->cfg : NULL;
}

static enum err host_box(void *ctx, struct box *out)
{
	(void)ctx;
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < at.w->box.nlinks; i++)
		assert_int_equal(box_add_link(out, &at.w->box.links[i]), ERR_OK);
	for (size_t i = 0; i < at.w->box.naddrs; i++)
		assert_int_equal(box_add_addr(out, &at.w->box.addrs[i]), ERR_OK);
	for (size_t i = 0; i < at.w->box.nroutes; i++)
		assert_int_equal(box_add_route(out, &at.w->box.routes[i]), ERR_OK);
	return ERR_OK;
}

static enum err host_neighbours(void *ctx, void (*each)(void *to, const struct kernel_neighbour *n), void *to)
{
	(void)ctx;
	each(to, &(struct kernel_neighbour){ "gi0-0", ip_of("203.0.113.2"), { 2, 0, 0, 0, 0, 9 }, 125 });
	each(to, &(struct kernel_neighbour){ "eth7", ip_of("192.0.2.1"), { 0 }, 0 });
	return ERR_OK;
}

static const struct rib *host_rib(void *ctx)
{
	(void)ctx;
	return NULL;
}

static const char *host_fault(void *ctx, const char *ifname)
{
	(void)ctx;
	return strcmp(ifname, "gi0-7") == 0 ? "no such device" : "";
}

static enum err host_may(void *ctx, pid_t pid, uint8_t privilege)
{
	(void)ctx;
	assert_int_equal(pid, getpid());
	assert_int_equal(privilege, 15);
	return at.privileged ? ERR_OK : ERR_DENIED;
}

static enum err host_reload(void *ctx, pid_t pid)
{
	(void)ctx;
	(void)pid;
	at.reloads++;
	return ERR_OK;
}

static void on_line(void *ctx, const struct platm_log *line, size_t len, bool console, bool monitor)
{
	(void)ctx;
	serve_line(&at.serve, at.server, line, len, console, monitor);
}

static void on_question(void *ctx, struct msg_conn *c, struct msg *m)
{
	serve_message(ctx, c, m);
}

static void on_answer(void *ctx, struct msg_conn *c, struct msg *m)
{
	(void)ctx;
	(void)c;
	if (m->head.seq == 0) {
		at.events++;
	} else if (m->head.flags & MSG_FLAG_MORE) {
		at.objects++;
	} else {
		at.status = m->head.status;
		loop_stop(at.loop, 0);
	}
	if (at.first_len == 0 && m->body.len <= sizeof(at.first)) {
		at.first_len = m->body.len;
		memcpy(at.first, m->body.data, m->body.len);
	}
}

static void unexpected_end(void *ctx, struct msg_conn *c)
{
	(void)ctx;
	(void)c;
	fail();
}

static int setup(void **state)
{
	static const struct msg_handlers server = { .message = on_question, .closed = unexpected_end };
	static const struct msg_handlers client = { .message = on_answer, .closed = unexpected_end };
	int ends[2];

	memset(&at, 0, sizeof(at));
	if (world_setup(state) != 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	at.w = *state;
	at.configured = true;
	at.loop = loop_new();
	at.serve = (struct serve){ .refresh = host_refresh,
		.config = host_config,
		.box = host_box,
		.neighbours = host_neighbours,
		.rib = host_rib,
		.fault = host_fault,
		.may = host_may,
		.reload = host_reload,
		.counters = &at.counters,
		.start = &at.start,
		.env = &env_system };
	at.serve.log = logd_new(&env_system, on_line, NULL);
	at.server = msg_adopt(at.loop, ends[0], &server, &at.serve);
	at.client = msg_adopt(at.loop, ends[1], &client, NULL);
	want_interface(at.w, "gi0-0", "203.0.113.1/24");
	want_interface(at.w, "gi0-7", "10.7.0.1/24");
	have_link(at.w, "gi0-0", true, true);
	have_link(at.w, "gi0-3", false, false);
	have_link(at.w, "lo", true, true);
	have_addr(at.w, "gi0-0", "203.0.113.1/24");
	have_addr(at.w, "lo", "127.0.0.1/8");
	return 0;
}

static int teardown(void **state)
{
	msg_close(at.client);
	msg_close(at.server);
	logd_free(at.serve.log);
	counters_free(&at.counters);
	loop_free(at.loop);
	return world_teardown(state);
}

/* Asks, and returns the status; what came is in `at`. */
static int ask(uint32_t type, const void *body, size_t len)
{
	at.objects = at.events = 0;
	at.first_len = 0;
	at.status = -1;
	assert_int_equal(msg_send(at.client, type, 7, ERR_OK, 0, span_of(body, len)), ERR_OK);
	loop_run(at.loop);
	return at.status;
}

static void interfaces(void **state)
{
	struct platm_interface row;

	(void)state;
	assert_int_equal(ask(PLATM_INTERFACE_DUMP, NULL, 0), ERR_OK);
	assert_int_equal(at.refreshed, 1);
	assert_int_equal(at.objects, 3);
	memcpy(&row, at.first, sizeof(row));
	assert_string_equal(row.name, "GigabitEthernet0/0");
	at.configured = false;
	assert_int_equal(ask(PLATM_INTERFACE_DUMP, NULL, 0), ERR_OK);
	assert_int_equal(at.objects, 2);
}

static void routes_and_neighbours(void **state)
{
	struct platm_neighbour row;

	(void)state;
	assert_int_equal(ask(PLATM_ROUTE_DUMP, NULL, 0), ERR_OK);
	assert_int_equal(at.objects, 2);
	assert_int_equal(ask(PLATM_NEIGHBOUR_DUMP, NULL, 0), ERR_OK);
	/* Our own address, and one neighbour: that of eth7 is none of ours. */
	assert_int_equal(at.objects, 2);
	memcpy(&row, at.first, sizeof(row));
	assert_int_equal(row.age_min, -1);
}

static void version(void **state)
{
	struct platm_version v;

	(void)state;
	assert_int_equal(ask(PLATM_VERSION, NULL, 0), ERR_OK);
	assert_int_equal(at.first_len, sizeof(v));
	memcpy(&v, at.first, sizeof(v));
	assert_string_equal(v.version, POSTERN_VERSION);
	assert_int_equal(v.gigabit, 2);
	assert_true(v.memory_kb > 1024);
	assert_true(strlen(v.cpu) > 0 && strlen(v.serial) >= 4 && strlen(v.built) > 10);
}

static void bodies_have_their_length(void **state)
{
	static const uint32_t types[] = { PLATM_INTERFACE_DUMP, PLATM_ROUTE_DUMP, PLATM_LOG_DUMP, PLATM_LOG_INFO, PLATM_LOG_CLEAR,
		PLATM_LOG_MONITOR, PLATM_VERSION, PLATM_RELOAD, PLATM_NEIGHBOUR_DUMP };
	static char body[MSG_BODY_MAX];
	static const size_t lengths[] = { 1, 3, 4, 255, sizeof(body) };

	(void)state;
	at.privileged = true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++)
			assert_int_equal(ask(types[i], body, lengths[k]), ERR_INVALID);
	assert_int_equal(ask(PLATM_LOG_MONITOR, NULL, 0), ERR_INVALID);
	assert_int_equal(ask(PLATM_LOG_LINE, NULL, 0), ERR_UNSUPPORTED);
	assert_int_equal(ask(0, NULL, 0), ERR_UNSUPPORTED);
	assert_int_equal(ask(UINT32_MAX, NULL, 0), ERR_UNSUPPORTED);
	assert_int_equal(at.reloads, 0);
}

static void some_need_privilege(void **state)
{
	(void)state;
	assert_int_equal(ask(PLATM_RELOAD, NULL, 0), ERR_DENIED);
	assert_int_equal(ask(PLATM_LOG_CLEAR, NULL, 0), ERR_DENIED);
	assert_int_equal(at.reloads, 0);
	at.privileged = true;
	assert_int_equal(ask(PLATM_RELOAD, NULL, 0), ERR_OK);
	assert_int_equal(at.reloads, 1);
	assert_int_equal(ask(PLATM_LOG_CLEAR, NULL, 0), ERR_OK);
}

static void line(uint8_t severity)
{
	struct {
		struct log_record r;
		char text[16];
	} d = { .r = { .severity = severity } };

	memcpy(d.r.strings, "p\0SYS\0X\0text", 13);
	logd_take(at.serve.log, span_of(&d, offsetof(struct log_record, strings) + 13));
}

static void monitors_get_their_lines(void **state)
{
	struct cfg_system s = { .logging_buffered = true,
		.logging_buffer_bytes = 4096,
		.logging_buffer_level = 7,
		.logging_console = true,
		.logging_console_level = 3,
		.logging_monitor = true,
		.logging_monitor_level = 6 };
	const uint8_t monitor[2] = { 1, 0 }, console[2] = { 1, 1 }, off[2] = { 0, 0 };

	(void)state;
	logd_configure(at.serve.log, &s);
	line(5);
	assert_int_equal(ask(PLATM_LOG_MONITOR, monitor, 2), ERR_OK);
	line(5);
	line(7);
	assert_int_equal(ask(PLATM_LOG_INFO, NULL, 0), ERR_OK);
	assert_int_equal(at.events, 1);
	assert_int_equal(ask(PLATM_LOG_MONITOR, console, 2), ERR_OK);
	line(5);
	line(3);
	assert_int_equal(ask(PLATM_LOG_INFO, NULL, 0), ERR_OK);
	assert_int_equal(at.events, 1);
	assert_int_equal(ask(PLATM_LOG_MONITOR, off, 2), ERR_OK);
	line(0);
	assert_int_equal(ask(PLATM_LOG_DUMP, NULL, 0), ERR_OK);
	assert_int_equal(at.events, 0);
	assert_int_equal(at.objects, 6);
	assert_string_equal(((struct platm_log *)at.first)->text, "%SYS-5-X: text");
}

/* A run directory and a folder of services, with an `sv` that writes down what it is asked. */
static void reload_starts_from_nothing(void **state)
{
	char dir[] = "/tmp/test-reload-XXXXXX", path[128], command[512], log[512] = "";
	struct reload r = { .run_dir = dir, .service_dir = dir };
	struct system_start s;
	bool fresh;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_true(reload_possible(&r));
	snprintf(command, sizeof(command),
		"cd %s && mkdir configd ikemgrd datapathd && touch running.db running.db-wal running.db-shm startup.db && "
		"printf '#!/bin/sh\\nexec >>%s/log\\n[ -e %s/running.db ] && echo with || echo without\\necho $3 ${4##*/}\\n' >sv "
		"&& "
		"chmod +x sv",
		dir, dir, dir);
	assert_int_equal(system(command), 0);
	setenv("PATH", dir, 1);
	assert_int_equal(system_started(&s, dir, &fresh), ERR_OK);
	assert_true(fresh);
	assert_string_equal(s.reason, "power-on");
	assert_int_equal(system_started(&s, dir, &fresh), ERR_OK);
	assert_false(fresh);

	assert_int_equal(reload_run(&r), ERR_OK);
	snprintf(path, sizeof(path), "%s/log", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	log[fread(log, 1, sizeof(log) - 1, f)] = '\0';
	fclose(f);
	/* The running configuration goes after the last stop, and before the first start. */
	assert_string_equal(log, "with\nforce-stop ikemgrd\nwith\nforce-stop datapathd\nwith\nforce-stop configd\n"
				 "without\nup configd\nwithout\nup datapathd\nwithout\nup ikemgrd\n");
	snprintf(path, sizeof(path), "%s/running.db-wal", dir);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/startup.db", dir);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(system_started(&s, dir, &fresh), ERR_OK);
	assert_true(fresh);
	assert_string_equal(s.reason, "reload");
	setenv("PATH", "/usr/bin:/bin", 1);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static void reload_needs_a_way(void **state)
{
	(void)state;
	assert_false(reload_possible(&(struct reload){ .run_dir = "/tmp" }));
	assert_false(reload_possible(&(struct reload){ .run_dir = "/tmp", .service_dir = "/nonexistent" }));
	assert_false(reload_possible(&(struct reload){ .run_dir = "/tmp", .command = "/nonexistent" }));
	assert_true(reload_possible(&(struct reload){ .run_dir = "/tmp", .command = "/bin/true" }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(interfaces, setup, teardown),
		cmocka_unit_test_setup_teardown(routes_and_neighbours, setup, teardown),
		cmocka_unit_test_setup_teardown(version, setup, teardown),
		cmocka_unit_test_setup_teardown(bodies_have_their_length, setup, teardown),
		cmocka_unit_test_setup_teardown(some_need_privilege, setup, teardown),
		cmocka_unit_test_setup_teardown(monitors_get_their_lines, setup, teardown),
		cmocka_unit_test(reload_starts_from_nothing),
		cmocka_unit_test(reload_needs_a_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
