/* The terminal's own settings: length, width, history, monitor. */
#include "cli/exec.h"

#include <stdio.h>
#include <stdlib.h>

static bool set_length(struct exec_call *c)
{
	term_set_rows(c->sh->term, (unsigned)atoi(exec_arg(c, "lines")));
	return true;
}

static bool default_length(struct exec_call *c)
{
	term_set_rows(c->sh->term, 24);
	return true;
}

static bool set_width(struct exec_call *c)
{
	term_set_columns(c->sh->term, (unsigned)atoi(exec_arg(c, "columns")));
	return true;
}

static bool set_history(struct exec_call *c)
{
	const char *size = exec_arg(c, "size");

	if (size != NULL)
		term_history_size(c->sh->term, (unsigned)atoi(size));
	term_history_on(c->sh->term, true);
	return true;
}

static bool no_history(struct exec_call *c)
{
	term_history_on(c->sh->term, false);
	return true;
}

static bool monitor(struct exec_call *c)
{
	monitor_set(&c->sh->monitor, true);
	if (monitor_fd(&c->sh->monitor) < 0)
		out_printf(c->out, "%% platformd is not answering: log lines appear as soon as it is back\n");
	return true;
}

static bool no_monitor(struct exec_call *c)
{
	monitor_set(&c->sh->monitor, false);
	return true;
}

static void history_line(void *ctx, const char *line)
{
	out_printf(ctx, "  %s\n", line);
}

static bool show_history(struct exec_call *c)
{
	term_history_each(c->sh->term, history_line, c->out);
	return true;
}

static bool show_terminal(struct exec_call *c)
{
	const struct term *t = c->sh->term;
	uint32_t idle = term_input(c->sh->term)->idle_s;
	char timeout[32] = "never";

	if (idle > 0)
		snprintf(timeout, sizeof(timeout), "%02u:%02u:%02u", idle / 3600, idle / 60 % 60, idle % 60);
	out_printf(c->out, "Line %s, Location: \"%s\", Type: \"\"\n", c->sh->options.tty, c->sh->options.from);
	out_printf(c->out, "Length: %u lines, Width: %u columns\n", term_rows_set(t), term_columns(t));
	out_printf(c->out, "Status: PSI Enabled, Ready, Active%s\n", term_rows(t) > 0 ? ", Automore On" : "");
	out_printf(c->out, "Capabilities: %s\n", c->sh->monitor.on ? "Receives Logging Output" : "none");
	out_printf(c->out, "Modem state: Ready\n");
	out_printf(c->out, "Special Chars: Escape  Hold  Stop  Start  Disconnect  Activation\n");
	out_printf(c->out, "                ^^x    none   -     -       none\n");
	out_printf(c->out, "Timeouts:      Idle EXEC    Idle Session   Modem Answer  Session   Dispatch\n");
	out_printf(c->out, "               %-12s never                        none     not set\n", timeout);
	out_printf(c->out, "Editing is enabled.\n");
	out_printf(c->out, "History is %s, history size is %u.\n", term_history_is_on(t) ? "enabled" : "disabled",
		term_history_limit(t));
	return true;
}

#define TERMINAL "Set terminal line parameters"
#define NO       "Negate a command"

const struct exec_row exec_rows_terminal[] = {
	{ "terminal length <0-512>$lines",
		EXEC_HELP(TERMINAL, "Set number of lines on a screen", "Number of lines on screen (0 for no pausing)"), 0, 0,
		set_length, 0 },
	{ "terminal no length", EXEC_HELP(TERMINAL, NO, "Set number of lines on a screen"), 0, 0, default_length, 0 },
	{ "terminal width <0-512>$columns",
		EXEC_HELP(TERMINAL, "Set width of the display terminal", "Number of characters on a screen line"), 0, 0, set_width,
		0 },
	{ "terminal history [size <0-256>$size]",
		EXEC_HELP(TERMINAL, "Enable and control the command history function", "Set history buffer size",
			"Size of history buffer"),
		0, 0, set_history, 0 },
	{ "terminal no history", EXEC_HELP(TERMINAL, NO, "Enable and control the command history function"), 0, 0, no_history, 0 },
	{ "terminal monitor", EXEC_HELP(TERMINAL, "Copy debug output to the current terminal line"), 0, 0, monitor, 0 },
	{ "terminal no monitor", EXEC_HELP(TERMINAL, NO, "Copy debug output to the current terminal line"), 0, 0, no_monitor, 0 },
	{ "show history", EXEC_HELP("Show running system information", "Display the session command history"), 0, EXEC_PIPE,
		show_history, 0 },
	{ "show terminal", EXEC_HELP("Show running system information", "Display terminal configuration parameters"), 0, EXEC_PIPE,
		show_terminal, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
