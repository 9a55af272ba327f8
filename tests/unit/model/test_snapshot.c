/* What programs read is what was typed: the sample configuration as struct cfg; files saved and taken back. */
#include "helper.h"
#include "platform/base/mem.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t ip(const char *text)
{
	uint32_t v;
	assert_int_equal(ip4_parse(&v, text), ERR_OK);
	return v;
}

static const struct cfg_ace *ace(const struct cfg *c, const char *list, const char *text)
{
	const struct cfg_acl *l = cfg_acl(c, list);
	assert_non_null(l);
	for (size_t i = 0; i < l->nentries; i++)
		if (!strcmp(l->entries[i].text, text))
			return &l->entries[i];
	fail_msg("no \"%s\" in %s", text, list);
	return NULL;
}

static void check_system(const struct cfg *c)
{
	const struct cfg_system *s = &c->system;
	assert_string_equal(s->hostname, "R1");
	assert_string_equal(s->banner_motd, "\n  Authorised access only!\n  Second line, with # and ! in it\n");
	assert_int_equal(s->stamp_debug.kind, STAMP_NONE);
	assert_true(s->stamp_log.msec && s->stamp_log.localtime && s->stamp_log.show_timezone && s->stamp_log.year);
	assert_true(s->logging_buffered && s->logging_buffer_bytes == 51200 && s->logging_buffer_level == 4);
	assert_true(!s->logging_console && s->logging_monitor_level == 3 && s->enable_secret);
	assert_int_equal(c->nusers, 3);
	assert_string_equal(c->users[0].name, "admin");
	assert_int_equal(c->users[0].privilege, 15);
	assert_int_equal(c->users[1].privilege, 1);
	assert_int_equal(c->users[2].privilege, 0);
	assert_true(!c->lines[0].vty && !c->lines[0].exec_timeout_s && c->lines[0].logging_synchronous && !c->lines[0].login);
	assert_int_equal(c->lines[0].history_size, 100);
	assert_true(c->lines[1].vty && c->lines[1].exec_timeout_s == 330 && c->lines[1].login_local && c->lines[1].transport_ssh);
	assert_int_equal(c->lines[1].width, 132);
	assert_true(!c->lines[c->nlines - 1].login && !c->lines[c->nlines - 1].transport_ssh);
}

static void check_crypto(const struct cfg *c)
{
	assert_false(c->isakmp_enabled);
	assert_int_equal(c->npolicies, 4);
	const struct cfg_isakmp_policy *p = c->policies;
	assert_true(p[0].priority == 1 && p[0].encryption == CIPHER_DES && p[0].hash == HASH_SHA1 && p[0].auth == 1 &&
		    p[0].group == GROUP_1);
	assert_int_equal(p[0].lifetime_s, 86400);
	assert_true(p[1].priority == 10 && p[1].encryption == CIPHER_AES256 && p[1].hash == HASH_SHA256 && p[1].group == GROUP_14);
	assert_true(p[2].priority == 20 && p[2].auth == 10 && p[2].hash == HASH_SHA384);
	assert_true(p[3].priority == 10000 && p[3].auth == 3 && p[3].encryption == CIPHER_3DES && p[3].hash == HASH_MD5);
	assert_true(c->ipsec.lifetime_s == 120 && !c->ipsec.lifetime_kb && !c->ipsec.replay_window);
	assert_true(c->ipsec.df_bit == DF_CLEAR && c->ipsec.fragment_after);
	const struct cfg_transform_set *t = cfg_transform_set(c, "AES");
	assert_true(t && t->cipher == CIPHER_AES256 && t->auth == HASH_SHA256 && !t->transport);
	t = cfg_transform_set(c, "GMAC");
	assert_true(t && t->cipher == CIPHER_AES192_GMAC && t->auth == HASH_NONE);
	t = cfg_transform_set(c, "AUTH");
	assert_true(t && t->cipher == CIPHER_NULL && t->auth == HASH_SHA1 && t->ah == HASH_NONE && !t->esn);
	t = cfg_transform_set(c, "AH");
	assert_true(t && t->cipher == CIPHER_NONE && t->auth == HASH_NONE && t->ah == HASH_SHA256 && t->transport);
	t = cfg_transform_set(c, "AH-ESP");
	assert_true(t && t->cipher == CIPHER_AES128 && t->auth == HASH_SHA1 && t->ah == HASH_MD5 && !t->transport && t->esn);
	t = cfg_transform_set(c, "CMAC");
	assert_true(t && t->cipher == CIPHER_AES192_CTR && t->auth == HASH_AES_CMAC && t->ah == HASH_AES_CMAC);
	assert_string_equal(cfg_set_ikev1_fault(t), "it has no number for esp-aes-cmac");
	t = cfg_transform_set(c, "CAM");
	assert_true(t && t->cipher == CIPHER_CAMELLIA256 && t->auth == HASH_AES_XCBC && !cfg_set_ikev1_fault(t));
	const struct cfg_map_entry *e = cfg_map_first(c, "VPN");
	assert_true(e && e->seq == 10 && e->npeers == 2 && e->nsets == 3 && e->pfs == GROUP_14);
	assert_true(e->peers[0].addr == ip("198.51.100.2") && !e->peers[0].is_default && e->peers[1].is_default);
	assert_string_equal(e->sets[1], "GCM");
	assert_string_equal(e->acl, "VPN-TRAFFIC");
	assert_true(e->lifetime_s == 3600 && e->lifetime_kb == 2560 && !e->lifetime_kb_disabled);
	e = cfg_map_next(c, e);
	assert_true(e && e->seq == 20 && e->lifetime_kb_disabled && e->pfs == GROUP_NONE);
}

