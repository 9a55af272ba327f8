/* Two (or three) IKE cores in one process, on a virtual clock, with a wire between them that a test can spoil.
 *
 *     A 203.0.113.1  ---- wire: delay, loss, repetition, order, edits ----  B 198.51.100.2   (C 198.51.100.3)
 *     192.168.1.0/24                                                        192.168.2.0/24
 *
 * The host is small and deterministic: real crypto, answers after a microsecond of virtual time, a list of SAs for a data path.
 * Everything random comes from a seed.
 */
#ifndef POSTERN_TESTS_PAIR_RIG_H
#define POSTERN_TESTS_PAIR_RIG_H

#include "ikemgr/core.h"

#define NODES      3
#define RIG_SAS    4096
#define SECONDS(n) ((uint64_t)(n)*UINT64_C(1000000))

struct rig;

struct rig_dh {
	uint64_t serial;
	struct dh *dh;
};

struct secrets;

struct node {
	struct rig *rig;
	int id;
	struct ike *k;
	struct env env;
	struct addr address;
	struct cfg *cfg;
	char psk[8][64]; /* by secret id - 1 */
	struct rig_dh dh[64];
	struct dpm_sa sas[RIG_SAS];
	size_t nsas;
	unsigned put_count, del_count, up_count, failed_count, sent, keepalives;
	size_t bytes_in, bytes_out;
	struct secrets *secrets; /* key pairs: rig_pki.c */
	/* What a fetch brings; NULL: no answer. */
	enum err (*fetched)(struct node *n, const char *url, struct span body, uint8_t *out, size_t size, size_t *len);
	unsigned fetches;
	bool deaf;                        /* gets nothing */
	uint64_t last_in_us, last_out_us; /* packets through its SAs, as a test says; 0: none */
	unsigned questions;               /* about them */
	bool refuse_spi, refuse_put;
	uint64_t exported; /* keys that were exported */
	uint8_t export_key[64];
	size_t export_key_len;
	const char *user, *password; /* the one that user_check finds right */
	unsigned user_checks;
	struct dpm_dynamic dynamic; /* the last that was put */
	unsigned dynamic_put_count, dynamic_del_count;
	uint32_t next_spi;
	uint64_t wake;
};

struct packet {
	struct ike_path path; /* of the sender */
	uint8_t *bytes;
	size_t len;
	int from;
};

struct event {
	uint64_t at, order;
	int node;
	enum {
		EVENT_PACKET,
		EVENT_GENERATED,
		EVENT_DERIVED,
		EVENT_SKEYID,
		EVENT_SIGNED,
		EVENT_FETCHED,
		EVENT_SESSION,
		EVENT_SPI,
		EVENT_PUT,
		EVENT_ACTIVITY,
		EVENT_USER,
		EVENT_CALL
	} kind;
	uint64_t serial;
	enum err e;
	uint32_t spi;
	struct packet p;
	struct event *next;
	void (*call)(struct rig *r);
};

struct rig {
	uint64_t now, order, random;
	struct node n[NODES];
	int nodes;
	struct event *events;
	/* The wire. Percentages. */
	unsigned loss, duplicate;
	uint64_t delay_us, jitter_us;
	/* Sees every packet before it is sent; false drops it. May edit it in place. */
	bool (*edit)(struct rig *r, struct packet *p);
	void *edit_ctx;
	void (*each_event)(struct rig *r); /* after every event: invariants */
	/* Every packet that was sent, in order, when `keep` is on. */
	bool keep;
	struct packet *kept;
	size_t nkept;
	/* A NAT in front of A: the others see this address and port. */
	struct addr nat;
	char log[65536]; /* log lines, one after the other */
	size_t nlog;
};

struct rig *rig_new(uint64_t seed, int nodes);
void rig_free(struct rig *r);
void rig_run(struct rig *r, uint64_t for_us);
/* Runs until `done` or the time is over; returns whether it was done. */
bool rig_until(struct rig *r, bool (*done)(struct rig *r), uint64_t at_most_us);
void rig_restart(struct node *n); /* a new core with an empty memory; its data path stays */
void rig_later(struct rig *r, uint64_t in_us, void (*call)(struct rig *r));
void rig_acquire(struct node *n, unsigned map_seq, unsigned ace_seq);
void rig_config(struct node *n); /* n->cfg was edited */
/* Gives bytes to `to` as if they came from `from`'s address. */
void rig_inject(struct rig *r, int from, int to, const void *bytes, size_t len, uint16_t port);

/* Configuration: a policy aes/sha/group2, a key, a map M 10 with peer, transform-set T, list 101. */
struct cfg *rig_cfg(struct node *n, const char *own, const char *peer, const char *own_net, const char *peer_net);
struct cfg_isakmp_policy *cfg_policy_add(
	struct cfg *c, uint16_t priority, enum alg_cipher e, enum alg_hash h, enum alg_group g, uint32_t life);
struct cfg_transform_set *cfg_set_add(struct cfg *c, const char *name, enum alg_cipher e, enum alg_hash h);
struct cfg_ace *cfg_ace_add(
	struct cfg *c, const char *acl, uint32_t seq, bool permit, const char *src, int src_len, const char *dst, int dst_len);
struct cfg_map_entry *cfg_map_add(struct cfg *c, uint16_t seq, const char *peer, const char *set, const char *acl);
/* Remote access on map M: list USERS, groups by list GROUPS, addresses on request; group "default" with pool P low..high. */
struct cfg_client_group *rig_clients(struct node *n, const char *low, const char *high);
/* The map's entry becomes a place for dynamic map D, with one entry 5 that takes any traffic. */
void rig_dynamic(struct node *n);
void cfg_key_add(struct node *n, const char *peer, const char *psk);
/* Their pointers live until the next one of the kind is added. */
struct cfg_isakmp_key *cfg_key_named_add(struct node *n, const char *keyring, const char *host, const char *psk);
struct cfg_isakmp_profile *cfg_profile_add(struct cfg *c, const char *name);
struct cfg_keyring *cfg_keyring_add(struct cfg *c, const char *name);
void cfg_profile_match(struct cfg_isakmp_profile *p, enum cfg_id_kind kind, const char *text);
struct cfg_isakmp_peer *cfg_isakmp_peer_add(struct cfg *c, const char *addr, enum cfg_id_kind kind, const char *endpoint);
struct cfg_map_entry *rig_map(struct node *n, size_t i);

/* What a test asks. */
unsigned rig_ike_count(struct node *n, enum ike_state state);
enum ike_state rig_ike_state(struct node *n); /* of the first SA that lives; MM_NO_STATE with none */
struct dpm_sa *rig_sa(struct node *n, bool inbound, size_t i);
size_t rig_pairs(struct node *n); /* inbound SAs that live */
/* Does an outbound SA of `from` have its inbound twin at `to`, with equal keys? The newest outbound one is asked. */
bool rig_carries(struct rig *r, int from, int to);
bool rig_up(struct rig *r); /* A and B carry both ways */
bool rig_log_has(struct rig *r, const char *text);
uint64_t rig_stat(struct node *n, enum ike_stat s);
const char *rig_failure(struct node *n); /* the newest; "" */

#endif
