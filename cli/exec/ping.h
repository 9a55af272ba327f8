/* ping: what the system's ping says of one echo, and the screen that IOS shows of many. */
#ifndef POSTERN_CLI_EXEC_PING_H
#define POSTERN_CLI_EXEC_PING_H

#include "cli/out.h"

#include <stdint.h>

struct ping_sum {
	unsigned sent, received;
	unsigned min_ms, max_ms;
	uint64_t sum_ms;
	unsigned column; /* of the next mark; a line has 70 */
};

/* The mark of one echo from the output of `ping -c 1` and its status: '!' answered (and *ms), '.' silence, 'U' unreachable,
 * 'M' could not be fragmented, 'Q' source quench never, '?' anything else the output explains. */
char ping_mark(const char *said, int status, unsigned *ms);
void ping_count(struct out *o, struct ping_sum *s, char mark, unsigned ms);
void ping_end(struct out *o, const struct ping_sum *s);

#endif
