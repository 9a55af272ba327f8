/* Hexadecimal in tests. */
#ifndef TESTS_UNIT_CRYPTO_HEX_H
#define TESTS_UNIT_CRYPTO_HEX_H

#include "platform/base/bytes.h"

/* The bytes of `text`, in one of a few static buffers of 1,024 bytes, which a later call takes again. */
struct span unhex(const char *text);
/* Fails the test unless `got` is what `text` says. */
void assert_hex(struct span got, const char *text);

#endif
