/* What a program still can after it gave things up: each case in a child, as nothing comes back. */
#include "platform/base/confine.h"
#include "platform/base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs fn in a child; returns its exit status, or 128 + signal. 0 is success; else the line that failed. */
static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#define NEED(x)                                                                                                                    \
	do {                                                                                                                       \
		if (!(x))                                                                                                          \
			return __LINE__ & 127;                                                                                     \
	} while (0)

static int early(void)
{
	struct rlimit r;

	NEED(confine_early() == ERR_OK);
	NEED(getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_max == 0);
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
#ifndef POSTERN_SAN
	NEED(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
#endif
	return 0;
}

static int become_user(void)
{
	const int caps[] = { CAP_NET_ADMIN + 1, CAP_NET_RAW + 1, 0 };

	NEED(confine_early() == ERR_OK);
	NEED(confine_user("4711", caps) == ERR_OK);
	NEED(getuid() == 4711 && geteuid() == 4711 && getgid() == 4711 && getgroups(0, NULL) == 0);
	NEED(setuid(0) < 0);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_ADMIN, 0, 0) == 1);
	NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SYS_ADMIN, 0, 0) == 0);
	NEED(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0);
	NEED(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0);
	return 0;
}

static int become_nobody(void)
{
	NEED(confine_user("nobody", NULL) == ERR_OK);
	NEED(getuid() != 0);
	NEED(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
	return 0;
}

static int unknown_user(void)
{
	NEED(confine_user("no-such-user", NULL) == ERR_NOT_FOUND);
	NEED(confine_user("", NULL) == ERR_INVALID);
	NEED(confine_user("4294967295", NULL) == ERR_RANGE);
	NEED(getuid() == 0);
	return 0;
}

static void *in_thread(void *arg)
{
	return arg;
}

static int works_in(enum confine_profile p)
{
	uint8_t random[8];
	pthread_t t;
	void *back;
	int fd;

	NEED(confine_early() == ERR_OK);
	NEED(confine_seccomp(p) == ERR_OK);
	env_system.random(NULL, random, sizeof(random));
	NEED((fd = open("/etc/passwd", O_RDONLY)) >= 0);
	NEED(read(fd, random, sizeof(random)) == sizeof(random));
	NEED(close(fd) == 0);
	/* As for a listening socket. */
	NEED((fd = socket(AF_UNIX, SOCK_SEQPACKET, 0)) >= 0);
	NEED(fchmod(fd, 0666) == 0);
	NEED(pthread_create(&t, NULL, in_thread, random) == 0);
	NEED(pthread_join(t, &back) == 0 && back == random);
	free(malloc(1 << 20));
	return 0;
}

static int configd_profile(void)
{
	int failed = works_in(CONFINE_CONFIGD);

	if (failed)
		return failed;
	NEED(socket(AF_INET, SOCK_DGRAM, 0) < 0 && errno == EPERM);
	NEED(fork() < 0 && errno == EPERM);
	NEED(execl("/bin/true", "true", NULL) < 0 && errno == EPERM);
	return 0;
}

static int ike_profile(void)
{
	int failed = works_in(CONFINE_IKE_PROTO);

	if (failed)
		return failed;
	NEED(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0);
	NEED(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
	NEED(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
	return 0;
}

static int keys_profile(void)
{
	int failed = works_in(CONFINE_IKE_KEYS);

	if (failed)
		return failed;
	NEED(socket(AF_INET, SOCK_DGRAM, 0) < 0 && errno == EPERM);
	return 0;
}

static int runs_program(enum confine_profile p)
{
	int failed = works_in(p);

	if (failed)
		return failed;
	NEED(system("cat /etc/passwd >/dev/null") == 0);
	NEED(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
	return 0;
}

static int datapath_profile(void)
{
	return runs_program(CONFINE_DATAPATH);
}

static int cli_profile(void)
{
	return runs_program(CONFINE_CLI);
}

static int platform_profile(void)
{
	return runs_program(CONFINE_PLATFORM);
}

static int traces(enum confine_profile p)
{
	if (confine_seccomp(p) != ERR_OK)
		return 1;
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	return 2;
}

static int cli_traces(void)
{
	return traces(CONFINE_CLI);
}

static int platform_traces(void)
{
	return traces(CONFINE_PLATFORM);
}

#define CASE(name)                                                                                                                 \
	static void test_##name(void **state)                                                                                      \
	{                                                                                                                          \
		(void)state;                                                                                                       \
		assert_int_equal(in_child(name), 0);                                                                               \
	}
CASE(early)
CASE(become_user)
CASE(become_nobody)
CASE(unknown_user)
CASE(configd_profile)
CASE(ike_profile)
CASE(keys_profile)
CASE(datapath_profile)
CASE(cli_profile)
CASE(platform_profile)

static void test_forbidden_call_kills(void **state)
{
	(void)state;
	assert_int_equal(in_child(cli_traces), 128 + SIGSYS);
	assert_int_equal(in_child(platform_traces), 128 + SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_become_user),
		cmocka_unit_test(test_become_nobody),
		cmocka_unit_test(test_unknown_user),
		cmocka_unit_test(test_configd_profile),
		cmocka_unit_test(test_ike_profile),
		cmocka_unit_test(test_keys_profile),
		cmocka_unit_test(test_datapath_profile),
		cmocka_unit_test(test_cli_profile),
		cmocka_unit_test(test_platform_profile),
		cmocka_unit_test(test_forbidden_call_kills),
	};

	/* Filters are what is tested here, in the sanitizer build too. */
	unsetenv("POSTERN_NO_SECCOMP");
	if (geteuid() != 0) {
		print_error("these tests change users: they must run as root\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
