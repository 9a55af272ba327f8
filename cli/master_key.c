/* The dialogues of the master key. What is typed in full is a line of configuration as any other. */
#include "cli/master_key.h"

#include "cli/exec/pki.h"
#include "platform/base/secret.h"

#include <stdlib.h>
#include <string.h>

#define COMMAND "key config-key password-encrypt"

/* Is it that statement, here or in global configuration, and with what behind it? */
static bool is_statement(struct shell *sh, const char *line, const char *statement)
{
	struct grammar_match *m = calloc(1, sizeof(*m));
	bool is = false;

	if (m == NULL)
		return false;
	grammar_match(config_grammar(), (enum mode)sh->at.mode, sh->session.info.privilege, line, m);
	if (m->result == GR_INVALID)
		grammar_match(config_grammar(), MODE_CONFIG, sh->session.info.privilege, line, m);
	is = m->result == GR_OK && strncmp(m->canonical, statement, strlen(statement)) == 0 &&
	     (m->negated || m->canonical[strlen(statement)] == '\0');
	wipe(m, sizeof(*m));
	free(m);
	return is;
}

static const char *why_not(enum err e)
{
	switch (e) {
	case ERR_AUTH:
		return "% The old key is not the one that is set";
	case ERR_RANGE:
		return "% Invalid key length: at least 8 characters are needed";
	case ERR_DENIED:
		return "% Not permitted at this privilege level";
	default:
		return "% configd is not answering: the key may not have been set";
	}
}

/* IOS's dialogue; the old key is asked for when there is one. */
static bool set_key(struct shell *sh, bool known)
{
	struct cfgm_master_key q = { "", "" };
	char again[CFG_PASSPHRASE] = "";
	bool asked = (!known || term_secret(sh->term, "Old key: ", q.old, sizeof(q.old)) == TERM_OK) &&
		     term_secret(sh->term, "New key: ", q.passphrase, sizeof(q.passphrase)) == TERM_OK &&
		     term_secret(sh->term, "Confirm key: ", again, sizeof(again)) == TERM_OK;
	enum err e = ERR_RANGE;

	if (asked && strcmp(q.passphrase, again) != 0) {
		term_printf(sh->term, "%% The keys do not match\n");
		asked = false;
	} else if (asked) {
		if (q.passphrase[0] != '\0')
			e = session_master_key(&sh->session, &q);
		if (e != ERR_OK)
			term_printf(sh->term, "%s\n", why_not(e));
	}
	wipe(&q, sizeof(q));
	wipe(again, sizeof(again));
	return asked && e == ERR_OK;
}

bool master_key_dialogue(struct shell *sh, const char *line, bool *ok)
{
	const struct cfgm_master_key ask = { "", "" };
	bool no = is_statement(sh, line, "no " COMMAND), known;

	if (!no && !is_statement(sh, line, COMMAND))
		return false;
	known = session_master_key(&sh->session, &ask) == ERR_OK;
	*ok = false;
	if (!no) {
		*ok = set_key(sh, known);
		return true;
	}
	if (!known)
		return false;
	term_printf(sh->term, "WARNING: All type 6 encrypted keys will become unusable\n");
	return !pki_yes(sh, "Continue with master key deletion ? [yes/no]: ");
}
