/* The log buffer. */
#ifndef POSTERN_CLI_EXEC_LOGGING_H
#define POSTERN_CLI_EXEC_LOGGING_H

#include "cli/out.h"
#include "platform/daemon/platform_api.h"

void show_logging_format(struct out *o, const struct platm_log_info *info, const struct platm_log *rows, size_t n);

#endif
