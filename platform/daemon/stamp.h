/* What stands before a log line: `service timestamps log|debug ...`. Pure. */
#ifndef POSTERN_PLATFORM_STAMP_H
#define POSTERN_PLATFORM_STAMP_H

#include "configdb/cfg.h"

#include <stdbool.h>
#include <stdint.h>

#define STAMP_TEXT 64

/* "*Nov 23 18:00:00.123: ", "1d02h: " or "". `synced`: the clock follows a time server; without it IOS writes `*`. */
char *stamp_print(char out[STAMP_TEXT], const struct cfg_stamps *s, uint64_t wall_us, uint64_t uptime_s, bool synced);

#endif
