/* A configuration text, applied line by line as if it were typed: files, and the first configuration of a router. */
#ifndef POSTERN_CONFIGD_APPLY_H
#define POSTERN_CONFIGD_APPLY_H

#include "configdb/store.h"

struct apply {
	struct store *store;
	const struct store_who *who;
	/* Every line that was not taken; `e` is borrowed. */
	void (*bad)(void *ctx, const struct cfgm_file_error *e);
	void *ctx;
	/* Results */
	unsigned tables; /* enum cfg_table that changed */
	unsigned errors;
};

/* One transaction. With `atomic` a single bad line undoes all (ERR_INVALID), else the good lines are kept. `text` has `len` bytes
 * and need not end in NUL. */
enum err apply_text(struct apply *a, const char *text, size_t len, bool atomic) MUST_CHECK;

#endif
