/* The configurations as text. */
#include "cli/exec.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

static bool print_text(struct exec_call *c, const struct cfgm_text *what)
{
	char *text;
	enum err e = session_text(&c->sh->session, what, &text);

	if (e != ERR_OK)
		return exec_failed(c, "configd", e);
	out_text(c->out, text, strlen(text));
	mem_free_secret(text, strlen(text));
	return true;
}

static bool show_running(struct exec_call *c)
{
	const char *interface = exec_arg(c, "interface");
	struct cfgm_text what = { .what = CFGM_RUNNING, .all = exec_arg(c, "all") != NULL };

	if (interface != NULL)
		snprintf(what.interface, sizeof(what.interface), "%s", interface);
	return print_text(c, &what);
}

static bool show_startup(struct exec_call *c)
{
	return print_text(c, &(struct cfgm_text){ .what = CFGM_STARTUP });
}

#define SHOW    "Show running system information"
#define RUNNING "Current operating configuration"

const struct exec_row exec_rows_config[] = {
	{ "show running-config [all$all]", EXEC_HELP(SHOW, RUNNING, "Configuration with defaults"), 15, EXEC_PIPE, show_running,
		0 },
	{ "show running-config interface INTERFACE$interface [all$all]",
		EXEC_HELP(SHOW, RUNNING, "Show interface configuration", "Interface", "Configuration with defaults"), 15, EXEC_PIPE,
		show_running, 0 },
	{ "show running-config view full", EXEC_HELP(SHOW, RUNNING, "View options", "Everything"), 15, EXEC_PIPE | EXEC_HIDDEN,
		show_running, 0 },
	{ "show startup-config", EXEC_HELP(SHOW, "Contents of startup configuration"), 15, EXEC_PIPE, show_startup, 0 },
	{ "write terminal", EXEC_HELP("Write running configuration to memory, network, or terminal", "Write to terminal"), 15,
		EXEC_PIPE, show_running, 0 },
	{ "more system:running-config", EXEC_HELP("Display the contents of a file", RUNNING), 15, EXEC_PIPE | EXEC_HIDDEN,
		show_running, 0 },
	{ "more nvram:startup-config", EXEC_HELP("Display the contents of a file", "Contents of startup configuration"), 15,
		EXEC_PIPE | EXEC_HIDDEN, show_startup, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
