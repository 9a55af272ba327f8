/* show crypto map: the configuration of the maps, what is incomplete, and the peer in use. */
#include "cli/exec/map.h"

#include "cli/exec.h"
#include "cli/exec/transform.h"

#include <stdio.h>
#include <string.h>

static void peers(struct out *o, const struct cfg_map_entry *e)
{
	char ip[16];

	for (size_t i = 0; i < e->npeers; i++)
		out_printf(o, "\tPeer = %s%s\n", e->peers[i].host[0] != '\0' ? e->peers[i].host : ip4_print(ip, e->peers[i].addr),
			e->peers[i].is_default ? " (default)" : "");
}

static void access_list(struct out *o, const struct cfg *cfg, const struct cfg_map_entry *e)
{
	const struct cfg_acl *acl = cfg_acl(cfg, e->acl);

	out_printf(o, "\tAccess-List SS dynamic: False\n");
	if (e->acl[0] == '\0')
		return;
	out_printf(o, "\tExtended IP access list %s\n", e->acl);
	for (size_t i = 0; acl != NULL && i < acl->nentries; i++)
		if (!acl->entries[i].remark)
			out_printf(o, "\t    access-list %s %s\n", e->acl, acl->entries[i].text);
}

static void current_peer(struct out *o, const struct ipsec_rows *r, const struct cfg_map_entry *e)
{
	char ip[ADDR_TEXT];
	uint16_t port;

	for (size_t i = 0; i < r->npolicies; i++)
		if (r->policies[i].id.map_seq == e->seq && strcmp(r->policies[i].id.map, e->map) == 0) {
			out_printf(o, "\tCurrent peer: %s\n", addr_print(ip, policy_peer(r, &r->policies[i], &port)));
			return;
		}
	if (e->npeers > 0 && e->peers[0].host[0] == '\0')
		out_printf(o, "\tCurrent peer: %s\n", addr_print(ip, addr_v4(e->peers[0].addr)));
}

static void transform_sets(struct out *o, const struct cfg *cfg, const struct cfg_map_entry *e)
{
	char text[TRANSFORM_TEXT];

	out_printf(o, "\tTransform sets={\n");
	for (size_t i = 0; i < e->nsets; i++) {
		const struct cfg_transform_set *s = cfg_transform_set(cfg, e->sets[i]);

		out_printf(o, "\t\t%s:  { %s } ,\n", e->sets[i], s == NULL ? "" : transform_print(text, s->cipher, s->auth));
	}
	out_printf(o, "\t}\n");
}

static void interfaces_of(struct out *o, const struct cfg *cfg, const char *map)
{
	out_printf(o, "\tInterfaces using crypto map %s:\n", map);
	for (size_t i = 0; i < cfg->ninterfaces; i++)
		if (strcmp(cfg->interfaces[i].crypto_map, map) == 0)
			out_printf(o, "\t\t%s\n", cfg->interfaces[i].name);
	out_printf(o, "\n");
}

static void one_entry(struct out *o, const struct ipsec_rows *r, const struct cfg_map_entry *e)
{
	const struct cfg *cfg = r->cfg;
	const char *fault = cfg_map_entry_fault(cfg, e);
	uint32_t kb = e->lifetime_kb_disabled ? 0 : e->lifetime_kb > 0 ? e->lifetime_kb : cfg->ipsec.lifetime_kb;

	out_printf(o, "Crypto Map IPv4 \"%s\" %u ipsec-isakmp\n", e->map, e->seq);
	if (e->description[0] != '\0')
		out_printf(o, "\tDescription: %s\n", e->description);
	if (fault != NULL)
		out_printf(o, "\tWARNING: This crypto map is in an incomplete state!\n\t\t(%s)\n", fault);
	peers(o, e);
	access_list(o, cfg, e);
	current_peer(o, r, e);
	lifetime_print(o, "\t", kb, e->lifetime_s > 0 ? e->lifetime_s : cfg->ipsec.lifetime_s);
	out_printf(o, "\tDualstack (Y/N): N\n\n\tResponder-Only (Y/N): N\n\tPFS (Y/N): %c\n", e->pfs == GROUP_NONE ? 'N' : 'Y');
	if (e->pfs != GROUP_NONE)
		out_printf(o, "\tDH group:  group%u\n", e->pfs);
	out_printf(o, "\tMixed-mode : Disabled\n");
	transform_sets(o, cfg, e);
}

static bool used_by(const struct cfg *cfg, const char *map, const char *interface)
{
	const struct cfg_interface *i = interface == NULL ? NULL : cfg_interface(cfg, interface);

	return interface == NULL || (i != NULL && strcmp(i->crypto_map, map) == 0);
}

void show_map_format(struct out *o, const struct ipsec_rows *r, const char *map, const char *interface)
{
	const struct cfg *cfg = r->cfg;
	size_t shown = 0;

	for (size_t i = 0; i < cfg->nmaps && !o->stopped; i++) {
		const struct cfg_map_entry *e = &cfg->maps[i];

		if ((map != NULL && strcmp(map, e->map) != 0) || !used_by(cfg, e->map, interface))
			continue;
		one_entry(o, r, e);
		interfaces_of(o, cfg, e->map);
		shown++;
	}
	if (shown == 0)
		out_printf(o, "No crypto maps found.\n");
}

static bool show_map(struct exec_call *c)
{
	struct ipsec_rows r;

	if (!ipsec_gather(c, &r)) {
		r = (struct ipsec_rows){ .cfg = exec_cfg(c) };
		if (r.cfg == NULL)
			return false;
	}
	show_map_format(c->out, &r, exec_arg(c, "tag"), exec_arg(c, "interface"));
	ipsec_rows_free(&r);
	return true;
}

#define HEAD "Show running system information", "Encryption module", "Crypto maps"

const struct exec_row exec_rows_map[] = {
	{ "show crypto map [tag TAG$tag|interface INTERFACE$interface]",
		EXEC_HELP(HEAD, "Crypto maps with a given tag", "Crypto map tag", "Crypto maps for an interface", "Interface"), 0,
		EXEC_PIPE, show_map, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
