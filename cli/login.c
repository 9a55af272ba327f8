/* Three tries, as IOS gives. configd compares; the console only carries what was typed. */
#include "cli/login.h"

#include "platform/base/secret.h"

#include <stdio.h>
#include <string.h>

static bool asks_login(struct shell *sh)
{
	struct cfg *cfg;
	bool local = false;

	if (strncmp(sh->options.tty, "con", 3) != 0 || session_cfg(&sh->session, &cfg) != ERR_OK)
		return false;
	for (size_t i = 0; i < cfg->nlines; i++)
		local = local || (!cfg->lines[i].vty && cfg->lines[i].login_local);
	cfg_free(cfg);
	return local;
}

/* One try. The session becomes the user's. */
static enum err try_login(struct shell *sh)
{
	struct cfgm_login ask = { 0 };
	struct cfgm_session info;
	char line[TERM_LINE];
	enum err e = ERR_CLOSED;

	if (term_answer(sh->term, "Username: ", line) != TERM_OK)
		return e;
	snprintf(ask.user, sizeof(ask.user), "%s", line);
	if (term_secret(sh->term, "Password: ", ask.password, sizeof(ask.password)) == TERM_OK)
		e = msg_sync_call(&sh->session.conn, CFGM_CHECK_SECRET, span_of(&ask, sizeof(ask)), &info, sizeof(info), NULL);
	wipe(ask.password, sizeof(ask.password));
	if (e != ERR_OK)
		return e;
	msg_sync_close(&sh->session.conn);
	snprintf(sh->session.who.user, sizeof(sh->session.who.user), "%s", ask.user);
	return config_session_open(&sh->session, 0);
}

bool login_console(struct shell *sh)
{
	if (!asks_login(sh))
		return true;
	term_printf(sh->term, "\nUser Access Verification\n\n");
	for (int i = 0; i < 3; i++) {
		enum err e = try_login(sh);

		if (e == ERR_OK)
			return true;
		if (e == ERR_CLOSED)
			return false;
		term_printf(sh->term, "%% Login invalid\n\n");
	}
	return false;
}
