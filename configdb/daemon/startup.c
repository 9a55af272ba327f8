#include "startup.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err startup_init(struct startup *s, const char *data_dir)
{
	int n = snprintf(s->folder, sizeof(s->folder), "%s", data_dir);

	if (n < 0 || (size_t)n >= sizeof(s->folder))
		return ERR_RANGE;
	snprintf(s->path, sizeof(s->path), "%s/startup.db", data_dir);
	snprintf(s->draft, sizeof(s->draft), "%s/startup.db.new", data_dir);
	return ERR_OK;
}

bool startup_exists(const struct startup *s)
{
	return access(s->path, R_OK) == 0;
}

static enum err sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	enum err e = ERR_OK;

	if (fd < 0)
		return ERR_SYS;
	if (fsync(fd) < 0)
		e = ERR_SYS;
	close(fd);
	return e;
}

/* A draft that a killed save left behind, and what SQLite kept beside it. */
static void remove_draft(const struct startup *s)
{
	static const char *const tails[] = { "", "-journal", "-wal", "-shm" };
	char path[320];

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", s->draft, tails[i]);
		unlink(path);
	}
}

/* The copy says of itself that it is a WAL database, as running.db is. One file must be all of it: a log beside it could
 * outlive the file that it belongs to. */
static enum err make_single_file(const char *path)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	sqlite3_close(db);
	return rc == SQLITE_OK ? ERR_OK : ERR_SYS;
}

enum err startup_save(const struct startup *s, struct store *running)
{
	enum err e;

	remove_draft(s);
	e = store_save(running, s->draft);
	if (e == ERR_OK)
		e = make_single_file(s->draft);
	if (e == ERR_OK)
		e = sync_path(s->draft, O_RDONLY);
	if (e == ERR_OK && rename(s->draft, s->path) < 0)
		e = ERR_SYS;
	if (e != ERR_OK) {
		remove_draft(s);
		return e;
	}
	return sync_path(s->folder, O_RDONLY | O_DIRECTORY);
}

enum err startup_erase(const struct startup *s)
{
	if (unlink(s->path) < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYS;
	return sync_path(s->folder, O_RDONLY | O_DIRECTORY);
}

enum err startup_load(const struct startup *s, struct secrets *secrets, struct store **copy)
{
	struct store *st;
	enum err e;

	if (!startup_exists(s))
		return ERR_NOT_FOUND;
	e = store_open(&st, NULL, secrets);
	if (e != ERR_OK)
		return e;
	e = store_restore(st, s->path);
	if (e != ERR_OK) {
		store_close(st);
		return e;
	}
	*copy = st;
	return ERR_OK;
}
