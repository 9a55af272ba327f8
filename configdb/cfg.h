/* The configuration as every program reads it: a typed snapshot of one revision.
 *
 * cfg_load() reads all tables in one read transaction. A snapshot is immutable; arrays are sorted as IOS orders them.
 * Names between objects are soft: a crypto map may name an access-list that is not there (cfg_acl() returns NULL).
 */
#ifndef POSTERN_CONFIGDB_CFG_H
#define POSTERN_CONFIGDB_CFG_H

#include "configdb/alg.h"
#include "platform/base/addr.h"
#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CFG_NAME 80  /* longest object name, with its NUL */
#define CFG_LINE 256 /* longest description, with its NUL */
#define CFG_URL  256 /* longest URL, with its NUL */

/* What changed between two snapshots, as a set: `revision N: tables X, Y`. */
enum cfg_table {
	CFG_SYSTEM = 1 << 0, /* host name, services, banner, logging */
	CFG_USERS = 1 << 1,  /* enable secret, username, lines */
	CFG_INTERFACES = 1 << 2,
	CFG_ROUTES = 1 << 3,
	CFG_ACLS = 1 << 4,
	CFG_ISAKMP = 1 << 5, /* policies, keys, enable */
	CFG_IPSEC = 1 << 6,  /* transform-sets, global lifetimes, df-bit … */
	CFG_CRYPTO_MAPS = 1 << 7,
	CFG_PKI = 1 << 8, /* trustpoints, certificates, certificate maps */
	CFG_ALL = (1 << 9) - 1
};

struct cfg_ip {
	uint32_t addr, mask;
};

struct cfg_interface {
	char name[CFG_NAME]; /* "GigabitEthernet0/1", "Loopback0" */
	char ifname[16];     /* the kernel's: "gi0-1", "loop0" */
	bool loopback;
	unsigned number; /* N of GigabitEthernet0/N or Loopback N */
	char description[CFG_LINE];
	bool shutdown;
	struct cfg_ip ip; /* mask 0: none */
	struct cfg_ip *secondary;
	size_t nsecondary;
	uint16_t mtu, ip_mtu, adjust_mss; /* 0: default (1500; mtu; off) */
	char acl_in[CFG_NAME], acl_out[CFG_NAME];
	char crypto_map[CFG_NAME];
};

struct cfg_route {
	uint32_t prefix, mask;
	uint32_t next_hop;        /* 0: by interface */
	char interface[CFG_NAME]; /* IOS name, "Null0" too; empty: by next hop */
	uint8_t distance;         /* 1..255, default 1 */
	char name[CFG_NAME];
};

enum cfg_port_op { PORT_ANY, PORT_EQ, PORT_NEQ, PORT_LT, PORT_GT, PORT_RANGE };

struct cfg_port {
	enum cfg_port_op op;
	uint16_t values[10]; /* eq and neq: up to ten; range: low, high */
	uint8_t nvalues;
};

struct cfg_ace {
	uint32_t seq; /* 1..2147483647 */
	bool permit, remark;
	char text[CFG_LINE];                   /* the entry as IOS prints it after the number: "permit ip host 1.1.1.1 any" */
	int16_t protocol;                      /* -1: ip (all) */
	uint32_t src, src_wild, dst, dst_wild; /* wildcard bits: 1 = does not matter; any = 0/0xffffffff */
	struct cfg_port src_port, dst_port;
	int16_t icmp_type, icmp_code; /* -1: any */
	bool established, fragments, log, log_input;
	uint8_t tcp_flags_set, tcp_flags_clear; /* `syn`, `ack` …: match-any of these; established is separate */
	int16_t dscp, precedence, tos;          /* -1: any */
};

struct cfg_acl {
	char name[CFG_NAME]; /* "101", "VPN-TRAFFIC" */
	bool extended, numbered;
	struct cfg_ace *entries; /* by seq; remarks are among them */
	size_t nentries;
};

