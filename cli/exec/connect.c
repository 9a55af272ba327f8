/* crypto session connect: negotiation without traffic. IOS has no command for it; this one is in the spirit of `crypto ipsec client
 * ezvpn connect` and `clear crypto session`. */
#include "cli/exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refused(struct exec_call *c, const struct cfg *cfg, const struct ikem_connect *ask, const struct ikem_connected *done)
{
	const struct cfg_map_entry *e = cfg_map_first(cfg, ask->map);
	const char *why = NULL;

	while (e != NULL && ask->seq != 0 && e->seq != ask->seq)
		e = cfg_map_next(cfg, e);
	if (e == NULL && ask->seq != 0)
		out_printf(c->out, "%% Crypto map %s has no entry %u\n", ask->map, ask->seq);
	else if (e == NULL)
		out_printf(c->out, "%% Crypto map with tag \"%s\" does not exist.\n", ask->map);
	else if (done->passive > 0)
		out_printf(c->out, "%% Nothing to negotiate: entries of dynamic maps only answer, manual ones have their SAs, and "
				   "those of level per-host wait for packets\n");
	else if ((why = cfg_map_entry_fault(cfg, e)) != NULL)
		out_printf(c->out, "%% Crypto map %s %u is incomplete: %s\n", e->map, e->seq, why);
	else
		out_printf(c->out, "%% Crypto map %s is on no interface that is up, or its lists permit nothing\n", ask->map);
	return false;
}

static bool connect_map(struct exec_call *c)
{
	const char *seq = exec_arg(c, "seq");
	struct ikem_connect ask = { .seq = seq == NULL ? 0 : (uint16_t)strtoul(seq, NULL, 10) };
	struct ikem_connected done = { 0 };
	struct cfg *cfg;
	enum err e;

	snprintf(ask.map, sizeof(ask.map), "%s", exec_arg(c, "map"));
	e = daemon_call(c->sh->options.run_dir, DAEMON_IKE, IKEM_CONNECT, span_of(&ask, sizeof(ask)), &done, sizeof(done), NULL);
	if (e != ERR_OK)
		return exec_failed(c, "ikemgrd", e);
	if (done.begun == 0 && done.up == 0) {
		cfg = exec_cfg(c);
		if (cfg != NULL)
			refused(c, cfg, &ask, &done);
		cfg_free(cfg);
		return false;
	}
	out_printf(c->out, "Negotiation begun for %u flow%s, %u already up\n", done.begun, done.begun == 1 ? "" : "s", done.up);
	return true;
}

const struct exec_row exec_rows_connect[] = {
	{ "crypto session connect map TAG$map [<1-65535>$seq]",
		EXEC_HELP("Encryption module", "Crypto sessions (tunnels)", "Bring up tunnels without waiting for traffic",
			"Of a crypto map", "Crypto map tag", "Sequence number of the entry"),
		15, 0, connect_map, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
