/* What changed between two snapshots, table by table. Compared field by field: padding and the bytes behind a NUL say nothing. */
#include "cfg.h"

#include <string.h>

#define SAME(f)      (a->f == b->f)
#define SAME_TEXT(f) (strcmp(a->f, b->f) == 0)

/* Equal arrays of one table, by the element's own function. */
#define ARRAY_EQUAL(name, type, equal)                                                                                             \
	static bool name(const struct type *a, size_t na, const struct type *b, size_t nb)                                         \
	{                                                                                                                          \
		if (na != nb)                                                                                                      \
			return false;                                                                                              \
		for (size_t i = 0; i < na; i++)                                                                                    \
			if (!equal(&a[i], &b[i]))                                                                                  \
				return false;                                                                                      \
		return true;                                                                                                       \
	}

static bool ip_equal(const struct cfg_ip *a, const struct cfg_ip *b)
{
	return SAME(addr) && SAME(mask);
}
ARRAY_EQUAL(ips_equal, cfg_ip, ip_equal)

static bool interface_equal(const struct cfg_interface *a, const struct cfg_interface *b)
{
	return SAME_TEXT(name) && SAME_TEXT(description) && SAME(shutdown) && ip_equal(&a->ip, &b->ip) &&
	       ips_equal(a->secondary, a->nsecondary, b->secondary, b->nsecondary) && SAME(mtu) && SAME(ip_mtu) &&
	       SAME(adjust_mss) && SAME_TEXT(acl_in) && SAME_TEXT(acl_out) && SAME_TEXT(crypto_map);
}
ARRAY_EQUAL(interfaces_equal, cfg_interface, interface_equal)

static bool route_equal(const struct cfg_route *a, const struct cfg_route *b)
{
	return SAME(prefix) && SAME(mask) && SAME(next_hop) && SAME_TEXT(interface) && SAME(distance) && SAME_TEXT(name);
}
ARRAY_EQUAL(routes_equal, cfg_route, route_equal)

static bool port_equal(const struct cfg_port *a, const struct cfg_port *b)
{
	return SAME(op) && SAME(nvalues) && memcmp(a->values, b->values, a->nvalues * sizeof(a->values[0])) == 0;
}

static bool ace_equal(const struct cfg_ace *a, const struct cfg_ace *b)
{
	return SAME(seq) && SAME(permit) && SAME(remark) && SAME_TEXT(text) && SAME(protocol) && SAME(src) && SAME(src_wild) &&
	       SAME(dst) && SAME(dst_wild) && port_equal(&a->src_port, &b->src_port) && port_equal(&a->dst_port, &b->dst_port) &&
	       SAME(icmp_type) && SAME(icmp_code) && SAME(established) && SAME(fragments) && SAME(log) && SAME(log_input) &&
	       SAME(tcp_flags_set) && SAME(tcp_flags_clear) && SAME(dscp) && SAME(precedence) && SAME(tos);
}
ARRAY_EQUAL(aces_equal, cfg_ace, ace_equal)

static bool acl_equal(const struct cfg_acl *a, const struct cfg_acl *b)
{
	return SAME_TEXT(name) && SAME(extended) && SAME(numbered) && aces_equal(a->entries, a->nentries, b->entries, b->nentries);
}
ARRAY_EQUAL(acls_equal, cfg_acl, acl_equal)

static bool policy_equal(const struct cfg_isakmp_policy *a, const struct cfg_isakmp_policy *b)
{
	return SAME(priority) && SAME(encryption) && SAME(hash) && SAME(auth) && SAME(group) && SAME(lifetime_s);
}
ARRAY_EQUAL(policies_equal, cfg_isakmp_policy, policy_equal)

static bool key_equal(const struct cfg_isakmp_key *a, const struct cfg_isakmp_key *b)
{
	return SAME(secret_id) && SAME(addr) && SAME(mask) && SAME_TEXT(host) && SAME(no_xauth) && SAME_TEXT(keyring);
}
ARRAY_EQUAL(keys_equal, cfg_isakmp_key, key_equal)

static bool id_equal(const struct cfg_id *a, const struct cfg_id *b)
{
	return SAME(kind) && SAME(addr) && SAME(mask) && SAME_TEXT(text);
}
ARRAY_EQUAL(ids_equal, cfg_id, id_equal)

