/* ping. Each echo is one run of the system's ping: so each has its own outcome, waits for its own answer and follows the one
 * before at once, as on IOS. */
#include "cli/exec/ping.h"

#include "cli/exec.h"
#include "cli/exec/child.h"
#include "cli/exec/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_A_LINE 70
#define IP_ICMP      28 /* headers of an echo: IOS's size counts them */

char ping_mark(const char *said, int status, unsigned *ms)
{
	const char *time = strstr(said, "time=");

	*ms = 0;
	if (status == 0) {
		double value = time == NULL ? 0 : strtod(time + 5, NULL);

		*ms = value < 1 ? 1 : (unsigned)(value + 0.5);
		return '!';
	}
	if (strstr(said, "Frag needed") != NULL || strstr(said, "essage too long") != NULL)
		return 'M';
	if (strstr(said, "nreachable") != NULL || strstr(said, "filtered") != NULL || strstr(said, "rohibited") != NULL)
		return 'U';
	return strstr(said, "Time to live exceeded") != NULL ? '&' : '.';
}

void ping_count(struct out *o, struct ping_sum *s, char mark, unsigned ms)
{
	s->sent++;
	if (mark == '!') {
		if (s->received++ == 0 || ms < s->min_ms)
			s->min_ms = ms;
		if (ms > s->max_ms)
			s->max_ms = ms;
		s->sum_ms += ms;
	}
	out_printf(o, "%c", mark);
	if (++s->column == MARKS_A_LINE) {
		out_printf(o, "\n");
		s->column = 0;
	}
}

void ping_end(struct out *o, const struct ping_sum *s)
{
	if (s->column > 0)
		out_printf(o, "\n");
	out_printf(o, "Success rate is %u percent (%u/%u)", s->sent == 0 ? 0 : s->received * 100 / s->sent, s->received, s->sent);
	if (s->received > 0)
		out_printf(o, ", round-trip min/avg/max = %u/%" PRIu64 "/%u ms", s->min_ms, s->sum_ms / s->received, s->max_ms);
	out_printf(o, "\n");
}

struct said {
	char text[2048];
	size_t len;
};

static void keep(void *ctx, const char *bytes, size_t n)
{
	struct said *s = ctx;

	if (n > sizeof(s->text) - 1 - s->len)
		n = sizeof(s->text) - 1 - s->len;
	memcpy(s->text + s->len, bytes, n);
	s->len += n;
	s->text[s->len] = '\0';
}

static unsigned number(struct exec_call *c, const char *name, unsigned otherwise)
{
	const char *text = exec_arg(c, name);

	return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

/* Everything that does not change from echo to echo. */
struct ping_words {
	char size[16], wait[16], source[ADDR_TEXT];
	char *argv[20];
};

static void build(struct exec_call *c, struct ping_words *w, const char *to)
{
	unsigned size = number(c, "size", 100);
	size_t n = 0;

	snprintf(w->size, sizeof(w->size), "%u", size > IP_ICMP ? size - IP_ICMP : 0);
	snprintf(w->wait, sizeof(w->wait), "%u", number(c, "timeout", 2));
	w->argv[n++] = "ping";
	w->argv[n++] = "-n";
	w->argv[n++] = "-c";
	w->argv[n++] = "1";
	w->argv[n++] = "-s";
	w->argv[n++] = w->size;
	w->argv[n++] = "-W";
	w->argv[n++] = w->wait;
	w->argv[n++] = "-M";
	w->argv[n++] = exec_arg(c, "df") != NULL ? "do" : "dont";
	if (w->source[0] != '\0') {
		w->argv[n++] = "-I";
		w->argv[n++] = w->source;
	}
	w->argv[n++] = (char *)to;
	w->argv[n] = NULL;
}

static void announce(struct exec_call *c, const struct ping_words *w, const char *to)
{
	out_printf(c->out, "Type escape sequence to abort.\nSending %u, %u-byte ICMP Echos to %s, timeout is %u seconds:\n",
		number(c, "repeat", 5), number(c, "size", 100), to, number(c, "timeout", 2));
	if (w->source[0] != '\0')
		out_printf(c->out, "Packet sent with a source address of %s \n", w->source);
	if (exec_arg(c, "df") != NULL)
		out_printf(c->out, "Packet sent with the DF bit set\n");
}

static bool ping(struct exec_call *c)
{
	const char *to = exec_arg(c, "to");
	unsigned repeat = number(c, "repeat", 5);
	struct ping_words w = { .source = "" };
	struct ping_sum sum = { 0 };
	struct addr a;

	if (addr_parse(&a, to) != ERR_OK || a.family != AF_INET) {
		out_printf(c->out, "%% Unrecognized host or address, or protocol not running.\n\n");
		return false;
	}
	if (!source_find(c, exec_arg(c, "interface"), exec_arg(c, "source"), w.source))
		return false;
	build(c, &w, to);
	announce(c, &w, to);
	while (sum.sent < repeat) {
		struct said said = { .len = 0 };
		unsigned ms;
		int status;
		enum child_end end = child_run(c->sh, w.argv, keep, &said, &status);
		char mark = ping_mark(said.text, status, &ms);

		if (end != CHILD_ENDED)
			break;
		ping_count(c->out, &sum, mark, ms);
		out_partial(c->out);
		term_flush(c->sh->term);
	}
	ping_end(c->out, &sum);
	return sum.received > 0;
}

#define PING "Send echo messages"
#define OPTIONS                                                                                                                    \
	" [{repeat <1-2147483647>$repeat|size <36-18024>$size|timeout <0-3600>$timeout|df-bit$df|"                                 \
	"source <INTERFACE$interface|A.B.C.D$source>}]"
#define OPTION_HELP                                                                                                                \
	"specify repeat count", "Repeat count", "specify datagram size", "Datagram size", "specify timeout interval",              \
		"Timeout in seconds", "enable do not fragment bit in IP header", "specify source address or name", "Interface",    \
		"Source address"

const struct exec_row exec_rows_ping[] = {
	{ "ping WORD$to" OPTIONS, EXEC_HELP(PING, "Ping destination address", OPTION_HELP), 0, EXEC_PIPE, ping, 0 },
	{ "ping ip WORD$to" OPTIONS, EXEC_HELP(PING, "IP echo", "Ping destination address", OPTION_HELP), 0, EXEC_PIPE, ping, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
