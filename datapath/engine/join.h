/* Segments of one flow become one super-packet on their way into the kernel: it routes, filters and translates once instead of
 * forty times. Only what is a plain run of equal headers is joined, and only when its checksums are right; the kernel cuts it
 * again into the very packets that came. Nothing is copied: the packets stay where they were opened until join_flush. */
#ifndef POSTERN_ENGINE_JOIN_H
#define POSTERN_ENGINE_JOIN_H

#include "datapath/engine/inner.h"
#include "datapath/engine/tap.h"

#include <sys/uio.h>

#define JOIN_FLOWS    8
#define JOIN_SEGMENTS 64

struct joined {
	struct inner in;       /* of the first segment */
	uint8_t *head;         /* its IP header */
	uint32_t header, size; /* bytes of both headers; of payload in each segment but the last */
	uint32_t total;        /* payload so far */
	uint32_t next_seq;     /* TCP */
	uint16_t n;
	bool closed;                       /* a short segment or PSH came: nothing may follow */
	struct iovec parts[JOIN_SEGMENTS]; /* payloads */
};

struct join {
	int fd;
	bool tso, uso;
	uint8_t ethernet[TAP_ETHERNET];
	size_t n;
	struct joined flows[JOIN_FLOWS]; /* oldest first */
	uint64_t failed;                 /* writes that the TAP refused, since join_flush was asked last */
};

void join_init(struct join *j, const struct tap *t);
/* Takes a clear packet, whose bytes stay until join_flush. `in` is what inner_parse said of it. */
void join_add(struct join *j, uint8_t *packet, const struct inner *in);
/* Writes everything. Returns how many packets the TAP refused. */
uint64_t join_flush(struct join *j);

#endif
