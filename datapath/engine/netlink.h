/* The few questions that the engine asks of rtnetlink. */
#ifndef POSTERN_ENGINE_NETLINK_H
#define POSTERN_ENGINE_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

struct netlink_route {
	int ifindex;
	uint32_t gateway; /* host order; 0: on link */
	uint16_t mtu;     /* 0: the link's */
};

struct netlink_link {
	bool ethernet;
	uint16_t mtu;
	uint8_t mac[6];
};

/* A socket for questions, and one that gets the changes of links, addresses, routes and neighbours. -1 with errno. */
int netlink_requests(void);
int netlink_events(void);
void netlink_discard(int fd); /* reads and forgets what is there */

bool netlink_route(int fd, uint32_t *seq, uint32_t src, uint32_t dst, struct netlink_route *out);
bool netlink_link(int fd, uint32_t *seq, int ifindex, struct netlink_link *out);
/* NUD_… state, 0 if there is no entry. */
uint8_t netlink_neighbour(int fd, uint32_t *seq, int ifindex, uint32_t addr, uint8_t mac[6]);
/* As if the kernel had sent a packet to it: a new entry is resolved, a stale one is checked. */
void netlink_use_neighbour(int fd, uint32_t *seq, int ifindex, uint32_t addr);

#endif
