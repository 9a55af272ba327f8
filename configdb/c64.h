/* Base64 with the alphabet ./0-9A-Za-z and without padding, as password hashes of types 8 and 9 have it. */
#ifndef POSTERN_CONFIGDB_C64_H
#define POSTERN_CONFIGDB_C64_H

#include "platform/base/bytes.h"

/* Characters for `n` bytes, without the NUL. */
static inline size_t c64_len(size_t n)
{
	return (n * 4 + 2) / 3;
}

/* Writes c64_len(s.len) characters and a NUL. */
void c64_print(char *out, struct span s);
/* Returns the number of bytes, or -1 if malformed, not canonical or more than `size`. */
int c64_parse(uint8_t *out, size_t size, const char *text);

#endif
