/* Control messages to configd. The input is a sequence of messages: type (1 byte), flags (1: cut to the right length, where the
 * dispatcher knows one), length (2 bytes), body. Sessions, lines and copies all pass through the one dispatcher. */
#include "configdb/alg.h"
#include "configdb/daemon/configd.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct configd d;
static struct loop *l;
static char dir[64];

static void quiet(void *ctx, enum log_severity severity, const char *line)
{
	(void)ctx, (void)severity, (void)line;
}

static void clean_up(void)
{
	char command[128];

	configd_close(&d);
	loop_free(l);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		perror(command);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	l = loop_new();
	alg_init();
	log_capture(quiet, NULL);
	snprintf(dir, sizeof(dir), "%s/postern-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!l || !mkdtemp(dir) || configd_open(&d, l, dir, dir) != ERR_OK)
		abort();
	d.verifier = verifier_new(l, session_checked, &d);
	if (!d.verifier)
		abort();
	configd_load(&d, NULL);
	atexit(clean_up);
	return 0;
}

/* What the dispatcher answers must not fill the queue. */
static void drain(int fd)
{
	static char room[MSG_BODY_MAX + 64];

	while (recv(fd, room, sizeof(room), MSG_DONTWAIT) > 0)
		;
}

static void feed(struct client *c, struct reader *r, uint32_t seq)
{
	static uint8_t body[MSG_BODY_MAX + sizeof(struct cfgm_line)];
	struct msg m = { .head = { .type = reader_u8(r), .seq = seq } };
	size_t want = reader_u8(r) & 1 ? sizeof(struct cfgm_open) : 0;
	size_t len = reader_u16(r);
	struct span s = reader_bytes(r, len < reader_left(r) ? len : reader_left(r));

	if (s.len)
		memcpy(body, s.data, s.len);
	/* Long fixed bodies come from short inputs. */
	switch (want ? m.head.type : 0) {
	case CFGM_ENABLE:
	case CFGM_DISABLE:
		want = sizeof(struct cfgm_enable);
		break;
	case CFGM_TEXT:
		want = sizeof(struct cfgm_text);
		break;
	case CFGM_CHECK_SECRET:
		want = sizeof(struct cfgm_login);
		break;
	case CFGM_LINE:
		/* The mode, then the line; the context stays empty. */
		want = 0;
		if (s.len) {
			uint8_t mode = (uint8_t)(MODE_CONFIG + body[0] % (MODE_COUNT - MODE_CONFIG));

			memmove(body + offsetof(struct cfgm_line, line), body + 1, s.len - 1);
			memset(body, 0, offsetof(struct cfgm_line, line));
			memcpy(body, &(uint16_t){ mode }, 2);
			s.len += offsetof(struct cfgm_line, line);
			body[s.len - 1] = '\0';
		}
		break;
	}
	if (want > s.len)
		memset(body + s.len, 0, want - s.len);
	m.head.len = (uint32_t)(want ? want : s.len);
	m.body = span_of(body, m.head.len);
	configd_dispatch(&d, c, &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	struct msg_conn *conn;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0 || store_clear(d.store) != ERR_OK)
		abort();
	conn = msg_adopt(d.loop, ends[0], &configd_handlers, &d);
	if (!conn || !configd_handlers.opened(&d, conn))
		abort();
	for (uint32_t seq = 1; reader_left(&r) >= 4 && d.clients && seq < 200; seq++) {
		feed(d.clients, &r, seq);
		drain(ends[1]);
	}
	while (d.clients)
		client_drop(d.clients);
	close(ends[1]);
	return 0;
}
