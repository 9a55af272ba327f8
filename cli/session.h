/* The console's end of its session in configd: who is here, with which privilege, and the lines of configuration.
 *
 * The connection is the session. When configd restarts the console opens a new one and goes on; the privilege is then
 * what configd grants anew.
 */
#ifndef POSTERN_CLI_SESSION_H
#define POSTERN_CLI_SESSION_H

#include "cli/out.h"
#include "configdb/configdb.h"

struct session {
	const char *run_dir;
	struct cfgm_open who;
	struct msg_sync conn;
	struct cfgm_session info; /* as configd told it last; hostname "Router" before that */
	bool reopened;            /* the connection was lost and made again: the user has to be told */
	struct cfg_source *source;
};

void session_init(struct session *s, const char *run_dir, const char *user, const char *tty, const char *from, bool interactive);
void session_close(struct session *s);
/* Opens the session, waiting at most `wait_ms` for configd. */
enum err config_session_open(struct session *s, int wait_ms) MUST_CHECK;
/* Host name and privilege as they are now. Opens again what was lost (then s->reopened). */
enum err session_refresh(struct session *s) MUST_CHECK;

/* `password` empty: ERR_INCOMPLETE when one is needed. */
enum err config_session_enable(struct session *s, uint8_t level, const char *password) MUST_CHECK;
enum err config_session_disable(struct session *s, uint8_t level) MUST_CHECK;

enum err session_line(struct session *s, const struct cfg_mode_ctx *at, const char *line, struct cfgm_result *result) MUST_CHECK;
enum err session_config_end(struct session *s) MUST_CHECK;

/* The whole text of a configuration into *text; caller frees with mem_free. ERR_NOT_FOUND: there is none (startup). */
enum err session_text(struct session *s, const struct cfgm_text *what, char **text) MUST_CHECK;
/* Copies; refused lines go to `each`. `text` only with CFGM_TEXT_TO_RUN. */
enum err session_copy(struct session *s, enum cfgm_copy_kind kind, const char *text,
	void (*each)(void *ctx, const struct cfgm_file_error *e), void *ctx) MUST_CHECK;
enum err session_erase(struct session *s) MUST_CHECK;
enum err session_dirty(struct session *s, bool *dirty) MUST_CHECK;
/* All sessions, in the order configd tells them; *rows freed with mem_free. */
enum err session_list(struct session *s, struct cfgm_session **rows, size_t *n) MUST_CHECK;

/* The master key of type 6: CFGM_MASTER_KEY. */
enum err session_master_key(struct session *s, const struct cfgm_master_key *q) MUST_CHECK;

/* Key pairs and what needs a private key: a CFGM_KEY_… or CFGM_PK… question with the used part of `q`. The answer's bytes, NUL
 * behind them, in *text when it is not null; caller frees with mem_free. */
enum err session_pki(struct session *s, enum configd_msg type, const struct cfgm_pki *q, char **text, size_t *len) MUST_CHECK;

/* A snapshot of the configuration; caller frees with cfg_free. */
enum err session_cfg(struct session *s, struct cfg **cfg) MUST_CHECK;

#endif
