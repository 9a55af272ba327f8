/* The in worker's inside: in.c (loop), receive.c (from the sockets), open.c (a batch of ESP and AH packets), deliver.c (what was
 * inside), transport.c (packets of transport mode), join.c (to the TAP). */
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
#define IN_ARENA    (1024 * 1024)

struct in_packet {
	struct sa *sa;
	uint8_t *esp;          /* or AH */
	uint32_t len;          /* ICV included */
	const uint8_t *header; /* the outer IP header as it came; NULL: in UDP */
	uint64_t seq;
	uint64_t from; /* place_of() the outer source; port 0: native */
	uint8_t tos;   /* outer */
};

struct in_batch {
	size_t n;
	struct in_packet packets[IN_PACKETS];
	struct cipher_job jobs[IN_PACKETS];
};

struct in {
	struct worker *w;
	struct backend *b;
	struct in_batch outer, inner;    /* inner: ESP that was inside AH */
	uint8_t headers[IN_PACKETS][60]; /* of AH packets in the outer batch, before their mutable fields were zeroed */
	uint8_t *arena;                  /* packets of transport mode with the headers that they get: until join_flush */
	size_t used;
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
	bool sniffed;    /* from AF_PACKET: may be for another host behind us */
	uint8_t *header; /* the IP header; NULL: in UDP */
	uint8_t header_len;
};

/* Each reads what is there, up to a batch, and opens it. True if there may be more. */
bool receive_udp(struct in *in);
bool receive_raw(struct in *in, int fd);
bool receive_ring(struct in *in, struct ring *r);
void receive_passed(struct in *in); /* what came on the IKE socket */

/* A whole IPv4 packet of protocol 50 or 51; `ifindex` 0: from the kernel, which has asked the access-group. */
void receive_native(struct in *in, struct span packet, int ifindex);

/* Enters the batch, when an SA wants it; a full batch is opened. The bytes stay the caller's until open_batch. */
void open_add(struct in *in, struct span esp, const struct outer *o);
/* The same for AH, whose header stands right behind o->header. */
void open_add_ah(struct in *in, struct span ah, const struct outer *o);
/* ESP that was inside an authentic packet of `around`. */
void open_add_inner(struct in *in, struct span esp, const struct outer *o, const struct sa *around);
void open_drop(struct in *in, enum dp_drop reason, struct sa *sa, uint32_t remote, uint32_t seq);

/* An opened packet whose ICV was right and whose number is new. */
void deliver_esp(struct in *in, const struct in_packet *p, const struct cipher_job *j);
void deliver_ah(struct in *in, const struct in_packet *p);
/* Opens what is in the batch, and writes what is good to the TAP. */
void open_batch(struct in *in);

#endif
