/* The program's side of logging: one datagram a line, to platformd or, without it, standard error. */
#include "platform/base/log.h"

#include "platform/base/env.h"
#include "platform/base/msg.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SEND_BUFFER (4 << 20) /* a burst of debugging, before platformd gets to run */

static struct {
	pthread_mutex_t lock; /* workers log too */
	const char *program;
	int fd;
	struct sockaddr_un to;
	unsigned dropped; /* since the last line that went out */
	void (*sink)(void *ctx, enum log_severity severity, const char *line);
	void *sink_ctx;
} out = { .lock = PTHREAD_MUTEX_INITIALIZER, .program = "postern", .fd = -1 };

void log_open(const char *program, const char *run_dir)
{
	int size = SEND_BUFFER;

	log_close();
	out.program = program;
	out.to.sun_family = AF_UNIX;
	if (run_dir == NULL || !msg_path(out.to.sun_path, run_dir, "log"))
		return;
	out.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (out.fd >= 0 && setsockopt(out.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(out.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

void log_close(void)
{
	if (out.fd >= 0)
		close(out.fd);
	out.fd = -1;
}

void log_capture(void (*sink)(void *ctx, enum log_severity severity, const char *line), void *ctx)
{
	out.sink = sink;
	out.sink_ctx = ctx;
}

static char *put(char *at, const char *text)
{
	return stpcpy(at, text) + 1;
}

/* False when there is nobody at the socket. A full queue counts a drop: that line is lost on purpose. */
static bool send_record(enum log_severity severity, unsigned flags, const char *facility, const char *mnemonic, const char *text)
{
	union {
		struct log_record r;
		char room[sizeof(struct log_record) + 3 * 64 + LOG_TEXT];
	} d;
	char *at = d.r.strings;

	if (out.fd < 0 || strlen(out.program) + strlen(facility) + strlen(mnemonic) > 3 * 64 - 8)
		return false;
	d.r = (struct log_record){ .wall_us = env_system.wall_us(env_system.ctx),
		.pid = (uint32_t)getpid(),
		.severity = (uint8_t)severity,
		.flags = (uint8_t)flags,
		.dropped = (uint16_t)(out.dropped < UINT16_MAX ? out.dropped : UINT16_MAX) };
	at = put(put(put(put(at, out.program), facility), mnemonic), text);
	if (sendto(out.fd, &d, (size_t)(at - (char *)&d), MSG_NOSIGNAL, (struct sockaddr *)&out.to, sizeof(out.to)) >= 0) {
		out.dropped = 0;
		return true;
	}
	if (errno != EAGAIN && errno != ENOBUFS)
		return false;
	out.dropped++;
	return true;
}

static void emit(enum log_severity severity, unsigned flags, const char *facility, const char *mnemonic, const char *text)
{
	char line[LOG_TEXT + 160];
	int saved = errno;

	pthread_mutex_lock(&out.lock);
	if (flags & LOG_FLAG_DEBUG)
		snprintf(line, sizeof(line), "%s", text);
	else
		snprintf(line, sizeof(line), "%%%s-%d-%s: %s", facility, severity, mnemonic, text);
	if (out.sink != NULL)
		out.sink(out.sink_ctx, severity, line);
	else if (!send_record(severity, flags, facility, mnemonic, text))
		fprintf(stderr, "%s: %s\n", out.program, line);
	pthread_mutex_unlock(&out.lock);
	errno = saved;
}

void log_msg(const char *facility, enum log_severity severity, const char *mnemonic, const char *fmt, ...)
{
	char text[LOG_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	emit(severity, 0, facility, mnemonic, text);
}

void log_debug(const char *fmt, ...)
{
	char text[LOG_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	emit(LOG_SEV_DEBUG, LOG_FLAG_DEBUG, "", "", text);
}
