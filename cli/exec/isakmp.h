/* Phase 1: SAs, policies, keys. */
#ifndef POSTERN_CLI_EXEC_ISAKMP_H
#define POSTERN_CLI_EXEC_ISAKMP_H

#include "cli/out.h"
#include "configdb/cfg.h"
#include "ikemgr/ike_api.h"

/* Capabilities as letters, "DN"; empty when there are none. */
char *isakmp_capabilities(char out[8], const struct ikem_sa *sa);
void show_isakmp_sa_format(struct out *o, const struct ikem_sa *rows, size_t n);
void show_isakmp_sa_detail_format(struct out *o, const struct ikem_sa *rows, size_t n);
void show_isakmp_sa_count_format(struct out *o, const struct ikem_sa *rows, size_t n);
void show_isakmp_policy_format(struct out *o, const struct cfg_isakmp_policy *rows, size_t n);
void show_isakmp_key_format(struct out *o, const struct cfg_isakmp_key *rows, size_t n);

#endif
