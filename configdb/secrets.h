/* keys.db: the secrets that the configuration refers to by number. Only configd (writes) and ikemgrd's `keys` process
 * (reads) open it.
 *
 * A value never changes: a new one gets a new id, so a startup configuration that names an old one stays true, and
 * startup.db alone is what `write memory` replaces. Ids that neither running nor startup name are collected at start.
 *
 * All of it is sealed. Keys of peers and groups and keys set by hand are sealed with the master key
 * (`key config-key password-encrypt`; until there is one, with a random one of the router's own), and print so, as type 6: the
 * same value is the same text, and no `show` has a secret in clear. Password hashes, private keys and the master key itself are
 * sealed with the machine key (machine_key.h).
 */
#ifndef POSTERN_CONFIGDB_SECRETS_H
#define POSTERN_CONFIGDB_SECRETS_H

#include "platform/base/err.h"
#include "platform/base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct secrets;

/* `path` NULL: in memory, for tests. `read_only` for the keys process: ERR_BUSY until configd has made the file. A file of an
 * older version is brought up to date. ERR_AUTH: it is sealed with another machine key. */
enum err secrets_open(struct secrets **s, const char *path, bool read_only) MUST_CHECK;
void secrets_close(struct secrets *s);

enum secret_kind {
	SECRET_SHARED,  /* of a peer, a group */
	SECRET_SESSION, /* set by hand (`set session-key`), the only ones that the keys process gives out */
	SECRET_HASH     /* of a password, as text; never prints as type 6 */
};

/* Stores a value of 1 to SECRET_MAX bytes (or finds the same one) and returns its id, never 0. */
enum err secrets_put(struct secrets *s, enum secret_kind kind, struct span value, uint64_t *id) MUST_CHECK;
/* The caller wipes. ERR_AUTH: it was sealed with a master key that has been deleted. */
enum err secrets_get(struct secrets *s, uint64_t id, struct secret *out) MUST_CHECK;
/* The same for SECRET_SESSION: an id of another kind is ERR_NOT_FOUND. */
enum err secrets_get_session(struct secrets *s, uint64_t id, struct secret *out) MUST_CHECK;
/* Have both ids the same value? */
bool secrets_equal(struct secrets *s, uint64_t a, uint64_t b);
/* Deletes all ids for which keep() is false. */
enum err secrets_collect(struct secrets *s, bool (*keep)(void *ctx, uint64_t id), void *ctx) MUST_CHECK;

/* Type 6 of a stored value: printable, no blanks; SECRET_TYPE6 characters are enough for all. */
#define SECRET_TYPE6 ((SECRET_MAX + 16) * 4 / 3 + 3)
enum err secrets_type6_print(struct secrets *s, uint64_t id, char *out, size_t size) MUST_CHECK;
/* Stores a value that is typed as type 6; *len is how many bytes it has. A text that lies here already is taken as it is.
 * ERR_AUTH: not sealed with our master key; ERR_INVALID: no such text. */
enum err secrets_type6_put(struct secrets *s, enum secret_kind kind, const char *type6, uint64_t *id, size_t *len) MUST_CHECK;

/* Sets the master key by a passphrase (ERR_RANGE: less than 8 characters). All that opens with the one before is sealed anew; one
 * transaction. */
enum err secrets_master_set(struct secrets *s, struct span passphrase) MUST_CHECK;
/* What is sealed with it cannot be opened any more, until it is set again. ERR_NOT_FOUND: none was set. */
enum err secrets_master_delete(struct secrets *s) MUST_CHECK;
/* Was one set? And is it this one: ERR_AUTH: another one; ERR_NOT_FOUND: none was set. In constant time. */
bool secrets_master_known(struct secrets *s);
enum err secrets_master_is(struct secrets *s, struct span passphrase) MUST_CHECK;

/* Password hashes as IOS writes them: 5 (md5-crypt), 8 (PBKDF2-SHA256), 9 (scrypt). `hash` includes "$9$…". */
enum err password_hash(int type, struct span password, char out[128]) MUST_CHECK;
bool password_verify(const char *hash, struct span password);
/* Is it a well-formed hash of that type? For `enable secret 9 $9$…`. */
bool password_hash_valid(int type, const char *hash);
/* Type 7, read only (obfuscation, not encryption). */
enum err password_type7(const char *text, struct secret *out) MUST_CHECK;

#endif
