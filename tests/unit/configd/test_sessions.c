/* Who may do what: sessions, enable, secrets, and the questions that other programs ask. */
#include "harness.h"

#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct rig rig;

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	rig_start(&rig, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_remove(&rig);
	return 0;
}

static void a_session_starts_at_level_one(void **state)
{
	struct cfg_mode_ctx at = { .mode = MODE_CONFIG };
	struct cfgm_result out;
	struct cfgm_session s;
	struct msg_sync c = rig_session(&rig, "", "con 0", &s);
	enum err e;

	(void)state;
	assert_int_equal(s.privilege, 1);
	assert_int_equal(s.pid, getpid());
	assert_string_equal(s.tty, "con 0");
	assert_string_equal(s.hostname, "Router");
	assert_int_equal(type_line(&c, &at, "hostname X", &out), ERR_DENIED);
	free(config_text(&c, CFGM_RUNNING, &e));
	assert_int_equal(e, ERR_DENIED);
	assert_int_equal(copy(&c, CFGM_RUN_TO_START, false, "", -1, NULL), ERR_DENIED);
	assert_int_equal(msg_sync_call(&c, CFGM_WRITE_ERASE, span_of(NULL, 0), NULL, 0, NULL), ERR_DENIED);
	msg_sync_close(&c);

	/* Without any session even less. */
	c = rig_connect(&rig);
	assert_int_equal(type_line(&c, &at, "hostname X", &out), ERR_DENIED);
	assert_int_equal(enable(&c, "", &s), ERR_DENIED);
	msg_sync_close(&c);
}

static void enable_without_a_secret(void **state)
{
	struct cfgm_session s;
	struct cfgm_enable down = { .level = 1 };
	struct msg_sync c = rig_session(&rig, "", "con 0", &s), v = rig_session(&rig, "", "vty 0", &s);

	(void)state;
	assert_int_equal(enable(&c, "", &s), ERR_OK);
	assert_int_equal(s.privilege, 15);
	assert_int_equal(enable(&v, "", &s), ERR_NOT_FOUND);
	assert_int_equal(enable(&v, "guess", &s), ERR_NOT_FOUND);
	assert_int_equal(msg_sync_call(&c, CFGM_DISABLE, span_of(&down, sizeof(down)), &s, sizeof(s), NULL), ERR_OK);
	assert_int_equal(s.privilege, 1);
	down.level = 15;
	assert_int_equal(msg_sync_call(&c, CFGM_DISABLE, span_of(&down, sizeof(down)), &s, sizeof(s), NULL), ERR_DENIED);
	msg_sync_close(&c);
	msg_sync_close(&v);
}

static void enable_with_a_secret(void **state)
{
	struct cfgm_session s;
	struct msg_sync c = rig_console(&rig), v;
	double t;

	(void)state;
	config(&c, "enable secret 9 " CISCO9);
	msg_sync_close(&c);
	c = rig_session(&rig, "", "con 0", &s);
	v = rig_session(&rig, "", "vty 0", &s);
	assert_int_equal(enable(&c, "", &s), ERR_INCOMPLETE);
	assert_int_equal(enable(&v, "", &s), ERR_INCOMPLETE);
	assert_int_equal(enable(&v, "cisco", &s), ERR_OK);
	assert_int_equal(s.privilege, 15);
	t = now_s();
	assert_int_equal(enable(&c, "wrong", &s), ERR_AUTH);
	assert_true(now_s() - t > 0.9);
	assert_int_equal(enable(&c, "cisco", &s), ERR_OK);
	msg_sync_close(&c);
	msg_sync_close(&v);
}

static void a_refusal_makes_nobody_else_wait(void **state)
{
	struct cfgm_session s;
	struct msg_sync c = rig_console(&rig), v = rig_session(&rig, "", "vty 0", &s);
	double t;
	pid_t asker;
	int status, answered = 0;

	(void)state;
	config(&c, "enable secret 9 " CISCO9);
	t = now_s();
	asker = fork();
	if (asker == 0)
		_exit(enable(&v, "wrong", &s) == ERR_AUTH ? 0 : 1);
	/* Others are answered, again and again, before the refused one is: however slow the machine is. */
	while (waitpid(asker, &status, WNOHANG) == 0) {
		assert_true(dirty(&c));
		answered++;
	}
	assert_true(answered >= 2);
	assert_int_equal(status, 0);
	assert_true(now_s() - t > 0.9);
	msg_sync_close(&c);
	msg_sync_close(&v);
}

