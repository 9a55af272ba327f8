/* Finds the row of an EXEC line and runs it behind its filter. */
#include "cli/exec.h"

#include "cli/error.h"
#include "cli/pipe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct exec_row *const tables[] = { exec_rows_session, exec_rows_terminal, exec_rows_config, exec_rows_files,
	exec_rows_flash, exec_rows_system, exec_rows_users, exec_rows_logging, exec_rows_ping, exec_rows_traceroute,
	exec_rows_clear, exec_rows_connect, exec_rows_engine_active, exec_rows_debug, exec_rows_acl, exec_rows_ipsec,
	exec_rows_isakmp, exec_rows_phase1, exec_rows_map, exec_rows_crypto_session, exec_rows_capture, exec_rows_capture_show,
	exec_rows_capture_export, exec_rows_keys, exec_rows_engine, exec_rows_interfaces, exec_rows_ip, exec_rows_ip_pool,
	exec_rows_transform, exec_rows_pki_keys, exec_rows_pki_certs, exec_rows_pki_show };

static bool add_row(struct grammar *g, const struct exec_row *r, enum mode mode)
{
	const struct grammar_spec spec = { .syntax = r->syntax,
		.help = r->help,
		.mode = mode,
		.privilege = r->privilege,
		.hidden = (r->flags & EXEC_HIDDEN) != 0,
		.user = r };
	const char *why = NULL;
	enum err e = grammar_add(g, &spec, &why);

	if (e == ERR_OK)
		return true;
	fprintf(stderr, "postern: row \"%s\": %s\n", r->syntax, why == NULL ? err_text(e) : why);
	if (e != ERR_NOMEM)
		abort();
	return false;
}

static bool add_everywhere(struct grammar *g, const struct exec_row *r)
{
	if (r->mode != EXEC_ANY_CONFIG)
		return add_row(g, r, r->mode == 0 ? MODE_EXEC : (enum mode)r->mode);
	for (int m = MODE_CONFIG; m < MODE_COUNT; m++)
		if (!add_row(g, r, (enum mode)m))
			return false;
	return true;
}

struct grammar *exec_grammar(void)
{
	struct grammar *g = grammar_new();

	for (size_t i = 0; g != NULL && i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct exec_row *r = tables[i]; r->syntax != NULL; r++)
			if (!add_everywhere(g, r)) {
				grammar_free(g);
				return NULL;
			}
	return g;
}

const char *exec_arg(const struct exec_call *c, const char *name)
{
	return match_var(c->match, name);
}

bool exec_failed(struct exec_call *c, const char *program, enum err e)
{
	shell_say_error(c->out, program, e);
	return false;
}

bool exec_rows_of(struct exec_call *c, enum daemon d, uint32_t type, struct span body, size_t size, void **rows, size_t *n)
{
	enum err e = daemon_rows(c->sh->options.run_dir, d, type, body, size, rows, n);

	return e == ERR_OK || exec_failed(c, daemon_name(d), e);
}

struct cfg *exec_cfg(struct exec_call *c)
{
	struct cfg *cfg = NULL;
	enum err e = session_cfg(&c->sh->session, &cfg);

	if (e != ERR_OK)
		exec_failed(c, "configd", e);
	return e == ERR_OK ? cfg : NULL;
}

/* ---- One line ---- */

static size_t words_in(const char *line)
{
	size_t n = 0;

	while (*line != '\0') {
		while (isspace((unsigned char)*line))
			line++;
		n += *line != '\0';
		while (*line != '\0' && !isspace((unsigned char)*line))
			line++;
	}
	return n;
}

static bool refuse(struct shell *sh, const struct grammar_match *m, size_t before, const char *line)
{
	struct screen s;

	if (m->result == GR_EMPTY)
		return true;
	screen_open(sh, &s, NULL);
	/* A lone unknown word could be a host to connect to, IOS thinks. */
	if (m->result == GR_INVALID && words_in(line) == 1 && !shell_configuring(sh))
		error_unknown(&s.out);
	else if (m->result == GR_INCOMPLETE && words_in(line) == 1 && line[strspn(line, " \t")] == 's')
		out_printf(&s.out, "%% Type \"show ?\" for a list of subcommands\n");
	else
		error_match(&s.out, m->result, before, m->column, line);
	screen_close(&s, NULL);
	return false;
}

static bool refuse_pipe(struct shell *sh, enum err e, size_t column, const char *why, const char *line)
{
	struct screen s;

	screen_open(sh, &s, NULL);
	if (e == ERR_INVALID)
		error_invalid(&s.out, 0, column);
	else if (e == ERR_AMBIGUOUS)
		error_ambiguous(&s.out, line);
	else if (e == ERR_INCOMPLETE)
		error_incomplete(&s.out);
	else
		out_printf(&s.out, "%% Invalid regular expression: %s\n", why);
	screen_close(&s, NULL);
	return false;
}

static bool run_row(struct shell *sh, const struct grammar_match *m, struct pipe_filter *filter)
{
	const struct exec_row *row = m->user;
	struct screen s;
	struct exec_call call = { sh, m, &s.out };
	bool ok;

	screen_open(sh, &s, filter);
	ok = row->run(&call);
	screen_close(&s, filter);
	return ok;
}

bool exec_line(struct shell *sh, const char *line, size_t before)
{
	const uint8_t privilege = sh->session.info.privilege;
	const char *bar = pipe_find(line);
	struct grammar_match *m = calloc(1, sizeof(*m));
	struct pipe_filter filter;
	char command[TERM_LINE], why[128] = "";
	size_t column = 0;
	bool ok = false;
	enum err e;

	if (m == NULL)
		return false;
	snprintf(command, sizeof(command), "%.*s", bar == NULL ? (int)strlen(line) : (int)(bar - line), line);
	grammar_match(sh->exec, MODE_EXEC, privilege, command, m);
	if (m->result == GR_OK && bar != NULL && !(((const struct exec_row *)m->user)->flags & EXEC_PIPE))
		m->result = GR_INVALID, m->column = (size_t)(bar - line);
	if (m->result != GR_OK) {
		ok = refuse(sh, m, before, line);
	} else if (bar == NULL) {
		ok = run_row(sh, m, NULL);
	} else {
		e = pipe_parse(&filter, bar + 1, &column, why);
		column += before + (size_t)(bar + 1 - line);
		ok = e == ERR_OK ? run_row(sh, m, &filter) : refuse_pipe(sh, e, column, why, line);
	}
	free(m);
	return ok;
}

void exec_bad_line(void *ctx, const struct cfgm_file_error *e)
{
	struct exec_call *c = ctx;

	out_printf(c->out, "%s\n", e->line);
	if (strstr(e->text, "marker") != NULL)
		out_printf(c->out, "%*s^\n", (int)e->column, "");
	out_printf(c->out, "%% line %u: %s\n", e->line_no, e->text + strspn(e->text, "% "));
}
