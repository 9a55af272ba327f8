/* show logging, clear logging. */
#include "cli/exec/logging.h"

#include "cli/exec.h"
#include "platform/base/mem.h"

#include <inttypes.h>

static const char *level(uint8_t n)
{
	static const char *const names[] = { "emergencies", "alerts", "critical", "errors", "warnings", "notifications",
		"informational", "debugging" };

	return names[n < 8 ? n : 7];
}

static void one_target(struct out *o, const char *name, bool on, uint8_t at, uint64_t logged, const char *indent)
{
	if (on)
		out_printf(o, "    %s level %s, %" PRIu64 " messages logged, xml disabled,\n%sfiltering disabled\n", name,
			level(at), logged, indent);
	else
		out_printf(o, "    %s disabled\n", name);
}

void show_logging_format(struct out *o, const struct platm_log_info *info, const struct platm_log *rows, size_t n)
{
	out_printf(o,
		"Syslog logging: enabled (%" PRIu64
		" messages dropped, 0 messages rate-limited, 0 flushes, 0 overruns, xml disabled, "
		"filtering disabled)\n\n",
		info->dropped);
	out_printf(o, "No Active Message Discriminator.\n\n\n\nNo Inactive Message Discriminator.\n\n\n");
	one_target(o, "Console logging:", info->console, info->console_level, info->console_logged, "                     ");
	one_target(o, "Monitor logging:", true, info->monitor_level, info->monitor_logged, "                     ");
	one_target(o, "Buffer logging: ", info->buffered, info->buffer_level, info->buffer_logged, "                    ");
	out_printf(o, "    Exception Logging: size (4096 bytes)\n");
	out_printf(o, "    Count and timestamp logging messages: disabled\n");
	out_printf(o, "    Persistent logging: disabled\n\nNo active filter modules.\n\n");
	out_printf(o, "    Trap logging: level informational, 0 message lines logged\n");
	out_printf(o, "        Logging Source-Interface:       VRF Name:\n");
	if (!info->buffered)
		return;
	out_printf(o, "\nLog Buffer (%u bytes):\n", info->buffer_bytes);
	for (size_t i = 0; i < n && !o->stopped; i++)
		out_printf(o, "%s\n", rows[i].text);
}

static bool show_logging(struct exec_call *c)
{
	struct platm_log_info info = { 0 };
	struct platm_log *rows;
	size_t n, len = 0;
	enum err e =
		daemon_call(c->sh->options.run_dir, DAEMON_PLATFORM, PLATM_LOG_INFO, span_of(NULL, 0), &info, sizeof(info), &len);

	if (e != ERR_OK || len != sizeof(info))
		return exec_failed(c, "platformd", e != ERR_OK ? e : ERR_INVALID);
	if (!exec_rows_of(c, DAEMON_PLATFORM, PLATM_LOG_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, &n))
		return false;
	show_logging_format(c->out, &info, rows, n);
	mem_free(rows);
	return true;
}

static bool clear_logging(struct exec_call *c)
{
	enum err e;

	if (!term_confirm(c->sh->term, "Clear logging buffer [confirm]"))
		return false;
	e = daemon_call(c->sh->options.run_dir, DAEMON_PLATFORM, PLATM_LOG_CLEAR, span_of(NULL, 0), NULL, 0, NULL);
	return e == ERR_OK || exec_failed(c, "platformd", e);
}

const struct exec_row exec_rows_logging[] = {
	{ "show logging", EXEC_HELP("Show running system information", "Show the contents of logging buffers"), 0, EXEC_PIPE,
		show_logging, 0 },
	{ "clear logging", EXEC_HELP("Reset functions", "Clear logging buffer"), 15, 0, clear_logging, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