static void a_user_has_his_privilege(void **state)
{
	struct cfgm_session s;
	struct msg_sync c = rig_console(&rig), v;
	struct cfgm_login q = { .user = "admin", .password = "cisco" };

	(void)state;
	config(&c, "username admin privilege 15 secret 9 " CISCO9);
	config(&c, "username guest privilege 1 secret 9 " CISCO9);
	v = rig_session(&rig, "admin", "vty 3", &s);
	assert_int_equal(s.privilege, 15);
	msg_sync_close(&v);
	v = rig_session(&rig, "guest", "vty 3", &s);
	assert_int_equal(s.privilege, 1);
	msg_sync_close(&v);
	v = rig_session(&rig, "nobody-here", "vty 3", &s);
	assert_int_equal(s.privilege, 1);
	msg_sync_close(&v);

	/* A login asks without a session. */
	v = rig_connect(&rig);
	assert_int_equal(msg_sync_call(&v, CFGM_CHECK_SECRET, span_of(&q, sizeof(q)), &s, sizeof(s), NULL), ERR_OK);
	assert_string_equal(s.user, "admin");
	assert_int_equal(s.privilege, 15);
	strcpy(q.user, "nobody-here");
	assert_int_equal(msg_sync_call(&v, CFGM_CHECK_SECRET, span_of(&q, sizeof(q)), &s, sizeof(s), NULL), ERR_AUTH);
	strcpy(q.user, "admin");
	q.password[0] = '\0';
	assert_int_equal(msg_sync_call(&v, CFGM_CHECK_SECRET, span_of(&q, sizeof(q)), &s, sizeof(s), NULL), ERR_AUTH);
	/* Nor does having asked make one. */
	assert_int_equal(enable(&v, "", &s), ERR_DENIED);
	msg_sync_close(&v);
	msg_sync_close(&c);
}

static bool count_session(void *ctx, struct span body)
{
	struct cfgm_session s;
	unsigned *seen = ctx;

	assert_int_equal(body.len, sizeof(s));
	memcpy(&s, body.data, sizeof(s));
	*seen |= strcmp(s.tty, "con 0") == 0 ? 1 : strcmp(s.tty, "vty 1") == 0 ? 2 : 4;
	if (*seen & 2)
		assert_string_equal(s.from, "10.0.0.5");
	return true;
}

static void programs_ask_for_the_privilege_of_a_process(void **state)
{
	struct cfgm_session s, answer;
	struct msg_sync c = rig_session(&rig, "", "con 0", &s), v = rig_session(&rig, "", "vty 1", &answer), p = rig_connect(&rig);
	struct cfgm_session_query q = { .pid = (uint32_t)getpid(), .privilege = 15 };
	unsigned seen = 0;
	enum err e = ERR_OK;

	(void)state;
	assert_int_equal(msg_sync_call(&p, CFGM_SESSION_PRIV, span_of(&q, sizeof(q)), &answer, sizeof(answer), NULL), ERR_DENIED);
	assert_int_equal(enable(&c, "", &s), ERR_OK);
	assert_int_equal(msg_sync_call(&p, CFGM_SESSION_PRIV, span_of(&q, sizeof(q)), &answer, sizeof(answer), NULL), ERR_OK);
	assert_int_equal(answer.id, s.id);
	q.pid = 1;
	assert_int_equal(msg_sync_call(&p, CFGM_SESSION_PRIV, span_of(&q, sizeof(q)), &answer, sizeof(answer), NULL), ERR_DENIED);
	assert_int_equal(msg_sync_dump(&p, CFGM_SESSIONS, span_of(NULL, 0), count_session, &seen), ERR_OK);
	assert_int_equal(seen, 3);
	/* The session ends with its connection. */
	msg_sync_close(&c);
	q.pid = (uint32_t)getpid();
	for (int i = 0; i < 3000 && e == ERR_OK; i++, usleep(10000))
		e = msg_sync_call(&p, CFGM_SESSION_PRIV, span_of(&q, sizeof(q)), &answer, sizeof(answer), NULL);
	assert_int_equal(e, ERR_DENIED);
	msg_sync_close(&v);
	msg_sync_close(&p);
}

