/* How a statement of the configuration is declared: one row, from which matching, help, storage, `no`, and running-config come.
 *
 * Three shapes of storage cover most rows:
 *   SCALAR   columns of one row: of a table with a single row, or of the object that the mode stands in
 *   OBJECT   a row of its own, found by its key; enters a mode whose rows are its settings
 *   LIST     a row of its own in a table of such rows, found by its key
 * Variables of the syntax and columns have the same names. What is NULL is the default and is not printed. Where a statement does
 * more, `apply` and `render` take the place of the shape's own; `check` looks at the values before they are stored.
 */
#ifndef POSTERN_MODEL_STMT_H
#define POSTERN_MODEL_STMT_H

#include "configdb/model/values.h"
#include "configdb/secrets.h"
#include "configdb/store.h"

enum shape { SHAPE_NONE, SHAPE_SCALAR, SHAPE_OBJECT, SHAPE_LIST };

/* One line on its way into the tables. */
struct change {
	struct store *store;
	struct db *db;
	struct secrets *secrets;
	const struct stmt *st;
	const struct grammar_match *m;
	const char *line; /* as typed */
	struct values v;
	const char *key[3]; /* the words of the mode's context */
	size_t nkey;
	bool remove, to_default; /* `no` or `default`; `default` */
	struct cfgm_result *out;
};

/* Text of the running configuration, growing. */
struct render {
	struct db *db;
	struct secrets *secrets;
	char *text;
	size_t len, size;
	bool all, failed;
	bool bang; /* the last line is "!" */
	unsigned indent;
	const char *key[3]; /* the object whose settings are being printed */
	size_t nkey;
};

typedef enum grammar_result (*change_fn)(struct change *c);

struct stmt {
	const char *syntax;
	const char *const *help;
	enum mode mode;
	uint8_t no_words; /* 0: `no` and `default` are not allowed; NO_WHOLE: only before the whole line */
	bool no_only, hidden;
	unsigned tables;  /* enum cfg_table */
	enum mode enters; /* OBJECT */

	enum shape shape;
	const char *table;
	const char *columns;        /* separated by blanks; SCALAR: the settings, else all but the parent's */
	const char *key;            /* OBJECT, LIST: columns that name the row */
	const char *order;          /* ORDER BY */
	const char *defaults;       /* "lifetime=86400": values that are stored as NULL */
	const char *off, *off_text; /* a setting that is on by default: column that says it is off, and how that prints */
	const char *secret; /* variable that never goes into the audit; or several ways to type it, and what follows goes too */

	change_fn check, apply;
	void (*present)(struct render *r, struct values *v); /* from columns to variables, where they differ */
	void (*render)(struct render *r, const struct stmt *st);
};

#define NO_WHOLE 255
#define HELP(...)                                                                                                                  \
	(const char *const[])                                                                                                      \
	{                                                                                                                          \
		__VA_ARGS__, NULL                                                                                                  \
	}

/* The rows, a block per part of running-config, in its order; "!" stands between blocks. */
struct block {
	const struct stmt *rows;
	size_t n;
	bool per_object; /* "!" between objects too */
};
extern const struct block block_aaa, block_pool, block_client_group, block_map_client;
extern const struct block block_system, block_hostname, block_logging, block_enable, block_users, block_isakmp, block_isakmp_all,
	block_keyring, block_isakmp_peer, block_isakmp_profile, block_ipsec, block_crypto_map, block_map_entry, block_interface,
	block_route, block_acl_named, block_acl_numbered, block_banner, block_line, block_hidden;
extern const struct block block_pki, block_pki_cert, block_profile_pki, block_master_key;
const struct block *const *blocks(size_t *n);
const struct grammar_row *stmt_row(const struct stmt *st);

/* change.c: the shapes' own apply, callable from hooks. */
enum grammar_result change_scalar(struct change *c);
enum grammar_result change_object(struct change *c);
enum grammar_result change_list(struct change *c);
enum grammar_result change_enter(struct change *c, enum mode mode, const char *context);
const char *var(const struct change *c, const char *name);
void say(struct change *c, const char *fmt, ...) PRINTF_LIKE(2, 3); /* a line of the answer, "\n" added */
enum grammar_result refuse(struct change *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* What a mode stands in: its table, and the condition that finds its row by the words of the context (?1, ?2 …). */
struct mode_info {
	const char *table, *where;
	size_t nkey;
};
const struct mode_info *mode_info(enum mode m);

/* render.c */
void emit(struct render *r, const char *fmt, ...) PRINTF_LIKE(2, 3); /* one line, indented */
void emit_bang(struct render *r);                                    /* "!", never twice */
void emit_values(struct render *r, const struct stmt *st, struct values *v);
void render_block(struct render *r, const struct block *b);
void render_object(struct render *r, const struct stmt *st, struct values *v);
void render_mode(struct render *r, enum mode mode);

/* Words shared by rows and by the snapshot. */
enum alg_cipher cipher_of_isakmp(const char *word);
enum alg_hash hash_of_isakmp(const char *word);
enum alg_cipher cipher_of_esp(const char *word); /* CIPHER_NONE: no such */
enum alg_hash hash_of_esp(const char *word);
enum alg_hash hash_of_ah(const char *word);

/* acl_text.c: an entry's columns as IOS prints them, without its number. */
void ace_text(struct values *columns, bool extended, bool for_show, char *out, size_t size);
void acl_column_names(const char *const **names, size_t *n);
/* Has the list a line that permits any to any? */
bool acl_permits_all(struct db *db, const char *acl);

uint32_t ip_of(const char *text); /* 0 when null or malformed */

#endif
