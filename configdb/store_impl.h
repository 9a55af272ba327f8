/* Inside of the store: what its files share. */
#ifndef POSTERN_CONFIGDB_STORE_IMPL_H
#define POSTERN_CONFIGDB_STORE_IMPL_H

#include "configdb/model/db.h"
#include "configdb/store.h"

struct store {
	struct db db;
	struct secrets *secrets;
	bool open; /* between store_begin and store_end */
	bool (*has_interface)(void *ctx, const char *interface);
	void *box;
};

/* A transaction, or a savepoint of the open one. */
bool store_txn_begin(struct store *s);
bool store_txn_end(struct store *s, bool commit);
/* The audit: `line` has no secret in it. */
void store_revision_add(struct store *s, const struct store_who *who, const char *line);
/* Tables and, where there are none, the rows of an empty router. */
enum err store_schema(struct db *db) MUST_CHECK;
void store_functions(sqlite3 *h); /* ip4(): the number of an address, to sort by */
enum err db_err(int rc);

#endif
