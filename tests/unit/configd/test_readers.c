/* Readers of another uid, who may write nothing: snapshots of running.db, and the keys process on keys.db. Needs root. */
#include "harness.h"

#include "configdb/machine_key.h"
#include "configdb/secrets.h"

#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define READER 54321

static struct rig rig;

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_remove(&rig);
	return 0;
}

static void become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
		_exit(9);
}

/* Loads until the host is called LAST. */
static _Noreturn void read_snapshots(void)
{
	struct cfg_source *s;
	unsigned loads = 0;

	become(READER, READER);
	if (cfg_source_open(&s, rig.run) != ERR_OK)
		_exit(2);
	for (double until = now_s() + 20; now_s() < until;) {
		struct cfg *c;
		bool last;
		enum err e = cfg_load(s, &c);

		if (e == ERR_BUSY)
			continue;
		if (e != ERR_OK)
			_exit(3);
		loads++;
		last = strcmp(c->system.hostname, "LAST") == 0;
		cfg_free(c);
		if (last)
			_exit(loads > 1 ? 0 : 4);
	}
	_exit(5);
}

static void snapshots_for_another_uid(void **state)
{
	struct msg_sync c;
	char line[64], path[128];
	struct stat st;
	pid_t pid;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	rig_start(&rig, NULL);
	c = rig_console(&rig);
	config(&c, "hostname FIRST");
	for (int i = 0; i < 3; i++) {
		static const char *const tails[] = { "", "-wal", "-shm" };

		snprintf(path, sizeof(path), "%s/running.db%s", rig.run, tails[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0644);
	}
	pid = fork();
	if (pid == 0)
		read_snapshots();
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "hostname H%d", i);
		config(&c, line);
	}
	config(&c, "hostname LAST");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	msg_sync_close(&c);

	/* And once more behind a configd that was killed and came back. */
	rig_kill(&rig, SIGKILL);
	rig_start(&rig, NULL);
	pid = fork();
	if (pid == 0) {
		struct cfg_source *s;
		struct cfg *n;

		become(READER, READER);
		_exit(cfg_source_open(&s, rig.run) == ERR_OK && cfg_load(s, &n) == ERR_OK && strcmp(n->system.hostname, "LAST") == 0
				? 0
				: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static _Noreturn void read_keys(const char *path, uint64_t first, unsigned count)
{
	double until = now_s() + 60;
	struct secrets *s;
	struct secret v;
	enum err opened;

	become(READER, READER + 1);
	/* A writer that never rests keeps readers out for as long as its disk is slow: they come again. */
	while ((opened = secrets_open(&s, path, true)) == ERR_BUSY && now_s() < until)
		;
	if (opened != ERR_OK)
		_exit(2);
	while (now_s() < until) {
		enum err e = secrets_get(s, first + count - 1, &v);

		if (e == ERR_OK)
			_exit(v.len == 8 ? 0 : 3);
		if (e != ERR_NOT_FOUND && e != ERR_BUSY)
			_exit(4);
	}
	_exit(5);
}

static void keys_for_a_group(void **state)
{
	char path[128], key[128], value[16];
	struct secrets *w, *none;
	uint64_t first = 0, id;
	pid_t pid;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(path, sizeof(path), "%s/keys.db", rig.data);
	assert_int_equal(secrets_open(&w, path, false), ERR_OK);
	assert_int_equal(secrets_put(w, SECRET_SHARED, span_of("value000", 8), &first), ERR_OK);

	/* 0600: nobody else. */
	pid = fork();
	if (pid == 0) {
		become(READER, READER + 1);
		_exit(secrets_open(&none, path, true) == ERR_OK ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	/* 0640: the group reads, while configd writes. */
	assert_int_equal(chown(path, 0, READER + 1), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_true(machine_key_path(key, sizeof(key), path));
	assert_int_equal(chown(key, 0, READER + 1), 0);
	assert_int_equal(chmod(key, 0640), 0);
	pid = fork();
	if (pid == 0)
		read_keys(path, first, 100);
	for (unsigned i = 1; i < 100; i++) {
		snprintf(value, sizeof(value), "value%03u", i);
		assert_int_equal(secrets_put(w, SECRET_SHARED, span_of(value, 8), &id), ERR_OK);
	}
	assert_true(id == first + 99);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	secrets_close(w);
}

/* Another uid is neither the console nor a user of its choice, whatever it says. */
static void another_uid_is_no_console(void **state)
{
	struct msg_sync c;
	pid_t pid;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	rig_start(&rig, NULL);
	c = rig_console(&rig);
	config(&c, "username admin privilege 15 secret 9 " CISCO9);
	pid = fork();
	if (pid == 0) {
		struct cfgm_session s;
		struct msg_sync o;

		become(READER, READER);
		o = rig_session(&rig, "admin", "con 0", &s);
		if (s.privilege != 1 || strcmp(s.user, "admin") == 0 || strncmp(s.tty, "vty", 3) != 0)
			_exit(1);
		_exit(enable(&o, "", &s) == ERR_NOT_FOUND ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	msg_sync_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(snapshots_for_another_uid, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_for_a_group, setup, teardown),
		cmocka_unit_test_setup_teardown(another_uid_is_no_console, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
