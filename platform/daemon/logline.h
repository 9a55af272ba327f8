/* One datagram of the log socket, checked. Anybody on the box can send one: nothing of it is believed. Pure. */
#ifndef POSTERN_PLATFORM_LOGLINE_H
#define POSTERN_PLATFORM_LOGLINE_H

#include "platform/base/bytes.h"
#include "platform/base/err.h"
#include "platform/base/log.h"

#include <stdbool.h>

#define LOGLINE_TEXT (LOG_TEXT + 64)

struct logline {
	uint64_t wall_us;
	uint8_t severity;
	bool debug;
	uint16_t dropped;        /* lines that the sender lost before this one */
	char text[LOGLINE_TEXT]; /* "%FAC-5-MNEM: text" or the debug text, without control characters */
};

enum err logline_parse(struct logline *l, struct span datagram) MUST_CHECK;

#endif
