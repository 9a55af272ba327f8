/* Message sockets:   client --- SEQPACKET --- server, both on one loop, or the blocking client in a thread. */
#include "platform/base/msg.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* More than the queue holds of anything else. */
#define DUMPED 20000

enum { ECHO = 1, DUMP, REFUSED, PASS_FD, CLOSE_ME, SILENT, QUIT };

struct fixture {
	char dir[32], path[108];
	struct loop *loop;
	struct msg_server *server;
	struct msg_conn *client;
	int opened, closed, answers, status, flood;
	uint32_t last_seq;
	char body[64];
	bool refuse;
	enum err result;
	size_t got;
};

static bool on_open(void *ctx, struct msg_conn *c)
{
	struct fixture *f = ctx;

	f->opened++;
	assert_int_equal(msg_peer_pid(c), getpid());
	assert_int_equal(msg_peer_uid(c), getuid());
	msg_set_user(c, f);
	return !f->refuse;
}

static void answer_dump(struct fixture *f, struct msg_conn *c, struct msg *m)
{
	(void)f;
	for (uint32_t i = 0; i < DUMPED; i++) {
		/* An event in the middle does not disturb a dump. */
		if (i == 100)
			assert_int_equal(msg_send(c, 99, 0, ERR_OK, 0, span_of("event", 5)), ERR_OK);
		msg_reply(c, m, ERR_OK, MSG_FLAG_MORE, span_of(&i, sizeof(i)));
	}
	msg_reply(c, m, ERR_LIMIT, 0, (struct span){ 0 });
}

static void on_request(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct fixture *f = ctx;

	assert_ptr_equal(msg_user(c), f);
	switch (m->head.type) {
	case ECHO:
		msg_reply(c, m, ERR_OK, 0, m->body);
		break;
	case DUMP:
		answer_dump(f, c, m);
		break;
	case REFUSED:
		msg_reply(c, m, ERR_DENIED, 0, (struct span){ 0 });
		break;
	case PASS_FD:
		assert_int_equal(m->nfds, 1);
		assert_int_equal(write(m->fds[0], "hello", 5), 5);
		assert_int_equal(msg_send_fds(c, PASS_FD, m->head.seq, ERR_OK, (struct span){ 0 }, m->fds, 1), ERR_OK);
		break;
	case CLOSE_ME:
		msg_close(c);
		break;
	case QUIT:
		loop_stop(f->loop, 0);
		break;
	}
}

static void on_server_closed(void *ctx, struct msg_conn *c)
{
	struct fixture *f = ctx;

	(void)c;
	f->closed++;
	loop_stop(f->loop, 0);
}

static const struct msg_handlers server_side = { on_open, on_request, on_server_closed };

static void on_answer(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct fixture *f = ctx;

	(void)c;
	f->answers++;
	f->status = m->head.status;
	f->last_seq = m->head.seq;
	snprintf(f->body, sizeof(f->body), "%.*s", (int)m->body.len, (char *)m->body.data);
	if (f->flood == 0 || f->answers == f->flood)
		loop_stop(f->loop, 0);
}

static void on_client_closed(void *ctx, struct msg_conn *c)
{
	struct fixture *f = ctx;

	(void)c;
	f->client = NULL;
	f->closed++;
	loop_stop(f->loop, 0);
}

static const struct msg_handlers client_side = { NULL, on_answer, on_client_closed };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/test-msg-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_true(msg_path(f->path, f->dir, "sock"));
	f->loop = loop_new();
	f->server = msg_listen(f->loop, f->path, 0600, &server_side, f);
	assert_non_null(f->server);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	msg_close(f->client);
	msg_server_free(f->server);
	loop_free(f->loop);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void connect_client(struct fixture *f)
{
	f->client = msg_connect(f->loop, f->path, &client_side, f);
	assert_non_null(f->client);
}

static void question_and_answer(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	assert_int_equal(msg_send(f->client, ECHO, 7, ERR_OK, 0, span_of("ping", 4)), ERR_OK);
	loop_run(f->loop);
	assert_string_equal(f->body, "ping");
	assert_int_equal(f->last_seq, 7);
	assert_int_equal(msg_send(f->client, REFUSED, 8, ERR_OK, 0, (struct span){ 0 }), ERR_OK);
	loop_run(f->loop);
	assert_int_equal(f->status, ERR_DENIED);
}

