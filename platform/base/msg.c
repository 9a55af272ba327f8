/* Message connections on a loop: servers, clients, and their queues.
 *
 * A callback may close any connection, its own too. So a connection that is being served, or walked over, is only marked
 * dead and freed when the last of them has returned.
 */
#include "platform/base/msg.h"

#include "platform/base/mem.h"
#include "platform/base/msg_wire.h"
#include "platform/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define QUEUE_MAX     4096
#define QUEUE_DUMP    65536  /* the objects of a dump may be more */
#define QUEUE_PAUSE   1024   /* a server reads no further question of who does not take the answers */
#define CLIENTS_MAX   256    /* of one server: anybody may connect */
#define MESSAGES_TURN 32     /* of one connection before the others get their turn */
#define ACCEPT_REST   100000 /* us without accepting, when there are no descriptors */

struct queued {
	struct queued *next;
	int fds[MSG_MAX_FDS];
	int nfds;
	struct msg_head head;
	uint8_t body[];
};

struct msg_conn {
	struct msg_conn *next; /* of its server */
	struct msg_server *server;
	struct loop_fd *watch;
	int fd;
	const struct msg_handlers *handlers;
	void *ctx, *user;
	pid_t pid;
	uid_t uid;
	unsigned busy; /* callbacks under way */
	bool dead;
	struct queued *first, **last;
	unsigned queued;
	uint8_t *buffer;
};

struct msg_server {
	struct loop *loop;
	struct loop_fd *watch;
	struct loop_timer *rest;
	int fd;
	const struct msg_handlers *handlers;
	void *ctx;
	struct msg_conn *conns;
	unsigned count, walking;
	bool swept; /* something died while walking */
};

static void queued_free(struct queued *q)
{
	for (int i = 0; i < q->nfds; i++)
		close(q->fds[i]);
	mem_free_secret(q, sizeof(*q) + q->head.len);
}

static void conn_unlink(struct msg_conn *c)
{
	struct msg_conn **at;

	if (c->server == NULL)
		return;
	for (at = &c->server->conns; *at != NULL; at = &(*at)->next) {
		if (*at == c) {
			*at = c->next;
			c->server->count--;
			break;
		}
	}
	c->server = NULL;
}

static void conn_free(struct msg_conn *c)
{
	conn_unlink(c);
	mem_free(c->buffer);
	mem_free(c);
}

static void conn_shut(struct msg_conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	loop_fd_del(c->watch);
	c->watch = NULL;
	close(c->fd);
	while (c->first != NULL) {
		struct queued *q = c->first;

		c->first = q->next;
		queued_free(q);
	}
	c->last = &c->first;
	c->queued = 0;
}

void msg_close(struct msg_conn *c)
{
	if (c == NULL)
		return;
	conn_shut(c);
	if (c->busy > 0)
		return;
	if (c->server != NULL && c->server->walking > 0)
		c->server->swept = true;
	else
		conn_free(c);
}

static void conn_lost(struct msg_conn *c)
{
	loop_fd_set(c->watch, 0);
	if (c->handlers->closed != NULL)
		c->handlers->closed(c->ctx, c);
	conn_shut(c);
}

static void conn_flush(struct msg_conn *c)
{
	while (c->first != NULL) {
		struct queued *q = c->first;

		/* A dead peer is noticed by the reading side, which still has its last words to read. */
		if (msg_wire_send(c->fd, &q->head, span_of(q->body, q->head.len), q->fds, q->nfds) == ERR_BUSY)
			return;
		c->first = q->next;
		if (c->first == NULL)
			c->last = &c->first;
		c->queued--;
		queued_free(q);
	}
}

/* A client always reads: if both ends paused, neither would go on. */
static bool conn_paused(const struct msg_conn *c)
{
	return c->server != NULL && c->queued >= QUEUE_PAUSE;
}

static void conn_watch(struct msg_conn *c)
{
	loop_fd_set(c->watch, (conn_paused(c) ? 0 : LOOP_READ) | (c->first != NULL ? LOOP_WRITE : 0));
}

static void conn_read(struct msg_conn *c)
{
	for (int i = 0; i < MESSAGES_TURN && !c->dead && !conn_paused(c); i++) {
		struct msg m;
		enum err e = msg_wire_recv(c->fd, c->buffer, &m);

		if (e == ERR_BUSY)
			return;
		if (e != ERR_OK) {
			conn_lost(c);
			return;
		}
		c->handlers->message(c->ctx, c, &m);
		msg_wire_close_fds(&m);
		wipe(c->buffer, sizeof(m.head) + m.head.len);
	}
}

