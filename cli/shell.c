/* The console's loop: prompt, line, command; and what it does when configd is away. */
#include "cli/shell.h"

#include "cli/exec.h"
#include "cli/login.h"
#include "cli/pipe.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* IOS cuts the host name in configuration modes. */
#define HOSTNAME_IN_CONFIG 20
#define FIRST_WAIT_MS      10000

static volatile int hangup;

static void on_hangup(int sig)
{
	(void)sig;
	hangup = 1;
}

bool shell_configuring(const struct shell *sh)
{
	return sh->at.mode != MODE_EXEC;
}

void shell_prompt(const struct shell *sh, char prompt[TERM_PROMPT])
{
	const struct cfgm_session *s = &sh->session.info;

	if (shell_configuring(sh))
		snprintf(prompt, TERM_PROMPT, "%.*s%s#", HOSTNAME_IN_CONFIG, s->hostname, sh->mode_prompt);
	else
		snprintf(prompt, TERM_PROMPT, "%s%c", s->hostname, s->privilege > 1 ? '#' : '>');
}

void shell_enter_config(struct shell *sh)
{
	sh->at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
	snprintf(sh->mode_prompt, sizeof(sh->mode_prompt), "%s", mode_prompt(MODE_CONFIG));
}

void shell_end_config(struct shell *sh)
{
	if (!shell_configuring(sh))
		return;
	sh->at = (struct cfg_mode_ctx){ .mode = MODE_EXEC };
	sh->mode_prompt[0] = '\0';
	/* A lost connection is told at the next prompt. */
	(void)!session_config_end(&sh->session);
}

void shell_say_error(struct out *o, const char *program, enum err e)
{
	if (e == ERR_CLOSED || e == ERR_TIMEOUT || e == ERR_BUSY)
		out_printf(o, "%% %s is not answering\n", program);
	else if (e == ERR_DENIED)
		out_printf(o, "%% %s refused: not permitted at this privilege level\n", program);
	else
		out_printf(o, "%% %s: %s\n", program, err_text(e));
}

/* ---- The pager's terminal ---- */

static void pager_write(void *ctx, const char *text, size_t len)
{
	struct shell *sh = ctx;

	term_write(sh->term, text, len);
}

static int pager_key(void *ctx)
{
	struct shell *sh = ctx;

	term_flush(sh->term);
	return input_char(term_input(sh->term));
}

static bool pager_ask(void *ctx, const char *prompt, char *line, size_t size)
{
	struct shell *sh = ctx;
	char typed[TERM_LINE];

	if (term_answer(sh->term, prompt, typed) != TERM_OK)
		return false;
	snprintf(line, size, "%s", typed);
	return true;
}

void screen_open(struct shell *sh, struct screen *s, struct pipe_filter *filter)
{
	pager_init(&s->pager, &sh->pager_io, sh->options.command != NULL ? 0 : term_rows(sh->term), term_columns(sh->term));
	if (filter != NULL)
		pipe_connect(filter, &s->pager.stage);
	out_init(&s->out, filter != NULL ? &filter->stage : &s->pager.stage);
	if (filter == NULL) {
		s->out.partial = pager_partial;
		s->out.partial_ctx = &s->pager;
	}
}

void screen_close(struct screen *s, struct pipe_filter *filter)
{
	out_end(&s->out);
	if (filter != NULL && !s->out.stopped)
		pipe_end(filter);
	pager_end(&s->pager);
}

/* ---- The loop ---- */

/* Asks configd how things are before each prompt; tells once that it is away, and once that it is back. */
static void look_around(struct shell *sh)
{
	struct session *s = &sh->session;
	enum err e = session_refresh(s);

	if (e != ERR_OK) {
		if (!sh->silent_lost)
			term_printf(sh->term, "%% configd is not answering; the console goes on as soon as it is back\n");
		sh->silent_lost = true;
		return;
	}
	if (s->reopened)
		term_printf(sh->term,
			"%% configd was started again: this is a new session. What was typed last may not have been applied.\n");
	s->reopened = sh->silent_lost = false;
	if (shell_configuring(sh) && s->info.privilege < 15) {
		term_printf(sh->term, "%% Configuration mode was left: type enable again.\n");
		sh->at.mode = MODE_EXEC;
		sh->mode_prompt[0] = '\0';
	}
}

