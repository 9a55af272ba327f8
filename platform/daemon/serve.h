/* platformd's door (platform_api.h): checks a message, then answers it from what the host tells. */
#ifndef POSTERN_PLATFORM_SERVE_H
#define POSTERN_PLATFORM_SERVE_H

#include "platform/base/msg.h"
#include "platform/daemon/counters.h"
#include "platform/daemon/kernel.h"
#include "platform/daemon/logd.h"
#include "platform/daemon/rib.h"
#include "platform/daemon/system.h"

/* What the answers are made of; functions, so that a test or a fuzzer can be the host. */
struct serve {
	/* Before each answer: brings the box up to what configd has told. */
	void (*refresh)(void *ctx);
	const struct cfg *(*config)(void *ctx);      /* NULL: none yet */
	enum err (*box)(void *ctx, struct box *out); /* a fresh look; the caller frees it */
	enum err (*neighbours)(void *ctx, void (*each)(void *to, const struct kernel_neighbour *n), void *to);
	const struct rib *(*rib)(void *ctx);
	const char *(*fault)(void *ctx, const char *ifname);
	/* May that process do what needs this privilege? */
	enum err (*may)(void *ctx, pid_t pid, uint8_t privilege);
	enum err (*reload)(void *ctx, pid_t pid); /* starts it; the answer is out before */
	void *ctx;
	struct logd *log;
	struct counters *counters;
	const struct system_start *start;
	const struct env *env;
};

void serve_message(struct serve *s, struct msg_conn *c, struct msg *m);
/* Hands a log line to a connection that asked for lines: logd_out_fn for each connection. */
void serve_line(struct serve *s, struct msg_conn *c, const struct platm_log *line, size_t len, bool console, bool monitor);

#endif
