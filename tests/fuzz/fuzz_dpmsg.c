/* Messages to datapathd, as any process on the box could send them, and the kernel's reports of packets.
 *
 * Input: records of a 16-bit length (big-endian) and that many bytes. With the top bit of the length set, the bytes are a
 * netlink message of the packet log; else one packet on ikemgrd's connection. The backend is the tests' own.
 */
#include "datapath/daemon.h"
#include "platform/base/log.h"
#include "tests/unit/datapath/fake_backend.c"

#include <fcntl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct loop *loop;
	struct daemon daemon;
	struct msg_conn *server, *client;
	int raw; /* the client's descriptor, to write what no client would */
	struct report *report;
	struct cfg_interface interface;
	struct cfg_ace lines[3];
	struct cfg_acl acl;
	struct cfg_map_entry entries[2], dynamic; /* a line's, and the place of a dynamic map */
	struct cfg_transform_set set;
	struct cfg cfg;
} at;

static void on_server_closed(void *ctx, struct msg_conn *c)
{
	daemon_handlers.closed(ctx, c);
	at.server = NULL;
	loop_stop(at.loop, 0);
}

static void on_answer(void *ctx, struct msg_conn *c, struct msg *m)
{
	(void)ctx;
	(void)c;
	if (m->head.seq != 0 && !(m->head.flags & MSG_FLAG_MORE))
		loop_stop(at.loop, 0);
}

static void on_client_closed(void *ctx, struct msg_conn *c)
{
	(void)ctx;
	(void)c;
	at.client = NULL;
	loop_stop(at.loop, 0);
}

static void connect_both(void)
{
	static struct msg_handlers server;
	static const struct msg_handlers client = { .message = on_answer, .closed = on_client_closed };
	int pair[2];

	server = daemon_handlers;
	server.closed = on_server_closed;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	at.raw = fcntl(pair[1], F_DUPFD_CLOEXEC, 0);
	at.server = msg_adopt(at.loop, pair[0], &server, &at.daemon);
	at.client = msg_adopt(at.loop, pair[1], &client, NULL);
	if (at.raw < 0 || !at.server || !at.client)
		abort();
}

static void hang_up(void)
{
	if (at.server && at.daemon.ike == at.server)
		at.daemon.ike = NULL;
	msg_close(at.client);
	msg_close(at.server);
	at.client = at.server = NULL;
	close(at.raw);
}

/* One interface with a map, and a line of each kind. */
static void configuration(void)
{
	at.interface = (struct cfg_interface){
		.name = "GigabitEthernet0/0", .ifname = "gi0-0", .crypto_map = "VPN", .ip = { 0xcb007101, ~0xffu }
	};
	for (int i = 0; i < 3; i++)
		at.lines[i] = (struct cfg_ace){ .seq = (uint32_t)(10 + 10 * i),
			.permit = i != 0,
			.protocol = -1,
			.src = 0xc0a80100,
			.src_wild = i == 2 ? 0xfe00 : 0xff,
			.dst = 0xc0a80200,
			.dst_wild = 0xff,
			.icmp_type = -1,
			.dscp = -1,
			.precedence = -1,
			.tos = -1 };
	at.acl = (struct cfg_acl){ .name = "A", .extended = true, .entries = at.lines, .nentries = 3 };
	at.entries[0] = (struct cfg_map_entry){ .map = "VPN", .seq = 10, .acl = "A", .npeers = 1, .nsets = 1, .sets = { "TS" } };
	at.entries[1] = (struct cfg_map_entry){ .map = "VPN", .seq = 20, .kind = MAP_DYNAMIC, .dynamic = "D" };
	at.dynamic = (struct cfg_map_entry){ .map = "D", .seq = 1, .nsets = 1, .sets = { "TS" } };
	at.set = (struct cfg_transform_set){ .name = "TS", .cipher = CIPHER_AES128_GCM };
	at.cfg = (struct cfg){ .interfaces = &at.interface,
		.ninterfaces = 1,
		.acls = &at.acl,
		.nacls = 1,
		.maps = at.entries,
		.nmaps = 2,
		.dynamics = &at.dynamic,
		.ndynamics = 1,
		.sets = &at.set,
		.nsets = 1 };
}

static void quiet(void *ctx, enum log_severity severity, const char *line)
{
	(void)ctx;
	(void)severity;
	(void)line;
}

static const char *no_name(void *ctx, unsigned ifindex)
{
	(void)ctx;
	return ifindex & 1 ? "GigabitEthernet0/0" : NULL;
}

static void first_time(void)
{
	const struct backend_args args = { .loop = NULL, .env = &env_system, .event = daemon_event, .ctx = &at.daemon };

	log_capture(quiet, NULL);
	alg_init();
	at.loop = loop_new();
	at.daemon = (struct daemon){
		.loop = at.loop, .env = &env_system, .ops = &fake_backend, .run_dir = "/nonexistent", .no_filter = true
	};
	at.daemon.refresh = loop_timer_new(at.loop, NULL, NULL);
	if (fake_backend.open(&at.daemon.backend, &args) != ERR_OK)
		abort();
	at.daemon.debug_ipsec = true;
	at.report = report_new(&env_system, no_name, NULL);
	configuration();
	daemon_configure(&at.daemon, &at.cfg, CFG_ALL);
}

static void packet(struct span s)
{
	if (!at.client || !at.server) {
		hang_up();
		connect_both();
	}
	/* Something wanted now and then, so that an attach has something to tell. */
	fake_acquire(&at.daemon.plan.entries[1].id);
	if (send(at.raw, s.data, s.len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)s.len && s.len)
		loop_run(at.loop);
	loop_timer_stop(at.daemon.refresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));

	if (!at.loop)
		first_time();
	fake.nsas = 0;
	connect_both();
	while (reader_left(&r) >= 2) {
		uint16_t len = reader_u16(&r);
		size_t n = len & 0x7fff;
		struct span s = reader_bytes(&r, n < reader_left(&r) ? n : reader_left(&r));

		struct msg_head head = { 0 };

		/* An answer to sequence 0 would be taken for an event. */
		memcpy(&head, s.data, s.len < sizeof(head) ? 0 : sizeof(head));
		if (len & 0x8000)
			report_message(at.report, s);
		else if (head.seq != 0)
			packet(s);
	}
	hang_up();
	return 0;
}
