/* The blocking client: a question, and the wait for its answer. */
#include "platform/base/msg_wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum err msg_sync_open(struct msg_sync *s, const char *path, int timeout_ms)
{
	int fd = msg_wire_connect(path, 0, timeout_ms);

	*s = (struct msg_sync){ .fd = fd };
	if (fd >= 0)
		return ERR_OK;
	return errno == EAGAIN ? ERR_TIMEOUT : errno == EACCES ? ERR_DENIED : ERR_CLOSED;
}

void msg_sync_close(struct msg_sync *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* The transport failed: after a timeout a late answer is told apart by its number, everything else is the end. */
static enum err broken(struct msg_sync *s, enum err e)
{
	if (e == ERR_BUSY)
		return ERR_TIMEOUT;
	msg_sync_close(s);
	return ERR_CLOSED;
}

static enum err ask(struct msg_sync *s, uint32_t type, struct span body, int fd)
{
	struct msg_head head = { .type = type, .len = (uint32_t)body.len };
	enum err e;

	if (s->fd < 0)
		return ERR_CLOSED;
	if (body.len > MSG_BODY_MAX)
		return ERR_RANGE;
	if (++s->seq == 0)
		s->seq = 1;
	head.seq = s->seq;
	e = msg_wire_send(s->fd, &head, body, &fd, fd >= 0 ? 1 : 0);
	return e == ERR_OK ? ERR_OK : broken(s, e);
}

/* The next message that answers the last question. */
static enum err answer(struct msg_sync *s, uint8_t *buf, struct msg *m)
{
	for (;;) {
		enum err e = msg_wire_recv(s->fd, buf, m);

		if (e != ERR_OK)
			return broken(s, e);
		msg_wire_close_fds(m);
		if (m->head.seq == s->seq)
			return ERR_OK;
	}
}

enum err msg_sync_call(struct msg_sync *s, uint32_t type, struct span body, void *out, size_t size, size_t *len)
{
	uint8_t buf[MSG_PACKET_MAX];
	struct msg m;
	enum err e = ask(s, type, body, -1);

	if (e == ERR_OK)
		e = answer(s, buf, &m);
	if (e != ERR_OK)
		return e;
	if (m.body.len > size)
		return ERR_RANGE;
	if (m.body.len > 0)
		memcpy(out, m.body.data, m.body.len);
	if (len != NULL)
		*len = m.body.len;
	return (enum err)m.head.status;
}

enum err msg_sync_dump_fd(
	struct msg_sync *s, uint32_t type, struct span body, int fd, bool (*each)(void *ctx, struct span body), void *ctx)
{
	uint8_t buf[MSG_PACKET_MAX];
	struct msg m;
	enum err e = ask(s, type, body, fd);

	while (e == ERR_OK && (e = answer(s, buf, &m)) == ERR_OK) {
		if (!(m.head.flags & MSG_FLAG_MORE))
			return (enum err)m.head.status;
		if (!each(ctx, m.body)) {
			msg_sync_close(s);
			return ERR_OK;
		}
	}
	return e;
}

enum err msg_sync_dump(struct msg_sync *s, uint32_t type, struct span body, bool (*each)(void *ctx, struct span body), void *ctx)
{
	return msg_sync_dump_fd(s, type, body, -1, each, ctx);
}

enum err msg_sync_recv(struct msg_sync *s, struct msg_head *head, void *buf, size_t size, int timeout_ms)
{
	uint8_t packet[MSG_PACKET_MAX];
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	struct msg m;
	enum err e;
	int n;

	if (s->fd < 0)
		return ERR_CLOSED;
	n = poll(&p, 1, timeout_ms);
	if (n == 0 || (n < 0 && errno == EINTR))
		return ERR_TIMEOUT;
	e = n < 0 ? ERR_SYS : msg_wire_recv(s->fd, packet, &m);
	if (e != ERR_OK)
		return broken(s, e);
	msg_wire_close_fds(&m);
	if (m.body.len > size)
		return ERR_RANGE;
	*head = m.head;
	if (m.body.len > 0)
		memcpy(buf, m.body.data, m.body.len);
	return ERR_OK;
}
