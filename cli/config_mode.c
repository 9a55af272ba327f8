/* A line of configuration: do, exit and end are the console's own; everything else configd decides. */
#include "cli/error.h"
#include "cli/exec/pki.h"
#include "configdb/grammar/arg.h"
#include "cli/master_key.h"
#include "platform/base/secret.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Does configuration know the line in this mode, or in global configuration, to which a sub-mode falls back? */
static bool config_knows(struct shell *sh, const char *line)
{
	struct grammar_match *m = calloc(1, sizeof(*m));
	bool known = false;

	if (m == NULL)
		return false;
	grammar_match(config_grammar(), (enum mode)sh->at.mode, sh->session.info.privilege, line, m);
	known = m->result != GR_INVALID;
	if (!known && sh->at.mode != MODE_CONFIG) {
		grammar_match(config_grammar(), MODE_CONFIG, sh->session.info.privilege, line, m);
		known = m->result != GR_INVALID;
	}
	free(m);
	return known;
}

/* A word in full is ours; an abbreviation only if no statement could be meant. */
static bool is_local(struct shell *sh, const char *line, const struct grammar_match *m)
{
	static const char *const words[] = { "do", "end", "exit" };
	size_t len = strcspn(line, " \t");

	if (m->result != GR_OK)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == len && strncasecmp(words[i], line, len) == 0)
			return true;
	return !config_knows(sh, line);
}

/* A command of global configuration that is the console's own (`crypto key generate`), typed in a sub-mode: as with statements,
 * IOS tries it there, and the sub-mode is left. */
static bool falls_back(struct shell *sh, const char *line, struct grammar_match *m)
{
	if (sh->at.mode == MODE_CONFIG || config_knows(sh, line))
		return false;
	grammar_match(sh->exec, MODE_CONFIG, sh->session.info.privilege, line, m);
	if (m->result != GR_OK)
		return false;
	sh->at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
	snprintf(sh->mode_prompt, sizeof(sh->mode_prompt), "%s", mode_prompt(MODE_CONFIG));
	return true;
}

static bool run_local(struct shell *sh, const struct grammar_match *m, const char *line, size_t before)
{
	const struct exec_row *row = m->user;
	struct screen s;
	struct exec_call call = { sh, m, &s.out };
	const char *rest = line;
	bool ok;

	if (match_var(m, "command") == NULL) {
		screen_open(sh, &s, NULL);
		ok = row->run(&call);
		screen_close(&s, NULL);
		return ok;
	}
	rest += strcspn(rest, " \t");
	rest += strspn(rest, " \t");
	return exec_line(sh, rest, before + (size_t)(rest - line));
}

/* `banner motd @`: the text goes on until the delimiter comes again. */
static bool collect_banner(struct shell *sh, char line[CFG_LINE_MAX])
{
	char more[TERM_LINE];
	const char *delimiter = line + strlen(line);

	while (delimiter > line && !isspace((unsigned char)delimiter[-1]))
		delimiter--;
	term_printf(sh->term, "Enter TEXT message.  End with the character '%s'.\n",
		strncmp(delimiter, "^C", 2) == 0 ? "^C" : (char[]){ *delimiter, '\0' });
	while (banner_open(line)) {
		size_t len = strlen(line);

		if (term_answer(sh->term, "", more) != TERM_OK)
			return false;
		if (len + strlen(more) + 2 > CFG_LINE_MAX) {
			term_printf(sh->term, "%% Banner is too long\n");
			return false;
		}
		snprintf(line + len, CFG_LINE_MAX - len, "\n%s", more);
	}
	return true;
}

static bool show_result(struct shell *sh, const struct cfgm_result *r, const char *line, size_t before)
{
	struct screen s;

	screen_open(sh, &s, NULL);
	if (r->code == GR_OK || r->code == GR_REFUSED)
		out_text(&s.out, r->text, strlen(r->text));
	else
		error_match(&s.out, (enum grammar_result)r->code, before, r->column, line);
	screen_close(&s, NULL);
	return r->code == GR_OK || r->code == GR_EMPTY;
}

/* `lead` blanks were left away in front. */
static bool send_line(struct shell *sh, const char *line, size_t lead, size_t before)
{
	struct cfgm_result r = { 0 };
	enum err e = session_line(&sh->session, &sh->at, line, &r);

	if (e != ERR_OK) {
		term_printf(sh->term, "%% configd is not answering: the line may not have been applied\n");
		return false;
	}
	if (r.code == GR_OK || r.code == GR_REFUSED) {
		sh->at = r.next;
		snprintf(sh->mode_prompt, sizeof(sh->mode_prompt), "%s", r.prompt);
	}
	return show_result(sh, &r, line, before + lead);
}

bool config_line(struct shell *sh, const char *typed, size_t before)
{
	size_t lead = strspn(typed, " \t");
	struct grammar_match *m = calloc(1, sizeof(*m));
	char line[CFG_LINE_MAX];
	bool ok = false;

	if (m == NULL)
		return false;
	snprintf(line, sizeof(line), "%s", typed + lead);
	grammar_match(sh->exec, (enum mode)sh->at.mode, 15, line, m);
	if (m->result == GR_EMPTY)
		ok = true;
	else if (master_key_dialogue(sh, line, &ok))
		; /* it has asked, and said what came of it */
	else if (is_local(sh, line, m) || falls_back(sh, line, m))
		ok = run_local(sh, m, line, before + lead);
	else if (!pki_removal_confirmed(sh, line))
		ok = false;
	else if (!banner_open(line) || collect_banner(sh, line))
		ok = send_line(sh, line, lead, before);
	wipe(line, sizeof(line)); /* a line may hold a key */
	free(m);
	return ok;
}
