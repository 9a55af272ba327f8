/* What the files about crypto maps share. Entries of crypto maps and of dynamic maps are rows of one table, told apart by `class`;
 * their sub-mode is one, and its context is "class name seq". */
#ifndef POSTERN_MODEL_CRYPTO_MAP_H
#define POSTERN_MODEL_CRYPTO_MAP_H

#include "configdb/model/stmt.h"

#define CLASS_STATIC  "map"
#define CLASS_DYNAMIC "dynamic"

/* The rows of a child table that belong to the entry: ?1 class, ?2 name, ?3 sequence number. */
#define OF_ENTRY "class = ?1 AND map = ?2 AND seq = CAST(?3 AS INTEGER)"

/* The kind of the entry that a change stands in. */
enum entry_kind { ENTRY_ISAKMP = 1, ENTRY_MANUAL = 2, ENTRY_DYNAMIC = 4 };
enum entry_kind entry_kind(struct change *c);
/* For `check`: refuses what an entry of another kind than `kinds` has no use for. Taking away is always allowed. */
enum grammar_result entry_demand(struct change *c, unsigned kinds);

/* session_key.c: set session-key */
enum grammar_result session_key_apply(struct change *c);
void session_key_render(struct render *r, const struct stmt *st);

#endif
