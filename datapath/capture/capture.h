/* `monitor capture`: packets of interfaces into a bounded buffer, for show and for a file.
 *
 *   packet socket (AF_PACKET, all links; the kernel's filter: our interfaces and directions)
 *        |  capture_run.c    control thread, bounded batches
 *        |  capture_frame.c  super-packets are cut as on the wire, unfinished checksums finished
 *        |  filter           the access-list of the configuration as it is now
 *        v
 *   capture_store.c          ring of N megabytes: linear (stops when full) or circular (the oldest go)
 *
 * A packet socket sees what the driver gets, in both directions and with the kernel's time; the engine leaves the way past the
 * queueing discipline while somebody looks (backend.h: be_seen). What a crypto map takes away is not seen on its interface,
 * since it is not on that wire. Nothing of this costs anything while no capture runs.
 *
 * Captures live as long as datapathd.
 */
#ifndef POSTERN_CAPTURE_H
#define POSTERN_CAPTURE_H

#include "platform/base/err.h"
#include "platform/base/msg.h"

#include <stdbool.h>

#define CAPTURES_MAX       8
#define CAPTURE_BUFFER_MB  10 /* IOS's default */
#define CAPTURE_BUFFER_MAX 100
#define CAPTURE_MEMORY_MB  200 /* of all captures together */

struct daemon;
struct captures;

/* A question of the console about captures is answered here. True if `m` was one. */
bool captures_message(struct daemon *d, struct msg_conn *c, struct msg *m);
/* Devices came or went: running captures look for theirs again. */
void captures_links(struct daemon *d);
void captures_free(struct daemon *d);

#endif
