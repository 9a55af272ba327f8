/* Values by number, and type 6, the form in which a secret may be printed: it is how the value lies in keys.db, as text. */
#include "configdb/secrets.h"

#include "configdb/c64.h"
#include "configdb/secrets_impl.h"
#include "platform/base/mem.h"

#include <string.h>

#define SEALED_MAX (SECRET_MAX + SEAL_EXTRA)

static enum err id_row(void *ctx, sqlite3_stmt *st)
{
	*(uint64_t *)ctx = (uint64_t)sqlite3_column_int64(st, 0);
	return ERR_OK;
}

static enum err sealed_find(struct secrets *s, enum secret_kind kind, struct span text, uint64_t *id)
{
	return keysdb_each(s, "SELECT id FROM secret WHERE kind = ? AND sealed = ? ORDER BY id LIMIT 1",
		BINDS(NUMBER(kind), BYTES(text)), id_row, id);
}

static enum err sealed_put(struct secrets *s, enum secret_kind kind, struct span text, uint64_t *id)
{
	enum err e = sealed_find(s, kind, text, id);

	if (e != ERR_NOT_FOUND)
		return e;
	e = keysdb_run(s, "INSERT INTO secret(kind, sealed) VALUES(?, ?)", BINDS(NUMBER(kind), BYTES(text)));
	if (e == ERR_OK)
		*id = (uint64_t)sqlite3_last_insert_rowid(s->db);
	return e;
}

/* The key that a kind is sealed with; the caller wipes. */
static enum err key_of(struct secrets *s, enum secret_kind kind, uint8_t key[SEAL_KEY_LEN])
{
	if (kind != SECRET_HASH)
		return master_key(s, key);
	memcpy(key, s->machine, SEAL_KEY_LEN);
	return ERR_OK;
}

enum err secrets_put(struct secrets *s, enum secret_kind kind, struct span value, uint64_t *id)
{
	uint8_t key[SEAL_KEY_LEN], text[SEALED_MAX];
	enum err e;

	if (!value.len || value.len > SECRET_MAX)
		return ERR_RANGE;
	e = key_of(s, kind, key);
	if (e == ERR_OK)
		e = seal(key, value, text);
	wipe(key, sizeof(key));
	return e == ERR_OK ? sealed_put(s, kind, span_of(text, value.len + SEAL_EXTRA), id) : e;
}

struct opening {
	struct secrets *s;
	struct secret *out;
};

/* Secret and master key from one row: the writer may change both between two questions. */
static enum err open_row(void *ctx, sqlite3_stmt *st)
{
	struct opening *o = ctx;
	struct span text = keysdb_bytes(st, 0);
	uint8_t key[SEAL_KEY_LEN];
	struct secret value = { 0 };
	enum err e = text.len > SEALED_MAX ? ERR_INVALID : ERR_OK;

	if (sqlite3_column_int(st, 1) == SECRET_HASH)
		memcpy(key, o->s->machine, sizeof(key));
	else if (e == ERR_OK)
		e = master_of_column(o->s, st, 2, key);
	if (e == ERR_OK)
		e = unseal(key, text, value.bytes);
	if (e == ERR_OK) {
		value.len = (uint16_t)(text.len - SEAL_EXTRA);
		*o->out = value;
	}
	secret_wipe(&value);
	wipe(key, sizeof(key));
	return e;
}

#define OPENED "SELECT secret.sealed, kind, master.sealed FROM secret LEFT JOIN master WHERE secret.id = ?"

enum err secrets_get(struct secrets *s, uint64_t id, struct secret *out)
{
	return keysdb_each(s, OPENED, BINDS(NUMBER(id)), open_row, &(struct opening){ s, out });
}

enum err secrets_get_session(struct secrets *s, uint64_t id, struct secret *out)
{
	return keysdb_each(s, OPENED " AND kind = 1", BINDS(NUMBER(id)), open_row, &(struct opening){ s, out });
}

static enum err count_row(void *ctx, sqlite3_stmt *st)
{
	*(int *)ctx = sqlite3_column_int(st, 0);
	return ERR_OK;
}

bool secrets_equal(struct secrets *s, uint64_t a, uint64_t b)
{
	int different = 0;

	return keysdb_each(s, "SELECT count(DISTINCT sealed) FROM secret WHERE id IN (?, ?)", BINDS(NUMBER(a), NUMBER(b)),
		       count_row, &different) == ERR_OK &&
	       different == 1;
}

/* ---- What nobody names any more ---- */

struct id_list {
	uint64_t *ids;
	size_t n, room;
};

static enum err list_row(void *ctx, sqlite3_stmt *st)
{
	struct id_list *l = ctx;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		uint64_t *more = mem_realloc_array(l->ids, room, sizeof(*more));

		if (!more)
			return ERR_NOMEM;
		l->ids = more;
		l->room = room;
	}
	l->ids[l->n++] = (uint64_t)sqlite3_column_int64(st, 0);
	return ERR_OK;
}

enum err secrets_collect(struct secrets *s, bool (*keep)(void *ctx, uint64_t id), void *ctx)
{
	struct id_list l = { 0 };
	enum err e = keysdb_begin(s);

	if (e != ERR_OK)
		return e;
	e = keysdb_each(s, "SELECT id FROM secret ORDER BY id", NO_BINDS, list_row, &l);
	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < l.n; i++)
		if (!keep(ctx, l.ids[i]))
			e = keysdb_run(s, "DELETE FROM secret WHERE id = ?", BINDS(NUMBER(l.ids[i])));
	mem_free(l.ids);
	return keysdb_end(s, e);
}

/* ---- Type 6 ---- */

struct printing {
	char *out;
	size_t size;
};

static enum err print_row(void *ctx, sqlite3_stmt *st)
{
	const struct printing *p = ctx;
	struct span text = keysdb_bytes(st, 0);

	if (p->size <= c64_len(text.len))
		return ERR_RANGE;
	c64_print(p->out, text);
	return ERR_OK;
}

enum err secrets_type6_print(struct secrets *s, uint64_t id, char *out, size_t size)
{
	return keysdb_each(s, "SELECT sealed FROM secret WHERE id = ? AND kind <> 2", BINDS(NUMBER(id)), print_row,
		&(struct printing){ out, size });
}

/* Is it sealed with the master key of now? */
static enum err sealed_check(struct secrets *s, struct span text)
{
	uint8_t key[SEAL_KEY_LEN], value[SECRET_MAX];
	enum err e = master_key(s, key);

	if (e == ERR_OK)
		e = unseal(key, text, value);
	wipe(key, sizeof(key));
	wipe(value, sizeof(value));
	return e;
}

enum err secrets_type6_put(struct secrets *s, enum secret_kind kind, const char *type6, uint64_t *id, size_t *len)
{
	uint8_t bytes[SEALED_MAX];
	int n = c64_parse(bytes, sizeof(bytes), type6);
	struct span text = span_of(bytes, n > 0 ? (size_t)n : 0);
	enum err e;

	if (text.len <= SEAL_EXTRA)
		return ERR_INVALID;
	*len = text.len - SEAL_EXTRA;
	e = sealed_find(s, kind, text, id);
	if (e != ERR_NOT_FOUND)
		return e;
	e = sealed_check(s, text);
	return e == ERR_OK ? sealed_put(s, kind, text, id) : e;
}
