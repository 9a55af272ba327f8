/* A captured packet in words, for `show monitor capture NAME buffer`. */
#ifndef POSTERN_CLI_PACKET_H
#define POSTERN_CLI_PACKET_H

#include "cli/out.h"
#include "platform/base/bytes.h"

#define PACKET_TEXT 128

struct packet_words {
	char src[40], dst[40];
	char protocol[16];
	char info[PACKET_TEXT];
	uint64_t cookie;  /* the initiator's, of an IKE message; else 0 */
	uint32_t esp_spi; /* of ESP, whatever is around it; else 0 */
	/* Lines of `detailed`; empty where the packet has none. */
	char ethernet[PACKET_TEXT], ip[PACKET_TEXT];
};

/* Whatever the frame is: what cannot be read is said less about. */
void packet_words(struct packet_words *w, struct span frame);
/* Sixteen bytes a line: offset, hexadecimal, characters. */
void packet_dump(struct out *o, struct span frame);

#endif
