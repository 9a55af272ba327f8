/* The in worker's inside: in.c (loop), receive.c (from the sockets), open.c (a batch of ESP packets), join.c (to the TAP). */
#ifndef POSTERN_ENGINE_IN_H
#define POSTERN_ENGINE_IN_H

#include "datapath/engine/engine.h"
#include "datapath/engine/esp.h"
#include "datapath/engine/join.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define IN_PACKETS  512
#define IN_MESSAGES 8
#define IN_BUFFER   65536

struct in_packet {
	struct sa *sa;
	uint8_t *esp;
	uint32_t len; /* ICV included */
	uint64_t seq;
	uint64_t from; /* place_of() the outer source; port 0: native */
	uint8_t tos;   /* outer */
};

struct in {
	struct worker *w;
	struct backend *b;
	size_t n;
	struct in_packet packets[IN_PACKETS];
	struct cipher_job jobs[IN_PACKETS];
	struct join join;
	uint8_t *buffers[IN_MESSAGES];
	struct mmsghdr msgs[IN_MESSAGES];
	struct iovec iovs[IN_MESSAGES];
	struct sockaddr_in names[IN_MESSAGES];
	uint8_t control[IN_MESSAGES][128] __attribute__((aligned(8)));
};

/* Where a packet came from and went to, outside. */
struct outer {
	uint32_t local, remote;
	uint16_t local_port, remote_port; /* 0: native */
	uint8_t tos;
	bool sniffed; /* from AF_PACKET: may be for another host behind us */
};

/* Each reads what is there, up to a batch, and opens it. True if there may be more. */
bool receive_udp(struct in *in);
bool receive_raw(struct in *in);
bool receive_ring(struct in *in, struct ring *r);
void receive_passed(struct in *in); /* what came on the IKE socket */

/* Enters the batch, when an SA wants it; a full batch is opened. The bytes stay the caller's until open_batch. */
void open_add(struct in *in, struct span esp, const struct outer *o);
/* Opens what is in the batch, and writes what is good to the TAP. */
void open_batch(struct in *in);

#endif
