/* debug, undebug, show debugging. The programs keep the switches; all consoles share them.
 *
 * `debug crypto isakmp export flash:NAME` has ikemgrd append the keys of new SAs to a file, in the form that tshark reads
 * (-o "uat:ikev1_decryption_table:..."). It is for privilege 15 alone, and every use is logged.
 */
#include "cli/exec/keys.h"

#include <stdio.h>
#include <string.h>

static bool ike_debug(struct exec_call *c, struct ikem_debug *d)
{
	size_t len = 0;
	enum err e = daemon_call(c->sh->options.run_dir, DAEMON_IKE, IKEM_DEBUG, span_of(d, sizeof(*d)), d, sizeof(*d), &len);

	return (e == ERR_OK && len == sizeof(*d)) || exec_failed(c, "ikemgrd", e);
}

/* Reads the switches, changes those of `mask`, writes them back. */
static bool change_ike(struct exec_call *c, const struct ikem_debug *mask, bool on)
{
	struct ikem_debug d = { .set = 0 };

	if (!ike_debug(c, &d))
		return false;
	d.isakmp = mask->isakmp ? on : d.isakmp;
	d.isakmp_error = mask->isakmp_error ? on : d.isakmp_error;
	d.set = 1;
	return ike_debug(c, &d);
}

static bool change_ipsec(struct exec_call *c, bool on)
{
	struct dpm_debug d = { .ipsec = 1, .on = on }, now;
	enum err e =
		daemon_call(c->sh->options.run_dir, DAEMON_DATAPATH, DPM_DEBUG, span_of(&d, sizeof(d)), &now, sizeof(now), NULL);

	return e == ERR_OK || exec_failed(c, "datapathd", e);
}

static struct ikem_debug isakmp_mask(const struct exec_call *c)
{
	bool error = exec_arg(c, "error") != NULL;

	return (struct ikem_debug){ .isakmp = !error, .isakmp_error = error };
}

static bool debug_isakmp(struct exec_call *c)
{
	struct ikem_debug mask = isakmp_mask(c);

	if (!change_ike(c, &mask, true))
		return false;
	out_printf(c->out, "Crypto ISAKMP%s debugging is on\n", mask.isakmp_error ? " Error" : "");
	return true;
}

static bool no_debug_isakmp(struct exec_call *c)
{
	struct ikem_debug mask = isakmp_mask(c);

	if (!change_ike(c, &mask, false))
		return false;
	out_printf(c->out, "Crypto ISAKMP%s debugging is off\n", mask.isakmp_error ? " Error" : "");
	return true;
}

static bool debug_ipsec(struct exec_call *c)
{
	if (!change_ipsec(c, true))
		return false;
	out_printf(c->out, "Crypto IPSEC debugging is on\n");
	return true;
}

static bool no_debug_ipsec(struct exec_call *c)
{
	if (!change_ipsec(c, false))
		return false;
	out_printf(c->out, "Crypto IPSEC debugging is off\n");
	return true;
}

static enum err set_export(struct exec_call *c, const char *path)
{
	struct ikem_key_export ask = { 0 };

	snprintf(ask.path, sizeof(ask.path), "%s", path);
	return daemon_call(c->sh->options.run_dir, DAEMON_IKE, IKEM_KEY_EXPORT, span_of(&ask, sizeof(ask)), NULL, 0, NULL);
}

static bool undebug_all(struct exec_call *c)
{
	const struct ikem_debug all = { .isakmp = 1, .isakmp_error = 1 };
	bool ok = change_ike(c, &all, false);

	ok = change_ipsec(c, false) && ok;
	ok = set_export(c, "") == ERR_OK && ok;
	ok = keys_switch(c, false, false) && ok;
	if (ok)
		out_printf(c->out, "All possible debugging has been turned off\n");
	return ok;
}

static bool debug_export(struct exec_call *c)
{
	const char *name = exec_arg(c, "file");
	char path[256];
	enum err e;

	if (strncmp(name, "flash:", 6) == 0)
		name += 6;
	name += *name == '/';
	if (*name == '\0' || strpbrk(name, "/:") != NULL || name[0] == '.') {
		out_printf(c->out, "%%Error opening %s (Invalid argument)\n", exec_arg(c, "file"));
		return false;
	}
	snprintf(path, sizeof(path), "%s/flash/%s", c->sh->options.data_dir, name);
	e = set_export(c, path);
	if (e != ERR_OK)
		return exec_failed(c, "ikemgrd", e);
	out_printf(c->out, "Keys of new ISAKMP SAs are written to flash:%s\n", name);
	return true;
}

