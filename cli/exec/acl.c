/* show access-lists. The entries come from the configuration, the counts from datapathd. */
#include "cli/exec/acl.h"

#include "cli/exec.h"
#include "platform/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The matches of one entry over all its uses. */
static uint64_t acl_matches(const struct dpm_acl_count *counts, size_t n, const char *acl, uint32_t seq)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (counts[i].ace_seq == seq && strcmp(counts[i].acl, acl) == 0)
			sum += counts[i].matches;
	return sum;
}

/* Standard entries read otherwise in show than in the configuration. */
static void standard_entry(struct out *o, const struct cfg_ace *e)
{
	char ip[16], wild[16];

	out_printf(o, "%s ", e->permit ? "permit" : "deny  ");
	if (e->src_wild == UINT32_MAX)
		out_printf(o, "any");
	else if (e->src_wild == 0)
		out_printf(o, "%s", ip4_print(ip, e->src));
	else
		out_printf(o, "%s, wildcard bits %s", ip4_print(ip, e->src), ip4_print(wild, e->src_wild));
	if (e->log)
		out_printf(o, " log");
}

void show_acl_format(struct out *o, const struct cfg_acl *acl, const struct dpm_acl_count *counts, size_t n)
{
	out_printf(o, "%s IP access list %s\n", acl->extended ? "Extended" : "Standard", acl->name);
	for (size_t i = 0; i < acl->nentries && !o->stopped; i++) {
		const struct cfg_ace *e = &acl->entries[i];
		uint64_t matches;

		if (e->remark)
			continue;
		out_printf(o, "    %u ", e->seq);
		if (acl->extended)
			out_printf(o, "%s", e->text);
		else
			standard_entry(o, e);
		matches = acl_matches(counts, n, acl->name, e->seq);
		if (matches > 0)
			out_printf(o, " (%" PRIu64 " match%s)", matches, matches == 1 ? "" : "es");
		out_printf(o, "\n");
	}
}

static bool show_acls(struct exec_call *c)
{
	const char *name = exec_arg(c, "acl");
	struct dpm_acl_count *counts = NULL;
	struct cfg *cfg = exec_cfg(c);
	size_t n = 0;
	bool ok;

	if (cfg == NULL)
		return false;
	ok = exec_rows_of(c, DAEMON_DATAPATH, DPM_ACL_DUMP, span_of(NULL, 0), sizeof(*counts), (void **)&counts, &n);
	for (size_t i = 0; i < cfg->nacls; i++)
		if (name == NULL || strcmp(name, cfg->acls[i].name) == 0)
			show_acl_format(c->out, &cfg->acls[i], counts, ok ? n : 0);
	mem_free(counts);
	cfg_free(cfg);
	return ok;
}

#define SHOW "Show running system information"

const struct exec_row exec_rows_acl[] = {
	{ "show access-lists [ACL$acl]", EXEC_HELP(SHOW, "List access lists", "ACL name or number"), 0, EXEC_PIPE, show_acls, 0 },
	{ "show ip access-lists [ACL$acl]", EXEC_HELP(SHOW, "IP information", "List IP access lists", "ACL name or number"), 0,
		EXEC_PIPE, show_acls, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