static bool keyring_equal(const struct cfg_keyring *a, const struct cfg_keyring *b)
{
	return SAME_TEXT(name) && SAME_TEXT(description) && SAME(local_addr) && SAME_TEXT(local_interface);
}
ARRAY_EQUAL(keyrings_equal, cfg_keyring, keyring_equal)

static bool profile_equal(const struct cfg_isakmp_profile *a, const struct cfg_isakmp_profile *b)
{
	if (!(SAME_TEXT(name) && SAME_TEXT(description) && SAME(nkeyrings) && SAME(has_self) && id_equal(&a->self, &b->self) &&
		    SAME(ntrustpoints) && SAME(initiate_aggressive) && SAME(has_keepalive) && SAME(keepalive_s) &&
		    SAME(keepalive_retry_s) && SAME(local_addr) && SAME_TEXT(local_interface) && SAME_TEXT(client_auth_list) &&
		    SAME_TEXT(author_list) && SAME_TEXT(client_group) && SAME(config_respond) && SAME(config_initiate)))
		return false;
	for (size_t i = 0; i < a->nkeyrings; i++)
		if (!SAME_TEXT(keyrings[i]))
			return false;
	for (size_t i = 0; i < a->ntrustpoints; i++)
		if (!SAME_TEXT(trustpoints[i]))
			return false;
	return ids_equal(a->match, a->nmatch, b->match, b->nmatch);
}
ARRAY_EQUAL(profiles_equal, cfg_isakmp_profile, profile_equal)

static bool isakmp_peer_equal(const struct cfg_isakmp_peer *a, const struct cfg_isakmp_peer *b)
{
	return SAME(addr) && SAME_TEXT(host) && SAME_TEXT(description) && SAME(has_endpoint) &&
	       id_equal(&a->endpoint, &b->endpoint) && SAME(password_id);
}
ARRAY_EQUAL(isakmp_peers_equal, cfg_isakmp_peer, isakmp_peer_equal)

static bool isakmp_equal(const struct cfg_isakmp *a, const struct cfg_isakmp *b)
{
	return SAME(identity) && SAME(keepalive_s) && SAME(keepalive_retry_s) && SAME(keepalive_periodic) &&
	       SAME(nat_keepalive_s) && SAME(aggressive_disable) && SAME(invalid_spi_recovery) && SAME(fragmentation) &&
	       SAME(nat_transparency_off) && SAME(admission_sa) && SAME(admission_negotiation);
}

static bool cert_equal(const struct cfg_cert *a, const struct cfg_cert *b)
{
	return SAME(ca) && SAME(ra) && SAME(self_signed) && SAME(key_id) && SAME_TEXT(serial) && SAME(len) &&
	       memcmp(a->der, b->der, a->len) == 0;
}
ARRAY_EQUAL(certs_equal, cfg_cert, cert_equal)

static bool trustpoint_equal(const struct cfg_trustpoint *a, const struct cfg_trustpoint *b)
{
	return SAME_TEXT(name) && SAME(nrevocation) && memcmp(a->revocation, b->revocation, sizeof(a->revocation)) == 0 &&
	       SAME_TEXT(ocsp_url) && SAME(no_nonce) && SAME_TEXT(chain_parent) && SAME(terminal) && SAME(pem) &&
	       SAME(selfsigned) && SAME(pkcs12) && SAME_TEXT(subject) && SAME_TEXT(fqdn) && SAME(fqdn_none) && SAME(serial_none) &&
	       SAME(ip_none) && SAME(ip) && SAME_TEXT(ip_interface) && SAME_TEXT(rsa_label) && SAME_TEXT(ec_label) &&
	       SAME(rsa_bits) && SAME_TEXT(hash) && SAME_TEXT(url) && SAME(retry_count) && SAME(retry_period_m) &&
	       SAME_TEXT(fingerprint) && SAME(password_id) && certs_equal(a->certs, a->ncerts, b->certs, b->ncerts);
}
ARRAY_EQUAL(trustpoints_equal, cfg_trustpoint, trustpoint_equal)

