/* The box's log.
 *
 *   programs --- datagrams ---> take: check, stamp --+--> ring (`logging buffered`)
 *                                                    |     '--> RUN_DIR/logbuffer, for the next program
 *                                                    +--> viewers (`logging console`, `terminal monitor`)
 */
#include "platform/daemon/logd.h"

#include "platform/base/mem.h"
#include "platform/base/msg_wire.h"
#include "platform/daemon/logkeep.h"
#include "platform/daemon/logline.h"
#include "platform/daemon/stamp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#define DATAGRAM      4096
#define TURN          256           /* datagrams before others get their turn */
#define CLOCK_TRUST   (5 * 1000000) /* us: a sender's stamp that is further off is replaced */
#define RECEIVE_QUEUE (4 << 20)

struct logd {
	const struct env *env;
	logd_out_fn out;
	void *ctx;
	int fd;
	struct loop_fd *watch;
	char path[108];
	struct logring ring;
	struct cfg_stamps stamp_log, stamp_debug;
	bool buffered, console, monitor;
	uint8_t buffer_level, console_level, monitor_level;
	uint64_t started_us;
	struct log_counts count;
	struct logkeep keep;
};

struct logd *logd_new(const struct env *env, logd_out_fn out, void *ctx)
{
	static const struct cfg_stamps usual = { .kind = STAMP_DATETIME, .msec = true };
	struct logd *d = mem_zalloc(sizeof(*d));

	if (d == NULL)
		return NULL;
	/* IOS's defaults, until there is a configuration. */
	*d = (struct logd){ .env = env,
		.out = out,
		.ctx = ctx,
		.fd = -1,
		.keep = { .fd = -1 },
		.stamp_log = usual,
		.stamp_debug = usual,
		.buffered = true,
		.console = true,
		.monitor = true,
		.buffer_level = LOG_SEV_DEBUG,
		.console_level = LOG_SEV_DEBUG,
		.monitor_level = LOG_SEV_DEBUG };
	d->started_us = env->now_us(env->ctx);
	logring_init(&d->ring, 4096);
	return d;
}

void logd_free(struct logd *d)
{
	if (d == NULL)
		return;
	loop_fd_del(d->watch);
	if (d->fd >= 0) {
		close(d->fd);
		unlink(d->path);
	}
	logkeep_close(&d->keep);
	logring_clear(&d->ring);
	mem_free(d);
}

enum err logd_keep(struct logd *d, const char *run_dir, bool fresh)
{
	return logkeep_open(&d->keep, run_dir, fresh, &d->ring, &d->count);
}

void logd_configure(struct logd *d, const struct cfg_system *s)
{
	d->stamp_log = s->stamp_log;
	d->stamp_debug = s->stamp_debug;
	d->buffered = s->logging_buffered;
	d->console = s->logging_console;
	d->monitor = s->logging_monitor;
	d->buffer_level = s->logging_buffer_level;
	d->console_level = s->logging_console_level;
	d->monitor_level = s->logging_monitor_level;
	if (d->ring.limit != s->logging_buffer_bytes) {
		logring_resize(&d->ring, s->logging_buffer_bytes);
		logkeep_renew(&d->keep, &d->ring, &d->count);
	}
}

void logd_started(struct logd *d, uint64_t now_us)
{
	d->started_us = now_us;
}

static bool clock_is_synced(void)
{
	struct timex t = { 0 };

	return adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC);
}

/* The sender knows the moment best, if it is honest. */
static uint64_t moment(const struct logd *d, const struct logline *l)
{
	uint64_t now = d->env->wall_us(d->env->ctx);
	uint64_t off = l->wall_us > now ? l->wall_us - now : now - l->wall_us;

	return off > CLOCK_TRUST ? now : l->wall_us;
}

static void distribute(struct logd *d, struct platm_log *line)
{
	size_t len = offsetof(struct platm_log, text) + strlen(line->text) + 1;
	bool console = d->console && line->severity <= d->console_level;

	d->count.console += console;
	if (d->buffered && line->severity <= d->buffer_level) {
		if (logring_put(&d->ring, line->severity, line->text) == ERR_OK) {
			d->count.buffer++;
			logkeep_put(&d->keep, &d->ring, &d->count);
		} else {
			d->count.dropped++;
		}
	}
	line->number = d->ring.numbered;
	d->out(d->ctx, line, len, console, d->monitor && line->severity <= d->monitor_level);
}

void logd_take(struct logd *d, struct span datagram)
{
	uint64_t uptime_s = (d->env->now_us(d->env->ctx) - d->started_us) / 1000000;
	struct platm_log line;
	struct logline l;
	char stamp[STAMP_TEXT];

	if (logline_parse(&l, datagram) != ERR_OK) {
		d->count.dropped++;
		return;
	}
	d->count.dropped += l.dropped;
	memset(&line, 0, sizeof(line));
	line.severity = l.severity;
	stamp_print(stamp, l.debug ? &d->stamp_debug : &d->stamp_log, moment(d, &l), uptime_s, clock_is_synced());
	snprintf(line.text, sizeof(line.text), "%s%s", stamp, l.text);
	distribute(d, &line);
}

void logd_count(struct logd *d, bool console, bool dropped)
{
	if (dropped)
		d->count.dropped++;
	else if (!console)
		d->count.monitor++;
}

const struct logring *logd_ring(const struct logd *d)
{
	return &d->ring;
}

void logd_clear(struct logd *d)
{
	logring_clear(&d->ring);
	logkeep_renew(&d->keep, &d->ring, &d->count);
}

void logd_info(const struct logd *d, struct platm_log_info *out)
{
	memset(out, 0, sizeof(*out));
	out->console_logged = d->count.console;
	out->monitor_logged = d->count.monitor;
	out->buffer_logged = d->count.buffer;
	out->dropped = d->count.dropped;
	out->buffer_bytes = (uint32_t)d->ring.limit;
	out->buffer_level = d->buffer_level;
	out->console_level = d->console_level;
	out->monitor_level = d->monitor_level;
	out->buffered = d->buffered;
	out->console = d->console;
}

static void on_datagram(void *ctx, int fd, int what)
{
	struct logd *d = ctx;
	uint8_t buf[DATAGRAM];

	(void)what;
	for (int i = 0; i < TURN; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0)
			return;
		logd_take(d, span_of(buf, (size_t)n));
	}
}

enum err logd_listen(struct logd *d, struct loop *l, const char *run_dir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int size = RECEIVE_QUEUE;

	if (!msg_path(d->path, run_dir, "log"))
		return ERR_RANGE;
	memcpy(at.sun_path, d->path, sizeof(at.sun_path));
	d->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0)
		return ERR_SYS;
	(void)setsockopt(d->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (msg_wire_bind(d->fd, &at, 0666) < 0)
		return ERR_SYS;
	d->watch = loop_fd_add(l, d->fd, LOOP_READ, on_datagram, d);
	return d->watch != NULL ? ERR_OK : ERR_NOMEM;
}
