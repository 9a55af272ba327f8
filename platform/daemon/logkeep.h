/* The log buffer on file, RUN_DIR/logbuffer, so that a platformd that is killed takes it up again. A restart of the router, after
 * which IOS's buffer is empty too, begins a new one.
 *
 *   head: magic, the buffer's limit, the last number, the counts        record: length, severity, number, the counts, text
 *
 * Lines are appended; when the file has grown well beyond the buffer it is written anew under another name, which then takes its
 * place. What stands behind a torn record is not read.
 */
#ifndef POSTERN_PLATFORM_LOGKEEP_H
#define POSTERN_PLATFORM_LOGKEEP_H

#include "platform/base/bytes.h"
#include "platform/daemon/logring.h"

struct log_counts {
	uint64_t console, monitor, buffer, dropped;
};

struct logkeep {
	char path[128];
	int fd; /* -1: not kept */
	size_t size;
};

/* Takes up what an earlier program left, or, `fresh`, throws it away. ERR_SYS: the buffer is in memory only. */
enum err logkeep_open(struct logkeep *k, const char *run_dir, bool fresh, struct logring *r, struct log_counts *n) MUST_CHECK;
/* The newest line of `r`. */
void logkeep_put(struct logkeep *k, const struct logring *r, const struct log_counts *n);
/* The whole buffer, after it was cleared or given another size. */
void logkeep_renew(struct logkeep *k, const struct logring *r, const struct log_counts *n);
void logkeep_close(struct logkeep *k); /* the file stays */

/* The bytes of a file into an empty ring. False: not a file of ours. */
bool logkeep_read(struct span bytes, struct logring *r, struct log_counts *n);

#endif
