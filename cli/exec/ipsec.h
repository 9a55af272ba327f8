/* show crypto ipsec sa: gathered rows, then text. */
#ifndef POSTERN_CLI_EXEC_IPSEC_H
#define POSTERN_CLI_EXEC_IPSEC_H

#include "cli/out.h"
#include "configdb/cfg.h"
#include "datapath/dp_api.h"

/* What the screen is made of. */
struct ipsec_rows {
	const struct cfg *cfg;
	struct dpm_policy_info *policies;
	size_t npolicies;
	struct dpm_sa_info *sas;
	size_t nsas;
};

struct ipsec_filter {
	const char *interface; /* IOS name, map name; null: all */
	const char *map;
	struct addr peer; /* unset: all */
	bool detail;
};

bool flow_id_equal(const struct dp_policy_id *a, const struct dp_policy_id *b);
/* "192.168.1.0/255.255.255.0/0/0": address, mask, protocol, port of one side. */
char *selector_print(char out[128], const struct dp_selector *s, uint8_t protocol);
/* Kilobytes and seconds that an SA has left. */
uint32_t sa_kb_left(const struct dpm_sa_info *sa);
uint32_t sa_s_left(const struct dpm_sa_info *sa);
/* The peer that a policy has now: of its SAs, else the first of its map entry. */
struct addr policy_peer(const struct ipsec_rows *r, const struct dpm_policy_info *p, uint16_t *port);
struct addr policy_local(const struct ipsec_rows *r, const struct dpm_policy_info *p);
void show_ipsec_sa_format(struct out *o, const struct ipsec_rows *r, const struct ipsec_filter *f);
void show_ipsec_sa_count_format(struct out *o, const struct dpm_sa_info *sas, size_t n);

struct exec_call;
/* Gathers from datapathd and the configuration; says an error. */
bool ipsec_gather(struct exec_call *c, struct ipsec_rows *r);
void ipsec_rows_free(struct ipsec_rows *r);

#endif
