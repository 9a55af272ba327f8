/* The running configuration as text. */
#include "configdb/model/stmt.h"
#include "configdb/store_impl.h"
#include "platform/base/mem.h"

#include <string.h>

static void whole(struct render *r)
{
	size_t n;
	const struct block *const *all = blocks(&n);
	for (size_t i = 0; i < n; i++)
		render_block(r, all[i]);
}

static void one_interface(struct render *r, const char *name)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db, "SELECT * FROM interface WHERE name = ?1", P(name));
	values_init(&v);
	emit_bang(r);
	if (db_step(r->db, &q)) {
		values_from_row(&v, q);
		render_object(r, &block_interface.rows[0], &v);
	}
	db_done(r->db, q);
}

enum err store_text(struct store *s, bool all, const char *interface, char **text)
{
	struct render r = { .db = &s->db, .secrets = s->secrets, .all = all };
	s->db.failed = 0;
	if (interface && *interface) {
		one_interface(&r, interface);
	} else {
		whole(&r);
		emit_bang(&r);
	}
	emit(&r, "end");
	if (r.failed || s->db.failed) {
		mem_free(r.text);
		return s->db.failed ? db_err(s->db.failed) : ERR_INVALID;
	}
	*text = r.text;
	return ERR_OK;
}