static void check_maps(const struct cfg *c)
{
	const struct cfg_map_entry *e = cfg_map_first(c, "VPN");
	assert_true(c->ipsec.idle_s == 900 && c->nmaps == 5 && c->ndynamics == 2);
	assert_true(e->kind == MAP_ISAKMP && e->per_host && e->idle_s == 60 && e->reverse_route == RRI_STATIC);
	assert_string_equal(e->profile, "BRANCH");
	assert_null(cfg_map_entry_fault(c, e));
	e = cfg_map_next(c, cfg_map_next(c, e));
	assert_true(e && e->seq == 65535 && e->kind == MAP_DYNAMIC && !cfg_map_next(c, e));
	assert_string_equal(e->dynamic, "ROAD");
	assert_null(cfg_map_entry_fault(c, e));
	const struct cfg_map_entry *d = cfg_dynamic_first(c, "ROAD");
	assert_true(d && d->seq == 5 && d->idle_s == 600 && d->reverse_route == RRI_ON && !d->npeers && d->pfs == GROUP_20);
	assert_string_equal(cfg_map_entry_fault(c, d), "isakmp profile ROADS does not exist");
	d = cfg_dynamic_next(c, d);
	assert_true(d && d->seq == 10 && d->npeers == 1 && d->nsets == 2 && !cfg_dynamic_next(c, d));
	assert_null(cfg_map_entry_fault(c, d));
	e = cfg_map_next(c, cfg_map_first(c, "OTHER"));
	assert_true(e->kind == MAP_MANUAL && e->reverse_route == RRI_ON);
	assert_string_equal(e->acl_in, "CLEAR");
	assert_string_equal(e->acl_out, "101");
	assert_string_equal(cfg_map_entry_fault(c, e), "no inbound esp session key");
	assert_string_equal(cfg_map_settings(c, "VPN")->local_interface, "Loopback0");
	assert_null(cfg_map_settings(c, "ROAD"));
}

