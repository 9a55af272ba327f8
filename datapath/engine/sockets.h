/* The engine's sockets.
 *
 *   UDP 4500, one SO_REUSEPORT group, a classic BPF program chooses by the first four bytes (RFC 3948, 2.2):
 *       [0] IKE        zero, or too short to tell           -> ikemgrd
 *       [1] ESP        all else; sends with DF clear
 *       [2] ESP, DF    never chosen; sends with DF set
 *   raw 50             whole ESP packets that the kernel delivers: fragments it put together, interfaces without AF_PACKET
 *   raw 50, DF         sends only
 *   raw 51             the same for AH; it sends through a raw socket that takes headers
 */
#ifndef POSTERN_ENGINE_SOCKETS_H
#define POSTERN_ENGINE_SOCKETS_H

#include "platform/base/err.h"

#include <stdbool.h>

#define PORT_IKE  500
#define PORT_NATT 4500

struct sockets {
	int ike500, ike4500;
	int udp, udp_df;
	int raw, raw_df;
	int packet; /* AF_PACKET, sends only, past the queueing discipline */
	int icmp;   /* ICMP errors about our own packets */
	int ip;     /* raw IP, for ICMP errors that we send */
	int raw_ah; /* whole AH packets, as raw */
	int header; /* raw IP, for packets with headers of their own; sends only */
	bool udp_gso;
};
#define SOCKETS_NONE ((struct sockets){ -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, false })

/* ERR_SYS is logged with the socket that failed. */
enum err sockets_open(struct sockets *s) MUST_CHECK;
void sockets_close(struct sockets *s);

#endif
