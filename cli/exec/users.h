/* Lines and who sits at them. */
#ifndef POSTERN_CLI_EXEC_USERS_H
#define POSTERN_CLI_EXEC_USERS_H

#include "cli/out.h"
#include "configdb/configdb.h"

/* `own`: id of the session that asks. */
void show_users_format(struct out *o, const struct cfgm_session *rows, size_t n, uint32_t own);
void show_line_format(
	struct out *o, const struct cfg_line *lines, size_t nlines, const struct cfgm_session *rows, size_t n, uint32_t own);

#endif
