/* running.db as configd writes it: a matched line becomes rows of typed tables, and tables become text again.
 *
 * Only configd (configdb/daemon) and tests include this. The schema is configdb/model/schema.sql.h, `PRAGMA user_version`.
 */
#ifndef POSTERN_CONFIGDB_STORE_H
#define POSTERN_CONFIGDB_STORE_H

#include "configdb/configdb.h"
#include "configdb/secrets.h"

struct store;

/* Opens or creates running.db (WAL); migrates an older schema, refuses a newer one (ERR_UNSUPPORTED). With `path` null
 * an in-memory database. `secrets` is borrowed. */
enum err store_open(struct store **s, const char *path, struct secrets *secrets) MUST_CHECK;
void store_close(struct store *s);

/* One line in a mode, wholly: match, verify, commit, and the answer for the user. `privilege` is the session's.
 * *tables gets the set of enum cfg_table that changed (0: nothing). Falls back from a sub-mode to MODE_CONFIG as IOS does.
 * `who` goes to table revision. */
struct store_who {
	const char *user, *tty, *from;
	uint64_t wall_us;
};
void store_line(struct store *s, uint8_t privilege, const struct cfgm_line *in, const struct store_who *who,
	struct cfgm_result *out, unsigned *tables);
/* Several lines as one transaction (for atomic copies): nothing is kept unless store_end(commit). Calls nest not. */
enum err store_begin(struct store *s) MUST_CHECK;
enum err store_end(struct store *s, bool commit) MUST_CHECK;

/* The configuration as text, in IOS's order, without the "Building configuration..." header; ends in "end\n". Caller frees
 * with mem_free. `interface` NULL: all. */
enum err store_text(struct store *s, bool all, const char *interface, char **text) MUST_CHECK;

/* Whom to ask whether the box has an interface, before a line makes its object: one that it lacks is no valid input, as on IOS.
 * What a database holds already is not asked for, so a startup configuration with a card that is missing loads. NULL: it has all.
 */
void store_ask_box(struct store *s, bool (*has)(void *ctx, const char *interface), void *ctx);

uint64_t store_revision(struct store *s);
/* Empties everything (write erase and reload, tests). */
enum err store_clear(struct store *s) MUST_CHECK;
/* Copies the running database whole into a new file at `path` (SQLite's backup API, fsync of file): for startup. */
enum err store_save(struct store *s, const char *path) MUST_CHECK;
/* Replaces the running configuration by the database at `path` in one transaction. */
enum err store_restore(struct store *s, const char *path) MUST_CHECK;
/* Calls `each` for every secret id that is referenced, for the collection of garbage in keys.db. */
enum err store_secret_ids(struct store *s, void (*each)(void *ctx, uint64_t id), void *ctx) MUST_CHECK;

/* The stored hash ("$9$…") of a user, and the user's privilege; of the enable secret when `user` is NULL (privilege 15). An
 * empty hash: the user has none. ERR_NOT_FOUND: no such user, no enable secret. */
enum err store_login(struct store *s, const char *user, char hash[128], uint8_t *privilege) MUST_CHECK;
/* Who changed the configuration last, and when: the newest row of table revision. ERR_NOT_FOUND: nobody yet. */
struct store_change {
	char user[CFG_NAME], tty[32], from[64];
	uint64_t wall_us;
};
enum err store_last_change(struct store *s, struct store_change *out) MUST_CHECK;

#endif
