/* monitor capture: EXEC commands as on IOS-XE. datapathd captures; each part of a line is one step. */
#include "cli/exec/capture.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One step; what datapathd says against it is said here. */
static bool step(struct exec_call *c, struct dpm_capture *ask, struct dpm_capture_said *said)
{
	struct dpm_capture_said local = { 0 };
	size_t len = 0;
	enum err e;

	if (strlen(exec_arg(c, "name")) >= sizeof(ask->name)) {
		out_printf(c->out, "%% The name of a capture has at most %zu characters\n", sizeof(ask->name) - 1);
		return false;
	}
	snprintf(ask->name, sizeof(ask->name), "%s", exec_arg(c, "name"));
	e = daemon_call(
		c->sh->options.run_dir, DAEMON_DATAPATH, DPM_CAPTURE, span_of(ask, sizeof(*ask)), &local, sizeof(local), &len);
	if (e != ERR_OK || len != sizeof(local))
		return exec_failed(c, "datapathd", e);
	local.text[sizeof(local.text) - 1] = '\0';
	if (local.failed)
		out_printf(c->out, "%% %s\n", local.text);
	if (said)
		*said = local;
	return !local.failed;
}

static bool put_filter(struct exec_call *c)
{
	struct dpm_capture ask = { .step = DP_CAPTURE_FILTER, .filter = exec_arg(c, "ipv4") ? DP_CAPTURE_IPV4 : DP_CAPTURE_ANY };
	const char *acl = exec_arg(c, "acl");

	if (acl) {
		ask.filter = DP_CAPTURE_ACL;
		snprintf(ask.acl, sizeof(ask.acl), "%s", acl);
	}
	return step(c, &ask, NULL);
}

static void interface_of(const struct exec_call *c, struct dpm_capture *ask)
{
	const char *direction = exec_arg(c, "direction");

	snprintf(ask->interface.name, sizeof(ask->interface.name), "%s", exec_arg(c, "interface"));
	ask->interface.in = direction && strcmp(direction, "out") != 0;
	ask->interface.out = direction && strcmp(direction, "in") != 0;
}

static bool put_interface(struct exec_call *c)
{
	struct dpm_capture ask = { .step = DP_CAPTURE_INTERFACE };

	interface_of(c, &ask);
	return step(c, &ask, NULL) && ((!exec_arg(c, "acl") && !exec_arg(c, "ipv4")) || put_filter(c));
}

static bool no_interface(struct exec_call *c)
{
	struct dpm_capture ask = { .step = DP_CAPTURE_NO_INTERFACE };

	interface_of(c, &ask);
	return step(c, &ask, NULL);
}

static bool no_filter(struct exec_call *c)
{
	return step(c, &(struct dpm_capture){ .step = DP_CAPTURE_FILTER, .filter = DP_CAPTURE_ANY }, NULL);
}

static bool put_buffer(struct exec_call *c)
{
	const char *size = exec_arg(c, "size");
	struct dpm_capture ask = { .step = DP_CAPTURE_BUFFER, .circular = exec_arg(c, "circular") != NULL };

	ask.buffer_mb = size ? (uint32_t)strtoul(size, NULL, 10) : 0;
	return step(c, &ask, NULL);
}

static bool no_buffer(struct exec_call *c)
{
	return step(c, &(struct dpm_capture){ .step = DP_CAPTURE_BUFFER, .buffer_mb = 10 }, NULL);
}

static const char *const limit_arguments[DP_LIMITS] = { [DP_LIMIT_PACKETS] = "packets",
	[DP_LIMIT_DURATION] = "duration",
	[DP_LIMIT_LENGTH] = "length",
	[DP_LIMIT_PPS] = "pps",
	[DP_LIMIT_EVERY] = "every" };