/* What an identity of phase 1 is, ours or a peer's. */
enum cfg_id_kind {
	CFG_ID_ADDRESS,     /* addr, mask */
	CFG_ID_HOST,        /* an FQDN; `text` */
	CFG_ID_HOST_DOMAIN, /* every FQDN that ends in `text` */
	CFG_ID_USER,        /* user@domain */
	CFG_ID_USER_DOMAIN, /* every user@ `text` */
	CFG_ID_GROUP,       /* ID_KEY_ID `text`: name of a client group */
	CFG_ID_DN,          /* the subject of our certificate */
	CFG_ID_CERT_MAP     /* `crypto pki certificate map` named `text` */
};
struct cfg_id {
	enum cfg_id_kind kind;
	uint32_t addr, mask;
	char text[CFG_NAME];
};

/* `crypto isakmp …` that holds for all peers. */
struct cfg_isakmp {
	enum cfg_id_kind identity; /* CFG_ID_ADDRESS, _HOST or _DN */
	uint16_t keepalive_s;      /* 0: no DPD of our own */
	uint8_t keepalive_retry_s; /* default 2 */
	bool keepalive_periodic;   /* else on-demand */
	uint16_t nat_keepalive_s;  /* 0: RFC 3948's 20 s, and only behind a NAT */
	bool aggressive_disable, invalid_spi_recovery, fragmentation;
	bool nat_transparency_off;                    /* `no crypto ipsec nat-transparency udp-encapsulation` */
	uint32_t admission_sa, admission_negotiation; /* `crypto call admission limit ike sa|in-negotiation-sa`; 0: none */
};

#define CFG_PROFILE_IDS      16
#define CFG_PROFILE_KEYRINGS 6
#define CFG_PROFILE_TRUSTS   6

struct cfg_keyring { /* its keys are in cfg.keys, by `keyring` */
	char name[CFG_NAME], description[CFG_LINE];
	uint32_t local_addr;            /* 0: any of ours */
	char local_interface[CFG_NAME]; /* or the address of this one */
};

struct cfg_isakmp_profile {
	char name[CFG_NAME], description[CFG_LINE];
	char keyrings[CFG_PROFILE_KEYRINGS][CFG_NAME];
	size_t nkeyrings; /* 0: the keys of `crypto isakmp key` */
	struct cfg_id match[CFG_PROFILE_IDS];
	size_t nmatch;
	bool has_self;
	struct cfg_id self; /* self-identity; without it cfg_isakmp.identity */
	char trustpoints[CFG_PROFILE_TRUSTS][CFG_NAME];
	size_t ntrustpoints;
	bool initiate_aggressive;
	bool has_keepalive;
	uint16_t keepalive_s;
	uint8_t keepalive_retry_s;
	uint32_t local_addr;            /* 0: any of ours */
	char local_interface[CFG_NAME]; /* or the address of this one */
	/* Remote access */
	char client_auth_list[CFG_NAME], author_list[CFG_NAME];
	char client_group[CFG_NAME]; /* `client configuration group` */
	bool config_respond, config_initiate;
};

/* `crypto isakmp peer`: what we say to it in aggressive mode. */
struct cfg_isakmp_peer {
	uint32_t addr;
	char host[CFG_NAME]; /* or by name; then addr is 0 */
	char description[CFG_LINE];
	bool has_endpoint;
	struct cfg_id endpoint; /* set aggressive-mode client-endpoint: ADDRESS, HOST, USER */
	uint64_t password_id;   /* set aggressive-mode password, in keys.db; 0: none */
};

struct cfg_isakmp_policy {
	uint16_t priority; /* 1..10000; built-in ones 65507.. */
	enum alg_cipher encryption;
	enum alg_hash hash;
	uint8_t auth; /* RFC 2409: 1 pre-share, 3 rsa-sig; RFC 4754: 9, 10, 11 ecdsa-sig; 0: ecdsa-sig with a hash that has no curve
		       */
	enum alg_group group;
	uint32_t lifetime_s; /* 60..86400 */
};

