/* System calls by profile.
 *
 * A profile is a set of groups of calls. What is in no group of the profile fails with EPERM, since libraries probe for
 * much; what no program of ours may ever do kills it.
 */
#include "platform/base/confine.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum group {
	G_BASE = 1 << 0,   /* memory, descriptors, clocks, signals, threads */
	G_FILES = 1 << 1,  /* files by name, and SQLite's locks */
	G_SOCKET = 1 << 2, /* traffic on sockets; which families may be made is below */
	G_EXEC = 1 << 3,   /* other programs */
	G_OWNER = 1 << 4,  /* owners of files */
	G_ALL = 1 << 5     /* whatever is not forbidden */
};

struct call {
	const char *names; /* separated by spaces */
	unsigned group;
};

static const struct call calls[] = {
	{ "read write readv writev pread64 pwrite64 preadv pwritev lseek close close_range dup dup2 dup3 fcntl fstat newfstatat "
	  "ioctl poll "
	  "ppoll "
	  "select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 timerfd_create timerfd_settime "
	  "timerfd_gettime signalfd4 pipe pipe2",
		G_BASE },
	{ "brk mmap munmap mremap mprotect madvise msync mincore mlock mlock2 mlockall munlock munlockall membarrier getrandom "
	  "memfd_create",
		G_BASE },
	{ "futex set_robust_list get_robust_list rseq set_tid_address sched_yield sched_getaffinity sched_setaffinity "
	  "sched_getparam sched_getattr sched_setattr sched_getscheduler sched_setscheduler getcpu setpriority getpriority",
		G_BASE },
	{ "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait sigaltstack tgkill tkill kill pause alarm "
	  "setitimer getitimer restart_syscall",
		G_BASE },
	{ "exit exit_group getpid getppid gettid getuid geteuid getgid getegid getgroups getresuid getresgid getpgrp getpgid "
	  "getsid "
	  "uname sysinfo getrusage times getrlimit setrlimit prlimit64 wait4 waitid prctl arch_prctl capget umask getcwd",
		G_BASE },
	{ "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time adjtimex clock_adjtime", G_BASE },
	{ "open openat openat2 access faccessat faccessat2 stat lstat statx statfs fstatfs readlink readlinkat getdents64 mkdir "
	  "mkdirat "
	  "rmdir "
	  "unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat ftruncate truncate fallocate fsync fdatasync "
	  "sync_file_range flock utimensat fadvise64 sendfile copy_file_range chdir fchdir inotify_init1 inotify_add_watch "
	  "inotify_rm_watch chmod fchmod fchmodat",
		G_FILES },
	{ "chown fchown lchown fchownat", G_OWNER },
	{ "bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown sendto sendmsg sendmmsg "
	  "recvfrom "
	  "recvmsg recvmmsg socketpair",
		G_SOCKET },
	{ "clone fork vfork execve execveat setsid setpgid setuid setgid setreuid setregid setresuid setresgid "
	  "setgroups capset",
		G_EXEC },
};

/* Never, in any program: other processes' memory and the kernel itself. */
static const char never[] = "ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd kexec_load kexec_file_load init_module "
			    "finit_module delete_module bpf perf_event_open userfaultfd add_key request_key keyctl swapon swapoff "
			    "acct quotactl iopl ioperm mount_setattr move_mount open_tree fsopen fsconfig fsmount lookup_dcookie";

#define FAMILY(f)  (1u << (f))
#define DGRAM_ONLY (1u << 31) /* of AF_INET and AF_INET6 */

struct profile {
	unsigned groups, families;
};

static const struct profile profiles[] = {
	[CONFINE_CONFIGD] = { G_BASE | G_FILES | G_OWNER | G_SOCKET, FAMILY(AF_UNIX) },
	[CONFINE_IKE_PROTO] = { G_BASE | G_FILES | G_SOCKET, FAMILY(AF_UNIX) | FAMILY(AF_INET) | FAMILY(AF_INET6) | DGRAM_ONLY },
	[CONFINE_IKE_KEYS] = { G_BASE | G_FILES | G_SOCKET, FAMILY(AF_UNIX) },
	[CONFINE_IKE_FETCH] = { G_BASE | G_FILES | G_SOCKET,
		FAMILY(AF_UNIX) | FAMILY(AF_INET) | FAMILY(AF_INET6) | FAMILY(AF_NETLINK) },
	[CONFINE_DATAPATH] = { G_BASE | G_FILES | G_OWNER | G_SOCKET | G_EXEC,
		FAMILY(AF_UNIX) | FAMILY(AF_INET) | FAMILY(AF_INET6) | FAMILY(AF_PACKET) | FAMILY(AF_NETLINK) },
	[CONFINE_PLATFORM] = { G_ALL, 0 },
	[CONFINE_CLI] = { G_BASE | G_FILES | G_SOCKET | G_EXEC,
		FAMILY(AF_UNIX) | FAMILY(AF_INET) | FAMILY(AF_INET6) | FAMILY(AF_NETLINK) },
};

/* Adds one rule for each name that this kernel's architecture has. */
static int add_names(scmp_filter_ctx f, uint32_t action, const char *names)
{
	char copy[1024], *save = NULL;

	if (strlen(names) >= sizeof(copy))
		return -E2BIG;
	strcpy(copy, names);
	for (char *name = strtok_r(copy, " ", &save); name != NULL; name = strtok_r(NULL, " ", &save)) {
		int nr = seccomp_syscall_resolve_name(name), rc;

		if (nr == __NR_SCMP_ERROR)
			continue;
		if ((rc = seccomp_rule_add(f, action, nr, 0)) < 0)
			return rc;
	}
	return 0;
}

static int add_families(scmp_filter_ctx f, unsigned families)
{
	static const int all[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++) {
		bool inet = all[i] == AF_INET || all[i] == AF_INET6;

		if (!(families & FAMILY(all[i])))
			continue;
		if (inet && families & DGRAM_ONLY)
			rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)all[i]),
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM));
		else
			rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)all[i]));
	}
	return rc;
}

static int add_threads(scmp_filter_ctx f, const struct profile *p)
{
	/* A filter cannot look into clone3's arguments: the C library falls back to clone. */
	int rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	if (rc == 0 && !(p->groups & G_EXEC))
		rc = seccomp_rule_add(
			f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	return rc;
}

static int fill(scmp_filter_ctx f, const struct profile *p)
{
	int rc = add_names(f, SCMP_ACT_KILL_PROCESS, never);

	if (p->groups & G_ALL)
		return rc;
	for (size_t i = 0; rc == 0 && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (p->groups & calls[i].group)
			rc = add_names(f, SCMP_ACT_ALLOW, calls[i].names);
	if (rc == 0)
		rc = add_families(f, p->families);
	return rc == 0 ? add_threads(f, p) : rc;
}

enum err confine_seccomp(enum confine_profile which)
{
	const struct profile *p = &profiles[which];
	scmp_filter_ctx f;
	int rc;

#ifdef POSTERN_SAN
	if (getenv("POSTERN_NO_SECCOMP") != NULL)
		return ERR_OK;
#endif
	f = seccomp_init(p->groups & G_ALL ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
	if (f == NULL)
		return ERR_NOMEM;
	(void)seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	rc = fill(f, p);
	if (rc == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	if (rc == 0)
		return ERR_OK;
	errno = -rc;
	return rc == -ENOMEM ? ERR_NOMEM : ERR_SYS;
}