static bool cert_map_equal(const struct cfg_cert_map *a, const struct cfg_cert_map *b)
{
	if (!SAME_TEXT(name) || !SAME(seq) || !SAME(nrules))
		return false;
	for (size_t i = 0; i < a->nrules; i++)
		if (!SAME(rules[i].field) || !SAME(rules[i].op) || !SAME_TEXT(rules[i].value))
			return false;
	return true;
}
ARRAY_EQUAL(cert_maps_equal, cfg_cert_map, cert_map_equal)

static bool set_equal(const struct cfg_transform_set *a, const struct cfg_transform_set *b)
{
	return SAME_TEXT(name) && SAME(cipher) && SAME(auth) && SAME(ah) && SAME(transport) && SAME(esn);
}
ARRAY_EQUAL(sets_equal, cfg_transform_set, set_equal)

static bool session_keys_equal(const struct cfg_session_keys *a, const struct cfg_session_keys *b)
{
	return SAME(ah_spi) && SAME(esp_spi) && SAME(ah_key_id) && SAME(cipher_key_id) && SAME(auth_key_id);
}

static bool map_setting_equal(const struct cfg_map *a, const struct cfg_map *b)
{
	return SAME_TEXT(name) && SAME_TEXT(local_interface) && SAME_TEXT(client_auth_list) && SAME_TEXT(author_list) &&
	       SAME(config_respond) && SAME(config_initiate);
}
ARRAY_EQUAL(map_settings_equal, cfg_map, map_setting_equal)

static bool map_entry_equal(const struct cfg_map_entry *a, const struct cfg_map_entry *b)
{
	if (!(SAME_TEXT(map) && SAME(seq) && SAME_TEXT(description) && SAME(npeers) && SAME(nsets) && SAME_TEXT(acl) && SAME(pfs) &&
		    SAME(lifetime_s) && SAME(lifetime_kb) && SAME(lifetime_kb_disabled) && SAME(kind) && SAME_TEXT(dynamic) &&
		    SAME_TEXT(profile) && SAME(per_host) && SAME(idle_s) && SAME(reverse_route) && SAME_TEXT(acl_in) &&
		    SAME_TEXT(acl_out) && session_keys_equal(&a->keys_in, &b->keys_in) &&
		    session_keys_equal(&a->keys_out, &b->keys_out)))
		return false;
	for (size_t i = 0; i < a->npeers; i++)
		if (!(SAME(peers[i].addr) && SAME_TEXT(peers[i].host) && SAME(peers[i].is_default)))
			return false;
	for (size_t i = 0; i < a->nsets; i++)
		if (!SAME_TEXT(sets[i]))
			return false;
	return true;
}
ARRAY_EQUAL(maps_equal, cfg_map_entry, map_entry_equal)

static bool aaa_equal(const struct cfg_aaa_list *a, const struct cfg_aaa_list *b)
{
	return SAME_TEXT(name) && SAME(method);
}
ARRAY_EQUAL(aaas_equal, cfg_aaa_list, aaa_equal)

static bool pool_equal(const struct cfg_pool *a, const struct cfg_pool *b)
{
	return SAME_TEXT(name) && SAME(low) && SAME(high);
}
ARRAY_EQUAL(pools_equal, cfg_pool, pool_equal)

static bool group_equal(const struct cfg_client_group *a, const struct cfg_client_group *b)
{
	return SAME_TEXT(name) && SAME(secret_id) && SAME(dns[0]) && SAME(dns[1]) && SAME(wins[0]) && SAME(wins[1]) &&
	       SAME(netmask) && SAME_TEXT(domain) && SAME_TEXT(pool) && SAME_TEXT(acl) && SAME(save_password) &&
	       SAME(include_local_lan) && SAME(max_users) && SAME(max_logins) && SAME_TEXT(banner);
}
ARRAY_EQUAL(groups_equal, cfg_client_group, group_equal)

static bool clients_equal(const struct cfg *a, const struct cfg *b)
{
	return pools_equal(a->pools, a->npools, b->pools, b->npools) &&
	       groups_equal(a->groups, a->ngroups, b->groups, b->ngroups) && SAME_TEXT(client_pool);
}

static bool aaa_all_equal(const struct cfg *a, const struct cfg *b)
{
	return SAME(aaa_new_model) && aaas_equal(a->logins, a->nlogins, b->logins, b->nlogins) &&
	       aaas_equal(a->networks, a->nnetworks, b->networks, b->nnetworks);
}

