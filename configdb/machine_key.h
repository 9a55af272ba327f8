/* machine.key: the router's own key, 64 random bytes in a file beside keys.db, which is sealed under it. It is made once, is in no
 * configuration and prints nowhere. Who has both files has the secrets; who has the databases alone has nothing.
 */
#ifndef POSTERN_CONFIGDB_MACHINE_KEY_H
#define POSTERN_CONFIGDB_MACHINE_KEY_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_KEY_LEN 64

/* Where it stands: in the folder of `beside`, the path of keys.db. False: too long for `out`. */
bool machine_key_path(char *out, size_t size, const char *beside);
/* The caller wipes. ERR_NOT_FOUND: no file; ERR_INVALID: not such a file. */
enum err machine_key_read(const char *path, uint8_t key[MACHINE_KEY_LEN]) MUST_CHECK;
/* Makes the file, mode 0600, unless it is there. Killed at any moment, it is there whole or not at all. */
enum err machine_key_make(const char *path) MUST_CHECK;

#endif
