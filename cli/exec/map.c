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

		out_printf(o, "\t\t%s:  { %s } ,\n", e->sets[i], s == NULL ? "" : transform_print(text, s->ah, s->cipher, s->auth));
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

static void session_keys(struct out *o, const char *direction, const struct cfg_session_keys *k)
{
	if (k->esp_spi != 0)
		out_printf(o, "\t%s esp spi: %u,\n\t cipher key: <%u bytes>,\n\t auth_key: <%u bytes>,\n", direction, k->esp_spi,
			k->cipher_len, k->auth_len);
	if (k->ah_spi != 0)
		out_printf(o, "\t%s ah spi: %u,\n\t key: <%u bytes>,\n", direction, k->ah_spi, k->ah_len);
}

static void access_groups(struct out *o, const struct cfg_map_entry *e)
{
	if (e->acl_in[0] != '\0')
		out_printf(o, "\tAccess check on clear packets, in: %s\n", e->acl_in);
	if (e->acl_out[0] != '\0')
		out_printf(o, "\tAccess check on clear packets, out: %s\n", e->acl_out);
}

static void negotiated(struct out *o, const struct cfg *cfg, const struct cfg_map_entry *e, bool responder)
{
	uint32_t kb = e->lifetime_kb_disabled ? 0 : e->lifetime_kb > 0 ? e->lifetime_kb : cfg->ipsec.lifetime_kb;
	uint32_t idle_s = e->idle_s > 0 ? e->idle_s : cfg->ipsec.idle_s;

	if (e->profile[0] != '\0')
		out_printf(o, "\tISAKMP Profile: %s\n", e->profile);
	lifetime_print(o, "\t", kb, e->lifetime_s > 0 ? e->lifetime_s : cfg->ipsec.lifetime_s);
	if (idle_s > 0)
		out_printf(o, "\tSecurity association idletime: %u seconds\n", idle_s);
	if (e->per_host)
		out_printf(o, "\tSecurity association level: per-host\n");
	out_printf(o, "\tDualstack (Y/N): N\n\n\tResponder-Only (Y/N): %c\n\tPFS (Y/N): %c\n", responder ? 'Y' : 'N',
		e->pfs == GROUP_NONE ? 'N' : 'Y');
	if (e->pfs != GROUP_NONE)
		out_printf(o, "\tDH group:  group%u\n", e->pfs);
	out_printf(o, "\tMixed-mode : Disabled\n");
}

static void reverse_route(struct out *o, const struct cfg_map_entry *e)
{
	if (e->reverse_route != RRI_OFF)
		out_printf(o, "\tReverse Route Injection Enabled%s\n", e->reverse_route == RRI_STATIC ? " (static)" : "");
}

static void fault(struct out *o, const struct cfg *cfg, const struct cfg_map_entry *e)
{
	const char *why = cfg_map_entry_fault(cfg, e);

	if (why != NULL)
		out_printf(o, "\tWARNING: This crypto map is in an incomplete state!\n\t\t(%s)\n", why);
}

static void one_entry(struct out *o, const struct ipsec_rows *r, const struct cfg_map_entry *e)
{
	const struct cfg *cfg = r->cfg;

	out_printf(o, "Crypto Map IPv4 \"%s\" %u %s\n", e->map, e->seq, e->kind == MAP_MANUAL ? "ipsec-manual" : "ipsec-isakmp");
	if (e->kind == MAP_DYNAMIC) {
		out_printf(o, "\tDynamic map template tag: %s\n", e->dynamic);
		fault(o, cfg, e);
		return;
	}
	if (e->description[0] != '\0')
		out_printf(o, "\tDescription: %s\n", e->description);
	fault(o, cfg, e);
	peers(o, e);
	access_list(o, cfg, e);
	access_groups(o, e);
	current_peer(o, r, e);
	if (e->kind == MAP_MANUAL) {
		session_keys(o, "Inbound", &e->keys_in);
		session_keys(o, "Outbound", &e->keys_out);
	} else {
		negotiated(o, cfg, e, false);
	}
	transform_sets(o, cfg, e);
	reverse_route(o, e);
}

static void one_dynamic(struct out *o, const struct cfg *cfg, const struct cfg_map_entry *e)
{
	out_printf(o, "Crypto Map Template \"%s\" %u\n", e->map, e->seq);
	if (e->description[0] != '\0')
		out_printf(o, "\tDescription: %s\n", e->description);
	fault(o, cfg, e);
	peers(o, e);
	if (e->acl[0] == '\0')
		out_printf(o, "\tNo matching address list set.\n");
	else
		access_list(o, cfg, e);
	access_groups(o, e);
	negotiated(o, cfg, e, true);
	transform_sets(o, cfg, e);
	reverse_route(o, e);
}

/* The address that a map's IKE and ESP have, where it is not that of the interface. */
static void local_address(struct out *o, const struct cfg *cfg, const char *map)
{
	const struct cfg_map *m = cfg_map_settings(cfg, map);
	const struct cfg_interface *i = m == NULL ? NULL : cfg_interface(cfg, m->local_interface);
	char ip[16];

	if (m == NULL || m->local_interface[0] == '\0')
		return;
	out_printf(o, "Crypto Map: \"%s\" idb: %s local address: %s\n\n", map, m->local_interface,
		i == NULL || i->ip.mask == 0 ? "none" : ip4_print(ip, i->ip.addr));
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
		if (i == 0 || strcmp(e->map, e[-1].map) != 0)
			local_address(o, cfg, e->map);
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

void show_dynamic_map_format(struct out *o, const struct cfg *cfg, const char *map)
{
	size_t shown = 0;

	for (size_t i = 0; i < cfg->ndynamics && !o->stopped; i++) {
		if (map != NULL && strcmp(map, cfg->dynamics[i].map) != 0)
			continue;
		one_dynamic(o, cfg, &cfg->dynamics[i]);
		out_printf(o, "\n");
		shown++;
	}
	if (shown == 0)
		out_printf(o, "No crypto dynamic maps found.\n");
}

static bool show_dynamic_map(struct exec_call *c)
{
	const struct cfg *cfg = exec_cfg(c);

	if (cfg != NULL)
		show_dynamic_map_format(c->out, cfg, exec_arg(c, "tag"));
	return cfg != NULL;
}

#define HEAD "Show running system information", "Encryption module", "Crypto maps"

const struct exec_row exec_rows_map[] = {
	{ "show crypto map [tag TAG$tag|interface INTERFACE$interface]",
		EXEC_HELP(HEAD, "Crypto maps with a given tag", "Crypto map tag", "Crypto maps for an interface", "Interface"), 0,
		EXEC_PIPE, show_map, 0 },
	{ "show crypto dynamic-map [tag TAG$tag]",
		EXEC_HELP("Show running system information", "Encryption module", "Crypto map templates",
			"Crypto maps with a given tag", "Crypto map tag"),
		0, EXEC_PIPE, show_dynamic_map, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
