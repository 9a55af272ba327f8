/* `write memory`, killed at 200 random moments: the startup configuration is the old one or the new one, whole.
 *
 * A child saves the configurations of hosts A and B in turn, as fast as it can; the parent kills it after a random time and
 * looks. The child tells through a pipe which it is about to save, so that "never a third" means: the last one told, or the
 * one before it.
 */
#include "configdb/daemon/startup.h"
#include "platform/base/mem.h"

#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define KILLS 200

static char dir[64];

static struct store *router(struct secrets *secrets, const char *name)
{
	static const struct store_who who = { .user = "", .tty = "con 0", .from = "" };
	struct cfgm_line in = { .at = { .mode = MODE_CONFIG } };
	struct cfgm_result out;
	struct store *s;
	unsigned tables;

	assert_int_equal(store_open(&s, NULL, secrets), ERR_OK);
	snprintf(in.line, sizeof(in.line), "hostname %s", name);
	store_line(s, 15, &in, &who, &out, &tables);
	assert_int_equal(out.code, GR_OK);
	/* Some pages, so that there is a middle to be killed in. */
	for (int i = 0; i < 60; i++) {
		snprintf(in.line, sizeof(in.line), "ip route 10.%d.0.0 255.255.0.0 198.51.100.%d name %s-%d", i, i + 1, name, i);
		store_line(s, 15, &in, &who, &out, &tables);
		assert_int_equal(out.code, GR_OK);
	}
	return s;
}

static char *text_of(struct store *s)
{
	char *t;

	assert_int_equal(store_text(s, false, NULL, &t), ERR_OK);
	return t;
}

static _Noreturn void save_for_ever(struct store *a, struct store *b, int said, int round)
{
	struct startup st;

	if (startup_init(&st, dir) != ERR_OK)
		_exit(1);
	for (int i = round;; i++) {
		char which = i % 2 ? 'B' : 'A';

		if (write(said, &which, 1) != 1 || startup_save(&st, i % 2 ? b : a) != ERR_OK)
			_exit(1);
	}
}

/* How long one save takes here, in microseconds: the moments of the kills lie within a few of them. */
static long save_us(struct startup *st, struct store *s)
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(startup_save(st, s), ERR_OK);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

static void killed_at_random_moments(void **state)
{
	struct secrets *secrets;
	struct store *a, *b;
	struct startup st;
	char *text_a, *text_b;
	unsigned seen_a = 0, seen_b = 0, unfinished = 0;
	long span_us = 0;

	(void)state;
	assert_int_equal(secrets_open(&secrets, NULL, false), ERR_OK);
	a = router(secrets, "A");
	b = router(secrets, "B");
	text_a = text_of(a);
	text_b = text_of(b);
	assert_int_equal(startup_init(&st, dir), ERR_OK);
	srandom(20240229);
	for (int i = 0; i < KILLS; i++) {
		struct store *copy;
		char told[4096], *t;
		int said[2], status;
		ssize_t n;
		pid_t pid;

		if (i % 20 == 0)
			span_us = 4 * save_us(&st, i % 2 ? a : b) + 1000;
		assert_int_equal(pipe(said), 0);
		pid = fork();
		if (pid == 0)
			save_for_ever(a, b, said[1], i);
		close(said[1]);
		/* The first save is allowed to end, so that there is an old one. */
		assert_int_equal(read(said[0], told, 1), 1);
		if (i == 0)
			assert_int_equal(read(said[0], told, 1), 1);
		usleep((useconds_t)(random() % span_us));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while ((n = read(said[0], told + 1, sizeof(told) - 1)) > 0)
			told[0] = told[n];
		close(said[0]);

		assert_int_equal(startup_load(&st, secrets, &copy), ERR_OK);
		t = text_of(copy);
		if (strcmp(t, text_a) == 0)
			seen_a++;
		else if (strcmp(t, text_b) == 0)
			seen_b++;
		else
			fail_msg("kill %d: a third configuration:\n%s", i, t);
		unfinished += strcmp(t, told[0] == 'A' ? text_a : text_b) != 0;
		mem_free(t);
		store_close(copy);
	}
	/* The kills hit: both were found, and some saves had not got through. */
	assert_true(seen_a && seen_b);
	assert_true(unfinished > 0);
	mem_free(text_a);
	mem_free(text_b);
	store_close(a);
	store_close(b);
	secrets_close(secrets);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/postern-startup-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(killed_at_random_moments) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