struct cfg_isakmp_key {
	uint64_t secret_id;  /* in keys.db: the value itself only the keys process reads */
	uint32_t addr, mask; /* mask 0 with addr 0: wildcard */
	char host[CFG_NAME]; /* or by host name / FQDN identity; then addr is 0 */
	bool no_xauth;
	char keyring[CFG_NAME]; /* empty: `crypto isakmp key` */
};

struct cfg_transform_set {
	char name[CFG_NAME];
	enum alg_cipher cipher; /* ESP; CIPHER_NONE: no ESP, AH alone */
	enum alg_hash auth;     /* of ESP: HASH_NONE with an AEAD, or when only encrypting */
	enum alg_hash ah;       /* HASH_NONE: no AH. With a cipher: both, AH around ESP */
	bool transport;
	bool esn; /* extended sequence numbers are offered, and wanted of an offer */
};

enum cfg_df { DF_COPY, DF_SET, DF_CLEAR };

struct cfg_ipsec {
	uint32_t lifetime_s, lifetime_kb; /* 3600, 4608000; kb 0: no volume limit (`disable`) */
	uint16_t replay_window;           /* 64 128 256 512 1024; 0: disabled */
	enum cfg_df df_bit;
	bool fragment_after; /* `crypto ipsec fragmentation after-encryption`; default before */
	uint32_t idle_s;     /* `security-association idle-time`; 0: never */
};

#define CFG_MAP_PEERS 10
#define CFG_MAP_SETS  6

/* `set session-key` of one direction. */
struct cfg_session_keys {
	uint32_t ah_spi, esp_spi;                       /* 0: none */
	uint64_t ah_key_id, cipher_key_id, auth_key_id; /* in keys.db; 0: none */
	uint8_t ah_len, cipher_len, auth_len;           /* bytes; what is too long is cut, as on IOS */
};

enum cfg_map_kind { MAP_ISAKMP, MAP_MANUAL, MAP_DYNAMIC };
enum cfg_reverse_route { RRI_OFF, RRI_ON, RRI_STATIC };

struct cfg_map_entry {
	char map[CFG_NAME];
	enum cfg_map_kind kind; /* MAP_DYNAMIC: a place for the entries of `dynamic`, which only answer */
	char dynamic[CFG_NAME]; /* name of the crypto dynamic-map */
	char profile[CFG_NAME]; /* set isakmp-profile */
	bool per_host;          /* set security-association level per-host */
	uint32_t idle_s;        /* set security-association idle-time; 0: the global one */
	enum cfg_reverse_route reverse_route;
	char acl_in[CFG_NAME], acl_out[CFG_NAME];  /* set ip access-group: on the clear packets of this entry */
	struct cfg_session_keys keys_in, keys_out; /* MAP_MANUAL */
	uint16_t seq;
	char description[CFG_LINE];
	struct {
		uint32_t addr;
		char host[CFG_NAME];
		bool is_default;
	} peers[CFG_MAP_PEERS];
	size_t npeers;
	char sets[CFG_MAP_SETS][CFG_NAME];
	size_t nsets;
	char acl[CFG_NAME];
	enum alg_group pfs;               /* GROUP_NONE: no `set pfs` */
	uint32_t lifetime_s, lifetime_kb; /* 0: the global ones */
	bool lifetime_kb_disabled;
};

/* What holds for a whole map, and not for one entry. */
struct cfg_map {
	char name[CFG_NAME];
	char local_interface[CFG_NAME];                         /* local-address */
	char client_auth_list[CFG_NAME], author_list[CFG_NAME]; /* remote access */
	bool config_respond, config_initiate;
};

/* Remote access. */
enum cfg_method { CFG_METHOD_LOCAL, CFG_METHOD_NONE };
struct cfg_aaa_list {
	char name[CFG_NAME];
	enum cfg_method method;
};