static void check_isakmp(const struct cfg *c)
{
	const struct cfg_isakmp *s = &c->isakmp;
	assert_true(s->identity == CFG_ID_HOST && s->keepalive_s == 30 && s->keepalive_retry_s == 5 && s->keepalive_periodic);
	assert_true(s->nat_keepalive_s == 15 && s->aggressive_disable && s->invalid_spi_recovery && s->fragmentation);
	assert_true(s->nat_transparency_off && s->admission_sa == 500 && s->admission_negotiation == 50);
	assert_int_equal(c->nkeyrings, 2);
	const struct cfg_keyring *k = cfg_keyring(c, "BRANCHES");
	assert_string_equal(k->local_interface, "GigabitEthernet0/0");
	assert_int_equal(cfg_keyring(c, "HQ")->local_addr, ip("203.0.113.1"));
	const struct cfg_isakmp_peer *p = cfg_isakmp_peer(c, ip("198.51.100.2"));
	assert_true(p && p->has_endpoint && p->endpoint.kind == CFG_ID_HOST && !p->password_id);
	assert_string_equal(p->endpoint.text, "r1.example.org");
	p = cfg_isakmp_peer(c, ip("198.51.100.3"));
	assert_true(p && p->endpoint.kind == CFG_ID_ADDRESS && p->endpoint.addr == ip("203.0.113.1"));
	p = cfg_isakmp_peer(c, ip("198.51.100.4"));
	assert_true(p && p->endpoint.kind == CFG_ID_USER);
	p = cfg_isakmp_peer_named(c, "GW.example.org");
	assert_true(p && !p->has_endpoint);
	const struct cfg_isakmp_profile *f = cfg_isakmp_profile(c, "BRANCH");
	assert_true(
		f && f->nkeyrings == 2 && f->nmatch == 6 && f->has_self && f->self.kind == CFG_ID_HOST && f->initiate_aggressive);
	assert_string_equal(f->keyrings[1], "HQ");
	for (size_t i = 0; i < f->nmatch; i++)
		assert_int_equal(f->match[i].kind, CFG_ID_ADDRESS + i);
	assert_true(f->match[0].mask == UINT32_MAX && f->has_keepalive && f->keepalive_s == 20 && f->keepalive_retry_s == 5);
	assert_string_equal(f->match[2].text, "example.net");
	assert_true(cfg_local_fits(c, 0, f->local_interface, ip("203.0.113.1")) &&
		    !cfg_local_fits(c, 0, f->local_interface, ip("192.168.1.1")));
	assert_true(f->config_respond && f->config_initiate && !strcmp(f->client_auth_list, "XAUTH") &&
		    !strcmp(f->author_list, "GROUPS") && !strcmp(f->client_group, "STAFF"));
	f = cfg_isakmp_profile(c, "X");
	assert_true(f && f->has_self && f->self.kind == CFG_ID_HOST && !f->self.text[0] && !f->has_keepalive);
}

static void check_client(const struct cfg *c)
{
	assert_true(c->aaa_new_model && c->nlogins == 2 && c->nnetworks == 2 && c->npools == 3 && c->ngroups == 2);
	assert_int_equal(cfg_login_list(c, "XAUTH")->method, CFG_METHOD_LOCAL);
	assert_int_equal(cfg_network_list(c, "default")->method, CFG_METHOD_NONE);
	assert_null(cfg_login_list(c, "default"));
	assert_string_equal(c->client_pool, "SPARE");
	assert_true(c->pools[1].low == ip("10.10.2.1") && c->pools[1].high == ip("10.10.2.9"));
	assert_true(c->pools[2].low == ip("10.11.0.1") && c->pools[2].high == c->pools[2].low);
	const struct cfg_client_group *g = cfg_client_group(c, "STAFF");
	assert_true(g && g->dns[1] == ip("10.1.1.2") && g->wins[0] == ip("10.1.1.3") && !g->wins[1] && !g->secret_id);
	assert_string_equal(g->domain, "example.com");
	assert_string_equal(g->pool, "CLIENTS");
	assert_string_equal(g->acl, "101");
	assert_string_equal(g->banner, "\nWelcome, | staff\n");
	assert_true(g->save_password && g->include_local_lan && g->max_users == 100 && g->max_logins == 3);
	const struct cfg_map *m = cfg_map_settings(c, "VPN");
	assert_true(m && m->config_respond && !m->config_initiate);
	assert_string_equal(m->client_auth_list, "XAUTH");
	assert_string_equal(m->author_list, "GROUPS");
	assert_true(cfg_map_settings(c, "OTHER")->config_initiate && !cfg_map_settings(c, "NONE"));
}

static void check_net(const struct cfg *c)
{
	assert_int_equal(c->ninterfaces, 5);
	const struct cfg_interface *i = cfg_interface(c, "GigabitEthernet0/1");
	assert_true(i && !i->loopback && i->number == 1 && i->mtu == 9000 && i->ip_mtu == 1400 && i->adjust_mss == 1360 &&
		    !i->shutdown);
	assert_string_equal(i->ifname, "gi0-1");
	assert_true(i->ip.addr == ip("192.168.1.1") && i->ip.mask == ip("255.255.255.0") && i->nsecondary == 2);
	assert_string_equal(i->acl_in, "10");
	assert_string_equal(i->acl_out, "101");
	i = cfg_interface_by_ifname(c, "loop10");
	assert_true(i && i->loopback && i->number == 10 && !i->ip.mask);
	assert_string_equal(cfg_interface(c, "GigabitEthernet0/0")->crypto_map, "VPN");
	assert_true(cfg_interface(c, "GigabitEthernet0/12")->shutdown);
	assert_int_equal(c->nroutes, 4);
	assert_true(c->routes[0].mask == 0 && c->routes[0].next_hop == ip("203.0.113.254") && c->routes[0].distance == 1);
	assert_true(c->routes[1].distance == 250 && !c->routes[1].next_hop);
	assert_string_equal(c->routes[1].interface, "Null0");
	assert_true(c->routes[2].distance == 5 && c->routes[2].next_hop == ip("192.168.1.9"));
	assert_string_equal(c->routes[2].name, "HQ");
}

