/* Questions to a snapshot, and names of interfaces. Pure functions over struct cfg. */
#include "cfg.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct cfg_acl *cfg_acl(const struct cfg *c, const char *name)
{
	for (size_t i = 0; *name && i < c->nacls; i++)
		if (strcmp(c->acls[i].name, name) == 0)
			return &c->acls[i];
	return NULL;
}

const struct cfg_interface *cfg_interface(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->ninterfaces; i++)
		if (strcmp(c->interfaces[i].name, name) == 0)
			return &c->interfaces[i];
	return NULL;
}

const struct cfg_interface *cfg_interface_by_ifname(const struct cfg *c, const char *ifname)
{
	for (size_t i = 0; i < c->ninterfaces; i++)
		if (strcmp(c->interfaces[i].ifname, ifname) == 0)
			return &c->interfaces[i];
	return NULL;
}

const struct cfg_transform_set *cfg_transform_set(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->nsets; i++)
		if (strcmp(c->sets[i].name, name) == 0)
			return &c->sets[i];
	return NULL;
}

const struct cfg_map_entry *cfg_map_first(const struct cfg *c, const char *name)
{
	for (size_t i = 0; *name && i < c->nmaps; i++)
		if (strcmp(c->maps[i].map, name) == 0)
			return &c->maps[i];
	return NULL;
}

const struct cfg_map_entry *cfg_map_next(const struct cfg *c, const struct cfg_map_entry *e)
{
	const struct cfg_map_entry *next = e + 1;

	if (next >= c->maps + c->nmaps || strcmp(next->map, e->map) != 0)
		return NULL;
	return next;
}

const struct cfg_map_entry *cfg_dynamic_first(const struct cfg *c, const char *name)
{
	for (size_t i = 0; *name && i < c->ndynamics; i++)
		if (strcmp(c->dynamics[i].map, name) == 0)
			return &c->dynamics[i];
	return NULL;
}

const struct cfg_map_entry *cfg_dynamic_next(const struct cfg *c, const struct cfg_map_entry *e)
{
	const struct cfg_map_entry *next = e + 1;

	if (next >= c->dynamics + c->ndynamics || strcmp(next->map, e->map) != 0)
		return NULL;
	return next;
}

const struct cfg_map *cfg_map_settings(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->nmap_settings; i++)
		if (strcmp(c->map_settings[i].name, name) == 0)
			return &c->map_settings[i];
	return NULL;
}

const struct cfg_isakmp_key *cfg_key_in(const struct cfg *c, const char *keyring, uint32_t peer)
{
	const struct cfg_isakmp_key *best = NULL;

	for (size_t i = 0; i < c->nkeys; i++) {
		const struct cfg_isakmp_key *k = &c->keys[i];

		if (k->host[0] || ((peer ^ k->addr) & k->mask) || strcmp(k->keyring, keyring) != 0)
			continue;
		if (!best || k->mask > best->mask)
			best = k;
	}
	return best;
}

const struct cfg_isakmp_key *cfg_key_for(const struct cfg *c, uint32_t peer)
{
	return cfg_key_in(c, "", peer);
}

const struct cfg_isakmp_key *cfg_key_named(const struct cfg *c, const char *keyring, const char *host)
{
	for (size_t i = 0; i < c->nkeys; i++)
		if (c->keys[i].host[0] && strcasecmp(c->keys[i].host, host) == 0 && strcmp(c->keys[i].keyring, keyring) == 0)
			return &c->keys[i];
	return NULL;
}

const struct cfg_keyring *cfg_keyring(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->nkeyrings; i++)
		if (strcmp(c->keyrings[i].name, name) == 0)
			return &c->keyrings[i];
	return NULL;
}

const struct cfg_isakmp_profile *cfg_isakmp_profile(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->nprofiles; i++)
		if (strcmp(c->profiles[i].name, name) == 0)
			return &c->profiles[i];
	return NULL;
}

const struct cfg_isakmp_peer *cfg_isakmp_peer(const struct cfg *c, uint32_t addr)
{
	for (size_t i = 0; i < c->nisakmp_peers; i++)
		if (!c->isakmp_peers[i].host[0] && c->isakmp_peers[i].addr == addr)
			return &c->isakmp_peers[i];
	return NULL;
}

