/* Control messages: framing of the message socket, platformd's door behind it, and the log's datagrams.
 *
 * Input: records of a 16-bit length (big-endian) and that many bytes. With the top bit of the length set, the bytes are a
 * datagram of the log socket; else they are one packet on a connection, as any process on the box could send it.
 */
#include "platform/base/loop.h"
#include "platform/base/msg.h"
#include "platform/daemon/logkeep.h"
#include "platform/daemon/serve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct loop *loop;
	struct msg_conn *server, *client;
	int raw; /* the client's descriptor, to write what no client would */
	struct serve serve;
	struct counters counters;
	struct system_start start;
	struct cfg cfg;
	struct cfg_interface interfaces[2];
	bool granted;
} at;

static void host_refresh(void *ctx)
{
	(void)ctx;
}

static const struct cfg *host_config(void *ctx)
{
	(void)ctx;
	return &at.cfg;
}

static enum err host_box(void *ctx, struct box *out)
{
	const struct box_link links[] = { { .ifname = "gi0-0", .index = 2, .up = true, .carrier = true, .mtu = 1500 },
		{ .ifname = "loop0", .index = 3, .up = true, .bridge = true } };
	const struct box_addr a = { .ifname = "gi0-0", .addr = 0xcb007101, .len = 24 };
	const struct box_route r = { .prefix = 0x0a000000, .len = 8, .metric = 1, .blackhole = true, .protocol = BOX_PROTO };

	(void)ctx;
	memset(out, 0, sizeof(*out));
	if (box_add_link(out, &links[0]) != ERR_OK || box_add_link(out, &links[1]) != ERR_OK || box_add_addr(out, &a) != ERR_OK)
		return ERR_NOMEM;
	return box_add_route(out, &r);
}

static enum err host_neighbours(void *ctx, void (*each)(void *to, const struct kernel_neighbour *n), void *to)
{
	const struct kernel_neighbour n = { "gi0-0", 0xcb007102, { 2 }, 60 };

	(void)ctx;
	each(to, &n);
	return ERR_OK;
}

static const struct rib *host_rib(void *ctx)
{
	(void)ctx;
	return NULL;
}

static const char *host_fault(void *ctx, const char *ifname)
{
	(void)ctx;
	(void)ifname;
	return "";
}

static enum err host_may(void *ctx, pid_t pid, uint8_t privilege)
{
	(void)ctx;
	(void)pid;
	(void)privilege;
	at.granted = !at.granted;
	return at.granted ? ERR_OK : ERR_DENIED;
}

static enum err host_reload(void *ctx, pid_t pid)
{
	(void)ctx;
	(void)pid;
	/* Reached only where host_may said yes. */
	if (!at.granted)
		abort();
	return ERR_OK;
}

static void on_line(void *ctx, const struct platm_log *line, size_t len, bool console, bool monitor)
{
	(void)ctx;
	if (at.server != NULL)
		serve_line(&at.serve, at.server, line, len, console, monitor);
}

static void on_question(void *ctx, struct msg_conn *c, struct msg *m)
{
	serve_message(ctx, c, m);
}

static void on_server_closed(void *ctx, struct msg_conn *c)
{
	(void)ctx;
	(void)c;
	at.server = NULL;
	loop_stop(at.loop, 0);
}

/* Every packet that is a message gets one last answer; every other one ends the connection. */
static void on_answer(void *ctx, struct msg_conn *c, struct msg *m)
{
	(void)ctx;
	(void)c;
	if (m->head.type != PLATM_LOG_LINE && !(m->head.flags & MSG_FLAG_MORE))
		loop_stop(at.loop, 0);
}

static void on_client_closed(void *ctx, struct msg_conn *c)
{
	(void)ctx;
	(void)c;
	at.client = NULL;
	loop_stop(at.loop, 0);
}

static void hang_up(void)
{
	msg_close(at.client);
	msg_close(at.server);
	at.client = at.server = NULL;
	if (at.raw >= 0)
		close(at.raw);
	at.raw = -1;
}

static void connect_both(void)
{
	static const struct msg_handlers server = { .message = on_question, .closed = on_server_closed };
	static const struct msg_handlers client = { .message = on_answer, .closed = on_client_closed };
	int ends[2];

	hang_up();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 || (at.raw = dup(ends[1])) < 0)
		abort();
	at.server = msg_adopt(at.loop, ends[0], &server, &at.serve);
	at.client = msg_adopt(at.loop, ends[1], &client, NULL);
	if (at.server == NULL || at.client == NULL)
		abort();
}

static void packet(struct span bytes)
{
	uint32_t type = 0;

	if (at.server == NULL || at.client == NULL)
		connect_both();
	/* The type that is an event would be taken for one in the answer: nobody waits for it. */
	if (bytes.len >= sizeof(type))
		memcpy(&type, bytes.data, sizeof(type));
	if (type == PLATM_LOG_LINE || send(at.raw, bytes.data, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	loop_run(at.loop);
}

static void start(void)
{
	at.raw = -1;
	at.loop = loop_new();
	at.cfg.interfaces = at.interfaces;
	at.cfg.ninterfaces = 2;
	strcpy(at.interfaces[0].ifname, "gi0-0");
	strcpy(at.interfaces[1].ifname, "gi0-9");
	at.serve = (struct serve){ .refresh = host_refresh,
		.config = host_config,
		.box = host_box,
		.neighbours = host_neighbours,
		.rib = host_rib,
		.fault = host_fault,
		.may = host_may,
		.reload = host_reload,
		.counters = &at.counters,
		.start = &at.start,
		.env = &env_system };
}

/* The same bytes as a log buffer that an earlier program left. */
static void kept_buffer(struct span bytes)
{
	struct log_counts counts = { 0 };
	struct logring ring;

	logring_init(&ring, 4096);
	if (!logkeep_read(bytes, &ring, &counts) && ring.first != NULL)
		abort();
	logring_clear(&ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));

	kept_buffer(span_of(data, size));
	if (at.loop == NULL)
		start();
	at.serve.log = logd_new(&env_system, on_line, NULL);
	if (at.loop == NULL || at.serve.log == NULL)
		abort();
	for (int i = 0; i < 64 && reader_left(&r) > 2; i++) {
		uint16_t head = reader_u16(&r);
		size_t len = head & 0x7fff;
		struct span bytes = reader_bytes(&r, len < reader_left(&r) ? len : reader_left(&r));

		if (head & 0x8000)
			logd_take(at.serve.log, bytes);
		else
			packet(bytes);
	}
	hang_up();
	logd_free(at.serve.log);
	return 0;
}
