/* The startup configuration: DATA_DIR/startup.db, a whole database, replaced only whole. */
#ifndef POSTERN_CONFIGD_STARTUP_H
#define POSTERN_CONFIGD_STARTUP_H

#include "configdb/store.h"

struct startup {
	char path[300], draft[300], folder[256];
};

enum err startup_init(struct startup *s, const char *data_dir) MUST_CHECK;
bool startup_exists(const struct startup *s);
/* Makes `running` the startup configuration. Killed at any moment, the old or the new one is there, whole: the database goes to
 * a draft, which is synced, then renamed, then the folder is synced. */
enum err startup_save(const struct startup *s, struct store *running) MUST_CHECK;
/* ERR_NOT_FOUND if there is none. */
enum err startup_erase(const struct startup *s) MUST_CHECK;
/* A copy in memory; the caller closes it. ERR_NOT_FOUND if there is none. */
enum err startup_load(const struct startup *s, struct secrets *secrets, struct store **copy) MUST_CHECK;

#endif