/* Each limit of the line; with `no`, each that it names, or all. */
static bool change_limits(struct exec_call *c, bool no)
{
	bool any = false, ok = true;

	for (uint8_t i = 0; i < DP_LIMITS; i++) {
		const char *value = exec_arg(c, limit_arguments[i]);
		struct dpm_capture ask = { .step = DP_CAPTURE_LIMIT, .limit = i };

		if (!value)
			continue;
		any = true;
		ask.value = no ? 0 : (uint32_t)strtoul(value, NULL, 10);
		ok = ok && step(c, &ask, NULL);
	}
	for (uint8_t i = 0; no && !any && ok && i < DP_LIMITS; i++)
		ok = step(c, &(struct dpm_capture){ .step = DP_CAPTURE_LIMIT, .limit = i }, NULL);
	return ok;
}

static bool put_limit(struct exec_call *c)
{
	return change_limits(c, false);
}

static bool no_limit(struct exec_call *c)
{
	return change_limits(c, true);
}

static bool start(struct exec_call *c)
{
	if (!step(c, &(struct dpm_capture){ .step = DP_CAPTURE_START }, NULL))
		return false;
	out_printf(c->out, "Started capture point : %s\n", exec_arg(c, "name"));
	return true;
}

static bool stop(struct exec_call *c)
{
	struct dpm_capture_said said;

	if (!step(c, &(struct dpm_capture){ .step = DP_CAPTURE_STOP }, &said))
		return false;
	show_capture_statistics_format(c->out, &said.count);
	out_printf(c->out, "Stopped capture point : %s\n", exec_arg(c, "name"));
	return true;
}

static bool clear(struct exec_call *c)
{
	return step(c, &(struct dpm_capture){ .step = DP_CAPTURE_CLEAR }, NULL);
}

static bool no_capture(struct exec_call *c)
{
	return step(c, &(struct dpm_capture){ .step = DP_CAPTURE_REMOVE }, NULL);
}