const struct cfg_isakmp_peer *cfg_isakmp_peer_named(const struct cfg *c, const char *host)
{
	for (size_t i = 0; i < c->nisakmp_peers; i++)
		if (c->isakmp_peers[i].host[0] && strcasecmp(c->isakmp_peers[i].host, host) == 0)
			return &c->isakmp_peers[i];
	return NULL;
}

bool cfg_local_fits(const struct cfg *c, uint32_t addr, const char *interface, uint32_t local)
{
	const struct cfg_interface *i = interface[0] ? cfg_interface(c, interface) : NULL;

	if (interface[0])
		return i && i->ip.mask && i->ip.addr == local;
	return !addr || addr == local;
}

const struct cfg_client_group *cfg_client_group(const struct cfg *c, const char *name)
{
	for (size_t i = 0; *name && i < c->ngroups; i++)
		if (strcmp(c->groups[i].name, name) == 0)
			return &c->groups[i];
	return NULL;
}

static const struct cfg_aaa_list *aaa_list(const struct cfg_aaa_list *lists, size_t n, const char *name)
{
	for (size_t i = 0; *name && i < n; i++)
		if (strcmp(lists[i].name, name) == 0)
			return &lists[i];
	return NULL;
}

const struct cfg_aaa_list *cfg_login_list(const struct cfg *c, const char *name)
{
	return aaa_list(c->logins, c->nlogins, name);
}

const struct cfg_aaa_list *cfg_network_list(const struct cfg *c, const char *name)
{
	return aaa_list(c->networks, c->nnetworks, name);
}

static bool has_local(const struct cfg *c, const struct cfg_interface *i)
{
	const struct cfg_map *m = cfg_map_settings(c, i->crypto_map);

	return m && m->local_interface[0];
}

const struct cfg_interface *cfg_map_local(const struct cfg *c, const struct cfg_interface *i)
{
	return has_local(c, i) ? cfg_interface(c, cfg_map_settings(c, i->crypto_map)->local_interface) : i;
}

const struct cfg_interface *cfg_map_owner(const struct cfg *c, const struct cfg_interface *i)
{
	for (size_t k = 0; has_local(c, i) && k < c->ninterfaces; k++)
		if (strcmp(c->interfaces[k].crypto_map, i->crypto_map) == 0)
			return &c->interfaces[k];
	return i;
}

/* What is ours: type and highest number. */
static const struct iftype {
	const char *name;
	bool slot; /* "0/" stands before the number */
	unsigned long max;
} iftypes[] = {
	{ "GigabitEthernet", true, 255 },
	{ "Loopback", false, 2147483647 },
};

/* The number behind the type's word, 0/N or N; false when anything else is there. */
static bool ifnumber(const struct iftype *t, const char *text, unsigned long *number)
{
	char *end;

	if (t->slot) {
		if (strncmp(text, "0/", 2) != 0)
			return false;
		text += 2;
	}
	if (!isdigit((unsigned char)*text) || strlen(text) > 10)
		return false;
	*number = strtoul(text, &end, 10);
	return !*end && *number <= t->max;
}

enum err ifname_parse(char ios[CFG_NAME], char kernel[16], const char *text)
{
	size_t letters = strcspn(text, " 0123456789/-.");
	const char *rest = text + letters;
	unsigned long number;

	while (*rest == ' ')
		rest++;
	if (!letters)
		return ERR_INVALID;
	for (size_t i = 0; i < sizeof(iftypes) / sizeof(iftypes[0]); i++) {
		const struct iftype *t = &iftypes[i];

		if (strncasecmp(text, t->name, letters) != 0)
			continue;
		if (!ifnumber(t, rest, &number))
			return ERR_INVALID;
		snprintf(ios, CFG_NAME, "%s%s%lu", t->name, t->slot ? "0/" : "", number);
		snprintf(kernel, 16, t->slot ? "gi0-%lu" : "loop%lu", number);
		return ERR_OK;
	}
	return ERR_INVALID;
}

void ifname_short(char out[16], const char *ios)
{
	const char *number = ios + strcspn(ios, "0123456789");

	snprintf(out, 16, "%.2s%s", ios, number);
}

const struct cfg_trustpoint *cfg_trustpoint(const struct cfg *c, const char *name)
{
	for (size_t i = 0; i < c->ntrustpoints; i++)
		if (strcmp(c->trustpoints[i].name, name) == 0)
			return &c->trustpoints[i];
	return NULL;
}
