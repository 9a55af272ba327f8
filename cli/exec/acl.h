/* Access-lists with their match counts. */
#ifndef POSTERN_CLI_EXEC_ACL_H
#define POSTERN_CLI_EXEC_ACL_H

#include "cli/out.h"
#include "configdb/cfg.h"
#include "datapath/dp_api.h"

void show_acl_format(struct out *o, const struct cfg_acl *acl, const struct dpm_acl_count *counts, size_t n);

#endif
