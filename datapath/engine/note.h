/* Notes between a worker and the control thread: a ring with one writer and one reader, and a descriptor that wakes the
 * reader. What does not fit is dropped: notes are hints, each of them comes again when it still matters. */
#ifndef POSTERN_ENGINE_NOTE_H
#define POSTERN_ENGINE_NOTE_H

#include "datapath/backend.h"

#define NOTE_RING  128
#define NOTE_BYTES 2048

enum note_kind {
	NOTE_EVENT,      /* a backend event as it is */
	NOTE_PASSED_IKE, /* packet: an IKE message from the ESP socket */
	NOTE_ESP,        /* packet: ESP from the IKE socket, to the in worker */
	NOTE_TOO_BIG     /* packet.bytes: the head of a clear packet; mtu: what would fit */
};

struct note {
	enum note_kind kind;
	struct backend_event event;
	uint16_t mtu, len;
	union {
		struct dpm_packet packet;
		uint8_t room[sizeof(struct dpm_packet) + NOTE_BYTES];
	};
};

struct note_ring {
	struct note *notes;
	uint32_t head, tail; /* atomic: written by writer, reader */
	int fd;              /* eventfd, non-blocking */
};

enum err note_open(struct note_ring *r) MUST_CHECK;
void note_close(struct note_ring *r);
/* The next free note, or NULL when the ring is full; note_put hands it over. */
struct note *note_take(struct note_ring *r);
void note_put(struct note_ring *r);
/* The oldest note or NULL; note_done gives it back. */
struct note *note_next(struct note_ring *r);
void note_done(struct note_ring *r);
void note_wake(const struct note_ring *r);
void note_clear(const struct note_ring *r); /* takes the wake-up */

#endif
