/* Giving up what a program does not need: core dumps, uid, capabilities. System calls are in seccomp.c. */
#include "platform/base/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static enum err no_dumps(void)
{
#ifdef POSTERN_SAN
	/* The leak checker attaches to its own process. */
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? ERR_SYS : ERR_OK;
#else
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? ERR_SYS : ERR_OK;
#endif
}

enum err confine_early(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return ERR_SYS;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return ERR_SYS;
	return no_dumps();
}

struct identity {
	uid_t uid;
	gid_t gid;
	bool known; /* has an entry in passwd, so maybe groups */
};

static enum err find_user(const char *user, struct identity *id)
{
	struct passwd *p;
	char *end;
	unsigned long n = strtoul(user, &end, 10);

	if (*user == '\0')
		return ERR_INVALID;
	if (*end == '\0' && n >= (uid_t)-1)
		return ERR_RANGE;
	p = *end == '\0' ? getpwuid((uid_t)n) : getpwnam(user);
	if (p != NULL)
		*id = (struct identity){ p->pw_uid, p->pw_gid, true };
	else if (*end == '\0')
		*id = (struct identity){ (uid_t)n, (gid_t)n, false };
	else
		return ERR_NOT_FOUND;
	return ERR_OK;
}

enum err confine_find_user(const char *user, uid_t *uid, gid_t *gid)
{
	struct identity id;
	enum err e = find_user(user, &id);

	if (e != ERR_OK)
		return e;
	*uid = id.uid;
	*gid = id.gid;
	return ERR_OK;
}

static enum err choose_caps(const int *caps)
{
	const unsigned sets = CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE | CAPNG_BOUNDING_SET;

	capng_clear(CAPNG_SELECT_BOTH);
	for (const int *c = caps; c != NULL && *c != 0; c++)
		if (capng_update(CAPNG_ADD, (capng_type_t)sets, (unsigned)(*c - 1)) != 0)
			return ERR_INVALID;
	return ERR_OK;
}

/* What the program may do, the programs that it runs (nft) may do too: an exec keeps only ambient capabilities. */
static enum err raise_ambient(const int *caps)
{
	for (const int *c = caps; c != NULL && *c != 0; c++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, *c - 1, 0, 0) < 0)
			return ERR_SYS;
	return ERR_OK;
}

enum err confine_user(const char *user, const int *caps)
{
	struct identity id = { .uid = 0 };
	enum err e;

	if (geteuid() != 0)
		return ERR_OK;
	if (user != NULL && (e = find_user(user, &id)) != ERR_OK)
		return e;
	if ((e = choose_caps(caps)) != ERR_OK)
		return e;
	if (id.uid == 0) {
		if (capng_apply(CAPNG_SELECT_BOTH) != 0)
			return ERR_SYS;
	} else if (capng_change_id((int)id.uid, (int)id.gid,
			   (capng_flags_t)((id.known ? CAPNG_INIT_SUPP_GRP : CAPNG_DROP_SUPP_GRP) | CAPNG_CLEAR_BOUNDING)) != 0) {
		return ERR_SYS;
	}
	e = raise_ambient(caps);
	/* A change of uid resets the flag by fs.suid_dumpable. */
	return e != ERR_OK ? e : no_dumps();
}
