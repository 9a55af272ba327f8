#include "harness.h"

#include "configdb/daemon/configd.h"
#include "platform/base/log.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void rig_make(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	strcpy(r->dir, "/tmp/postern-configd-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_int_equal(chmod(r->dir, 0755), 0);
	snprintf(r->run, sizeof(r->run), "%s/run", r->dir);
	snprintf(r->data, sizeof(r->data), "%s/data", r->dir);
	assert_int_equal(mkdir(r->run, 0755), 0);
	assert_int_equal(mkdir(r->data, 0755), 0);
}

static _Noreturn void child(const struct rig *r, const char *initial)
{
	struct configd d;
	struct loop *l = loop_new();
	int status = 3;

	if (r->log)
		log_open("configd", r->run);
	if (!l || loop_signals(l, NULL, NULL) != ERR_OK || configd_open(&d, l, r->run, r->data) != ERR_OK)
		_exit(2);
	d.verifier = verifier_new(l, session_checked, &d);
	if (d.verifier) {
		configd_load(&d, initial);
		status = loop_run(l);
	}
	configd_close(&d);
	loop_free(l);
	exit(status); /* the leak checker looks here too */
}

void rig_listen(struct rig *r)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	assert_true(msg_path(at.sun_path, r->run, "log"));
	r->log = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_true(r->log > 0);
	assert_int_equal(bind(r->log, (struct sockaddr *)&at, sizeof(at)), 0);
}

bool rig_logged(struct rig *r, char *out, size_t size, int timeout_ms)
{
	union {
		struct log_record r;
		char room[4096];
	} d;
	struct pollfd p = { .fd = r->log, .events = POLLIN };
	const char *facility, *mnemonic;
	ssize_t n;

	if (poll(&p, 1, timeout_ms) != 1)
		return false;
	n = recv(r->log, &d, sizeof(d) - 1, 0);
	assert_true(n > (ssize_t)sizeof(d.r));
	d.room[n] = '\0';
	facility = d.r.strings + strlen(d.r.strings) + 1;
	mnemonic = facility + strlen(facility) + 1;
	snprintf(out, size, "%s-%u-%s: %s", facility, d.r.severity, mnemonic, mnemonic + strlen(mnemonic) + 1);
	return true;
}

void rig_start(struct rig *r, const char *initial)
{
	struct msg_sync c = { .fd = -1 };
	char path[108];

	assert_true(msg_path(path, r->run, CONFIGD_SOCKET));
	fflush(stdout);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0)
		child(r, initial);
	for (int i = 0; i < 1000 && msg_sync_open(&c, path, 1000) != ERR_OK; i++)
		usleep(10000);
	assert_true(c.fd >= 0);
	msg_sync_close(&c);
}