bool capture_find(struct exec_call *c, const char *name, struct dpm_capture_info *info)
{
	struct dpm_capture_info *rows;
	size_t n;
	bool found = false;

	if (!exec_rows_of(c, DAEMON_DATAPATH, DPM_CAPTURE_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0) {
			*info = rows[i];
			found = true;
		}
	mem_free(rows);
	if (!found)
		out_printf(c->out, "%% Capture %s does not exist\n", name);
	return found;
}

/* The records of one message. Returns the number to go on with; 0: enough. */
static uint64_t records(
	struct span all, bool (*each)(void *ctx, const struct dp_capture_packet *head, const uint8_t *bytes), void *ctx)
{
	struct reader r = reader_of(all);
	struct dp_capture_packet head = { 0 };

	while (reader_left(&r) > 0) {
		struct span s = reader_bytes(&r, sizeof(head)), bytes;

		if (r.failed)
			return 0;
		memcpy(&head, s.data, sizeof(head));
		bytes = reader_bytes(&r, head.len);
		reader_skip(&r, (8 - head.len % 8) % 8);
		if (r.failed || head.interface >= DP_CAPTURE_INTERFACES || !each(ctx, &head, bytes.data))
			return 0;
	}
	return head.number + 1;
}

bool capture_each(struct exec_call *c, const char *name,
	bool (*each)(void *ctx, const struct dp_capture_packet *head, const uint8_t *bytes), void *ctx)
{
	struct dpm_capture_read ask = { .from = 1 };
	uint8_t *room = mem_zalloc(MSG_BODY_MAX);
	size_t len = 0;
	enum err e = room ? ERR_OK : ERR_NOMEM;

	snprintf(ask.name, sizeof(ask.name), "%s", name);
	while (e == ERR_OK && ask.from > 0) {
		e = daemon_call(c->sh->options.run_dir, DAEMON_DATAPATH, DPM_CAPTURE_READ, span_of(&ask, sizeof(ask)), room,
			MSG_BODY_MAX, &len);
		ask.from = e == ERR_OK && len > 0 ? records(span_of(room, len), each, ctx) : 0;
	}
	mem_free(room);
	return e == ERR_OK || exec_failed(c, "datapathd", e);
}

#define MONITOR   "Monitoring different system events"
#define CAPTURE   "Start/stop/config packet capture"
#define NAME      "Name of the Capture"
#define INTERFACE "Attach the capture to an interface", "Interface"
#define WAYS      "Inbound and outbound", "Inbound", "Outbound"
#define LIST      "Capture what this access-list permits", "Access-list"
#define MATCH     "Describe filters inline"
#define BUFFER    "Buffer options"
#define LIMIT     "Limit the packets that are captured"
#define NO        "Negate a command"

#define PREFIX      "monitor capture WORD$name"
#define PREFIX_HELP MONITOR, CAPTURE, NAME
#define LIMITS                                                                                                                     \
	"{duration <1-1000000>$duration|packets <1-100000000>$packets|packet-length <64-32768>$length|"                            \
	"pps <1-1000000>$pps|every <2-100000>$every}"
#define LIMITS_HELP                                                                                                                \
	"Stop after some time", "Seconds", "Stop after a number of packets", "Packets", "Keep the begin of each packet", "Bytes",  \
		"Take no more than so many a second", "Packets", "Take one of N packets", "N"

const struct exec_row exec_rows_capture[] = {
	{ PREFIX " interface INTERFACE$interface <both|in|out>$direction", EXEC_HELP(PREFIX_HELP, INTERFACE, WAYS), 15, 0,
		put_interface, 0 },
	{ PREFIX " interface INTERFACE$interface <both|in|out>$direction access-list ACL$acl",
		EXEC_HELP(PREFIX_HELP, INTERFACE, WAYS, LIST), 15, 0, put_interface, 0 },
	{ PREFIX " interface INTERFACE$interface <both|in|out>$direction match ipv4$ipv4 any any",
		EXEC_HELP(PREFIX_HELP, INTERFACE, WAYS, MATCH, "IPv4 packets only", "Any address"), 15, 0, put_interface, 0 },
	{ PREFIX " access-list ACL$acl", EXEC_HELP(PREFIX_HELP, LIST), 15, 0, put_filter, 0 },
	{ PREFIX " match any", EXEC_HELP(PREFIX_HELP, MATCH, "All packets"), 15, 0, put_filter, 0 },
	{ PREFIX " match ipv4$ipv4 any any", EXEC_HELP(PREFIX_HELP, MATCH, "IPv4 packets only", "Any address"), 15, 0, put_filter,
		0 },
	{ PREFIX " buffer size <1-100>$size [circular$circular]",
		EXEC_HELP(PREFIX_HELP, BUFFER, "Size of the buffer", "Megabytes", "The oldest packets make room for new ones"), 15,
		0, put_buffer, 0 },
	{ PREFIX " buffer circular$circular [size <1-100>$size]",
		EXEC_HELP(PREFIX_HELP, BUFFER, "The oldest packets make room for new ones", "Size of the buffer", "Megabytes"), 15,
		0, put_buffer, 0 },
	{ PREFIX " limit " LIMITS, EXEC_HELP(PREFIX_HELP, LIMIT, LIMITS_HELP), 15, 0, put_limit, 0 },
	{ PREFIX " start", EXEC_HELP(PREFIX_HELP, "Start the capture"), 15, 0, start, 0 },
	{ PREFIX " stop", EXEC_HELP(PREFIX_HELP, "Stop the capture"), 15, 0, stop, 0 },
	{ PREFIX " clear", EXEC_HELP(PREFIX_HELP, "Empty the buffer"), 15, 0, clear, 0 },
	{ "no " PREFIX, EXEC_HELP(NO, PREFIX_HELP), 15, 0, no_capture, 0 },
	{ "no " PREFIX " interface INTERFACE$interface [<both|in|out>$direction]", EXEC_HELP(NO, PREFIX_HELP, INTERFACE, WAYS), 15,
		0, no_interface, 0 },
	{ "no " PREFIX " access-list [ACL$acl]", EXEC_HELP(NO, PREFIX_HELP, LIST), 15, 0, no_filter, 0 },
	{ "no " PREFIX " match", EXEC_HELP(NO, PREFIX_HELP, MATCH), 15, 0, no_filter, 0 },
	{ "no " PREFIX " buffer", EXEC_HELP(NO, PREFIX_HELP, BUFFER), 15, 0, no_buffer, 0 },
	{ "no " PREFIX " limit [" LIMITS "]", EXEC_HELP(NO, PREFIX_HELP, LIMIT, LIMITS_HELP), 15, 0, no_limit, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