static void check_acls(const struct cfg *c)
{
	assert_int_equal(c->nacls, 9);
	const struct cfg_acl *l = cfg_acl(c, "OUTSIDE");
	assert_true(l->extended && !l->numbered && l->entries[0].remark && l->entries[1].remark && l->entries[2].seq == 10);
	const struct cfg_ace *a = ace(c, "OUTSIDE", "permit udp any eq bootpc snmp 7000 any neq domain ntp");
	assert_true(a->permit && a->protocol == 17 && a->seq == 20 && a->src_wild == UINT32_MAX);
	assert_true(a->src_port.op == PORT_EQ && a->src_port.nvalues == 3 && a->src_port.values[2] == 7000);
	assert_true(a->dst_port.op == PORT_NEQ && a->dst_port.nvalues == 2 && a->dst_port.values[0] == 53);
	a = ace(c, "OUTSIDE", "permit tcp any range 1024 65535 host 10.1.1.1 eq www 443");
	assert_true(a->src_port.op == PORT_RANGE && a->src_port.values[0] == 1024 && a->src_port.values[1] == 65535);
	assert_true(a->dst == ip("10.1.1.1") && !a->dst_wild && a->dst_port.values[0] == 80);
	a = ace(c, "OUTSIDE", "permit tcp any any established log");
	assert_true(a->established && a->log && !a->log_input);
	a = ace(c, "OUTSIDE", "permit tcp any any ack syn");
	assert_true(a->tcp_flags_set == 0x12 && !a->tcp_flags_clear && !a->established);
	a = ace(c, "OUTSIDE", "permit tcp any any match-any +ack -syn");
	assert_true(a->tcp_flags_set == 0x10 && a->tcp_flags_clear == 0x02);
	a = ace(c, "OUTSIDE", "permit icmp any any 3 77 log");
	assert_true(a->protocol == 1 && a->icmp_type == 3 && a->icmp_code == 77);
	a = ace(c, "OUTSIDE", "permit icmp any any echo-reply");
	assert_true(a->icmp_type == 0 && a->icmp_code == -1);
	a = ace(c, "OUTSIDE", "permit ip any any fragments dscp ef tos max-throughput log-input");
	assert_true(a->fragments && a->dscp == 46 && a->tos == 4 && a->log_input && a->precedence == -1 && a->protocol == -1);
	a = ace(c, "OUTSIDE", "deny ip any any log");
	assert_true(!a->permit && a->icmp_type == -1);
	a = ace(c, "MGMT", "permit 10.1.0.0, wildcard bits 0.0.255.255 log");
	assert_true(a->src == ip("10.1.0.0") && a->src_wild == ip("0.0.255.255") && a->dst_wild == UINT32_MAX && a->protocol == -1);
	assert_false(ace(c, "MGMT", "deny   any")->permit);
	assert_int_equal(ace(c, "101", "permit ip any any")->seq, 20);
	assert_int_equal(cfg_acl(c, "EMPTY")->nentries, 0);
}

static void sample(void **state)
{
	struct box b;
	char *text = file_read("tests/unit/model/sample.cfg");
	(void)state;
	box_open_file(&b);
	feed(&b, text);
	struct cfg *c = snapshot(&b);
	assert_int_equal(c->revision, store_revision(b.store));
	check_system(c);
	check_crypto(c);
	check_maps(c);
	check_isakmp(c);
	check_client(c);
	check_net(c);
	check_acls(c);
	cfg_free(c);
	free(text);
	box_close(&b);
}

static void defaults(void **state)
{
	struct box b;
	(void)state;
	box_open_file(&b);
	struct cfg *c = snapshot(&b), *fresh = cfg_new();
	assert_int_equal(c->npolicies, 8);
	assert_true(c->policies[0].priority == 65507 && c->policies[7].priority == 65514);
	assert_true(c->policies[0].encryption == CIPHER_AES128 && c->policies[1].auth == 1 && c->policies[7].group == GROUP_2);
	assert_true(c->isakmp_enabled && c->ipsec.lifetime_s == 3600 && c->ipsec.lifetime_kb == 4608000 &&
		    c->ipsec.replay_window == 64);
	assert_int_equal(
		cfg_diff(fresh, c) & (CFG_SYSTEM | CFG_INTERFACES | CFG_ROUTES | CFG_ACLS | CFG_IPSEC | CFG_CRYPTO_MAPS), 0);
	cfg_free(c);
	cfg_free(fresh);
	feed(&b, "crypto isakmp policy 3\nno crypto isakmp default policy\n");
	c = snapshot(&b);
	assert_int_equal(c->npolicies, 1);
	cfg_free(c);
	box_close(&b);
}

