/* platformd sends what the line's level lets through; here it is only shown between what is typed. */
#include "cli/monitor.h"

#include "platform/daemon/platform_api.h"

#include <poll.h>
#include <string.h>
#include <time.h>

/* Lines that come in a burst stand together: the prompt is drawn once, below them. */
#define TOGETHER_MS 5
#define AT_ONCE     100

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int watch_fd(void *ctx)
{
	return monitor_fd(ctx);
}

static void watch_ready(void *ctx)
{
	monitor_show(ctx);
}

void monitor_init(struct monitor *m, const char *run_dir, struct term *t, bool console)
{
	struct input *in = term_input(t);

	*m = (struct monitor){ .run_dir = run_dir, .term = t, .console = console, .conn = { .fd = -1 } };
	in->watch_fd = watch_fd;
	in->watch_ready = watch_ready;
	in->watch_ctx = m;
}

void monitor_close(struct monitor *m)
{
	msg_sync_close(&m->conn);
}

void monitor_set(struct monitor *m, bool on)
{
	m->on = on;
	m->next_try_ms = 0;
	if (!on)
		msg_sync_close(&m->conn);
}

static enum err subscribe(struct monitor *m)
{
	uint8_t ask[2] = { 1, m->console };
	char path[108];
	enum err e;

	if (!msg_path(path, m->run_dir, PLATFORMD_SOCKET))
		return ERR_RANGE;
	e = msg_sync_open(&m->conn, path, 2000);
	if (e == ERR_OK)
		e = msg_sync_call(&m->conn, PLATM_LOG_MONITOR, span_of(ask, sizeof(ask)), NULL, 0, NULL);
	if (e != ERR_OK)
		msg_sync_close(&m->conn);
	return e;
}

int monitor_fd(struct monitor *m)
{
	if (!m->on || m->conn.fd >= 0 || now_ms() < m->next_try_ms)
		return m->on ? m->conn.fd : -1;
	if (subscribe(m) != ERR_OK)
		m->next_try_ms = now_ms() + 2000;
	return m->conn.fd;
}

void monitor_show(struct monitor *m)
{
	struct pollfd p = { .fd = monitor_fd(m), .events = POLLIN };
	struct platm_log line;
	struct msg_head head;

	for (int n = 0; n < AT_ONCE && p.fd >= 0 && poll(&p, 1, n == 0 ? 0 : TOGETHER_MS) > 0; n++) {
		enum err e;

		memset(&line, 0, sizeof(line));
		e = msg_sync_recv(&m->conn, &head, &line, sizeof(line), 0);
		if (e != ERR_OK)
			break;
		line.text[sizeof(line.text) - 1] = '\0';
		if (head.type == PLATM_LOG_LINE)
			term_interject(m->term, line.text);
	}
	term_interject_end(m->term);
}
