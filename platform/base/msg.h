/* Messages between programs: AF_UNIX, SOCK_SEQPACKET, one message a packet.
 *
 *   struct msg_head | body (a struct declared in the owner's API header, or text)
 *
 * A request has a sequence number; its answer carries the same one. An answer may be a dump: one MSG_FLAG_MORE message per
 * object, then a last one without the flag, which carries the status. Events have sequence 0. Body structs are fixed-size,
 * naturally aligned, both ends are built together; a receiver checks the length against the type all the same.
 * The receiving side knows pid and uid of the sender (SO_PEERCRED).
 */
#ifndef POSTERN_BASE_MSG_H
#define POSTERN_BASE_MSG_H

#include "bytes.h"
#include "err.h"
#include "loop.h"

#include <sys/types.h>

#define MSG_BODY_MAX (60 * 1024)
#define MSG_MAX_FDS  4

#define MSG_FLAG_MORE 1 /* more objects of the same dump follow */

struct msg_head {
	uint32_t type; /* the API header's enum */
	uint32_t len;  /* of the body, bytes */
	uint32_t seq;
	int16_t status; /* enum err, in answers */
	uint16_t flags;
};

struct msg_conn; /* one connection, server's or client's end, on a loop */

struct msg { /* a received message; borrowed until the callback returns */
	struct msg_head head;
	struct span body;
	int fds[MSG_MAX_FDS]; /* taken over by the callback if it sets nfds to 0; else closed after it */
	int nfds;
};

struct msg_handlers {
	/* A new client; return false to refuse. May set the connection's user pointer. */
	bool (*opened)(void *ctx, struct msg_conn *c);
	/* A message came. */
	void (*message)(void *ctx, struct msg_conn *c, struct msg *m);
	/* The other side is gone; `c` is freed after the call. */
	void (*closed)(void *ctx, struct msg_conn *c);
};

struct msg_server;
/* Listens at `path` (an old socket there is removed), with permissions `mode`. NULL with errno set on failure. */
struct msg_server *msg_listen(struct loop *l, const char *path, unsigned mode, const struct msg_handlers *h, void *ctx);
/* The same in two steps, for a program that changes its user in between: the socket, or -1 with errno; then the server, which
 * takes the socket over unless it returns NULL. */
int msg_bind(const char *path, unsigned mode);
struct msg_server *msg_serve(struct loop *l, int fd, const struct msg_handlers *h, void *ctx);
void msg_server_free(struct msg_server *s);
/* Calls `fn` for each open connection of the server (events to all subscribers). */
void msg_server_each(struct msg_server *s, void (*fn)(void *ctx, struct msg_conn *c), void *ctx);

/* Connects on a loop. NULL if it cannot (errno): the caller tries again with its own timer. */
struct msg_conn *msg_connect(struct loop *l, const char *path, const struct msg_handlers *h, void *ctx);
/* Takes over one end of a socketpair. */
struct msg_conn *msg_adopt(struct loop *l, int fd, const struct msg_handlers *h, void *ctx);
void msg_close(struct msg_conn *c); /* no `closed` call; allowed inside callbacks */

/* Reads what has arrived by now, without waiting for the loop: to be up to date before answering somebody else. The handlers run
 * inside the call, `closed` too. */
void msg_catch_up(struct msg_conn *c);

void msg_set_user(struct msg_conn *c, void *user);
void *msg_user(const struct msg_conn *c);
pid_t msg_peer_pid(const struct msg_conn *c);
uid_t msg_peer_uid(const struct msg_conn *c);

/* Queues and sends when the socket takes it; ERR_LIMIT when the queue is full: 4,096 messages, for a server's answers 65,536 (it
 * reads no further question from who does not take them). The body is copied. */
enum err msg_send(struct msg_conn *c, uint32_t type, uint32_t seq, enum err status, unsigned flags, struct span body) MUST_CHECK;
/* The same with descriptors, which are duplicated into the message. */
enum err msg_send_fds(
	struct msg_conn *c, uint32_t type, uint32_t seq, enum err status, struct span body, const int *fds, int nfds) MUST_CHECK;
/* Answers `m`: same type and sequence. */
enum err msg_answer(struct msg_conn *c, const struct msg *m, enum err status, unsigned flags, struct span body) MUST_CHECK;
/* As msg_answer, and ends the connection if even that cannot be queued (`closed` is called later, from the loop). */
void msg_reply(struct msg_conn *c, const struct msg *m, enum err status, unsigned flags, struct span body);

/* Blocking client, without a loop: for the console and for short questions between programs. */
struct msg_sync {
	int fd; /* -1: closed */
	uint32_t seq;
};
enum err msg_sync_open(struct msg_sync *s, const char *path, int timeout_ms) MUST_CHECK;
void msg_sync_close(struct msg_sync *s);
/* One question, one answer of the wanted size at most `size`. The answer's status is returned; *len gets the body's
 * length. ERR_CLOSED and ERR_TIMEOUT come from the transport. */
enum err msg_sync_call(struct msg_sync *s, uint32_t type, struct span body, void *out, size_t size, size_t *len) MUST_CHECK;
/* One question, a dump as the answer: `each` gets every object's body and may return false to stop listening (the
 * connection is then closed). Events (sequence 0) that arrive in between are dropped. Returns the last message's status. */
enum err msg_sync_dump(
	struct msg_sync *s, uint32_t type, struct span body, bool (*each)(void *ctx, struct span body), void *ctx) MUST_CHECK;
/* The same; the descriptor `fd` travels with the question (-1: none) and stays the caller's. */
enum err msg_sync_dump_fd(struct msg_sync *s, uint32_t type, struct span body, int fd, bool (*each)(void *ctx, struct span body),
	void *ctx) MUST_CHECK;
/* The next message of any kind, into buf (header apart): for `terminal monitor`. */
enum err msg_sync_recv(struct msg_sync *s, struct msg_head *head, void *buf, size_t size, int timeout_ms) MUST_CHECK;

/* "RUN_DIR/NAME" into out; false if it does not fit a socket's address. */
bool msg_path(char out[108], const char *run_dir, const char *name);

#endif