static bool no_debug_export(struct exec_call *c)
{
	enum err e = set_export(c, "");

	return e == ERR_OK || exec_failed(c, "ikemgrd", e);
}

static bool ipsec_debugging(struct exec_call *c)
{
	struct dpm_debug d = { .ipsec = 0 }, now = { 0 };
	size_t len = 0;
	enum err e =
		daemon_call(c->sh->options.run_dir, DAEMON_DATAPATH, DPM_DEBUG, span_of(&d, sizeof(d)), &now, sizeof(now), &len);

	return e == ERR_OK && len == sizeof(now) && now.on;
}

static bool show_debugging(struct exec_call *c)
{
	struct ikem_debug d = { .set = 0 };
	bool ipsec = ipsec_debugging(c), keys = keys_on(c);

	if (!ike_debug(c, &d))
		return false;
	if (!d.isakmp && !d.isakmp_error && !ipsec && !keys)
		return true;
	out_printf(c->out, "\nCryptographic Subsystem:\n");
	if (d.isakmp)
		out_printf(c->out, "  Crypto ISAKMP debugging is on\n");
	if (d.isakmp_error)
		out_printf(c->out, "  Crypto ISAKMP Error debugging is on\n");
	if (ipsec)
		out_printf(c->out, "  Crypto IPSEC debugging is on\n");
	if (keys)
		out_printf(c->out, "  Keys of new SAs are kept for captures\n");
	out_printf(c->out, "\n");
	return true;
}

#define ON     "Debugging functions (see also 'undebug')"
#define OFF    "Disable debugging functions (see also 'debug')"
#define NO     "Negate a command"
#define CRYPTO "Cryptographic subsystem"
#define ISAKMP "ISAKMP Key Management"
#define PARTS  "ISAKMP Errors only"
#define EXPORT "Write the keys of new SAs to a file, for a protocol analyser"

const struct exec_row exec_rows_debug[] = {
	{ "debug crypto isakmp [error$error]", EXEC_HELP(ON, CRYPTO, ISAKMP, PARTS), 15, 0, debug_isakmp, 0 },
	{ "no debug crypto isakmp [error$error]", EXEC_HELP(NO, ON, CRYPTO, ISAKMP, PARTS), 15, 0, no_debug_isakmp, 0 },
	{ "undebug crypto isakmp [error$error]", EXEC_HELP(OFF, CRYPTO, ISAKMP, PARTS), 15, 0, no_debug_isakmp, 0 },
	{ "debug crypto isakmp export WORD$file", EXEC_HELP(ON, CRYPTO, ISAKMP, EXPORT, "flash:NAME"), 15, 0, debug_export, 0 },
	{ "no debug crypto isakmp export", EXEC_HELP(NO, ON, CRYPTO, ISAKMP, EXPORT), 15, 0, no_debug_export, 0 },
	{ "undebug crypto isakmp export", EXEC_HELP(OFF, CRYPTO, ISAKMP, EXPORT), 15, 0, no_debug_export, 0 },
	{ "debug crypto ipsec", EXEC_HELP(ON, CRYPTO, "IPSEC processing"), 15, 0, debug_ipsec, 0 },
	{ "no debug crypto ipsec", EXEC_HELP(NO, ON, CRYPTO, "IPSEC processing"), 15, 0, no_debug_ipsec, 0 },
	{ "undebug crypto ipsec", EXEC_HELP(OFF, CRYPTO, "IPSEC processing"), 15, 0, no_debug_ipsec, 0 },
	{ "undebug all", EXEC_HELP(OFF, "Turn off all debugging"), 15, 0, undebug_all, 0 },
	{ "no debug all", EXEC_HELP(NO, ON, "Turn off all debugging"), 15, 0, undebug_all, 0 },
	{ "show debugging", EXEC_HELP("Show running system information", "State of each debugging option"), 1, EXEC_PIPE,
		show_debugging, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
