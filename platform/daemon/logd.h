/* The box's log: takes lines from the socket RUN_DIR/log, stamps them, keeps them, hands them to who watches. */
#ifndef POSTERN_PLATFORM_LOGD_H
#define POSTERN_PLATFORM_LOGD_H

#include "platform/base/bytes.h"
#include "platform/base/env.h"
#include "platform/base/loop.h"
#include "platform/base/msg.h"
#include "platform/daemon/logring.h"
#include "platform/daemon/platform_api.h"

struct logd;

/* A line for the viewers: `console` and `monitor` say whether it passes their levels. */
typedef void (*logd_out_fn)(void *ctx, const struct platm_log *line, size_t len, bool console, bool monitor);

struct logd *logd_new(const struct env *env, logd_out_fn out, void *ctx); /* NULL: out of memory */
void logd_free(struct logd *d);
/* Binds RUN_DIR/log, mode 0666. */
enum err logd_listen(struct logd *d, struct loop *l, const char *run_dir) MUST_CHECK;
/* Keeps the buffer on file, and takes up the one of a program that was killed; `fresh`: the router was started, it is empty. */
enum err logd_keep(struct logd *d, const char *run_dir, bool fresh) MUST_CHECK;
void logd_configure(struct logd *d, const struct cfg_system *s);
/* For stamps by uptime: when the router started, in the clock of env->now_us. */
void logd_started(struct logd *d, uint64_t now_us);

/* One datagram. What is malformed is counted. */
void logd_take(struct logd *d, struct span datagram);
/* A viewer could not take a line; or could, on a console or a monitor. */
void logd_count(struct logd *d, bool console, bool dropped);

const struct logring *logd_ring(const struct logd *d);
void logd_clear(struct logd *d);
void logd_info(const struct logd *d, struct platm_log_info *out);

#endif