struct cfg_pool { /* a range of `ip local pool`; a pool may have several */
	char name[CFG_NAME];
	uint32_t low, high;
};

#define CFG_BANNER 512

/* `crypto isakmp client configuration group`. */
struct cfg_client_group {
	char name[CFG_NAME];
	uint64_t secret_id;                /* its pre-shared key; 0: none */
	uint32_t dns[2], wins[2], netmask; /* 0: none */
	char domain[CFG_NAME], pool[CFG_NAME];
	char acl[CFG_NAME]; /* sources of its permit lines: what goes through the tunnel. Empty: everything */
	bool save_password, include_local_lan;
	uint16_t max_users, max_logins; /* 0: any number */
	char banner[CFG_BANNER];
};

enum cfg_revocation { REVOCATION_NONE, REVOCATION_CRL, REVOCATION_OCSP };
#define CFG_REVOCATIONS 3

/* The CA's registration authority, if it has one (SCEP): whom it signs as, whom requests are encrypted for. */
enum cfg_cert_ra { CERT_NOT_RA, CERT_RA_SIGN, CERT_RA_ENCRYPT };

/* A certificate of a trustpoint. */
struct cfg_cert {
	bool ca;
	bool self_signed; /* ours, by `enrollment selfsigned` */
	enum cfg_cert_ra ra;
	uint64_t key_id;  /* ours: the key pair in keys.db; 0: the router has none */
	char serial[48];
	uint16_t len;
	uint8_t *der;
};

struct cfg_trustpoint {
	char name[CFG_NAME];
	enum cfg_revocation revocation[CFG_REVOCATIONS]; /* in order; the next one when nothing can be learned */
	uint8_t nrevocation;
	char ocsp_url[CFG_URL];      /* in place of the certificate's; empty: that one */
	bool no_nonce;               /* OCSP requests go without */
	char chain_parent[CFG_NAME]; /* trustpoint that must vouch for this one's CA; empty: nobody need */
	bool terminal, pem, selfsigned, pkcs12;
	char subject[CFG_LINE], fqdn[CFG_NAME];
	bool fqdn_none, serial_none, ip_none;
	uint32_t ip;
	char ip_interface[CFG_NAME]; /* or the address of this one */
	char rsa_label[CFG_NAME], ec_label[CFG_NAME];
	uint16_t rsa_bits;
	char hash[8];           /* of the request: "sha256" … */
	char url[CFG_LINE];     /* SCEP; empty: none */
	uint8_t retry_count, retry_period_m;
	char fingerprint[65];   /* of the CA certificate: 32, 40 or 64 digits; empty: none */
	uint64_t password_id;   /* the challenge password, in keys.db; 0: none */
	struct cfg_cert *certs; /* the router's, the RA's, then the CA's */
	size_t ncerts;
};

enum cfg_cert_field { CERT_SUBJECT, CERT_ISSUER, CERT_ALT_SUBJECT, CERT_UNSTRUCTURED, CERT_NAME_ANY, CERT_SERIAL_NUMBER };
enum cfg_cert_op { CERT_CO, CERT_EQ, CERT_NC, CERT_NE }; /* contains, equals, and their opposites */
struct cfg_cert_rule {
	enum cfg_cert_field field;
	enum cfg_cert_op op;
	char value[CFG_LINE];
};
#define CFG_CERT_RULES 16
/* `crypto pki certificate map`: a certificate matches if it meets all rules of one entry. */
struct cfg_cert_map {
	char name[CFG_NAME];
	uint16_t seq;
	struct cfg_cert_rule rules[CFG_CERT_RULES];
	size_t nrules;
};

struct cfg_user {
	char name[CFG_NAME];
	uint8_t privilege;
};

struct cfg_line {
	bool vty;
	uint16_t first, last;
	uint32_t exec_timeout_s; /* default 600; 0: never */
	bool logging_synchronous;
	bool login_local, login;
	uint16_t length, width; /* default 24, 80 */
	uint16_t history_size;  /* default 20 */
	bool transport_ssh;
};