static void conn_ready(void *ctx, int fd, int what)
{
	struct msg_conn *c = ctx;

	(void)fd;
	c->busy++;
	if (what & LOOP_WRITE)
		conn_flush(c);
	if (what & LOOP_READ)
		conn_read(c);
	c->busy--;
	if (c->dead)
		msg_close(c);
	else
		conn_watch(c);
}

void msg_catch_up(struct msg_conn *c)
{
	if (!c->dead && c->busy == 0)
		conn_ready(c, c->fd, LOOP_READ);
}

static struct msg_conn *conn_new(struct loop *l, int fd, const struct msg_handlers *h, void *ctx)
{
	struct msg_conn *c = mem_zalloc(sizeof(*c));
	struct ucred who = { .pid = -1, .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	if (c == NULL)
		return NULL;
	*c = (struct msg_conn){ .fd = fd, .handlers = h, .ctx = ctx };
	c->last = &c->first;
	c->buffer = mem_zalloc(MSG_PACKET_MAX);
	c->watch = loop_fd_add(l, fd, LOOP_READ, conn_ready, c);
	if (c->buffer == NULL || c->watch == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0) {
		loop_fd_del(c->watch);
		conn_free(c);
		return NULL;
	}
	c->pid = who.pid;
	c->uid = who.uid;
	return c;
}

struct msg_conn *msg_connect(struct loop *l, const char *path, const struct msg_handlers *h, void *ctx)
{
	int fd = msg_wire_connect(path, SOCK_NONBLOCK, 0);
	struct msg_conn *c;

	if (fd < 0)
		return NULL;
	c = conn_new(l, fd, h, ctx);
	if (c == NULL)
		close(fd);
	return c;
}

struct msg_conn *msg_adopt(struct loop *l, int fd, const struct msg_handlers *h, void *ctx)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return NULL;
	return conn_new(l, fd, h, ctx);
}

static void server_welcome(struct msg_server *s, int fd)
{
	struct msg_conn *c = s->count < CLIENTS_MAX ? conn_new(s->loop, fd, s->handlers, s->ctx) : NULL;

	if (c == NULL) {
		close(fd);
		return;
	}
	c->server = s;
	c->next = s->conns;
	s->conns = c;
	s->count++;
	c->busy++;
	if (s->handlers->opened != NULL && !s->handlers->opened(s->ctx, c))
		conn_shut(c);
	c->busy--;
	if (c->dead)
		msg_close(c);
}

static void server_ready(void *ctx, int fd, int what)
{
	struct msg_server *s = ctx;
	int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (got >= 0) {
		server_welcome(s, got);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		loop_fd_set(s->watch, 0);
		loop_timer_set(s->rest, ACCEPT_REST);
	}
}

static void server_rested(void *ctx)
{
	struct msg_server *s = ctx;

	loop_fd_set(s->watch, LOOP_READ);
}

