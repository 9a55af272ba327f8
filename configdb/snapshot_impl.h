/* Between the parts of the snapshot's loader. */
#ifndef POSTERN_CONFIGDB_SNAPSHOT_IMPL_H
#define POSTERN_CONFIGDB_SNAPSHOT_IMPL_H

#include "configdb/cfg.h"
#include "configdb/model/values.h"

/* A load in progress: one read transaction. `failed` sticks (no memory). */
struct loader {
	struct db db;
	struct cfg *cfg;
	bool failed;
};

/* Calls `row` for every row of a query, with the row's columns. */
void load_rows(
	struct loader *l, const char *sql, const char *const *params, size_t n, void (*row)(struct loader *l, struct values *v));
/* Grows an array by one zeroed element; NULL when there is no memory. */
void *load_more(struct loader *l, void *array, size_t *n, size_t size);
#define LOAD_MORE(l, array, n) load_more(l, &(array), &(n), sizeof *(array))

void load_text(char *out, size_t size, const struct values *v, const char *column); /* "" when NULL */
uint32_t load_number(const struct values *v, const char *column, uint32_t otherwise);
uint32_t load_ip(const struct values *v, const char *column, uint32_t otherwise);

void load_system(struct loader *l);
void load_interfaces(struct loader *l);
void load_acls(struct loader *l);
void load_crypto(struct loader *l);
void load_maps(struct loader *l);
void load_pki(struct loader *l);
void pki_free(struct cfg *c);
void load_isakmp(struct loader *l); /* all of phase 1 but the policies */
void load_client(struct loader *l);

#endif