enum cfg_stamp { STAMP_NONE, STAMP_UPTIME, STAMP_DATETIME };
struct cfg_stamps {
	enum cfg_stamp kind;
	bool msec, localtime, show_timezone, year;
};

struct cfg_system {
	char hostname[CFG_NAME];
	char *banner_motd;                                    /* NULL: none */
	struct cfg_stamps stamp_debug, stamp_log;             /* default datetime msec, as 15.x */
	bool logging_buffered;                                /* default on */
	uint32_t logging_buffer_bytes;                        /* default 4096 */
	uint8_t logging_buffer_level;                         /* default 7 */
	bool logging_console;                                 /* default on */
	uint8_t logging_console_level, logging_monitor_level; /* default 7 */
	bool enable_secret;                                   /* one is set */
	bool logging_monitor;                                 /* default on */
};

struct cfg {
	uint64_t revision;
	struct cfg_system system;
	struct cfg_interface *interfaces;
	size_t ninterfaces;
	struct cfg_route *routes;
	size_t nroutes;
	struct cfg_acl *acls;
	size_t nacls;
	bool isakmp_enabled;                /* default true */
	struct cfg_isakmp_policy *policies; /* by priority; the built-in ones when none is configured */
	size_t npolicies;
	struct cfg_isakmp_key *keys; /* most specific mask first */
	size_t nkeys;
	struct cfg_isakmp isakmp;
	struct cfg_keyring *keyrings;
	size_t nkeyrings;
	struct cfg_isakmp_profile *profiles;
	size_t nprofiles;
	struct cfg_isakmp_peer *isakmp_peers;
	size_t nisakmp_peers;
	struct cfg_ipsec ipsec;
	struct cfg_transform_set *sets;
	size_t nsets;
	struct cfg_map_entry *maps; /* by name, then seq */
	size_t nmaps;
	struct cfg_map_entry *dynamics; /* entries of crypto dynamic-maps: `map` is the dynamic map's name; by name, then seq */
	size_t ndynamics;
	struct cfg_map *map_settings; /* maps that have any */
	size_t nmap_settings;
	struct cfg_trustpoint *trustpoints; /* by name */
	size_t ntrustpoints;
	struct cfg_cert_map *cert_maps; /* by name, then seq */
	size_t ncert_maps;
	struct cfg_user *users;
	size_t nusers;
	bool aaa_new_model;
	struct cfg_aaa_list *logins; /* `aaa authentication login` */
	size_t nlogins;
	struct cfg_aaa_list *networks; /* `aaa authorization network` */
	size_t nnetworks;
	struct cfg_pool *pools; /* by name, then as they were typed */
	size_t npools;
	struct cfg_client_group *groups; /* by name */
	size_t ngroups;
	char client_pool[CFG_NAME]; /* `crypto isakmp client configuration address-pool local`; empty: none */
	struct cfg_line *lines;
	size_t nlines;
};

/* A source of snapshots: the read-only handle on RUN_DIR/running.db. configd has the file open first and keeps it open;
 * before that ERR_BUSY: try again. */
struct cfg_source;
enum err cfg_source_open(struct cfg_source **s, const char *run_dir) MUST_CHECK;
void cfg_source_close(struct cfg_source *s);
/* The caller frees with cfg_free. */
enum err cfg_load(struct cfg_source *s, struct cfg **out) MUST_CHECK;
void cfg_free(struct cfg *c);
/* The set of enum cfg_table in which `b` differs from `a` (NULL: everything). */
unsigned cfg_diff(const struct cfg *a, const struct cfg *b);

/* For tests and pair: an empty configuration with IOS's defaults, all arrays empty. */
struct cfg *cfg_new(void);

