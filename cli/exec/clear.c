/* clear: each is a request to the program that owns the thing; it asks configd whether we may. */
#include "cli/exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ike_clear(struct exec_call *c, struct ikem_clear *ask)
{
	const char *peer = exec_arg(c, "peer"), *map = exec_arg(c, "map"), *id = exec_arg(c, "id"), *user = exec_arg(c, "user");
	uint32_t cleared = 0;
	enum err e;

	if (peer != NULL && addr_parse(&ask->peer, peer) != ERR_OK)
		return false;
	if (map != NULL)
		snprintf(ask->map, sizeof(ask->map), "%s", map);
	if (user != NULL)
		snprintf(ask->user, sizeof(ask->user), "%s", user);
	if (id != NULL)
		ask->conn_id = (uint32_t)strtoul(id, NULL, 10);
	e = daemon_call(
		c->sh->options.run_dir, DAEMON_IKE, IKEM_CLEAR, span_of(ask, sizeof(*ask)), &cleared, sizeof(cleared), NULL);
	if (id != NULL && (e == ERR_NOT_FOUND || (e == ERR_OK && cleared == 0))) {
		out_printf(c->out, "%% No such ISAKMP connection: %s\n", id);
		return false;
	}
	return e == ERR_OK || e == ERR_NOT_FOUND || exec_failed(c, "ikemgrd", e);
}

static bool clear_isakmp(struct exec_call *c)
{
	return ike_clear(c, &(struct ikem_clear){ .what = IKE_CLEAR_ISAKMP });
}

static bool clear_sa(struct exec_call *c)
{
	return ike_clear(c, &(struct ikem_clear){ .what = IKE_CLEAR_IPSEC });
}

static bool clear_session(struct exec_call *c)
{
	return ike_clear(c, &(struct ikem_clear){ .what = IKE_CLEAR_SESSION });
}

static bool data_clear(struct exec_call *c, const struct dpm_clear *ask)
{
	enum err e =
		daemon_call(c->sh->options.run_dir, DAEMON_DATAPATH, DPM_CLEAR_COUNTERS, span_of(ask, sizeof(*ask)), NULL, 0, NULL);

	return e == ERR_OK || exec_failed(c, "datapathd", e);
}

static bool clear_sa_counters(struct exec_call *c)
{
	return data_clear(c, &(struct dpm_clear){ .acl = "" });
}

static bool clear_acl_counters(struct exec_call *c)
{
	const char *acl = exec_arg(c, "acl");
	struct dpm_clear ask = { .acl = "*" };

	if (acl != NULL)
		snprintf(ask.acl, sizeof(ask.acl), "%s", acl);
	return data_clear(c, &ask);
}

#define CLEAR  "Reset functions"
#define CRYPTO "Encryption subsystem"

const struct exec_row exec_rows_clear[] = {
	{ "clear crypto isakmp [<1-4294967295>$id]", EXEC_HELP(CLEAR, CRYPTO, "Flush the ISAKMP database", "connection id of SA"),
		15, 0, clear_isakmp, 0 },
	{ "clear crypto sa [peer A.B.C.D$peer|map TAG$map]",
		EXEC_HELP(CLEAR, CRYPTO, "Clear all crypto SAs", "Clear all SAs for a given crypto peer", "Peer address",
			"Clear all SAs for a given crypto map", "Crypto map tag"),
		15, 0, clear_sa, 0 },
	{ "clear crypto sa counters", EXEC_HELP(CLEAR, CRYPTO, "Clear all crypto SAs", "Reset the SA counters"), 15, 0,
		clear_sa_counters, 0 },
	{ "clear crypto session [remote A.B.C.D$peer|username TAG$user]",
		EXEC_HELP(CLEAR, CRYPTO, "clear crypto sessions (tunnels)", "remote-address of the session", "Peer address",
			"Xauth username of the session", "Username"),
		15, 0, clear_session, 0 },
	{ "clear access-list counters [ACL$acl]",
		EXEC_HELP(CLEAR, "Clear access list statistical information", "Clear access list counters",
			"Access list name or number"),
		15, 0, clear_acl_counters, 0 },
	{ "clear ip access-list counters [ACL$acl]",
		EXEC_HELP(CLEAR, "IP", "Clear access list statistical information", "Clear access list counters",
			"Access list name or number"),
		15, 0, clear_acl_counters, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
