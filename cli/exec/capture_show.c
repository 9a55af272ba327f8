/* show monitor capture. */
#include "cli/capture/packet.h"
#include "cli/exec/capture.h"

#include "platform/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *direction(const struct dp_capture_interface *f)
{
	return !f->in ? "out" : !f->out ? "in" : "both";
}

static const char *const units[DP_LIMITS] = { [DP_LIMIT_PACKETS] = "",
	[DP_LIMIT_DURATION] = " seconds",
	[DP_LIMIT_LENGTH] = " bytes",
	[DP_LIMIT_PPS] = "",
	[DP_LIMIT_EVERY] = "" };
static const char *const limit_words[DP_LIMITS] = {
#define X(name, word, text) [DP_LIMIT_##name] = word,
	DP_CAPTURE_LIMITS(X)
#undef X
};
static const char *const limit_texts[DP_LIMITS] = {
#define X(name, word, text) [DP_LIMIT_##name] = text,
	DP_CAPTURE_LIMITS(X)
#undef X
};

static void filter_format(struct out *o, const struct dpm_capture_info *i)
{
	out_printf(o, "  Filter Details:\n");
	if (i->filter == DP_CAPTURE_ANY)
		out_printf(o, "    Capture all packets\n");
	else if (i->filter == DP_CAPTURE_ACL)
		out_printf(o, "   Access-list: %s\n", i->acl);
	else
		out_printf(o, "   IPv4\n    Source IP:  any\n    Destination IP:  any\n   Protocol: any\n");
}

void show_capture_format(struct out *o, const struct dpm_capture_info *i)
{
	out_printf(o, "\nStatus Information for Capture %s\n  Target Type:\n", i->name);
	for (uint8_t k = 0; k < i->ninterfaces; k++)
		out_printf(o, "   Interface: %s, Direction: %s\n", i->interfaces[k].name, direction(&i->interfaces[k]));
	out_printf(o, "   Status : %s\n", i->running ? "Active" : "Inactive");
	filter_format(o, i);
	out_printf(o, "  Buffer Details:\n   Buffer Type: %s\n   Buffer Size (in MB): %u\n",
		i->circular ? "CIRCULAR" : "LINEAR (default)", i->buffer_mb);
	out_printf(o, "  Limit Details:\n");
	for (unsigned k = 0; k < DP_LIMITS; k++) {
		uint32_t v = i->limits[k];

		out_printf(o, "   %s: %u%s\n", limit_texts[k], v,
			v                     ? units[k]
			: k == DP_LIMIT_EVERY ? " (no sampling)"
					      : " (no limit)");
	}
}

void show_capture_parameter_format(struct out *o, const struct dpm_capture_info *i)
{
	for (uint8_t k = 0; k < i->ninterfaces; k++)
		out_printf(
			o, "   monitor capture %s interface %s %s\n", i->name, i->interfaces[k].name, direction(&i->interfaces[k]));
	if (i->filter == DP_CAPTURE_ACL)
		out_printf(o, "   monitor capture %s access-list %s\n", i->name, i->acl);
	else
		out_printf(o, "   monitor capture %s match %s\n", i->name, i->filter == DP_CAPTURE_IPV4 ? "ipv4 any any" : "any");
	out_printf(o, "   monitor capture %s buffer size %u%s\n", i->name, i->buffer_mb, i->circular ? " circular" : "");
	for (unsigned k = 0; k < DP_LIMITS; k++)
		if (i->limits[k])
			out_printf(o, "   monitor capture %s limit %s %u\n", i->name, limit_words[k], i->limits[k]);
}

void show_capture_statistics_format(struct out *o, const struct dp_capture_count *c)
{
	out_printf(o, "Capture statistics collected at software:\n");
	out_printf(o, "        Capture duration - %" PRIu64 " seconds\n", c->duration_us / 1000000);
	out_printf(o, "        Packets received - %" PRIu64 "\n", c->received);
	out_printf(o, "        Packets dropped - %" PRIu64 "\n", c->dropped);
	out_printf(o, "        Packets oversized - %" PRIu64 "\n", c->oversized);
}

static void when(char out[64], uint64_t at_ns)
{
	time_t s = (time_t)(at_ns / 1000000000);
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(out, 64, "%H:%M:%S", &tm);
	snprintf(out + strlen(out), 64 - strlen(out), ".%06u UTC", (unsigned)(at_ns / 1000 % 1000000));
}

