/* The packets of a capture: records in one piece of memory, oldest first.
 *
 *   |.....| tail: oldest ... | head: next |.....|        |  newer ... head |....| tail: older ... end |..|
 *
 * A record is struct dp_capture_packet and the bytes, padded to 8, and never wraps.
 */
#ifndef POSTERN_CAPTURE_STORE_H
#define POSTERN_CAPTURE_STORE_H

#include "datapath/dp_api.h"

struct capture_store {
	uint8_t *bytes; /* NULL: no memory taken yet */
	size_t size, head, tail, end, used;
	uint64_t first, next; /* numbers: oldest, and the one to come; equal: empty. From 1 */
	uint64_t at_number;   /* where the last read ended, so that the next need not walk */
	size_t at;
};

enum err capture_store_open(struct capture_store *s, size_t size) MUST_CHECK;
void capture_store_free(struct capture_store *s);
void capture_store_clear(struct capture_store *s);
/* Copies a packet in; `p` has all but its number. False: no room, and the oldest may not go. */
bool capture_store_put(struct capture_store *s, struct dp_capture_packet *p, const uint8_t *bytes, bool circular);
/* As many records from number `from` on as `size` takes, into `out`. Returns the bytes; 0: no more. */
size_t capture_store_read(struct capture_store *s, uint64_t from, uint8_t *out, size_t size);
/* The times of the oldest and the newest packet; 0 when there is none. */
void capture_store_times(const struct capture_store *s, uint64_t *first_ns, uint64_t *last_ns);

#endif