static void one_line(struct shell *sh, enum term_result r, const char *line, size_t before)
{
	if (r == TERM_ABANDONED)
		return;
	if (shell_configuring(sh)) {
		config_line(sh, line, before);
		if (r == TERM_CTRL_Z)
			shell_end_config(sh);
	} else if (r == TERM_OK) {
		exec_line(sh, line, before);
	}
}

static void loop(struct shell *sh)
{
	char prompt[TERM_PROMPT], line[TERM_LINE];

	while (!sh->quit && !hangup) {
		enum term_result r;

		look_around(sh);
		monitor_show(&sh->monitor);
		shell_prompt(sh, prompt);
		r = term_line(sh->term, prompt, line);
		if (r >= TERM_EOF) {
			term_write(sh->term, "\n", 1);
			break;
		}
		one_line(sh, r, line, strlen(prompt));
		term_flush(sh->term);
	}
	shell_end_config(sh);
}

static const struct cfg_line *line_of(const struct cfg *cfg, const char *tty)
{
	bool vty = strncmp(tty, "vty", 3) == 0;
	unsigned number = 0;

	sscanf(tty, "%*s %u", &number);
	for (size_t i = 0; i < cfg->nlines; i++)
		if (cfg->lines[i].vty == vty && number >= cfg->lines[i].first && number <= cfg->lines[i].last)
			return &cfg->lines[i];
	return NULL;
}

/* What `line con 0` or `line vty` says, and the banner. */
static void apply_line(struct shell *sh)
{
	struct input *in = term_input(sh->term);
	const struct cfg_line *line;
	struct cfg *cfg;

	in->idle_s = 600;
	if (session_cfg(&sh->session, &cfg) != ERR_OK)
		return;
	line = line_of(cfg, sh->options.tty);
	if (line != NULL) {
		in->idle_s = line->exec_timeout_s;
		term_size_default(sh->term, line->length, line->width);
		term_history_size(sh->term, line->history_size);
	}
	if (cfg->system.banner_motd != NULL)
		term_printf(sh->term, "\n%s\n", cfg->system.banner_motd);
	cfg_free(cfg);
}

/* One command of `-c`: what a script needs, so the privilege is raised where no password stands before it. */
static int run_command(struct shell *sh)
{
	bool ok;

	/* Where one is needed the command says itself what it may not. */
	(void)!config_session_enable(&sh->session, 15, "");
	ok = exec_line(sh, sh->options.command, 0);
	shell_end_config(sh);
	return ok ? 0 : 1;
}

static int run_console(struct shell *sh)
{
	bool console = strncmp(sh->options.tty, "con", 3) == 0;

	apply_line(sh);
	if (!login_console(sh))
		return 1;
	if (console && term_is_tty(sh->term))
		monitor_set(&sh->monitor, true);
	loop(sh);
	return 0;
}

static bool open_all(struct shell *sh)
{
	const struct term_help help = shell_help(sh);

	sh->term = term_open(&help);
	sh->exec = exec_grammar();
	if (sh->term == NULL || sh->exec == NULL)
		return false;
	sh->pager_io = (struct pager_io){ pager_write, pager_key, pager_ask, sh };
	term_input(sh->term)->hangup = &hangup;
	monitor_init(&sh->monitor, sh->options.run_dir, sh->term, strncmp(sh->options.tty, "con", 3) == 0);
	session_init(&sh->session, sh->options.run_dir, sh->options.user, sh->options.tty, sh->options.from,
		sh->options.command == NULL);
	return true;
}

int shell_run(const struct shell_options *options)
{
	struct shell sh = { .options = *options, .at = { .mode = MODE_EXEC } };
	struct sigaction action = { .sa_handler = on_hangup };
	int status = 1;
	enum err e;

	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	alg_init();
	if (!open_all(&sh))
		goto out;
	e = config_session_open(&sh.session, FIRST_WAIT_MS);
	if (e != ERR_OK)
		term_printf(sh.term, "%% configd is not answering (%s)\n", err_text(e));
	sh.silent_lost = e != ERR_OK;
	if (options->command == NULL)
		status = run_console(&sh);
	else if (e == ERR_OK)
		status = run_command(&sh);
out:
	session_close(&sh.session);
	monitor_close(&sh.monitor);
	term_close(sh.term);
	grammar_free(sh.exec);
	return status;
}
