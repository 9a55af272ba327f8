/* Inside the IKE core: the context that its objects hang on, and which file does what. Only files of this folder include it.
 * Each object and each job has a header of its own, which stands by itself; this one includes them all.
 *
 *   core.c        the doors of ike.h            runner.c, rules.c   exchanges as tables
 *   table.c       SAs by cookie, serial, peer   main_mode.c, aggressive*.c, phase1.c, offer.c, natt.c, identity.c   phase 1
 *   receive.c     from datagram to exchange     quick_mode.c, quick_offer.c, quick_choose.c, quick_id.c, protection.c  phase 2
 *   send.c        sealing, repeating            info.c, dpd.c       notify, delete, dead peers
 *   derive.c      derivations of RFC 2409       flow.c, child.c, rekey.c    who needs a tunnel, and the tunnels
 *   policy.c      what the configuration says   change.c            what a new configuration ends
 *   manual.c      SAs that are keyed by hand
 *   say.c         log, failures, debug          report.c            the console's questions
 *   rules_client.c, xauth.c, mode_config.c, client.c, lease.c       remote access: users, addresses
 *
 *   struct flow (a policy that wants or has tunnels) --- struct child (a pair of IPsec SAs)
 *        |                                                    |
 *   struct quick (a quick mode) ----------------------- struct ike_sa (phase 1)
 */
#ifndef POSTERN_IKEMGR_CORE_H
#define POSTERN_IKEMGR_CORE_H

#include "ikemgr/child.h"
#include "ikemgr/client.h"
#include "ikemgr/derive.h"
#include "ikemgr/dynamic.h"
#include "ikemgr/exchange.h"
#include "ikemgr/flow.h"
#include "ikemgr/fragment.h"
#include "ikemgr/ike.h"
#include "ikemgr/ike_sa.h"
#include "ikemgr/info.h"
#include "ikemgr/link.h"
#include "ikemgr/manual.h"
#include "ikemgr/natt.h"
#include "ikemgr/offer.h"
#include "ikemgr/phase2.h"
#include "ikemgr/policy.h"
#include "ikemgr/quick.h"
#include "ikemgr/rule.h"
#include "ikemgr/say.h"
#include "ikemgr/send.h"
#include "ikemgr/state.h"
#include "ikemgr/timer.h"

#define SECOND UINT64_C(1000000)

#define DEAD_ROWS 64 /* deleted SAs that show still names */
#define DEAD_S    60
#define FAILURES  64
#define OUT_MAX   20480 /* longest message of ours */

#define TABLE_SIZE 4096

struct ike {
	struct ike_host host;
	const struct cfg *cfg; /* borrowed; NULL before the first */
	struct timers timers;
	struct link sas, negotiating, cookies[TABLE_SIZE], serials[TABLE_SIZE], peers[TABLE_SIZE];
	uint64_t table_key;              /* random: which bucket is nobody's business */
	uint32_t half_open, nsas;        /* nsas: all IKE SAs */
	struct ikem_admission admission; /* its counters */
	struct link frag_sets;
	size_t frag_bytes, frag_count;
	size_t frag_size; /* longest message that goes out whole when it is repeated */
	uint16_t frag_id;
	uint8_t joined[OUT_MAX];
	uint64_t began_us;
	uint64_t next_serial;
	bool told_aggressive; /* the warning about its hash was given */
	uint32_t next_conn_id, next_child_id;
	struct link manuals;
	struct link dynamics, dynamic_ids[TABLE_SIZE], dynamic_peers[TABLE_SIZE]; /* dynamic.c */
	uint32_t next_dynamic;
	uint64_t next_manual;
	struct link flows, flow_ids[TABLE_SIZE], flow_peers[TABLE_SIZE];
	struct link children, spis[TABLE_SIZE], child_peers[TABLE_SIZE];
	struct link sessions, session_peers[TABLE_SIZE];
	struct link quick_policies[TABLE_SIZE]; /* quick modes under way, by policy */
	uint64_t walked;                        /* objects that were looked at in lists and buckets */
	struct sa_state scratch_sa;
	struct handshake scratch_hs;
	struct quick_state scratch_quick;
	struct message in;
	uint8_t plain[ISAKMP_MESSAGE_MAX]; /* decrypted message */
	uint8_t out[OUT_MAX];
	struct crls *crls;    /* owned: revocation.c */
	struct x509_st *leaf; /* the certificate of the peer whose identity is being looked at; NULL: none */
	uint64_t stats[STAT_COUNT];
	struct ikem_sa dead[DEAD_ROWS];
	uint64_t dead_at[DEAD_ROWS];
	size_t ndead; /* in all; the ring's place is modulo */
	struct ikem_failure failures[FAILURES];
	size_t nfailures;
	uint64_t said_us, said_tokens;     /* bound on log lines that anybody can cause */
	uint64_t notify_us, notify_tokens; /* and on replies */
	struct {
		struct addr peer;
		uint64_t at;
	} recoveries[16]; /* last tries to tell a peer that we have restarted */
	size_t nrecoveries;
	struct {
		struct addr peer;
		uint64_t until_us;
		uint8_t wrong;
	} guesses[64]; /* addresses from which passwords were wrong */
	size_t nguesses;
	uint32_t last_lease; /* address given last */
	bool debug, debug_errors, key_export;
	bool closing;   /* ike_free: nothing is said any more */
	bool resetting; /* ike_datapath_reset: policies of dynamic maps stay for the moment */
};

/* env */
uint64_t now_us(const struct ike *k);
uint64_t wall_us(const struct ike *k);
void random_bytes(struct ike *k, void *out, size_t n);
uint64_t random_u64(struct ike *k);
uint64_t random_below(struct ike *k, uint64_t n); /* 0..n-1; 0 for n = 0 */

/* receive.c */
void receive(struct ike *k, const struct ike_path *path, struct span packet);
bool token_take(struct ike *k, uint64_t *at, uint64_t *tokens, uint64_t per_second);

/* admission.c: is one more IKE SA allowed? Counts, and says why not. */
bool admission_in(struct ike *k, const struct ike_path *path);
bool admission_out(struct ike *k, struct addr local, struct addr remote);

/* change.c */
void change_apply(struct ike *k, unsigned tables);

#endif
