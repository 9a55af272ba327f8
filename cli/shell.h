/* The console: one terminal, one session, one mode at a time. */
#ifndef POSTERN_CLI_SHELL_H
#define POSTERN_CLI_SHELL_H

#include "cli/monitor.h"
#include "cli/out.h"
#include "cli/pager.h"
#include "cli/session.h"
#include "cli/term.h"
#include "configdb/grammar.h"

struct shell_options {
	const char *run_dir, *data_dir;
	const char *user, *tty, *from;
	const char *command; /* run only this; null: interactive */
};

struct shell {
	struct shell_options options;
	struct term *term;
	struct session session;
	struct monitor monitor;
	struct grammar *exec;   /* EXEC rows, and do, end, exit of the configuration modes */
	struct cfg_mode_ctx at; /* MODE_EXEC, or where configuration lines are typed */
	char mode_prompt[32];   /* "(config-if)" */
	bool silent_lost;       /* the user knows already that configd is away */
	bool quit;
	bool config_changed; /* in this visit of configuration mode */
	struct pager_io pager_io;
};

/* Runs the console until it ends; returns the exit status. */
int shell_run(const struct shell_options *options);

/* Host name, mode and privilege sign. */
void shell_prompt(const struct shell *sh, char prompt[TERM_PROMPT]);
bool shell_configuring(const struct shell *sh);
/* Leaves configuration mode for EXEC. */
void shell_end_config(struct shell *sh);
void shell_enter_config(struct shell *sh);

/* One line typed in EXEC, `before` characters behind the start of the screen's line (prompt, `do `). False: it failed. */
bool exec_line(struct shell *sh, const char *line, size_t before);
/* One line typed in a configuration mode. */
bool config_line(struct shell *sh, const char *line, size_t before);

/* `?` and TAB in the present mode. */
struct term_help shell_help(struct shell *sh);

/* A `struct out` on the terminal: filter (may be null), pager. */
struct screen {
	struct out out;
	struct pager pager;
};
struct pipe_filter;
void screen_open(struct shell *sh, struct screen *s, struct pipe_filter *filter);
void screen_close(struct screen *s, struct pipe_filter *filter);

/* "% configd is not answering" and its like. */
void shell_say_error(struct out *o, const char *program, enum err e);

#endif
