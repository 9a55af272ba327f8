/* Saving, copying, erasing, reloading: with IOS's questions, which management programs answer. */
#include "cli/exec.h"
#include "cli/exec/flash.h"

#include "platform/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Questions go around the filter and the pager. */
static bool ask(struct exec_call *c, const char *question, char answer[TERM_LINE])
{
	return term_answer(c->sh->term, question, answer) == TERM_OK;
}

static bool save(struct exec_call *c)
{
	enum err e;

	out_printf(c->out, "Building configuration...\n");
	e = session_copy(&c->sh->session, CFGM_RUN_TO_START, NULL, NULL, NULL);
	if (e != ERR_OK)
		return exec_failed(c, "configd", e);
	out_printf(c->out, "[OK]\n");
	return true;
}

static bool copy_to_startup(struct exec_call *c)
{
	char answer[TERM_LINE];

	if (!ask(c, "Destination filename [startup-config]? ", answer))
		return false;
	if (answer[0] != '\0' && strcmp(answer, "startup-config") != 0 && strcmp(answer, "nvram:startup-config") != 0) {
		out_printf(c->out, "%%Error opening %s (Invalid argument)\n", answer);
		return false;
	}
	return save(c);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool copy_text(struct exec_call *c, const char *text, size_t len)
{
	double begin = now_s(), took;
	enum err e = session_copy(&c->sh->session, CFGM_TEXT_TO_RUN, text, exec_bad_line, c);

	if (e != ERR_OK && e != ERR_INVALID && e != ERR_INCOMPLETE && e != ERR_CONFLICT)
		return exec_failed(c, "configd", e);
	took = now_s() - begin;
	out_printf(c->out, "%zu bytes copied in %.3f secs (%.0f bytes/sec)\n", len, took, took > 0 ? (double)len / took : 0);
	return e == ERR_OK;
}

static bool destination_running(struct exec_call *c)
{
	char answer[TERM_LINE];

	if (!ask(c, "Destination filename [running-config]? ", answer))
		return false;
	if (answer[0] == '\0' || strcmp(answer, "running-config") == 0)
		return true;
	out_printf(c->out, "%%Error opening %s (Invalid argument)\n", answer);
	return false;
}

static bool copy_to_running(struct exec_call *c)
{
	const char *name = exec_arg(c, "file");
	char path[512];
	size_t len = 0;
	char *text;
	bool ok;

	if (!flash_path(c->sh, name, path, sizeof(path))) {
		out_printf(c->out, "%%Error opening %s (Invalid argument)\n", name);
		return false;
	}
	if (!destination_running(c))
		return false;
	errno = 0;
	text = flash_read(path, &len);
	if (text == NULL) {
		flash_fault(c->out, name);
		return false;
	}
	ok = len == 0 || copy_text(c, text, len);
	mem_free_secret(text, len);
	return ok;
}

static bool copy_startup_to_running(struct exec_call *c)
{
	enum err e;

	if (!destination_running(c))
		return false;
	e = session_copy(&c->sh->session, CFGM_START_TO_RUN, NULL, exec_bad_line, c);
	if (e == ERR_NOT_FOUND)
		out_printf(c->out, "%%Error opening nvram:startup-config (No such file or directory)\n");
	return e == ERR_OK || (e != ERR_NOT_FOUND && exec_failed(c, "configd", e));
}

static bool write_erase(struct exec_call *c)
{
	enum err e;

	if (!term_confirm(c->sh->term, "Erasing the nvram filesystem will remove all configuration files! Continue? [confirm]"))
		return false;
	e = session_erase(&c->sh->session);
	if (e != ERR_OK)
		return exec_failed(c, "configd", e);
	out_printf(c->out, "[OK]\nErase of nvram: complete\n");
	return true;
}

/* "System configuration has been modified. Save?": false if the answer is neither yes nor no. */
static bool save_before_reload(struct exec_call *c)
{
	char answer[TERM_LINE];
	bool dirty = false;

	if (session_dirty(&c->sh->session, &dirty) != ERR_OK || !dirty)
		return true;
	if (!ask(c, "\nSystem configuration has been modified. Save? [yes/no]: ", answer))
		return false;
	if (answer[0] == '\0' ||
		(strncasecmp(answer, "yes", strlen(answer)) != 0 && strncasecmp(answer, "no", strlen(answer)) != 0)) {
		out_printf(c->out, "%% Please answer 'yes' or 'no'.\n");
		return false;
	}
	return answer[0] != 'y' && answer[0] != 'Y' ? true : save(c);
}

static bool reload(struct exec_call *c)
{
	enum err e;

	if (!save_before_reload(c))
		return false;
	out_partial(c->out);
	if (!term_confirm(c->sh->term, "Proceed with reload? [confirm]"))
		return false;
	e = daemon_call(c->sh->options.run_dir, DAEMON_PLATFORM, PLATM_RELOAD, span_of(NULL, 0), NULL, 0, NULL);
	if (e != ERR_OK)
		return exec_failed(c, "platformd", e);
	c->sh->quit = true;
	return true;
}

#define WRITE "Write running configuration to memory, network, or terminal"
#define COPY  "Copy from one file to another"

const struct exec_row exec_rows_files[] = {
	{ "write [memory]", EXEC_HELP(WRITE, "Write to NV memory"), 15, 0, save, 0 },
	{ "write erase", EXEC_HELP(WRITE, "Erase NV memory"), 15, 0, write_erase, 0 },
	{ "erase <startup-config|nvram:>",
		EXEC_HELP("Erase a filesystem", "Erase contents of configuration memory", "Filesystem to be erased"), 15, 0,
		write_erase, 0 },
	{ "copy running-config startup-config",
		EXEC_HELP(COPY, "Copy from current system configuration", "Copy to startup configuration"), 15, 0, copy_to_startup,
		0 },
	{ "copy startup-config running-config",
		EXEC_HELP(COPY, "Copy from startup configuration", "Update (merge with) current system configuration"), 15, 0,
		copy_startup_to_running, 0 },
	{ "copy WORD$file running-config",
		EXEC_HELP(COPY, "Copy from flash: file system", "Update (merge with) current system configuration"), 15, 0,
		copy_to_running, 0 },
	{ "reload", EXEC_HELP("Halt and perform a cold restart"), 15, 0, reload, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
