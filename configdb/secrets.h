/* keys.db: the secrets that the configuration refers to by number. Only configd (writes) and ikemgrd's `keys` process
 * (reads) open it.
 *
 * A row is never changed: a new value gets a new id, so a startup configuration that names an old one stays true, and
 * startup.db alone is what `write memory` replaces. Ids that neither running nor startup name are collected at start.
 * PSKs print as type 6 (`crypto isakmp key 6 …`), encrypted deterministically under the router's master key, so that
 * printing and parsing are inverse and no `show` has a secret in clear. `key config-key password-encrypt` sets a master
 * key that two routers can share.
 */
#ifndef POSTERN_CONFIGDB_SECRETS_H
#define POSTERN_CONFIGDB_SECRETS_H

#include "platform/base/err.h"
#include "platform/base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct secrets;

/* `path` NULL: in memory, for tests. `read_only` for the keys process. */
enum err secrets_open(struct secrets **s, const char *path, bool read_only) MUST_CHECK;
void secrets_close(struct secrets *s);

/* Stores a value (or finds the same one) and returns its id, never 0. */
enum err secrets_put(struct secrets *s, struct span value, uint64_t *id) MUST_CHECK;
enum err secrets_get(struct secrets *s, uint64_t id, struct secret *out) MUST_CHECK;
/* The same for keys that are set by hand (`set session-key`), the only secrets that the keys process gives out: an id of another
 * kind is ERR_NOT_FOUND to secrets_get_session. secrets_get finds both. */
enum err secrets_put_session(struct secrets *s, struct span value, uint64_t *id) MUST_CHECK;
enum err secrets_get_session(struct secrets *s, uint64_t id, struct secret *out) MUST_CHECK;
/* Deletes all ids for which keep() is false. */
enum err secrets_collect(struct secrets *s, bool (*keep)(void *ctx, uint64_t id), void *ctx) MUST_CHECK;

/* Type 6, printable, no blanks. */
enum err secrets_type6_print(struct secrets *s, struct span value, char *out, size_t size) MUST_CHECK;
enum err secrets_type6_parse(struct secrets *s, const char *text, struct secret *out) MUST_CHECK; /* ERR_AUTH: not our master key */
/* Sets the master key from a passphrase (at least 8 characters). */
enum err secrets_master(struct secrets *s, struct span passphrase) MUST_CHECK;

/* Password hashes as IOS writes them: 5 (md5-crypt), 8 (PBKDF2-SHA256), 9 (scrypt). `hash` includes "$9$…". */
enum err password_hash(int type, struct span password, char out[128]) MUST_CHECK;
bool password_verify(const char *hash, struct span password);
/* Is it a well-formed hash of that type? For `enable secret 9 $9$…`. */
bool password_hash_valid(int type, const char *hash);
/* Type 7, read only (obfuscation, not encryption). */
enum err password_type7(const char *text, struct secret *out) MUST_CHECK;

#endif
