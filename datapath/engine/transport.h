/* Packets of transport mode (RFC 4303, 3.1.1; RFC 4302, 3.1.1): the outer header is the packet's own. */
#ifndef POSTERN_ENGINE_TRANSPORT_H
#define POSTERN_ENGINE_TRANSPORT_H

#include "datapath/engine/in.h"

/* Header and payload as the packet that the peer sent, in in->arena. In UDP a header is made up. Empty: no memory. */
struct span transport_packet(struct in *in, const struct in_packet *p, uint8_t protocol, struct span payload);

/* Behind a NAT the peer made its TCP or UDP checksum with other addresses than the packet has now: it is adjusted by what the
 * negotiation said of them (RFC 3948, 3.1.2). False: it is wrong. */
bool transport_checksum(const struct sa *sa, uint8_t *packet, const struct inner *in);

#endif
