/* An engine without kernel devices: a socket pair for the TAP, loopback UDP for the wire, no threads. The test calls what the
 * workers would. Two rigs with mirrored SAs are two gateways. */
#ifndef TESTS_ENGINERIG_H
#define TESTS_ENGINERIG_H

#include "datapath/engine/control.h"
#include "datapath/engine/in.h"
#include "datapath/engine/out.h"

#define RIG_LOCAL  0xc0a80100u /* 192.168.1.0/24 */
#define RIG_REMOTE 0xc0a80200u
#define RIG_SPI    0x1234

struct erig {
	struct backend b;
	int tap;  /* the kernel's side of the TAP */
	int wire; /* what the engine sends, in UDP */
	uint16_t wire_port;
	struct backend_event events[64];
	size_t nevents;
};

void erig_open(struct erig *r, bool mb);
void erig_close(struct erig *r);
/* One policy, permit ip RIG_LOCAL/24 to RIG_REMOTE/24, map 10, line 10. */
void erig_policy(struct erig *r);
/* The same, permit ip SRC to DST, host to host. */
void erig_policy_hosts(struct erig *r, uint32_t src, uint32_t dst);
struct dp_policy_id erig_id(uint16_t map_seq, uint32_t ace_seq);
struct cfg_ace erig_ace(uint32_t src, uint32_t src_wild, uint32_t dst, uint32_t dst_wild);
/* AES-128-GCM in UDP over loopback; change and put. Inbound: the other direction's of a mirrored peer with the same SPI. */
struct dpm_sa erig_sa(struct erig *r, bool inbound);
struct dp_selectors erig_selectors(void);
/* AH with HMAC-SHA256, not in UDP. */
struct dpm_sa erig_ah(struct erig *r, bool inbound);
struct sa *erig_find(struct erig *r, bool inbound);
void erig_mtu(struct erig *r, uint16_t mtu); /* of the outbound SA's path */

/* A frame as it comes from the TAP, 192.168.1.10 to 192.168.2.10. Returns its length. */
uint32_t erig_udp(uint8_t *frame, uint16_t payload, bool df);
uint32_t erig_tcp(uint8_t *frame, uint32_t payload, uint16_t gso_size, bool df);
uint32_t erig_own(uint8_t *frame, uint16_t payload); /* UDP from the gateway to the peer: both 127.0.0.1 */
uint8_t *erig_ip(uint8_t *frame);                    /* its IP header */

void erig_out(struct erig *r, uint8_t *frame, uint32_t len); /* as the out worker does */
/* The next ESP packet on the wire, with its IP header where that is ours; 0: none. */
uint32_t erig_wire(struct erig *r, uint8_t *esp, size_t size);
void erig_in(struct erig *r, const uint8_t *esp, uint32_t len, uint8_t outer_tos); /* as the in worker does */
void erig_native(struct erig *r, const uint8_t *packet, uint32_t len);             /* a whole IP packet from the raw socket */
/* The next frame written to the TAP, virtio header first; 0: none. */
uint32_t erig_tap(struct erig *r, uint8_t *frame, size_t size);
void erig_notes(struct erig *r); /* takes the workers' events up */
size_t erig_events(const struct erig *r, enum backend_event_kind kind);
uint64_t erig_drops(struct erig *r, enum dp_drop reason);

#endif
