/* show crypto engine brief: which backend protects the packets, and how. */
#include "cli/exec/engine.h"

#include "cli/exec.h"

#include <inttypes.h>
#include <string.h>

void show_engine_format(struct out *o, const struct dpm_engine_info *e)
{
	bool kernel = strcmp(e->backend, "xfrm") == 0;

	out_printf(o, "        crypto engine name:  Postern %s\n", kernel ? "kernel IPsec" : "user-space IPsec engine");
	out_printf(o, "        crypto engine type:  software\n");
	out_printf(o, "       crypto engine state:  installed\n");
	out_printf(o, "     crypto engine in slot:  N/A\n");
	out_printf(o, "                   backend:  %s\n", e->backend);
	out_printf(o, "                    detail:  %s\n", e->detail);
	out_printf(o, "                   threads:  %u\n", e->threads);
	out_printf(o, "         packets encrypted:  %" PRIu64 "\n", e->packets_encrypted);
	out_printf(o, "         packets decrypted:  %" PRIu64 "\n\n", e->packets_decrypted);
}

static bool show_engine(struct exec_call *c)
{
	struct dpm_engine_info e = { 0 };
	size_t len = 0;
	enum err rc = daemon_call(c->sh->options.run_dir, DAEMON_DATAPATH, DPM_ENGINE_INFO, span_of(NULL, 0), &e, sizeof(e), &len);

	if (rc != ERR_OK || len != sizeof(e))
		return exec_failed(c, "datapathd", rc != ERR_OK ? rc : ERR_INVALID);
	e.backend[sizeof(e.backend) - 1] = e.detail[sizeof(e.detail) - 1] = '\0';
	show_engine_format(c->out, &e);
	return true;
}

const struct exec_row exec_rows_engine[] = {
	{ "show crypto engine brief",
		EXEC_HELP("Show running system information", "Encryption module", "Show crypto engine info",
			"Show all crypto engines"),
		0, EXEC_PIPE, show_engine, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
