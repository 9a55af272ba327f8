/* Verifies passwords on a thread of its own: scrypt and PBKDF2 are slow by design, and the loop must not wait.
 * Jobs carry serial numbers, never pointers to those who asked. */
#ifndef POSTERN_CONFIGD_VERIFY_H
#define POSTERN_CONFIGD_VERIFY_H

#include "platform/base/bytes.h"
#include "platform/base/err.h"
#include "platform/base/loop.h"

struct verifier;

/* `fn` runs on the loop, once per job. NULL when there is no thread or no memory. */
struct verifier *verifier_new(struct loop *l, void (*fn)(void *ctx, uint64_t serial, bool right), void *ctx);
/* Jobs that were not answered are forgotten. */
void verifier_free(struct verifier *v);
/* Hash and password are copied; the copies are wiped. ERR_LIMIT: too many wait already. */
enum err verifier_ask(struct verifier *v, uint64_t serial, const char *hash, struct span password) MUST_CHECK;

#endif
