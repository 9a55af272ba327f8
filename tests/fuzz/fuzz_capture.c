/* Captured frames: cut as on the wire, matched by a list, told in words. In front of the frame stands its virtio header. */
#include "cli/capture/packet.h"
#include "datapath/capture/capture_frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t scratch[CAPTURE_FRAME];

static void each(void *ctx, struct span frame)
{
	struct packet_words w;

	packet_words(&w, frame);
	if (memchr(&w.info, 0, sizeof(w.info)) == NULL || !capture_permits(NULL, frame))
		return;
	(void)capture_permits(ctx, frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfg_ace ace = { .permit = true,
		.protocol = 6,
		.src_wild = UINT32_MAX,
		.dst_wild = UINT32_MAX,
		.icmp_type = -1,
		.icmp_code = -1,
		.dscp = -1,
		.precedence = -1,
		.tos = -1,
		.established = true };
	const struct cfg_acl acl = { .entries = &ace, .nentries = 1 };
	struct virtio_net_hdr v;
	uint8_t *frame;

	if (size < sizeof(v) || size - sizeof(v) > 65536)
		return 0;
	memcpy(&v, data, sizeof(v));
	size -= sizeof(v);
	frame = malloc(size + 1);
	memcpy(frame, data + sizeof(v), size);
	capture_frame(span_of(frame, size), &v, scratch, each, (void *)(uintptr_t)&acl);
	free(frame);
	return 0;
}
