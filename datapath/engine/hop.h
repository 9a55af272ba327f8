/* Next hops: by what interface and to what Ethernet address the packets to a peer go, and how large they may be.
 *
 * One hop per pair of gateway addresses. What a worker needs is an immutable struct hop_data, swapped when routes, links or
 * neighbours change (netlink). While the neighbour is not resolved the raw socket carries the packets: the kernel then asks
 * for the address, and we see its answer.
 */
#ifndef POSTERN_ENGINE_HOP_H
#define POSTERN_ENGINE_HOP_H

#include "datapath/engine/rcu.h"
#include "platform/base/err.h"
#include "platform/base/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct hop_data {
	int ifindex;   /* 0: no route */
	uint16_t mtu;  /* outer packets to the peer: of the route, or learned */
	bool resolved; /* ethernet is complete: AF_PACKET may be used */
	uint8_t ethernet[14];
};

struct hop {
	struct hop *next;
	uint32_t local, remote; /* host order */
	unsigned refs;
	struct hop_data *data; /* RCU; never NULL */
	uint32_t gateway;
	uint16_t learned_mtu; /* 0: none */
	uint64_t learned_us;
	uint8_t neighbour_state;
};

struct hops {
	struct rcu *rcu;
	struct hop *all;
	int events, requests; /* netlink sockets */
	struct loop_fd *watch;
	struct loop_timer *settle;
	struct loop *loop;
	uint32_t seq;
	bool packet; /* AF_PACKET may be used at all */
};

enum err hops_open(struct hops *h, struct loop *loop, struct rcu *rcu) MUST_CHECK;
void hops_close(struct hops *h);
/* A counted reference; NULL: no memory. */
struct hop *hop_get(struct hops *h, uint32_t local, uint32_t remote);
void hop_put(struct hops *h, struct hop *hop);
/* An ICMP error said so. Below 576 is taken as 576. True if it is news. */
bool hop_learn_mtu(struct hops *h, struct hop *hop, uint16_t mtu, uint64_t now_us);
/* Once a second or so: forgets old path MTUs (10 minutes), keeps neighbours in use fresh, looks again for what is missing. */
void hops_tick(struct hops *h, uint64_t now_us);

#endif
