/* Coming, going and rising: enable, disable, configure, exit, logout; and the console's own words in configuration modes. */
#include "cli/exec.h"

#include "platform/base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool tell_enable(struct exec_call *c, enum err e)
{
	if (e == ERR_OK)
		return true;
	if (e == ERR_NOT_FOUND || e == ERR_DENIED)
		out_printf(c->out, "%% No password set\n");
	else if (e == ERR_AUTH)
		out_printf(c->out, "%% Bad secrets\n\n");
	else
		shell_say_error(c->out, "configd", e);
	return false;
}

/* Three tries, then "% Bad secrets". */
static enum err ask_secret(struct shell *sh, uint8_t level)
{
	enum err e = ERR_AUTH;

	for (int i = 0; i < 3 && e == ERR_AUTH; i++) {
		char secret[128];

		if (term_secret(sh->term, "Password: ", secret, sizeof(secret)) != TERM_OK)
			return ERR_AUTH;
		e = secret[0] == '\0' ? ERR_AUTH : config_session_enable(&sh->session, level, secret);
		wipe(secret, sizeof(secret));
	}
	return e;
}

static bool enable(struct exec_call *c)
{
	const char *text = exec_arg(c, "level");
	uint8_t level = text == NULL ? 15 : (uint8_t)atoi(text);
	enum err e = config_session_enable(&c->sh->session, level, "");

	if (e == ERR_INCOMPLETE)
		e = ask_secret(c->sh, level);
	return tell_enable(c, e);
}

static bool disable(struct exec_call *c)
{
	const char *text = exec_arg(c, "level");
	enum err e = config_session_disable(&c->sh->session, text == NULL ? 1 : (uint8_t)atoi(text));

	return e == ERR_OK || exec_failed(c, "configd", e);
}

static bool configure_terminal(struct exec_call *c)
{
	out_printf(c->out, "Enter configuration commands, one per line.  End with CNTL/Z.\n");
	shell_enter_config(c->sh);
	return true;
}

static bool configure_memory(struct exec_call *c)
{
	enum err e = session_copy(&c->sh->session, CFGM_START_TO_RUN, NULL, exec_bad_line, c);

	if (e == ERR_NOT_FOUND)
		out_printf(c->out, "startup-config is not present\n");
	return e == ERR_OK || (e != ERR_NOT_FOUND && exec_failed(c, "configd", e));
}

static bool leave(struct exec_call *c)
{
	c->sh->quit = true;
	return true;
}

static bool end_config(struct exec_call *c)
{
	shell_end_config(c->sh);
	return true;
}

static bool exit_mode(struct exec_call *c)
{
	if (c->sh->at.mode == MODE_CONFIG)
		shell_end_config(c->sh);
	else
		shell_enter_config(c->sh);
	return true;
}

const struct exec_row exec_rows_session[] = {
	{ "enable [<0-15>$level]", EXEC_HELP("Turn on privileged commands", "Enable level"), 0, 0, enable, 0 },
	{ "disable [<0-15>$level]", EXEC_HELP("Turn off privileged commands", "Privilege level to go to"), 0, 0, disable, 0 },
	{ "configure terminal", EXEC_HELP("Enter configuration mode", "Configure from the terminal"), 15, 0, configure_terminal,
		0 },
	{ "configure memory", EXEC_HELP("Enter configuration mode", "Configure from NV memory"), 15, 0, configure_memory, 0 },
	{ "exit", EXEC_HELP("Exit from the EXEC"), 0, 0, leave, 0 },
	{ "logout", EXEC_HELP("Exit from the EXEC"), 0, 0, leave, 0 },
	{ "quit", EXEC_HELP("Exit from the EXEC"), 0, 0, leave, 0 },
	{ "do LINE$command", EXEC_HELP("To run exec commands in config mode", "Exec Command"), 0, 0, NULL, EXEC_ANY_CONFIG },
	{ "end", EXEC_HELP("Exit from configure mode"), 0, 0, end_config, EXEC_ANY_CONFIG },
	{ "exit", EXEC_HELP("Exit from the current mode"), 0, 0, exit_mode, EXEC_ANY_CONFIG },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
