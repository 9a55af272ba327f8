#include "site.h"

#include "configdb/daemon/configd.h"
#include "ikemgr/proc/keys.h"
#include "ikemgr/proc/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void be_configd(const char *folder, const char *initial)
{
	struct configd d;
	struct loop *l = loop_new();

	if (!l || loop_signals(l, NULL, NULL) != ERR_OK || configd_open(&d, l, folder, folder) != ERR_OK)
		_exit(2);
	d.verifier = verifier_new(l, session_checked, &d);
	configd_load(&d, initial);
	_exit(loop_run(l));
}

/* A child must not hold open what its siblings wait to see closed. */
static void keep_only(int a, int b)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* nor outlive a test that failed */
	for (int fd = 3; fd < 256; fd++)
		if (fd != a && fd != b)
			close(fd);
}

static void start_ike(struct site *s)
{
	int pair[2];
	struct options o = { .run_dir = s->folder, .data_dir = s->folder, .workers = 1 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe(s->life), 0);
	s->keys = fork();
	if (s->keys == 0) {
		keep_only(pair[1], s->life[0]);
		_exit(keys_serve(pair[1], s->life[0], s->folder));
	}
	s->proto = fork();
	if (s->proto == 0) {
		keep_only(pair[0], s->life[0]);
		struct proto *p = proto_open(&o);
		_exit(p ? proto_run(p, pair[0], -1, s->life[0]) : 3);
	}
	close(pair[0]);
	close(pair[1]);
	close(s->life[0]);
}

void site_start(struct site *s, struct loop *l, const char *ip, const char *text)
{
	char initial[256];
	bool attached = false;

	*s = (struct site){ .folder = folder_make(), .dp = { .ip = ip, .ike_port = 500, .natt_port = 4500, .native_esp = true } };
	snprintf(initial, sizeof(initial), "%s/initial.cfg", s->folder);
	FILE *file = fopen(initial, "w");
	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
	fflush(NULL);
	s->configd = fork();
	if (s->configd == 0) {
		keep_only(-1, -1);
		be_configd(s->folder, initial);
	}
	fake_dp_start(&s->dp, l, s->folder);
	start_ike(s);
	for (int i = 0; i < 15000 && !attached; i++) {
		loop_for(l, 2000);
		attached = s->dp.client != NULL;
	}
	assert_true(attached); /* so it has its configuration, too */
}

static int ended(pid_t *pid, int signal)
{
	int status = -1;

	if (*pid <= 0)
		return -1;
	if (signal)
		kill(*pid, signal);
	assert_int_equal(waitpid(*pid, &status, 0), *pid);
	*pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void site_stop_ike(struct site *s)
{
	close(s->life[1]);
	/* 1: it saw the end of the other one first. */
	assert_in_range(ended(&s->proto, 0), 0, 1);
	assert_int_equal(ended(&s->keys, 0), 0);
}

void site_stop(struct site *s)
{
	if (s->proto > 0)
		site_stop_ike(s);
	ended(&s->configd, SIGTERM);
	if (s->dp.server)
		fake_dp_stop(&s->dp);
	folder_remove(s->folder);
}

static void on_message(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct question *q = ctx;

	(void)c;
	if (m->body.len > 0 && m->body.len <= sizeof(q->last)) {
		memcpy(q->last, m->body.data, m->body.len);
		q->len = m->body.len;
	}
	if (m->head.flags & MSG_FLAG_MORE) {
		q->rows++;
		return;
	}
	q->e = (enum err)m->head.status;
	q->done = true;
}

static void on_closed(void *ctx, struct msg_conn *c)
{
	struct question *q = ctx;

	(void)c;
	q->conn = NULL;
	q->e = ERR_CLOSED;
	q->done = true;
}

void site_ask(struct site *s, uint32_t type, struct span body, struct question *q)
{
	static const struct msg_handlers handlers = { .message = on_message, .closed = on_closed };
	char path[108];

	*q = (struct question){ 0 };
	assert_true(msg_path(path, s->folder, IKEMGRD_SOCKET));
	q->conn = msg_connect(s->dp.loop, path, &handlers, q);
	assert_non_null(q->conn);
	assert_int_equal(msg_send(q->conn, type, 7, ERR_OK, 0, body), ERR_OK);
	loop_until(s->dp.loop, &q->done);
	msg_close(q->conn);
	q->conn = NULL;
}
