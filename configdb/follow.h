/* Following the configuration: what every program but configd itself does with it.
 *
 * A follower connects to configd, subscribes, loads a snapshot and calls back; again at each revision. When configd dies
 * the last snapshot stays in force; the follower reconnects by itself, and calls back if anything differs.
 */
#ifndef POSTERN_CONFIGDB_FOLLOW_H
#define POSTERN_CONFIGDB_FOLLOW_H

#include "configdb/configdb.h"
#include "platform/base/loop.h"

#include <sys/types.h>

struct cfg_follow;

/* `now` is borrowed: it stays valid until the next call has returned, so that a callee can compare it with the one before.
 * `tables`: CFG_ALL the first time, later what changed. */
typedef void (*cfg_follow_fn)(void *ctx, const struct cfg *now, unsigned tables);

/* Starts to follow; the first call comes from the loop, as soon as configd is there. NULL when out of memory. */
struct cfg_follow *cfg_follow_new(struct loop *l, const char *run_dir, cfg_follow_fn fn, void *ctx);
void cfg_follow_free(struct cfg_follow *f);
/* The snapshot in force; NULL before the first. */
const struct cfg *cfg_follow_now(const struct cfg_follow *f);

/* Loads what is committed by now (calling back if anything differs), so that an answer to the console tells of the line before it.
 */
void cfg_follow_catch_up(struct cfg_follow *f);

/* Does process `pid` (as SO_PEERCRED told it) hold a session of at least this privilege? ERR_OK, ERR_DENIED, or why configd could
 * not be asked. Blocks for a second at most. */
enum err cfg_follow_check_session(struct cfg_follow *f, pid_t pid, uint8_t privilege) MUST_CHECK;

#endif
