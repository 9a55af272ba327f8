/* What a program gives up after its start: user, capabilities, system calls, core dumps. */
#ifndef POSTERN_BASE_CONFINE_H
#define POSTERN_BASE_CONFINE_H

#include "err.h"

#include <sys/types.h>

enum confine_profile {
	CONFINE_CONFIGD,   /* files below its folders, SQLite, AF_UNIX */
	CONFINE_IKE_PROTO, /* UDP sockets it was given, threads, AF_UNIX */
	CONFINE_IKE_KEYS,  /* reads keys.db; no packets */
	CONFINE_IKE_FETCH, /* TCP to where a URL says, the resolver, threads, AF_UNIX */
	CONFINE_DATAPATH,  /* packet sockets, TAP, netlink, runs nft */
	CONFINE_PLATFORM,  /* root: everything but what nobody may */
	CONFINE_CLI
};

/* Early, in every program: no core dumps (RLIMIT_CORE and PR_SET_DUMPABLE), no new privileges. */
enum err confine_early(void) MUST_CHECK;
/* Of a name of passwd, or a number (then without an entry the group has the same number). ERR_NOT_FOUND; ERR_INVALID: empty. */
enum err confine_find_user(const char *user, uid_t *uid, gid_t *gid) MUST_CHECK;
/* Becomes `user` (numeric or a name of passwd; NULL keeps the uid) keeping only `caps` (0-terminated CAP_* list + 1 each,
 * NULL: none). Does nothing about uid when not started as root. */
enum err confine_user(const char *user, const int *caps) MUST_CHECK;
/* The last step (it sets no_new_privs, too): the profile's seccomp filter; a forbidden call kills the program (log line by the
 * kernel), or fails with EPERM where libraries probe. POSTERN_NO_SECCOMP in the environment of a sanitizer build turns it off. */
enum err confine_seccomp(enum confine_profile p) MUST_CHECK;

#endif