const struct cfg_acl *cfg_acl(const struct cfg *c, const char *name);
const struct cfg_interface *cfg_interface(const struct cfg *c, const char *name); /* IOS name */
const struct cfg_interface *cfg_interface_by_ifname(const struct cfg *c, const char *ifname);
const struct cfg_transform_set *cfg_transform_set(const struct cfg *c, const char *name);
/* The first entry of map `name`, and the next one of the same map after `e`; NULL at the end. */
const struct cfg_map_entry *cfg_map_first(const struct cfg *c, const char *name);
const struct cfg_map_entry *cfg_map_next(const struct cfg *c, const struct cfg_map_entry *e);
/* Why IKEv1 cannot negotiate the set ("it has no number for esp-aes-cmac"), or NULL when it can. */
const char *cfg_set_ikev1_fault(const struct cfg_transform_set *s);
/* Why the entry is not used, in a few words ("no peer", "access-list VPN does not exist"), or NULL when it is complete. For
 * entries of crypto maps and of dynamic maps. A dynamic map's needs a transform-set, and neither list nor peer; a MAP_DYNAMIC
 * one a dynamic map with a complete entry; a manual one the keys that its transform-set takes. */
const char *cfg_map_entry_fault(const struct cfg *c, const struct cfg_map_entry *e);
/* Entries of a dynamic map, likewise. */
const struct cfg_map_entry *cfg_dynamic_first(const struct cfg *c, const char *name);
const struct cfg_map_entry *cfg_dynamic_next(const struct cfg *c, const struct cfg_map_entry *e);
/* What holds for the map as a whole; NULL: nothing was set. */
const struct cfg_map *cfg_map_settings(const struct cfg *c, const char *name);
/* The interface whose address IKE and ESP of `i`'s map have: that of `local-address`, else `i`. NULL: the map's is not there. */
const struct cfg_interface *cfg_map_local(const struct cfg *c, const struct cfg_interface *i);
/* The interface that the policies of `i`'s map are named after: with `local-address` a map has one set of SAs for all its
 * interfaces, named after the first of them; else it is `i`. */
const struct cfg_interface *cfg_map_owner(const struct cfg *c, const struct cfg_interface *i);
/* The key for a peer by its address, most specific first, of `crypto isakmp key`; NULL: none. */
const struct cfg_isakmp_key *cfg_key_for(const struct cfg *c, uint32_t peer);
/* The same among the keys of `keyring` ("": `crypto isakmp key`); the second by the name that the peer gives itself. */
const struct cfg_isakmp_key *cfg_key_in(const struct cfg *c, const char *keyring, uint32_t peer);
const struct cfg_isakmp_key *cfg_key_named(const struct cfg *c, const char *keyring, const char *host);
const struct cfg_keyring *cfg_keyring(const struct cfg *c, const char *name);
const struct cfg_isakmp_profile *cfg_isakmp_profile(const struct cfg *c, const char *name);
const struct cfg_isakmp_peer *cfg_isakmp_peer(const struct cfg *c, uint32_t addr);          /* by address */
const struct cfg_isakmp_peer *cfg_isakmp_peer_named(const struct cfg *c, const char *host); /* by name */
/* May `local` be used: is it the address, or that of the interface? Neither is set: any may. */
bool cfg_local_fits(const struct cfg *c, uint32_t addr, const char *interface, uint32_t local);

const struct cfg_client_group *cfg_client_group(const struct cfg *c, const char *name);
/* The list of that name; NULL: there is none. */
const struct cfg_aaa_list *cfg_login_list(const struct cfg *c, const char *name);
const struct cfg_aaa_list *cfg_network_list(const struct cfg *c, const char *name);
const struct cfg_trustpoint *cfg_trustpoint(const struct cfg *c, const char *name);

/* Interface names. Long form from any abbreviation ("gi0/1", "Gig 0/1", "lo0"); ERR_INVALID if it is none of ours. */
enum err ifname_parse(char ios[CFG_NAME], char kernel[16], const char *text) MUST_CHECK;
/* "Gi0/1" */
void ifname_short(char out[16], const char *ios);

#endif
