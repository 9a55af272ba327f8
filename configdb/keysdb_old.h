/* keys.db as it was before all of it was sealed. */
#ifndef POSTERN_CONFIGDB_KEYSDB_OLD_H
#define POSTERN_CONFIGDB_KEYSDB_OLD_H

#include "configdb/secrets.h"

/* Inside of the caller's transaction: seals what stands in tables secret_1 and master_1, and the key pairs anew. */
enum err keysdb_from_1(struct secrets *s) MUST_CHECK;

#endif
