/* " 1  10.0.0.1  0.512 ms  0.401 ms  0.377 ms"  becomes  "  1 10.0.0.1 1 msec 1 msec 1 msec". */
#include "cli/exec/traceroute.h"

#include "cli/exec.h"
#include "cli/exec/child.h"
#include "cli/exec/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void milliseconds(struct trace *t)
{
	unsigned ms = (unsigned)(strtod(t->time, NULL) + 0.5);

	out_printf(t->out, " %u msec", ms);
	t->time[0] = '\0';
}

static void word_done(struct trace *t)
{
	struct addr a;

	t->word[t->len] = '\0';
	/* What a router refused has no time on IOS: "!H", not "5 msec !H". */
	if (t->timed && t->word[0] != '!')
		milliseconds(t);
	t->timed = false;
	if (t->column == 0)
		out_printf(t->out, "%3s", t->word);
	else if (strcmp(t->word, "*") == 0)
		out_printf(t->out, t->column == 1 ? "  * " : " * ");
	else if (strcmp(t->word, "!X") == 0) /* administratively prohibited */
		out_printf(t->out, " !A ");
	else if (t->word[0] == '!')
		out_printf(t->out, " %s ", t->word);
	else if (strcmp(t->word, "ms") == 0)
		t->timed = true;
	else if (addr_parse(&a, t->word) == ERR_OK) {
		out_printf(t->out, t->address ? "\n    %s" : " %s", t->word);
		t->address = true;
	} else {
		snprintf(t->time, sizeof(t->time), "%.15s", t->word);
	}
	t->column++;
	t->len = 0;
}

static void line_done(struct trace *t)
{
	if (t->timed)
		milliseconds(t);
	t->timed = false;
	if (t->started)
		out_printf(t->out, "\n");
	t->started = true;
	t->column = 0;
	t->address = false;
	t->time[0] = '\0';
}

void trace_text(void *ctx, const char *bytes, size_t n)
{
	struct trace *t = ctx;

	for (size_t i = 0; i < n; i++) {
		char c = bytes[i];

		if (c != ' ' && c != '\n' && t->len + 1 < sizeof(t->word) && t->started)
			t->word[t->len++] = c;
		else if ((c == ' ' || c == '\n') && t->len > 0)
			word_done(t);
		if (c == '\n')
			line_done(t);
	}
	out_partial(t->out);
}

static bool traceroute(struct exec_call *c)
{
	const char *to = exec_arg(c, "to");
	struct trace t = { .out = c->out };
	char source[ADDR_TEXT];
	/* One probe after the other, as IOS does: routers answer only so many at a time. */
	char *argv[16] = { "traceroute", "-n", "-N", "1", "-q", "3", "-w", "3", "-m", "30" };
	enum child_end end;
	struct addr a;
	size_t n = 10;
	int status;

	if (addr_parse(&a, to) != ERR_OK || a.family != AF_INET) {
		out_printf(c->out, "%% Unrecognized host or address.\n\n");
		return false;
	}
	if (!source_find(c, exec_arg(c, "interface"), exec_arg(c, "source"), source))
		return false;
	if (source[0] != '\0') {
		argv[n++] = "-s";
		argv[n++] = source;
	}
	argv[n] = (char *)to;
	out_printf(c->out, "Type escape sequence to abort.\nTracing the route to %s\nVRF info: (vrf in name/id, vrf out name/id)\n",
		to);
	end = child_run(c->sh, argv, trace_text, &t, &status);
	if (end != CHILD_ENDED)
		out_printf(c->out, "\n");
	return end == CHILD_ENDED && status == 0;
}

#define SYNTAX " WORD$to [source <INTERFACE$interface|A.B.C.D$source>]"
#define REST   "Trace route to destination address", "specify source address or name", "Interface", "Source address"

const struct exec_row exec_rows_traceroute[] = {
	{ "traceroute" SYNTAX, EXEC_HELP("Trace route to destination", REST), 0, EXEC_PIPE, traceroute, 0 },
	{ "traceroute ip" SYNTAX, EXEC_HELP("Trace route to destination", "IP Trace", REST), 0, EXEC_PIPE, traceroute, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
