/* Log lines in IOS's shape: %FACILITY-SEVERITY-MNEMONIC: text.
 *
 * A program calls log_open once. Lines go as datagrams to platformd's socket `log` in the run directory, which stamps,
 * keeps and distributes them (`logging buffered`, console, `terminal monitor`); when it is not there they go to standard
 * error, where the supervisor's logger takes them. Never blocks; what does not fit is dropped and counted.
 * No secret is ever an argument.
 */
#ifndef POSTERN_BASE_LOG_H
#define POSTERN_BASE_LOG_H

#include "err.h"

#include <stdint.h>

enum log_severity {
	LOG_SEV_EMERGENCY,
	LOG_SEV_ALERT,
	LOG_SEV_CRITICAL,
	LOG_SEV_ERROR,
	LOG_SEV_WARNING,
	LOG_SEV_NOTICE,
	LOG_SEV_INFO,
	LOG_SEV_DEBUG
};

#define LOG_TEXT 1900

/* One datagram on the socket `log`, without padding: the fixed part, then program, facility, mnemonic, text, each
 * NUL-terminated. Facility and mnemonic are empty for debug lines. */
struct log_record {
	uint64_t wall_us;
	uint32_t pid;
	uint8_t severity;
	uint8_t flags;    /* LOG_DEBUG */
	uint16_t dropped; /* lines that this program lost before this one, because the queue was full */
	char strings[];
};
#define LOG_FLAG_DEBUG 1 /* output of a debug command: no %-header */

/* `program` is static. With a null `run_dir` lines go to standard error only. */
void log_open(const char *program, const char *run_dir);
void log_close(void);
/* `log_msg("CRYPTO", LOG_SEV_INFO, "IKMP_MODE_FAILURE", "Processing of %s ...", ...)` */
void log_msg(const char *facility, enum log_severity severity, const char *mnemonic, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* A line of `debug ...`: "ISAKMP:(1001): ..." The caller has checked that its debugging is on. */
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* For tests: gets every line instead of the socket; NULL restores. `line` is "%FAC-5-MNEM: text" or the debug text. */
void log_capture(void (*sink)(void *ctx, enum log_severity severity, const char *line), void *ctx);

#endif
