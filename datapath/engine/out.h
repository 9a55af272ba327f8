/* The out worker's inside: out.c (loop), flow.c (what protects a packet), hold.c (waiting), segment.c (super-packets, fragments),
 * seal.c (a batch of packets), wrap.c (outer headers that are ours to write, and AH), send.c (to the wire), pieces.c (IP
 * fragments), whole.c (fragments of our own packets put together). */
#ifndef POSTERN_ENGINE_OUT_H
#define POSTERN_ENGINE_OUT_H

#include "datapath/engine/engine.h"
#include "datapath/engine/esp.h"

#include <linux/if_packet.h>
#include <netinet/in.h>

#define OUT_PACKETS 256
#define OUT_ARENA   (512 * 1024)
#define OUT_ROOM    128 /* before each ESP packet: Ethernet, IP header with options, AH */
#define OUTER_TTL   64
#define FLOWS       4096

struct out_packet {
	struct sa *sa;
	const struct hop_data *hop;
	uint8_t *esp;   /* or AH: what stands behind the outer IP header */
	uint32_t len;   /* ICV included */
	uint8_t header; /* length of the outer IP header that stands before it already; 0: it is yet to be made */
	uint8_t tos;
	bool df, encap;
	bool fragment; /* larger than the path takes: the kernel cuts it, or with a header of its own pieces.c */
};

/* An ICV of AH, made when all that stands inside is sealed. The outer header waits aside with the fields that may change. */
struct out_ah {
	uint16_t packet; /* index */
	uint8_t header[60];
};

struct whole;

struct flow {
	uint64_t generation; /* of the policy set; 0: empty */
	uint32_t src, dst;
	uint16_t src_port, dst_port;
	uint8_t protocol, tos, flags, icmp;
	int ifindex;
	struct verdict verdict;
};

struct out {
	struct worker *w;
	struct backend *b;
	struct tap tap;        /* a copy: descriptor and abilities */
	bool udp_gso, gso_now; /* gso_now: in this batch */
	uint16_t ip_id;
	struct policy *holding; /* list of policies that hold packets */
	size_t held_bytes;      /* of all */
	size_t n;
	struct out_packet packets[OUT_PACKETS];
	size_t njobs, nah;
	struct cipher_job jobs[OUT_PACKETS]; /* of ESP */
	uint16_t job_packet[OUT_PACKETS];
	struct out_ah ah[OUT_PACKETS];
	struct cipher_job ah_jobs[OUT_PACKETS];
	struct whole *whole;
	size_t used; /* of the arena */
	uint8_t *arena;
	uint8_t *frame;   /* TAP_FRAME_MAX */
	uint8_t *scratch; /* a segment that is to be fragmented */
	struct flow flows[FLOWS];
	struct mmsghdr msgs[OUT_PACKETS];
	struct iovec iovs[OUT_PACKETS];
	struct sockaddr_storage names[OUT_PACKETS];
	uint8_t control[OUT_PACKETS][128] __attribute__((aligned(8)));
	uint16_t first[OUT_PACKETS], runs[OUT_PACKETS]; /* of each message: which packets */
};

/* What is known of the clear packet at hand. */
struct clear {
	struct inner in;
	uint8_t *packet; /* IP header */
	struct virtio_net_hdr *vnet;
	uint32_t segments; /* packets that it becomes */
	struct policy *policy;
	struct sa *sa, *around; /* around: AH of a bundle; NULL: none */
	const struct hop_data *hop;
	uint16_t plain_mtu;
};

/* One frame from the TAP, virtio header first: all the way into the batch, onto hold, or to its end. The frame is changed. */
void out_frame(struct out *o, uint8_t *frame, uint32_t len, int ifindex, uint64_t since_us);

struct verdict flow_classify(struct out *o, const struct inner *in, int ifindex);

/* Copies the frame onto the policy's queue and asks for an SA. */
void hold_put(struct out *o, struct clear *c, const uint8_t *frame, uint32_t len, int ifindex, uint64_t since_us);
/* Tries what is held again where something has changed, and drops what is too old. */
void hold_run(struct out *o);

/* Cuts the packet as needed and seals the pieces. */
void segment(struct out *o, struct clear *c);

/* Room for an inner packet in the batch (which is flushed when it is full), then the packet enters it. */
uint8_t *seal_room(struct out *o, const struct clear *c, uint32_t inner_len);
void seal_add(struct out *o, const struct clear *c, uint32_t inner_len, uint8_t tos, bool fragment);
void seal_flush(struct out *o);

/* The packet at o->packets[o->n], whose ESP is framed or whose payload is in place, gets its AH and its outer header, as far as
 * these are ours to write. `clear`: in transport mode the header that it had. */
void wrap(struct out *o, const struct clear *c, const uint8_t *clear, uint64_t ah_seq, uint8_t next);
/* The ICVs of AH, and the outer headers as they leave. */
void wrap_seal(struct out *o);

void send_batch(struct out *o);
/* The packet in IP fragments. */
void send_pieces(struct out *o, const struct out_packet *p);
void out_send_drop(struct out *o, const struct out_packet *p);

/* Transport mode protects whole packets (RFC 4303, 3.3.4), but the egress hook sees our own ones cut already. Takes a fragment;
 * the whole packet as a frame of the TAP when it was the last one missing, else NULL. Borrowed until the next call. */
uint8_t *whole_add(struct out *o, const struct clear *c, const uint8_t *frame, uint32_t *len);
void whole_free(struct whole *w);

void out_drop(struct out *o, enum dp_drop reason, const struct clear *c, uint64_t n);

#endif