void rig_kill(struct rig *r, int signal)
{
	int status;

	if (!r->pid)
		return;
	kill(r->pid, signal);
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	r->pid = 0;
	if (signal == SIGTERM)
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void rig_remove(struct rig *r)
{
	char command[128];

	rig_kill(r, SIGTERM);
	if (r->log)
		close(r->log);
	snprintf(command, sizeof(command), "rm -rf %s", r->dir);
	assert_int_equal(system(command), 0);
}

struct msg_sync rig_connect(struct rig *r)
{
	struct msg_sync c;
	char path[108];

	assert_true(msg_path(path, r->run, CONFIGD_SOCKET));
	assert_int_equal(msg_sync_open(&c, path, 10000), ERR_OK);
	return c;
}

struct msg_sync rig_session(struct rig *r, const char *user, const char *tty, struct cfgm_session *s)
{
	struct msg_sync c = rig_connect(r);
	struct cfgm_open o = { .interactive = 1 };
	size_t len;

	snprintf(o.user, sizeof(o.user), "%s", user);
	snprintf(o.tty, sizeof(o.tty), "%s", tty);
	if (strncmp(tty, "vty", 3) == 0)
		strcpy(o.from, "10.0.0.5");
	assert_int_equal(msg_sync_call(&c, CFGM_SESSION_OPEN, span_of(&o, sizeof(o)), s, sizeof(*s), &len), ERR_OK);
	assert_int_equal(len, sizeof(*s));
	return c;
}

enum err enable(struct msg_sync *c, const char *password, struct cfgm_session *s)
{
	struct cfgm_enable q = { .level = 15 };
	size_t len;

	snprintf(q.password, sizeof(q.password), "%s", password);
	return msg_sync_call(c, CFGM_ENABLE, span_of(&q, sizeof(q)), s, sizeof(*s), &len);
}

struct msg_sync rig_console(struct rig *r)
{
	struct cfgm_session s;
	struct msg_sync c = rig_session(r, "", "con 0", &s);

	assert_int_equal(enable(&c, "", &s), ERR_OK);
	assert_int_equal(s.privilege, 15);
	return c;
}

enum err type_line(struct msg_sync *c, struct cfg_mode_ctx *at, const char *line, struct cfgm_result *out)
{
	struct cfgm_line in = { .at = *at };
	enum err e;

	snprintf(in.line, sizeof(in.line), "%s", line);
	e = msg_sync_call(
		c, CFGM_LINE, span_of(&in, offsetof(struct cfgm_line, line) + strlen(in.line) + 1), out, sizeof(*out), NULL);
	if (e == ERR_OK && out->code == GR_OK)
		*at = out->next;
	return e;
}

void config(struct msg_sync *c, const char *line)
{
	struct cfg_mode_ctx at = { .mode = MODE_CONFIG };
	struct cfgm_result out;

	assert_int_equal(type_line(c, &at, line, &out), ERR_OK);
	if (out.code != GR_OK)
		fail_msg("%s: %s", line, out.text);
}

struct text {
	char *at;
	size_t len;
};

static bool add_text(void *ctx, struct span body)
{
	struct text *t = ctx;

	t->at = realloc(t->at, t->len + body.len + 1);
	assert_non_null(t->at);
	memcpy(t->at + t->len, body.data, body.len);
	t->len += body.len;
	t->at[t->len] = '\0';
	return true;
}

char *config_text(struct msg_sync *c, enum cfgm_source what, enum err *status)
{
	struct cfgm_text q = { .what = (uint8_t)what };
	struct text t = { calloc(1, 1), 0 };

	*status = msg_sync_dump(c, CFGM_TEXT, span_of(&q, sizeof(q)), add_text, &t);
	return t.at;
}

const char *config_body(const char *text)
{
	const char *at = strstr(text, "\nversion");

	return at ? at + 1 : text;
}

static bool add_bad(void *ctx, struct span body)
{
	struct bad_lines *b = ctx;

	assert_int_equal(body.len, sizeof(b->e[0]));
	assert_true(b->count < 8);
	memcpy(&b->e[b->count++], body.data, body.len);
	return true;
}

enum err copy(struct msg_sync *c, enum cfgm_copy_kind kind, bool atomic, const char *text, int fd, struct bad_lines *bad)
{
	static union {
		struct cfgm_copy q;
		char room[MSG_BODY_MAX];
	} b;
	struct bad_lines ignored = { .count = 0 };

	b.q.kind = (uint8_t)kind;
	b.q.atomic = atomic;
	strcpy(b.q.text, text);
	if (bad)
		bad->count = 0;
	return msg_sync_dump_fd(c, CFGM_COPY, span_of(&b, sizeof(b.q) + strlen(text) + 1), fd, add_bad, bad ? bad : &ignored);
}

bool dirty(struct msg_sync *c)
{
	uint32_t yes = 7;

	assert_int_equal(msg_sync_call(c, CFGM_DIRTY, span_of(NULL, 0), &yes, sizeof(yes), NULL), ERR_OK);
	assert_true(yes <= 1);
	return yes;
}
