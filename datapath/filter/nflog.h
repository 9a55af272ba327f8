/* Packets that nftables' `log group` hands to user space (nfnetlink_log). */
#ifndef POSTERN_DATAPATH_FILTER_NFLOG_H
#define POSTERN_DATAPATH_FILTER_NFLOG_H

#include "platform/base/bytes.h"
#include "platform/base/loop.h"

struct nflog_packet {
	char prefix[128]; /* of the rule */
	unsigned ifindex; /* came in by; 0: not known */
	bool has_mac;
	uint8_t mac[6];     /* of the sender */
	struct span packet; /* from the IP header on; borrowed from the message */
};

/* Parses one netlink message (with its header). False: not a packet, or malformed. */
bool nflog_parse(struct nflog_packet *p, struct span message) MUST_CHECK;

struct nflog;
/* Calls `fn` for each message of the group. NULL when the kernel refuses. */
struct nflog *nflog_open(struct loop *l, uint16_t group, void (*fn)(void *ctx, struct span message), void *ctx);
void nflog_close(struct nflog *n);

#endif
