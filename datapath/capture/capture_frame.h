/* A frame as a packet socket hands it over, with its virtio header, into frames as they are on the wire. */
#ifndef POSTERN_CAPTURE_FRAME_H
#define POSTERN_CAPTURE_FRAME_H

#include "configdb/cfg.h"
#include "platform/base/bytes.h"

#include <linux/virtio_net.h>
#include <stdbool.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* kernel 6.2 */
#endif

#define CAPTURE_ETHERNET 14
#define CAPTURE_FRAME    (65536 + 64)

/* Calls `each` for every frame on the wire: one, or the segments of a super-packet. Changes the frame (its checksum). `scratch`
 * has room for CAPTURE_FRAME bytes. What cannot be cut comes as it is. */
void capture_frame(
	struct span frame, const struct virtio_net_hdr *v, uint8_t *scratch, void (*each)(void *ctx, struct span frame), void *ctx);

/* Does the list permit this frame? `acl` NULL: any IPv4 packet. What is not IPv4 never passes. */
bool capture_permits(const struct cfg_acl *acl, struct span frame);

#endif