static void catching_up_needs_no_loop(void **state)
{
	static const struct msg_handlers quiet = { .message = on_answer, .closed = on_client_closed };
	struct fixture *f = *state;
	struct msg_head head = { .type = ECHO, .len = 2, .seq = 3 };
	char packet[sizeof(head) + 2] = { 0 };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	f->client = msg_adopt(f->loop, ends[0], &quiet, f);
	msg_catch_up(f->client);
	assert_int_equal(f->answers, 0);
	memcpy(packet, &head, sizeof(head));
	assert_int_equal(send(ends[1], packet, sizeof(packet), 0), sizeof(packet));
	assert_int_equal(send(ends[1], packet, sizeof(packet), 0), sizeof(packet));
	msg_catch_up(f->client);
	assert_int_equal(f->answers, 2);
	close(ends[1]);
	msg_catch_up(f->client);
	assert_null(f->client);
	assert_int_equal(f->closed, 1);
}

static void socket_has_its_mode(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void server_may_refuse(void **state)
{
	struct fixture *f = *state;

	f->refuse = true;
	connect_client(f);
	loop_run(f->loop);
	assert_int_equal(f->opened, 1);
	assert_null(f->client);
}

static void closing_inside_the_callback(void **state)
{
	struct fixture *f = *state;

	connect_client(f);
	assert_int_equal(msg_send(f->client, CLOSE_ME, 1, ERR_OK, 0, (struct span){ 0 }), ERR_OK);
	assert_int_equal(msg_send(f->client, ECHO, 2, ERR_OK, 0, (struct span){ 0 }), ERR_OK);
	loop_run(f->loop);
	assert_null(f->client);
	assert_int_equal(f->closed, 1); /* the client's end only */
	assert_int_equal(f->answers, 0);
}

/* More than the socket's buffer holds: it queues, keeps the order, and refuses at its limit. */
static void queue_holds_and_ends(void **state)
{
	struct fixture *f = *state;
	char body[1000] = "x";
	uint32_t n = 0;

	connect_client(f);
	while (n < 20000 && msg_send(f->client, ECHO, n + 1, ERR_OK, 0, span_of(body, sizeof(body))) == ERR_OK)
		n++;
	assert_true(n > 4096 && n < 20000);
	assert_int_equal(msg_send(f->client, ECHO, n + 1, ERR_OK, 0, span_of(body, sizeof(body))), ERR_LIMIT);
	f->flood = (int)n;
	loop_run(f->loop);
	assert_int_equal(f->answers, n);
	assert_int_equal(f->last_seq, n);
}

static void descriptors_travel(void **state)
{
	struct fixture *f = *state;
	int ends[2];
	char text[8] = "";

	assert_int_equal(pipe(ends), 0);
	connect_client(f);
	assert_int_equal(msg_send_fds(f->client, PASS_FD, 1, ERR_OK, (struct span){ 0 }, &ends[1], 1), ERR_OK);
	loop_run(f->loop);
	assert_int_equal(read(ends[0], text, 5), 5);
	assert_string_equal(text, "hello");
	/* All copies were closed by both sides: the pipe ends with our own. */
	close(ends[1]);
	assert_int_equal(read(ends[0], text, 1), 0);
	close(ends[0]);
}

static void broken_frames_end_the_connection(void **state)
{
	static const struct msg_head heads[] = {
		{ .type = ECHO, .len = 5, .seq = 1 },                      /* promises more */
		{ .type = ECHO, .len = 3, .seq = 1 },                      /* promises less */
		{ .type = ECHO, .len = 4, .seq = 1, .status = ERR_COUNT }, /* no such error */
		{ .type = ECHO, .len = 4, .seq = 1, .status = -1 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct msg_sync s;
		char packet[20] = { 0 };

		memcpy(packet, &heads[i], sizeof(heads[i]));
		assert_int_equal(msg_sync_open(&s, f->path, 30000), ERR_OK);
		assert_int_equal(send(s.fd, packet, sizeof(packet), 0), sizeof(packet));
		loop_run(f->loop);
		assert_int_equal(f->closed, (int)i + 1);
		msg_sync_close(&s);
	}
}

static void *ask_twice(void *ctx)
{
	struct fixture *f = ctx;
	struct msg_sync s;
	char out[16] = "";

	assert_int_equal(msg_sync_open(&s, f->path, 30000), ERR_OK);
	assert_int_equal(msg_sync_call(&s, ECHO, span_of("sync", 4), out, sizeof(out), &f->got), ERR_OK);
	assert_string_equal(out, "sync");
	assert_int_equal(msg_sync_call(&s, ECHO, span_of("sync", 4), out, 2, &f->got), ERR_RANGE);
	f->result = msg_sync_call(&s, REFUSED, (struct span){ 0 }, NULL, 0, NULL);
	msg_sync_close(&s);
	return NULL;
}

static void blocking_call(void **state)
{
	struct fixture *f = *state;
	pthread_t t;

	pthread_create(&t, NULL, ask_twice, f);
	loop_run(f->loop);
	pthread_join(t, NULL);
	assert_int_equal(f->got, 4);
	assert_int_equal(f->result, ERR_DENIED);
}

static bool count_object(void *ctx, struct span body)
{
	struct fixture *f = ctx;
	uint32_t n = 0;

	assert_int_equal(body.len, sizeof(n));
	memcpy(&n, body.data, sizeof(n));
	assert_int_equal(n, f->got);
	return ++f->got != DUMPED + 1;
}

static void *ask_dump(void *ctx)
{
	struct fixture *f = ctx;
	struct msg_sync s;

	assert_int_equal(msg_sync_open(&s, f->path, 30000), ERR_OK);
	f->result = msg_sync_dump(&s, DUMP, (struct span){ 0 }, count_object, f);
	msg_sync_close(&s);
	return NULL;
}

static void dump_comes_in_order(void **state)
{
	struct fixture *f = *state;
	pthread_t t;

	pthread_create(&t, NULL, ask_dump, f);
	loop_run(f->loop);
	pthread_join(t, NULL);
	assert_int_equal(f->got, DUMPED);
	assert_int_equal(f->result, ERR_LIMIT);
}

static void silence_times_out(void **state)
{
	struct fixture *f = *state;
	struct msg_sync s;
	struct msg_head head;

	assert_int_equal(msg_sync_open(&s, f->path, 50), ERR_OK);
	assert_int_equal(msg_sync_call(&s, SILENT, (struct span){ 0 }, NULL, 0, NULL), ERR_TIMEOUT);
	assert_int_equal(msg_sync_recv(&s, &head, NULL, 0, 10), ERR_TIMEOUT);
	msg_server_free(f->server);
	f->server = NULL;
	assert_int_equal(msg_sync_call(&s, SILENT, (struct span){ 0 }, NULL, 0, NULL), ERR_CLOSED);
	assert_int_equal(s.fd, -1);
	assert_int_equal(msg_sync_open(&s, f->path, 50), ERR_CLOSED);
}

static void close_each(void *ctx, struct msg_conn *c)
{
	struct fixture *f = ctx;

	f->got++;
	msg_close(c);
}

static void all_connections_may_be_closed_while_walking(void **state)
{
	struct fixture *f = *state;
	struct msg_sync s[3];

	for (int i = 0; i < 3; i++)
		assert_int_equal(msg_sync_open(&s[i], f->path, 30000), ERR_OK);
	assert_int_equal(msg_sync_call(&s[2], SILENT, (struct span){ 0 }, NULL, 0, NULL) == ERR_OK, 0);
	msg_sync_close(&s[2]);
	loop_run(f->loop);
	msg_server_each(f->server, close_each, f);
	assert_int_equal(f->got, 2);
	msg_server_each(f->server, close_each, f);
	assert_int_equal(f->got, 2);
	msg_sync_close(&s[0]);
	msg_sync_close(&s[1]);
}

static void paths_fit_or_are_refused(void **state)
{
	char out[108], longer[120];

	(void)state;
	assert_true(msg_path(out, "/run/x", "configd"));
	assert_string_equal(out, "/run/x/configd");
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_false(msg_path(out, longer, "configd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(question_and_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(catching_up_needs_no_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(socket_has_its_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(server_may_refuse, setup, teardown),
		cmocka_unit_test_setup_teardown(closing_inside_the_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(queue_holds_and_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors_travel, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_frames_end_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(blocking_call, setup, teardown),
		cmocka_unit_test_setup_teardown(dump_comes_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_times_out, setup, teardown),
		cmocka_unit_test_setup_teardown(all_connections_may_be_closed_while_walking, setup, teardown),
		cmocka_unit_test(paths_fit_or_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
