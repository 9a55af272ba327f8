/* A program that follows the configuration, while configd lives, dies and comes back. */
#include "harness.h"

#include "configdb/follow.h"

#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct rig rig;
static struct loop *loop;
static struct cfg_follow *follow;
static struct loop_timer *timer;

static unsigned calls, last_tables;
static char last_name[CFG_NAME];

static void changed(void *ctx, const struct cfg *now, unsigned tables)
{
	(void)ctx;
	calls++;
	last_tables |= tables;
	strcpy(last_name, now->system.hostname);
	loop_stop(loop, 1);
}

static void time_is_up(void *ctx)
{
	(void)ctx;
	loop_stop(loop, 0);
}

/* Runs the loop until the follower called back (true) or time is up. */
static bool heard(uint64_t within_us)
{
	loop_timer_set(timer, within_us);
	if (loop_run(loop) == 0)
		return false;
	loop_timer_stop(timer);
	return true;
}

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	loop = loop_new();
	timer = loop_timer_new(loop, time_is_up, NULL);
	calls = last_tables = 0;
	follow = cfg_follow_new(loop, rig.run, changed, NULL);
	return loop && timer && follow ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	cfg_follow_free(follow);
	loop_timer_free(timer);
	loop_free(loop);
	rig_remove(&rig);
	return 0;
}

static void a_follower_hears_of_all_and_outlives_configd(void **state)
{
	struct msg_sync c;

	(void)state;
	/* No configd yet. */
	assert_false(heard(300000));
	assert_null(cfg_follow_now(follow));
	assert_int_not_equal(cfg_follow_check_session(follow, getpid(), 15), ERR_OK);

	rig_start(&rig, NULL);
	assert_true(heard(60000000));
	assert_int_equal(last_tables, CFG_ALL);
	assert_non_null(cfg_follow_now(follow));

	c = rig_console(&rig);
	last_tables = 0;
	config(&c, "hostname R3");
	assert_true(heard(60000000));
	assert_int_equal(last_tables, CFG_SYSTEM);
	assert_string_equal(last_name, "R3");
	enum err e = ERR_TIMEOUT;

	for (int i = 0; i < 100 && e != ERR_OK; i++) /* it waits for a moment only */
		e = cfg_follow_check_session(follow, getpid(), 15);
	assert_int_equal(e, ERR_OK);
	assert_int_equal(cfg_follow_check_session(follow, 1, 1), ERR_DENIED);
	msg_sync_close(&c);

	/* Killed: the snapshot stays, and after the restart nothing is new. */
	rig_kill(&rig, SIGKILL);
	assert_false(heard(300000));
	assert_string_equal(cfg_follow_now(follow)->system.hostname, "R3");
	rig_start(&rig, NULL);
	assert_false(heard(600000));

	c = rig_console(&rig);
	last_tables = 0;
	config(&c, "ip route 10.0.0.0 255.0.0.0 Null0");
	assert_true(heard(60000000));
	assert_int_equal(last_tables, CFG_ROUTES);
	assert_int_equal(cfg_follow_now(follow)->nroutes, 1);
	msg_sync_close(&c);
}

/* What was changed while nobody could tell is found when configd is back. */
static void a_change_that_was_not_told_is_found(void **state)
{
	struct msg_sync c;

	(void)state;
	rig_start(&rig, NULL);
	assert_true(heard(60000000));
	c = rig_console(&rig);
	config(&c, "hostname R4");
	msg_sync_close(&c);
	rig_kill(&rig, SIGKILL);
	rig_start(&rig, NULL);
	last_tables = 0;
	while (heard(30000000) && strcmp(last_name, "R4") != 0)
		;
	assert_string_equal(last_name, "R4");
	assert_int_equal(last_tables, CFG_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_follower_hears_of_all_and_outlives_configd, setup, teardown),
		cmocka_unit_test_setup_teardown(a_change_that_was_not_told_is_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
