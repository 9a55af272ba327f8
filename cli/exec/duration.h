/* Durations as IOS writes them. */
#ifndef POSTERN_CLI_DURATION_H
#define POSTERN_CLI_DURATION_H

#include <stdint.h>

#define DURATION_TEXT 64

/* "00:01:47", "1d02h", "3w0d", "1y4w": for ages and uptimes in tables. */
char *duration_short(char out[DURATION_TEXT], uint64_t seconds);
/* "01:02:03", hours beyond 99 too: for lifetimes. */
char *duration_clock(char out[DURATION_TEXT], uint64_t seconds);
/* "2 years, 31 weeks, 6 days, 9 hours, 55 minutes": for `show version`. */
char *duration_long(char out[2 * DURATION_TEXT], uint64_t seconds);

#endif
