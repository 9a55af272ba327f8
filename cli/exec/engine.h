/* show crypto engine brief. */
#ifndef POSTERN_CLI_EXEC_ENGINE_H
#define POSTERN_CLI_EXEC_ENGINE_H

#include "cli/out.h"
#include "datapath/dp_api.h"

void show_engine_format(struct out *o, const struct dpm_engine_info *e);

#endif
