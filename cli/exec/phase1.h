/* Phase 1: who the peers are, and how many are let in. */
#ifndef POSTERN_CLI_EXEC_PHASE1_H
#define POSTERN_CLI_EXEC_PHASE1_H

#include "cli/out.h"
#include "configdb/cfg.h"
#include "ikemgr/ike_api.h"

void show_isakmp_peers_format(struct out *o, const struct ikem_sa *rows, size_t n);
void show_isakmp_profile_format(struct out *o, const struct cfg *c);
void show_admission_format(struct out *o, const struct ikem_admission *a);

#endif
