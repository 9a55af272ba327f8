/* show ip local pool: ranges of addresses, and who has one. */
#ifndef POSTERN_CLI_EXEC_IP_POOL_H
#define POSTERN_CLI_EXEC_IP_POOL_H

#include "cli/exec.h"
#include "ikemgr/ike_api.h"

/* `name`: that pool alone, with its addresses one by one; NULL: all, in a line each. False: there is no such pool. */
bool show_pool_format(struct out *o, const struct cfg *cfg, const struct ikem_sa *sas, size_t n, const char *name);

#endif
