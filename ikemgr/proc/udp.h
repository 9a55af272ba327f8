/* The two sockets of IKE, which datapathd opened: UDP 500, and UDP 4500 with the non-ESP marker (RFC 3948, 2.2).
 *
 * Datagrams are received in batches, with the local address they were sent to (IP_PKTINFO); they are sent from the address
 * that the path says. What does not fit into the socket is dropped: retransmission is the protocol's.
 */
#ifndef POSTERN_IKEMGR_PROC_UDP_H
#define POSTERN_IKEMGR_PROC_UDP_H

#include "ikemgr/ike.h"
#include "platform/base/loop.h"

#define UDP_IKE  500
#define UDP_NATT 4500

struct udp_handlers {
	/* An IKE message, marker removed. */
	void (*ike)(void *ctx, const struct ike_path *path, struct span packet);
	/* Something on port 4500 without marker that is no keepalive: ESP, which is datapathd's. */
	void (*esp)(void *ctx, const struct ike_path *path, struct span packet);
	/* After the last datagram of a batch. */
	void (*batch_end)(void *ctx);
};

struct udp_stats {
	uint64_t received, sent, send_failed, malformed, keepalives;
};

struct udp;
/* Takes over the two descriptors, also when it fails (NULL). */
struct udp *udp_new(struct loop *l, int ike_fd, int natt_fd, const struct udp_handlers *h, void *ctx);
void udp_free(struct udp *u);
void udp_send(struct udp *u, const struct ike_path *path, struct span packet);
/* One byte that keeps a NAT's mapping alive, RFC 3948, 2.3. */
void udp_keepalive(struct udp *u, const struct ike_path *path);
const struct udp_stats *udp_stats(const struct udp *u);

#endif
