/* One packet of the message socket: framing, descriptors, addresses. */
#include "platform/base/msg_wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

bool msg_path(char out[108], const char *run_dir, const char *name)
{
	int n = snprintf(out, 108, "%s/%s", run_dir, name);

	return n > 0 && n < 108;
}

static enum err send_result(ssize_t n)
{
	if (n >= 0)
		return ERR_OK;
	if (errno == EAGAIN || errno == ENOBUFS)
		return ERR_BUSY;
	return errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN ? ERR_CLOSED : ERR_SYS;
}

enum err msg_wire_send(int fd, const struct msg_head *head, struct span body, const int *fds, int nfds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(MSG_MAX_FDS * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec parts[2] = { { (void *)head, sizeof(*head) }, { body.data, body.len } };
	struct msghdr h = { .msg_iov = parts, .msg_iovlen = body.len > 0 ? 2 : 1 };
	ssize_t n;

	if (nfds > 0) {
		struct cmsghdr *c;

		h.msg_control = control.room;
		h.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)nfds * sizeof(int));
	}
	do
		n = sendmsg(fd, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return send_result(n);
}

/* Checks a packet's bytes and points m at them. */
static enum err msg_wire_parse(struct span packet, struct msg *m)
{
	if (packet.len < sizeof(m->head))
		return ERR_INVALID;
	memcpy(&m->head, packet.data, sizeof(m->head));
	m->body = span_of(packet.data + sizeof(m->head), packet.len - sizeof(m->head));
	if (m->head.len != m->body.len || m->body.len > MSG_BODY_MAX || m->head.status < 0 || m->head.status >= ERR_COUNT)
		return ERR_INVALID;
	return ERR_OK;
}

static void take_fds(struct msghdr *h, struct msg *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		if (n > (size_t)(MSG_MAX_FDS - m->nfds))
			n = (size_t)(MSG_MAX_FDS - m->nfds);
		memcpy(m->fds + m->nfds, CMSG_DATA(c), n * sizeof(int));
		m->nfds += (int)n;
	}
}

void msg_wire_close_fds(struct msg *m)
{
	for (int i = 0; i < m->nfds; i++)
		close(m->fds[i]);
	m->nfds = 0;
}

enum err msg_wire_recv(int fd, uint8_t *buf, struct msg *m)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(MSG_MAX_FDS * sizeof(int))]; /* the kernel drops more than fit */
	} control;
	struct iovec part = { buf, MSG_PACKET_MAX };
	struct msghdr h = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)
	};
	ssize_t n;
	enum err e;

	memset(m, 0, sizeof(*m));
	do
		n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? ERR_BUSY : ERR_CLOSED;
	take_fds(&h, m);
	if (n == 0 && m->nfds == 0)
		return ERR_CLOSED;
	e = h.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? ERR_INVALID : msg_wire_parse(span_of(buf, (size_t)n), m);
	if (e != ERR_OK)
		msg_wire_close_fds(m);
	return e;
}

int msg_wire_bind(int fd, const struct sockaddr_un *at, unsigned mode)
{
	mode_t before;
	int rc;

	(void)unlink(at->sun_path);
	/* The path gets the socket's own permissions. A chmod of the path afterwards could hit what the folder's owner has put
	 * there. */
	if (fchmod(fd, mode) < 0)
		return -1;
	before = umask(0);
	rc = bind(fd, (const struct sockaddr *)at, sizeof(*at));
	umask(before);
	return rc;
}

static void set_timeout(int fd, int timeout_ms)
{
	struct timeval tv = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };

	if (timeout_ms <= 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

int msg_wire_connect(const char *path, int extra_flags, int timeout_ms)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, saved;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | extra_flags, 0);
	if (fd < 0)
		return -1;
	set_timeout(fd, timeout_ms);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
