/* One packet of the message socket, in and out: what the looped and the blocking side share, and the log's socket. */
#ifndef POSTERN_BASE_MSG_WIRE_H
#define POSTERN_BASE_MSG_WIRE_H

#include "platform/base/msg.h"

#include <stdbool.h>
#include <sys/types.h>

#define MSG_PACKET_MAX (sizeof(struct msg_head) + MSG_BODY_MAX)

/* Sends one packet; fds may be null. Returns ERR_OK, ERR_BUSY (would block), ERR_CLOSED or ERR_SYS. */
enum err msg_wire_send(int fd, const struct msg_head *head, struct span body, const int *fds, int nfds) MUST_CHECK;
/* Receives one packet into buf of MSG_PACKET_MAX bytes; m->body points into it and m->fds are the caller's to close.
 * ERR_BUSY: nothing there; ERR_CLOSED: the end; ERR_INVALID: not a message of ours. */
enum err msg_wire_recv(int fd, uint8_t *buf, struct msg *m) MUST_CHECK;
void msg_wire_close_fds(struct msg *m);
struct sockaddr_un;
/* Binds a socket to its path with these permissions, in place of what was there. -1 with errno. */
int msg_wire_bind(int fd, const struct sockaddr_un *at, unsigned mode);
/* A connected socket or -1 (errno). */
int msg_wire_connect(const char *path, int extra_flags, int timeout_ms);

#endif
