/* EXEC commands: rows of the grammar with a function in place of a column. */
#ifndef POSTERN_CLI_EXEC_H
#define POSTERN_CLI_EXEC_H

#include "cli/shell.h"

struct exec_call {
	struct shell *sh;
	const struct grammar_match *match;
	struct out *out;
};

#define EXEC_PIPE   1 /* `| include ...` may follow */
#define EXEC_HIDDEN 2
#define EXEC_HELP(...)                                                                                                             \
	(const char *const[])                                                                                                      \
	{                                                                                                                          \
		__VA_ARGS__, NULL                                                                                                  \
	}

struct exec_row {
	const char *syntax;
	const char *const *help; /* as grammar_spec's */
	uint8_t privilege;
	uint8_t flags;
	bool (*run)(struct exec_call *c); /* false: it failed (exit status of -c) */
	uint8_t mode;                     /* 0: EXEC; else that configuration mode, EXEC_ANY_CONFIG: all of them */
};
#define EXEC_ANY_CONFIG 255

/* One table per file of cli/exec; each ends in a null syntax. */
extern const struct exec_row exec_rows_session[], exec_rows_terminal[], exec_rows_config[], exec_rows_files[], exec_rows_flash[],
	exec_rows_system[], exec_rows_users[], exec_rows_logging[], exec_rows_ping[], exec_rows_traceroute[], exec_rows_clear[],
	exec_rows_debug[], exec_rows_acl[], exec_rows_ipsec[], exec_rows_isakmp[], exec_rows_map[], exec_rows_crypto_session[],
	exec_rows_capture[], exec_rows_capture_show[], exec_rows_capture_export[], exec_rows_keys[], exec_rows_engine[],
	exec_rows_interfaces[], exec_rows_ip[], exec_rows_transform[];
extern const struct exec_row exec_rows_pki_keys[], exec_rows_pki_certs[], exec_rows_pki_show[], exec_rows_ip_pool[],
	exec_rows_phase1[], exec_rows_connect[], exec_rows_engine_active[];

/* All rows, compiled; NULL when out of memory. A wrong row is a programming error and ends the program. */
struct grammar *exec_grammar(void);

/* The value of an argument, or NULL. */
const char *exec_arg(const struct exec_call *c, const char *name);

/* Says on c->out that a program does not answer. Always false, to be returned. */
bool exec_failed(struct exec_call *c, const char *program, enum err e);

/* For session_copy: a line of a file that was refused, and why; ctx is the call. */
void exec_bad_line(void *ctx, const struct cfgm_file_error *e);

#include "cli/daemons.h"
/* As daemon_rows, and an error is said. */
bool exec_rows_of(struct exec_call *c, enum daemon d, uint32_t type, struct span body, size_t size, void **rows, size_t *n);
/* The configuration's snapshot; an error is said. Caller frees. */
struct cfg *exec_cfg(struct exec_call *c);

#endif
