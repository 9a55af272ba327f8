/* Makes key pairs on a thread of its own: an RSA key takes seconds, and the loop must not wait. One at a time. */
#ifndef POSTERN_CONFIGD_KEYMAKER_H
#define POSTERN_CONFIGD_KEYMAKER_H

#include "configdb/keypairs.h"
#include "platform/base/loop.h"

struct keymaker;

/* `fn` runs on the loop, once per job; it takes over the key (NULL: it could not be made). NULL when out of memory. */
struct keymaker *keymaker_new(struct loop *l, void (*fn)(void *ctx, uint64_t serial, EVP_PKEY *key), void *ctx);
/* Waits for a job that is running; its key is thrown away. */
void keymaker_free(struct keymaker *m);
enum err keymaker_ask(struct keymaker *m, uint64_t serial, enum keypair_type type, unsigned bits) MUST_CHECK; /* ERR_BUSY */

#endif