/* Is the text in the database's file, audit and all? */
static bool in_database(struct box *b, const char *text)
{
	char path[96], *raw = calloc(1, 1 << 21);
	snprintf(path, sizeof path, "%s/running.db-wal", b->dir);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(raw, 1, 1 << 21, f);
	fclose(f);
	bool found = memmem(raw, n, text, strlen(text)) != NULL;
	free(raw);
	return found;
}

/* Keys: most specific first, and the secret itself is in keys.db alone. */
static void keys(void **state)
{
	struct box b;
	struct secret value;
	(void)state;
	box_open_file(&b);
	feed(&b, "crypto isakmp key wild address 0.0.0.0\ncrypto isakmp key net address 10.9.8.7 255.255.0.0\n"
		 "crypto isakmp key host address 10.9.8.7 no-xauth\n");
	struct cfg *c = snapshot(&b);
	assert_int_equal(c->nkeys, 3);
	assert_true(c->keys[0].mask == UINT32_MAX && c->keys[0].no_xauth && c->keys[1].addr == ip("10.9.0.0") && !c->keys[2].mask);
	const struct cfg_isakmp_key *k = cfg_key_for(c, ip("10.9.8.7"));
	assert_int_equal(secrets_get(b.secrets, k->secret_id, &value), ERR_OK);
	assert_true(span_equal(secret_span(&value), span_of("host", 4)));
	assert_false(in_database(&b, "key wild"));
	cfg_free(c);
	box_close(&b);
}

/* Keys set by hand: bytes in keys.db, numbers and lengths in the snapshot, and what is still missing said in words. */
static void session_keys(void **state)
{
	static const char *const line_in =
		"set session-key inbound esp 4096 cipher 00112233445566778899AABBCCDDEEFF authenticator %s\n";
	struct box b;
	struct secret value;
	char line[256];
	(void)state;
	box_open_file(&b);
	feed(&b, "crypto ipsec transform-set T esp-aes esp-sha-hmac\naccess-list 101 permit ip any host 10.0.0.1\n"
		 "crypto map M 10 ipsec-manual\nset peer 198.51.100.2\nset transform-set T\nmatch address 101\n");
	struct cfg_mode_ctx there = b.at;
	b.at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
	feed(&b, "crypto map M 10\n");
	snprintf(line, sizeof line, line_in, "0011");
	feed(&b, line);
	struct cfg *c = snapshot(&b);
	assert_string_equal(cfg_map_entry_fault(c, cfg_map_first(c, "M")), "the inbound authenticator key has 2 of 20 bytes");
	cfg_free(c);
	b.at = there;
	snprintf(line, sizeof line, line_in, "000102030405060708090a0b0c0d0e0f10111213141516171819");
	feed(&b, line);
	c = snapshot(&b);
	assert_string_equal(cfg_map_entry_fault(c, cfg_map_first(c, "M")), "no outbound esp session key");
	struct cfg *before = c;
	feed(&b, "set session-key outbound esp 4097 cipher 00112233445566778899AABBCCDDEEFF authenticator "
		 "00112233445566778899AABBCCDDEEFF00112233\n");
	c = snapshot(&b);
	const struct cfg_map_entry *e = cfg_map_first(c, "M");
	assert_null(cfg_map_entry_fault(c, e));
	assert_true(e->keys_in.esp_spi == 4096 && e->keys_in.auth_len == 26 && e->keys_out.esp_spi == 4097 && !e->keys_in.ah_spi);
	assert_int_equal(cfg_diff(before, c), CFG_CRYPTO_MAPS);
	assert_int_equal(secrets_get(b.secrets, e->keys_in.cipher_key_id, &value), ERR_OK);
	assert_true(value.len == 16 && value.bytes[1] == 0x11 && value.bytes[15] == 0xff);
	cfg_free(c);
	cfg_free(before);
	assert_false(in_database(&b, "AABBCCDDEEFF"));
	assert_false(in_database(&b, "0c0d0e0f1011"));
	assert_true(in_database(&b, "esp 4097 cipher *****"));
	box_close(&b);
}

