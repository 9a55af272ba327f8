/* The TAP device: clear packets out of the kernel's egress hook and back into its routing, with a virtio header each. */
#ifndef POSTERN_ENGINE_TAP_H
#define POSTERN_ENGINE_TAP_H

#include "platform/base/err.h"

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

#define TAP_ETHERNET  14
#define TAP_FRAME_MAX (sizeof(struct virtio_net_hdr) + TAP_ETHERNET + 65536)

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

struct tap {
	int fd;
	int ifindex;
	uint8_t mac[6];
	bool tso, uso; /* what the kernel took: super-packets both ways */
};

/* Makes the device, or takes up the persistent one, brings it up and sets what routing through it needs (no source check, no
 * IPv6 of its own). `gso` false: no super-packets. The reason of a failure is logged. */
enum err tap_open(struct tap *t, const char *name, bool gso) MUST_CHECK;
void tap_close(struct tap *t);

#endif
