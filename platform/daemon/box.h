/* The box as tables: links, addresses, routes. `kernel.h` fills one with what is; `plan.h` and `rib.h` compare it with a
 * configuration. Nothing here calls the system. */
#ifndef POSTERN_PLATFORM_BOX_H
#define POSTERN_PLATFORM_BOX_H

#include "configdb/cfg.h"
#include "platform/base/err.h"
#include "platform/daemon/platform_api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOX_IFNAME 16
#define BOX_HOPS   8   /* equal paths of one route */
#define BOX_PROTO  180 /* rtm_protocol of the routes that are ours; nobody else has this number (186 is BGP's) */

struct box_link {
	char ifname[BOX_IFNAME];
	int index;
	bool up, carrier; /* administratively; on the wire */
	bool bridge;      /* the kind that a loopback of ours is */
	uint32_t mtu;
	uint8_t mac[6];
	struct platm_counters stats;
};

struct box_addr {
	char ifname[BOX_IFNAME];
	uint32_t addr;
	uint8_t len;
	bool below; /* the kernel lists it behind another one of the same subnet */
	bool bare;  /* without a route of the kernel's making: rib.h has one with a smaller MTU */
};

struct box_hop {
	char ifname[BOX_IFNAME];
	uint32_t gateway; /* 0: on the link itself */
	uint32_t via;     /* the next hop as configured: differs from the gateway when it is found through another route */
};

struct box_route {
	uint32_t prefix;
	uint8_t len;
	uint32_t metric; /* of ours: the administrative distance; 0: connected */
	bool blackhole;  /* Null0 */
	uint32_t mtu;    /* 0: the link's */
	uint32_t source; /* preferred source of a connected route; 0: none */
	struct box_hop hops[BOX_HOPS];
	uint8_t nhops;
	/* Of the kernel's table only: */
	uint8_t protocol; /* RTPROT_*, BOX_PROTO */
	bool dead;        /* its links are down */
};

struct box {
	struct box_link *links;
	size_t nlinks, links_cap;
	struct box_addr *addrs; /* in the kernel's order */
	size_t naddrs, addrs_cap;
	struct box_route *routes; /* of the main table */
	size_t nroutes, routes_cap;
};

void box_free(struct box *b);
enum err box_add_link(struct box *b, const struct box_link *l) MUST_CHECK;
enum err box_add_addr(struct box *b, const struct box_addr *a) MUST_CHECK;
enum err box_add_route(struct box *b, const struct box_route *r) MUST_CHECK;

const struct box_link *box_link(const struct box *b, const char *ifname); /* NULL: not there */
const struct box_addr *box_find_addr(const struct box *b, const char *ifname, uint32_t addr, uint8_t len);

/* The kernel holds one route of the same prefix and metric. */
bool box_same_key(const struct box_route *a, const struct box_route *b);
/* The same in all that packets notice; paths in any order. */
bool box_same_route(const struct box_route *a, const struct box_route *b);

/* gi0-N and loopN: nothing else is touched. */
bool box_name_is_ours(const char *ifname);
bool box_name_is_loopback(const char *ifname);
/* "GigabitEthernet0/1" of "gi0-1"; the kernel's name itself if it is not ours. */
void box_ios_name(char out[CFG_NAME], const char *ifname);
/* Packets can pass: a loopback has no wire. */
bool box_line_up(const struct box_link *l);

#endif