static void count(void *ctx, uint64_t id)
{
	assert_true(id != 0);
	++*(int *)ctx;
}

static void save_and_restore(void **state)
{
	struct box b;
	char path[96], *text = file_read("tests/unit/model/sample.cfg");
	int ids = 0;
	(void)state;
	box_open_file(&b);
	feed(&b, text);
	snprintf(path, sizeof path, "%s/startup.db", b.dir);
	assert_int_equal(store_save(b.store, path), ERR_OK);
	char *before = running(&b);
	assert_int_equal(store_clear(b.store), ERR_OK);
	assert_true(shows(&b, "hostname Router\n"));
	uint64_t revision = store_revision(b.store);
	assert_int_equal(store_restore(b.store, path), ERR_OK);
	assert_true(store_revision(b.store) > revision);
	char *after = running(&b);
	assert_string_equal(before, after);
	assert_int_equal(store_secret_ids(b.store, count, &ids), ERR_OK);
	assert_int_equal(ids, 1);
	/* What is no configuration is refused, and leaves everything as it was. */
	snprintf(path, sizeof path, "%s/junk.db", b.dir);
	FILE *f = fopen(path, "w");
	fputs("this is no database, but it is long enough to look at", f);
	fclose(f);
	assert_int_not_equal(store_restore(b.store, path), ERR_OK);
	assert_int_not_equal(store_restore(b.store, "/nonexistent/startup.db"), ERR_OK);
	assert_true(shows(&b, "hostname R1\n"));
	mem_free(before);
	mem_free(after);
	free(text);
	box_close(&b);
}

/* A startup configuration of the first version: it lacks what came later, and has all else. */
static void older_version(void **state)
{
	struct box b;
	sqlite3 *h;
	char path[96], *text = file_read("tests/unit/model/sample.cfg");
	(void)state;
	box_open_file(&b);
	feed(&b, text);
	feed(&b, "no password encryption aes\ncrypto pki trustpoint CA2\nno ocsp url\n");
	snprintf(path, sizeof path, "%s/older.db", b.dir);
	assert_int_equal(store_save(b.store, path), ERR_OK);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(h,
			"ALTER TABLE system DROP COLUMN password_aes; ALTER TABLE pki_trustpoint DROP COLUMN ocsp_url;"
			"PRAGMA user_version = 1",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(h);
	char *before = running(&b);
	assert_int_equal(store_clear(b.store), ERR_OK);
	assert_int_equal(store_restore(b.store, path), ERR_OK);
	char *after = running(&b);
	assert_string_equal(before, after);
	mem_free(before);
	mem_free(after);
	free(text);
	box_close(&b);
}

/* A database of a later version is refused, whole. */
static void newer_version(void **state)
{
	struct box b;
	struct store *s;
	sqlite3 *h;
	char path[96];
	(void)state;
	box_open_file(&b);
	snprintf(path, sizeof path, "%s/later.db", b.dir);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "CREATE TABLE t(x); PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
	assert_int_equal(store_open(&s, path, b.secrets), ERR_UNSUPPORTED);
	assert_int_equal(store_restore(b.store, path), ERR_UNSUPPORTED);
	box_close(&b);
}

static void logins(void **state)
{
	struct box b;
	char hash[128];
	uint8_t privilege;
	(void)state;
	box_open(&b);
	assert_int_equal(store_login(b.store, NULL, hash, &privilege), ERR_NOT_FOUND);
	feed(&b, "username bob privilege 7 secret open sesame\nusername eve\nenable secret top\n");
	assert_int_equal(store_login(b.store, "bob", hash, &privilege), ERR_OK);
	assert_int_equal(privilege, 7);
	assert_true(password_verify(hash, span_of("open sesame", 11)));
	assert_false(password_verify(hash, span_of("open", 4)));
	assert_int_equal(store_login(b.store, "eve", hash, &privilege), ERR_OK);
	assert_true(!hash[0] && privilege == 1);
	assert_int_equal(store_login(b.store, NULL, hash, &privilege), ERR_OK);
	assert_true(privilege == 15 && password_verify(hash, span_of("top", 3)));
	assert_int_equal(store_login(b.store, "nobody", hash, &privilege), ERR_NOT_FOUND);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample),
		cmocka_unit_test(defaults),
		cmocka_unit_test(keys),
		cmocka_unit_test(session_keys),
		cmocka_unit_test(save_and_restore),
		cmocka_unit_test(older_version),
		cmocka_unit_test(newer_version),
		cmocka_unit_test(logins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
