/* traceroute: the system's stream, word by word, into IOS's lines. */
#ifndef POSTERN_CLI_EXEC_TRACEROUTE_H
#define POSTERN_CLI_EXEC_TRACEROUTE_H

#include "cli/out.h"

#include <stdbool.h>

struct trace {
	struct out *out;
	bool started; /* the first line, "traceroute to ...", is over */
	char word[64];
	size_t len;
	unsigned column; /* word of the line, from 0 */
	bool address;    /* one stands in this line already */
	char time[16];   /* "0.512", waiting for its "ms" */
	bool timed;      /* the "ms" was there: printed when the next word is not "!H" */
};

/* Takes bytes as `traceroute -n` writes them. */
void trace_text(void *trace, const char *bytes, size_t n);

#endif