static bool user_equal(const struct cfg_user *a, const struct cfg_user *b)
{
	return SAME_TEXT(name) && SAME(privilege);
}
ARRAY_EQUAL(users_equal, cfg_user, user_equal)

static bool line_equal(const struct cfg_line *a, const struct cfg_line *b)
{
	return SAME(vty) && SAME(first) && SAME(last) && SAME(exec_timeout_s) && SAME(logging_synchronous) && SAME(login_local) &&
	       SAME(login) && SAME(length) && SAME(width) && SAME(history_size) && SAME(transport_ssh);
}
ARRAY_EQUAL(lines_equal, cfg_line, line_equal)

static bool stamps_equal(const struct cfg_stamps *a, const struct cfg_stamps *b)
{
	return SAME(kind) && SAME(msec) && SAME(localtime) && SAME(show_timezone) && SAME(year);
}

static bool system_equal(const struct cfg_system *a, const struct cfg_system *b)
{
	const char *banner_a = a->banner_motd ? a->banner_motd : "", *banner_b = b->banner_motd ? b->banner_motd : "";

	return SAME_TEXT(hostname) && strcmp(banner_a, banner_b) == 0 && stamps_equal(&a->stamp_debug, &b->stamp_debug) &&
	       stamps_equal(&a->stamp_log, &b->stamp_log) && SAME(logging_buffered) && SAME(logging_buffer_bytes) &&
	       SAME(logging_buffer_level) && SAME(logging_console) && SAME(logging_console_level) && SAME(logging_monitor) &&
	       SAME(logging_monitor_level);
}

static bool ipsec_equal(const struct cfg_ipsec *a, const struct cfg_ipsec *b)
{
	return SAME(lifetime_s) && SAME(lifetime_kb) && SAME(replay_window) && SAME(df_bit) && SAME(fragment_after) && SAME(idle_s);
}

unsigned cfg_diff(const struct cfg *a, const struct cfg *b)
{
	unsigned d = 0;

	if (!a)
		return CFG_ALL;
	if (!system_equal(&a->system, &b->system))
		d |= CFG_SYSTEM;
	if (!SAME(system.enable_secret) || !users_equal(a->users, a->nusers, b->users, b->nusers) ||
		!lines_equal(a->lines, a->nlines, b->lines, b->nlines) || !aaa_all_equal(a, b))
		d |= CFG_USERS;
	if (!interfaces_equal(a->interfaces, a->ninterfaces, b->interfaces, b->ninterfaces))
		d |= CFG_INTERFACES;
	if (!routes_equal(a->routes, a->nroutes, b->routes, b->nroutes))
		d |= CFG_ROUTES;
	if (!acls_equal(a->acls, a->nacls, b->acls, b->nacls))
		d |= CFG_ACLS;
	if (!SAME(isakmp_enabled) || !policies_equal(a->policies, a->npolicies, b->policies, b->npolicies) ||
		!keys_equal(a->keys, a->nkeys, b->keys, b->nkeys) || !isakmp_equal(&a->isakmp, &b->isakmp) ||
		!keyrings_equal(a->keyrings, a->nkeyrings, b->keyrings, b->nkeyrings) ||
		!profiles_equal(a->profiles, a->nprofiles, b->profiles, b->nprofiles) ||
		!isakmp_peers_equal(a->isakmp_peers, a->nisakmp_peers, b->isakmp_peers, b->nisakmp_peers))
		d |= CFG_ISAKMP;
	if (!clients_equal(a, b))
		d |= CFG_ISAKMP;
	if (!ipsec_equal(&a->ipsec, &b->ipsec) || !sets_equal(a->sets, a->nsets, b->sets, b->nsets))
		d |= CFG_IPSEC;
	if (!maps_equal(a->maps, a->nmaps, b->maps, b->nmaps) ||
		!maps_equal(a->dynamics, a->ndynamics, b->dynamics, b->ndynamics) ||
		!map_settings_equal(a->map_settings, a->nmap_settings, b->map_settings, b->nmap_settings))
		d |= CFG_CRYPTO_MAPS;
	if (!trustpoints_equal(a->trustpoints, a->ntrustpoints, b->trustpoints, b->ntrustpoints) ||
		!cert_maps_equal(a->cert_maps, a->ncert_maps, b->cert_maps, b->ncert_maps))
		d |= CFG_PKI;
	return d;
}
