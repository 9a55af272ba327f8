/* show crypto engine connections active. */
#ifndef POSTERN_CLI_EXEC_ENGINE_ACTIVE_H
#define POSTERN_CLI_EXEC_ENGINE_ACTIVE_H

#include "cli/out.h"
#include "datapath/dp_api.h"
#include "ikemgr/ike_api.h"

void show_engine_active_format(struct out *o, const struct dpm_sa_info *sas, size_t nsas, const struct ikem_sa *ike, size_t nike);

#endif