int msg_bind(const char *path, unsigned mode)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, saved;

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (msg_wire_bind(fd, &at, mode) == 0 && listen(fd, 64) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

struct msg_server *msg_serve(struct loop *l, int fd, const struct msg_handlers *h, void *ctx)
{
	struct msg_server *s = mem_zalloc(sizeof(*s));

	if (s != NULL) {
		*s = (struct msg_server){ .loop = l, .fd = fd, .handlers = h, .ctx = ctx };
		s->watch = loop_fd_add(l, fd, LOOP_READ, server_ready, s);
		s->rest = loop_timer_new(l, server_rested, s);
		if (s->watch != NULL && s->rest != NULL)
			return s;
		loop_fd_del(s->watch);
		loop_timer_free(s->rest);
		mem_free(s);
	}
	errno = ENOMEM;
	return NULL;
}

struct msg_server *msg_listen(struct loop *l, const char *path, unsigned mode, const struct msg_handlers *h, void *ctx)
{
	int fd = msg_bind(path, mode);
	struct msg_server *s = fd >= 0 ? msg_serve(l, fd, h, ctx) : NULL;

	if (s == NULL && fd >= 0) {
		close(fd);
		errno = ENOMEM;
	}
	return s;
}

void msg_server_free(struct msg_server *s)
{
	if (s == NULL)
		return;
	while (s->conns != NULL) {
		struct msg_conn *c = s->conns;

		conn_unlink(c);
		msg_close(c);
	}
	loop_fd_del(s->watch);
	loop_timer_free(s->rest);
	close(s->fd);
	mem_free(s);
}

static void server_sweep(struct msg_server *s)
{
	struct msg_conn *next;

	s->swept = false;
	for (struct msg_conn *c = s->conns; c != NULL; c = next) {
		next = c->next;
		if (c->dead && c->busy == 0)
			conn_free(c);
	}
}

void msg_server_each(struct msg_server *s, void (*fn)(void *ctx, struct msg_conn *c), void *ctx)
{
	s->walking++;
	for (struct msg_conn *c = s->conns; c != NULL; c = c->next)
		if (!c->dead)
			fn(ctx, c);
	if (--s->walking == 0 && s->swept)
		server_sweep(s);
}

void msg_set_user(struct msg_conn *c, void *user)
{
	c->user = user;
}

void *msg_user(const struct msg_conn *c)
{
	return c->user;
}

pid_t msg_peer_pid(const struct msg_conn *c)
{
	return c->pid;
}

uid_t msg_peer_uid(const struct msg_conn *c)
{
	return c->uid;
}

/* Answers are bounded by the questions that are read; the last one of a dump always finds its place. */
static unsigned queue_limit(const struct msg_conn *c, const struct msg_head *head)
{
	if (c->server == NULL || head->seq == 0)
		return QUEUE_MAX;
	return head->flags & MSG_FLAG_MORE ? QUEUE_DUMP : QUEUE_DUMP + QUEUE_PAUSE;
}

static enum err enqueue(struct msg_conn *c, const struct msg_head *head, struct span body, const int *fds, int nfds)
{
	struct queued *q;

	if (c->queued >= queue_limit(c, head))
		return ERR_LIMIT;
	q = mem_zalloc(sizeof(*q) + body.len);
	if (q == NULL)
		return ERR_NOMEM;
	q->head = *head;
	if (body.len > 0)
		memcpy(q->body, body.data, body.len);
	for (; q->nfds < nfds; q->nfds++) {
		q->fds[q->nfds] = fcntl(fds[q->nfds], F_DUPFD_CLOEXEC, 0);
		if (q->fds[q->nfds] < 0) {
			queued_free(q);
			return ERR_SYS;
		}
	}
	*c->last = q;
	c->last = &q->next;
	c->queued++;
	conn_watch(c);
	return ERR_OK;
}

static enum err send_whole(struct msg_conn *c, const struct msg_head *want, struct span body, const int *fds, int nfds)
{
	struct msg_head head = *want;
	enum err e = ERR_BUSY;

	if (c->dead)
		return ERR_CLOSED;
	if (body.len > MSG_BODY_MAX || nfds < 0 || nfds > MSG_MAX_FDS)
		return ERR_RANGE;
	head.len = (uint32_t)body.len;
	if (c->first == NULL)
		e = msg_wire_send(c->fd, &head, body, fds, nfds);
	return e == ERR_BUSY ? enqueue(c, &head, body, fds, nfds) : e;
}

enum err msg_send_fds(struct msg_conn *c, uint32_t type, uint32_t seq, enum err status, struct span body, const int *fds, int nfds)
{
	return send_whole(c, &(struct msg_head){ .type = type, .seq = seq, .status = (int16_t)status }, body, fds, nfds);
}

enum err msg_send(struct msg_conn *c, uint32_t type, uint32_t seq, enum err status, unsigned flags, struct span body)
{
	return send_whole(c, &(struct msg_head){ .type = type, .seq = seq, .status = (int16_t)status, .flags = (uint16_t)flags },
		body, NULL, 0);
}

enum err msg_answer(struct msg_conn *c, const struct msg *m, enum err status, unsigned flags, struct span body)
{
	return msg_send(c, m->head.type, m->head.seq, status, flags, body);
}

void msg_reply(struct msg_conn *c, const struct msg *m, enum err status, unsigned flags, struct span body)
{
	enum err e = msg_answer(c, m, status, flags, body);

	/* The owner hears it from the loop, by `closed`, as of every other end. */
	if (e != ERR_OK && !c->dead)
		(void)shutdown(c->fd, SHUT_RDWR);
}
