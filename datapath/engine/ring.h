/* Native ESP from the wire: one AF_PACKET socket with a receive ring (TPACKET_V2: a packet is there at once, not when a block
 * is full) per interface with a crypto map. Packets are opened in the ring itself. */
#ifndef POSTERN_ENGINE_RING_H
#define POSTERN_ENGINE_RING_H

#include "platform/base/bytes.h"
#include "platform/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define RINGS_MAX 8

struct ring {
	int fd;
	int ifindex;
	uint8_t *map;
	size_t map_len;
	uint32_t frame, count;
	uint32_t at;   /* in worker: next slot to read */
	uint32_t done; /* in worker: next slot to give back */
	unsigned refs; /* control thread */
};

struct ring_set {
	struct ring *rings[RINGS_MAX];
	size_t n;
};

/* Takes unfragmented IPv4 packets of protocol 50 that are for this host. */
enum err ring_open(struct ring **out, int ifindex, uint32_t mtu) MUST_CHECK;
void ring_free(struct ring *r);

/* In worker: the next packet from its IP header on, false if none is there. Until ring_release it stays where it is. A packet
 * that did not fit its slot comes as an empty span. */
bool ring_next(struct ring *r, struct span *packet);
/* Gives back all slots read so far. */
void ring_release(struct ring *r);

#endif
