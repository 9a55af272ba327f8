/* The snapshot's part about crypto maps and dynamic maps. */
#include "configdb/snapshot_impl.h"

#include "configdb/model/crypto_map.h"

#include <stdlib.h>
#include <string.h>

static void entry_load(struct cfg_map_entry *e, const struct values *v)
{
	const char *pfs = value_get(v, "pfs");

	load_text(e->map, sizeof e->map, v, "name");
	e->seq = (uint16_t)load_number(v, "seq", 0);
	load_text(e->description, sizeof e->description, v, "description");
	load_text(e->acl, sizeof e->acl, v, "acl");
	e->pfs = pfs ? (enum alg_group)strtoul(pfs + strcspn(pfs, "0123456789"), NULL, 10) : GROUP_NONE;
	e->lifetime_s = load_number(v, "lifetime_s", 0);
	e->lifetime_kb = load_number(v, "lifetime_kb", 0);
	e->lifetime_kb_disabled = value_get(v, "kb_disabled") != NULL;
	load_text(e->dynamic, sizeof e->dynamic, v, "dynamic");
	e->kind = value_get(v, "manual") ? MAP_MANUAL : e->dynamic[0] ? MAP_DYNAMIC : MAP_ISAKMP;
	load_text(e->profile, sizeof e->profile, v, "profile");
	e->per_host = value_get(v, "level") != NULL;
	e->idle_s = load_number(v, "idle_s", 0);
	e->reverse_route = value_get(v, "rri_static") ? RRI_STATIC : value_get(v, "reverse_route") ? RRI_ON : RRI_OFF;
	load_text(e->acl_in, sizeof e->acl_in, v, "acl_in");
	load_text(e->acl_out, sizeof e->acl_out, v, "acl_out");
}

static void map_row(struct loader *l, struct values *v)
{
	bool dynamic = !strcmp(value_or(v, "class", ""), CLASS_DYNAMIC);
	struct cfg_map_entry *e =
		dynamic ? LOAD_MORE(l, l->cfg->dynamics, l->cfg->ndynamics) : LOAD_MORE(l, l->cfg->maps, l->cfg->nmaps);

	if (e)
		entry_load(e, v);
}

static struct cfg_map_entry *entry_of(struct loader *l, struct values *v)
{
	bool dynamic = !strcmp(value_or(v, "class", ""), CLASS_DYNAMIC);
	struct cfg_map_entry *entries = dynamic ? l->cfg->dynamics : l->cfg->maps;
	size_t n = dynamic ? l->cfg->ndynamics : l->cfg->nmaps;
	uint32_t seq = load_number(v, "seq", 0);

	for (size_t i = 0; i < n; i++)
		if (entries[i].seq == seq && !strcmp(entries[i].map, value_or(v, "map", "")))
			return &entries[i];
	return NULL;
}

static void peer_row(struct loader *l, struct values *v)
{
	struct cfg_map_entry *e = entry_of(l, v);

	if (!e || e->npeers == CFG_MAP_PEERS)
		return;
	size_t i = e->npeers++;
	e->peers[i].addr = load_ip(v, "addr", 0);
	load_text(e->peers[i].host, sizeof e->peers[i].host, v, "host");
	e->peers[i].is_default = value_get(v, "is_default") != NULL;
}

static void map_set_row(struct loader *l, struct values *v)
{
	struct cfg_map_entry *e = entry_of(l, v);

	if (e && e->nsets < CFG_MAP_SETS)
		load_text(e->sets[e->nsets++], CFG_NAME, v, "name");
}

static uint64_t load_id(const struct values *v, const char *column)
{
	return strtoull(value_or(v, column, "0"), NULL, 10);
}

static void session_key_row(struct loader *l, struct values *v)
{
	struct cfg_map_entry *e = entry_of(l, v);

	if (!e)
		return;
	struct cfg_session_keys *k = !strcmp(value_or(v, "direction", ""), "inbound") ? &e->keys_in : &e->keys_out;
	k->ah_spi = load_number(v, "ah_spi", 0);
	k->esp_spi = load_number(v, "esp_spi", 0);
	k->ah_key_id = load_id(v, "ah_key");
	k->cipher_key_id = load_id(v, "cipher_key");
	k->auth_key_id = load_id(v, "auth_key");
	k->ah_len = (uint8_t)load_number(v, "ah_len", 0);
	k->cipher_len = (uint8_t)load_number(v, "cipher_len", 0);
	k->auth_len = (uint8_t)load_number(v, "auth_len", 0);
}

static void setting_row(struct loader *l, struct values *v)
{
	struct cfg_map *m = LOAD_MORE(l, l->cfg->map_settings, l->cfg->nmap_settings);

	if (!m)
		return;
	load_text(m->name, sizeof m->name, v, "name");
	load_text(m->local_interface, sizeof m->local_interface, v, "local_interface");
	load_text(m->client_auth_list, sizeof m->client_auth_list, v, "client_auth");
	load_text(m->author_list, sizeof m->author_list, v, "author");
	m->config_respond = value_get(v, "config_respond") != NULL;
	m->config_initiate = value_get(v, "config_initiate") != NULL;
}

void load_maps(struct loader *l)
{
	load_rows(l, "SELECT * FROM crypto_map ORDER BY class, name, seq", NOPARAMS, map_row);
	load_rows(l, "SELECT * FROM map_peer ORDER BY class, map, seq, ord", NOPARAMS, peer_row);
	load_rows(l, "SELECT * FROM map_set ORDER BY class, map, seq, ord", NOPARAMS, map_set_row);
	load_rows(l, "SELECT * FROM session_key", NOPARAMS, session_key_row);
	load_rows(l, "SELECT * FROM map_setting ORDER BY name", NOPARAMS, setting_row);
}