void show_capture_packet_format(struct out *o, const struct dpm_capture_info *i, const struct dp_capture_packet *h,
	const uint8_t *bytes, enum capture_detail detail)
{
	struct packet_words w;
	char at[64];
	uint64_t since = h->at_ns > i->first_ns ? h->at_ns - i->first_ns : 0;

	packet_words(&w, span_of(bytes, h->len));
	out_printf(o, "%5" PRIu64 " %3" PRIu64 ".%06u %12s -> %-12s %s %u %s\n", h->number, since / 1000000000,
		(unsigned)(since / 1000 % 1000000), w.src, w.dst, w.protocol, h->wire_len, w.info);
	if (detail == CAPTURE_DETAILED) {
		when(at, h->at_ns);
		out_printf(o, "       Interface %s, %s, Arrival time %s, %u bytes on wire, %u bytes captured\n",
			i->interfaces[h->interface].name, h->out ? "out" : "in", at, h->wire_len, h->len);
		out_printf(o, "       Ethernet %s\n", w.ethernet);
		if (w.ip[0])
			out_printf(o, "       IPv4 %s -> %s, %s\n", w.src, w.dst, w.ip);
	}
	if (detail != CAPTURE_BRIEF)
		packet_dump(o, span_of(bytes, h->len));
	if (detail != CAPTURE_BRIEF)
		out_printf(o, "\n");
}

struct shown {
	struct exec_call *c;
	const struct dpm_capture_info *info;
	enum capture_detail detail;
};

static bool one(void *ctx, const struct dp_capture_packet *h, const uint8_t *bytes)
{
	struct shown *s = ctx;

	show_capture_packet_format(s->c->out, s->info, h, bytes, s->detail);
	return !s->c->out->stopped;
}

static bool show_buffer(struct exec_call *c)
{
	struct dpm_capture_info info;
	struct shown s = { c, &info,
		exec_arg(c, "detailed") ? CAPTURE_DETAILED
		: exec_arg(c, "dump")   ? CAPTURE_DUMP
					: CAPTURE_BRIEF };

	if (!capture_find(c, exec_arg(c, "name"), &info))
		return false;
	if (info.count.packets == 0) {
		out_printf(c->out, "Buffer is empty\n");
		return true;
	}
	out_printf(c->out, "Starting the packet display ........ Press Ctrl + Shift + 6 to exit\n\n");
	return capture_each(c, info.name, one, &s);
}

static bool show_all(struct exec_call *c)
{
	struct dpm_capture_info *rows;
	size_t n;

	if (!exec_rows_of(c, DAEMON_DATAPATH, DPM_CAPTURE_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		show_capture_format(c->out, &rows[i]);
	mem_free(rows);
	return true;
}

static bool show_one(struct exec_call *c)
{
	struct dpm_capture_info info;

	if (!capture_find(c, exec_arg(c, "name"), &info))
		return false;
	if (exec_arg(c, "parameter"))
		show_capture_parameter_format(c->out, &info);
	else if (exec_arg(c, "statistics"))
		show_capture_statistics_format(c->out, &info.count);
	else
		show_capture_format(c->out, &info);
	return true;
}

#define SHOW        "Show running system information"
#define PREFIX      "show monitor capture"
#define PREFIX_HELP SHOW, "Monitoring different system events", "Packet capture information"
#define NAME        "Name of the Capture"

const struct exec_row exec_rows_capture_show[] = {
	{ PREFIX, EXEC_HELP(PREFIX_HELP), 15, EXEC_PIPE, show_all, 0 },
	{ PREFIX " WORD$name", EXEC_HELP(PREFIX_HELP, NAME), 15, EXEC_PIPE, show_one, 0 },
	{ PREFIX " WORD$name parameter$parameter", EXEC_HELP(PREFIX_HELP, NAME, "The commands that made it"), 15, EXEC_PIPE,
		show_one, 0 },
	{ PREFIX " WORD$name capture-statistics$statistics", EXEC_HELP(PREFIX_HELP, NAME, "Packets received and dropped"), 15,
		EXEC_PIPE, show_one, 0 },
	{ PREFIX " WORD$name buffer [<brief$brief|detailed$detailed|dump$dump>]",
		EXEC_HELP(PREFIX_HELP, NAME, "Packets in the buffer", "One line each", "With headers and bytes", "With bytes"), 15,
		EXEC_PIPE, show_buffer, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
