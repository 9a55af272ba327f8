/* The event loop: descriptors, timers, posts of other threads, signals; and log lines. */
#include "platform/base/env.h"
#include "platform/base/log.h"
#include "platform/base/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct loop *loop;
	struct loop_fd *watch;
	struct loop_timer *timer;
	int pipe[2];
	int calls, what;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new();
	*state = f;
	return pipe(f->pipe);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_timer_free(f->timer);
	loop_free(f->loop);
	close(f->pipe[0]);
	close(f->pipe[1]);
	free(f);
	return 0;
}

static void read_twice_then_delete(void *ctx, int fd, int what)
{
	struct fixture *f = ctx;
	char c;

	f->what |= what;
	assert_int_equal(read(fd, &c, 1), 1);
	if (++f->calls == 2) {
		loop_fd_del(f->watch);
		loop_stop(f->loop, 3);
	}
}

static void descriptor_is_level_triggered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write(f->pipe[1], "ab", 2), 2);
	f->watch = loop_fd_add(f->loop, f->pipe[0], LOOP_READ, read_twice_then_delete, f);
	assert_int_equal(loop_run(f->loop), 3);
	assert_int_equal(f->calls, 2);
	assert_int_equal(f->what, LOOP_READ);
}

static void stop_on_timer(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
	loop_stop(f->loop, 0);
}

static void count_write(void *ctx, int fd, int what)
{
	struct fixture *f = ctx;

	(void)fd;
	f->what = what;
	loop_fd_set(f->watch, 0);
	loop_timer_set(f->timer, 10000);
}

static void paused_descriptor_is_silent(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_new(f->loop, stop_on_timer, f);
	f->watch = loop_fd_add(f->loop, f->pipe[1], 0, count_write, f);
	loop_fd_set(f->watch, LOOP_WRITE);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->what, LOOP_WRITE);
	assert_int_equal(f->calls, 1);
	loop_fd_del(f->watch);
}

static void timer_is_not_early(void **state)
{
	struct fixture *f = *state;
	uint64_t start = env_system.now_us(NULL), took;

	f->timer = loop_timer_new(f->loop, stop_on_timer, f);
	loop_timer_set(f->timer, 60000000);
	loop_timer_set(f->timer, 20000); /* moves it */
	loop_run(f->loop);
	took = env_system.now_us(NULL) - start;
	assert_true(took >= 20000 && took < 50000000);
	assert_int_equal(f->calls, 1);
}

static void stop_before_run_counts(void **state)
{
	struct fixture *f = *state;

	loop_stop(f->loop, 5);
	assert_int_equal(loop_run(f->loop), 5);
}

static void posted(void *ctx)
{
	struct fixture *f = ctx;

	if (++f->calls == 1000)
		loop_stop(f->loop, 0);
}

static void *poster(void *ctx)
{
	struct fixture *f = ctx;

	for (int i = 0; i < 1000; i++)
		while (!loop_post(f->loop, posted, f))
			usleep(100);
	return NULL;
}

static void other_threads_post(void **state)
{
	struct fixture *f = *state;
	pthread_t t;

	pthread_create(&t, NULL, poster, f);
	loop_run(f->loop);
	pthread_join(t, NULL);
	assert_int_equal(f->calls, 1000);
}

static void stop_now(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
	loop_stop(f->loop, 0);
}

static void posts_outlast_a_stop(void **state)
{
	struct fixture *f = *state;

	assert_true(loop_post(f->loop, stop_now, f));
	assert_true(loop_post(f->loop, stop_now, f));
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
	loop_run(f->loop);
	assert_int_equal(f->calls, 2);
}

static void full_queue_refuses(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	while (n < 100000 && loop_post(f->loop, posted, f))
		n++;
	assert_int_equal(n, 4096);
}

static void on_hup(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
	raise(SIGPIPE); /* ignored */
	raise(SIGTERM);
}

static void raise_hup(void *ctx)
{
	(void)ctx;
	raise(SIGHUP);
}

static void signals_reach_the_loop(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_signals(f->loop, on_hup, f), ERR_OK);
	assert_true(loop_post(f->loop, raise_hup, NULL));
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->calls, 1);
}

static void keep_line(void *ctx, enum log_severity severity, const char *line)
{
	snprintf(ctx, 256, "%d|%s", severity, line);
}

static void captured_lines_have_ios_shape(void **state)
{
	char line[256] = "";

	(void)state;
	log_capture(keep_line, line);
	log_msg("SYS", LOG_SEV_NOTICE, "CONFIG_I", "Configured from %s by %s", "console", "admin");
	assert_string_equal(line, "5|%SYS-5-CONFIG_I: Configured from console by admin");
	log_debug("ISAKMP:(%d): text", 1001);
	assert_string_equal(line, "7|ISAKMP:(1001): text");
	log_capture(NULL, NULL);
}

static void lines_travel_as_datagrams(void **state)
{
	char dir[] = "/tmp/test-log-XXXXXX", buf[4096], long_text[3000];
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct log_record *r = (struct log_record *)buf;
	const char *s = r->strings;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	ssize_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/log", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	log_open("testd", dir);
	log_msg("LINK", LOG_SEV_ERROR, "UPDOWN", "Interface %s", "GigabitEthernet0/0");
	n = recv(fd, buf, sizeof(buf), 0);
	assert_true(n > 0);
	assert_int_equal(r->severity, 3);
	assert_int_equal(r->pid, getpid());
	assert_int_equal(r->flags, 0);
	assert_memory_equal(s, "testd\0LINK\0UPDOWN\0Interface GigabitEthernet0/0", 47);

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	log_debug("%s", long_text);
	n = recv(fd, buf, sizeof(buf), 0);
	assert_int_equal(n, sizeof(*r) + 6 + 1 + 1 + LOG_TEXT);
	assert_int_equal(r->flags, LOG_FLAG_DEBUG);
	log_close();
	close(fd);
	unlink(at.sun_path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(descriptor_is_level_triggered, setup, teardown),
		cmocka_unit_test_setup_teardown(paused_descriptor_is_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(timer_is_not_early, setup, teardown),
		cmocka_unit_test_setup_teardown(stop_before_run_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(other_threads_post, setup, teardown),
		cmocka_unit_test_setup_teardown(posts_outlast_a_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(full_queue_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_reach_the_loop, setup, teardown),
		cmocka_unit_test(captured_lines_have_ios_shape),
		cmocka_unit_test(lines_travel_as_datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