/* Every request with no body, one byte, its right length less and more one byte, and text that does not end: refused, and
 * configd answers the next question. */
static void wrong_lengths_are_refused(void **state)
{
	static const struct {
		uint32_t type;
		size_t size;
	} known[] = { { CFGM_SESSION_OPEN, sizeof(struct cfgm_open) }, { CFGM_ENABLE, sizeof(struct cfgm_enable) },
		{ CFGM_DISABLE, sizeof(struct cfgm_enable) }, { CFGM_TEXT, sizeof(struct cfgm_text) },
		{ CFGM_CHECK_SECRET, sizeof(struct cfgm_login) }, { CFGM_SESSION_PRIV, sizeof(struct cfgm_session_query) } };
	static const uint32_t bodiless[] = { CFGM_CONFIG_END, CFGM_WRITE_ERASE, CFGM_SESSIONS, CFGM_SUBSCRIBE, CFGM_DIRTY };
	struct msg_sync c = rig_console(&rig);
	static uint8_t body[MSG_BODY_MAX];
	struct cfgm_line line = { .at = { .mode = MODE_CONFIG } };
	struct cfgm_result out;

	(void)state;
	memset(body, 'A', sizeof(body));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const size_t lengths[] = { 0, 1, known[i].size - 1, known[i].size + 1, sizeof(body) };

		for (size_t k = 0; k < 5; k++)
			assert_int_equal(msg_sync_call(&c, known[i].type, span_of(body, lengths[k]), NULL, 0, NULL), ERR_INVALID);
		if (known[i].type != CFGM_SESSION_PRIV && known[i].type != CFGM_DISABLE)
			assert_int_equal(
				msg_sync_call(&c, known[i].type, span_of(body, known[i].size), NULL, 0, NULL), ERR_INVALID);
	}
	for (size_t i = 0; i < sizeof(bodiless) / sizeof(bodiless[0]); i++)
		for (size_t len = 1; len < sizeof(body); len *= 16)
			assert_int_equal(msg_sync_call(&c, bodiless[i], span_of(body, len), NULL, 0, NULL), ERR_INVALID);
	assert_int_equal(msg_sync_call(&c, CFGM_LINE, span_of(body, 10), NULL, 0, NULL), ERR_INVALID);
	assert_int_equal(
		msg_sync_call(&c, CFGM_LINE, span_of(&line, offsetof(struct cfgm_line, line)), NULL, 0, NULL), ERR_INVALID);
	memset(line.line, 'A', sizeof(line.line));
	assert_int_equal(msg_sync_call(&c, CFGM_LINE, span_of(&line, sizeof(line)), NULL, 0, NULL), ERR_INVALID);
	line.line[3] = '\0';
	line.at.mode = 999;
	assert_int_equal(
		msg_sync_call(&c, CFGM_LINE, span_of(&line, offsetof(struct cfgm_line, line) + 4), &out, sizeof(out), NULL),
		ERR_INVALID);
	assert_int_equal(msg_sync_call(&c, CFGM_COPY, span_of(body, sizeof(struct cfgm_copy)), NULL, 0, NULL), ERR_INVALID);
	assert_int_equal(msg_sync_call(&c, 4242, span_of(body, 4), NULL, 0, NULL), ERR_UNSUPPORTED);
	assert_int_equal(msg_sync_call(&c, CFGM_REVISION, span_of(body, 4), NULL, 0, NULL), ERR_UNSUPPORTED);
	(void)dirty(&c);
	msg_sync_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_session_starts_at_level_one, setup, teardown),
		cmocka_unit_test_setup_teardown(enable_without_a_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(enable_with_a_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refusal_makes_nobody_else_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(a_user_has_his_privilege, setup, teardown),
		cmocka_unit_test_setup_teardown(programs_ask_for_the_privilege_of_a_process, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_lengths_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
