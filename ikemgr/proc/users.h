/* Users' passwords, which configd alone can compare: a connection for each question, so that a wrong one, which configd
 * answers late, delays nobody else's.
 */
#ifndef POSTERN_IKEMGR_PROC_USERS_H
#define POSTERN_IKEMGR_PROC_USERS_H

#include "platform/base/err.h"
#include "platform/base/loop.h"

#include <stdint.h>

struct users;
typedef void (*users_answer)(void *ctx, uint64_t serial, enum err e); /* ERR_AUTH: it is not the user's */

#define USERS_MAX 64 /* questions at a time; beyond that the answer is ERR_LIMIT */

/* NULL when out of memory. */
struct users *users_new(struct loop *l, const char *run_dir, users_answer answer, void *ctx);
void users_free(struct users *u); /* open questions get no answer */
/* The answer comes from the loop, never from inside the call. */
void users_check(struct users *u, uint64_t serial, const char *user, const char *password);

#endif
