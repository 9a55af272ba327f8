/* Inside the IKE core: its objects, and which file does what. Only files of this folder include it.
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

#include "ikemgr/ike.h"
#include "ikemgr/rule.h"
#include "ikemgr/state.h"
#include "ikemgr/timer.h"

#define SECOND UINT64_C(1000000)

#define HALF_OPEN_MAX      1000  /* IKE SAs in negotiation, all peers */
#define HALF_OPEN_PEER_MAX 20    /* of one address, as responder */
#define HALF_OPEN_S        60    /* life of one that does not get on */
#define QUICKS_MAX         2048  /* quick modes at a time under one IKE SA */
#define QUICK_KEPT_S       60    /* a finished quick mode answers repetitions so long */
#define MESSAGE_IDS_MAX    20000 /* quick modes in the life of an IKE SA */
#define DEAD_ROWS          64    /* deleted SAs that show still names */
#define DEAD_S             60
#define FAILURES           64
#define KEEPALIVE_S        20    /* RFC 3948 4 */
#define OUT_MAX            20480 /* longest message of ours */
#define FRAGMENT_SIZE      1248  /* with UDP, IP and marker 1280 bytes: what goes through everywhere */

/* Link of a doubly linked list; the head is a link of its own. */
struct link {
	struct link *next, *prev;
};
void link_init(struct link *head);
void link_add(struct link *head, struct link *l); /* at the end */
void link_del(struct link *l);                    /* fine when not linked (zero) */
#define OWNER(l, type, member) ((type *)((char *)(l)-offsetof(type, member)))
/* The body may unlink `l` itself, nothing else. */
#define EACH(l, head) for (struct link *l = (head)->next, *l##_next = l->next; l != (head); l = l##_next, l##_next = l->next)

/* The last message that went out, to be repeated; and the last that came in, to know it again. */
struct tx {
	uint8_t *packet; /* owned */
	size_t len;
	struct ike_path path;
	uint8_t tries, limit;
	bool have_seen;
	uint8_t seen[32]; /* SHA-256 of the last message that was accepted */
	uint8_t answered; /* repetitions answered since the last step */
	struct timer timer;
};
#define TX_ANSWERS_MAX 20

struct ike_sa {
	struct ike *k;
	struct link by_cookie, by_serial, by_peer, all;
	uint64_t serial; /* never used again */
	uint32_t conn_id;
	struct sa_state st;
	struct handshake *h; /* NULL once phase 1 is through */
	uint16_t pending;    /* enum ask */
	bool dh_held;        /* the host holds a private value of ours */
	struct tx tx;
	struct tx client_tx; /* of transaction exchanges */
	struct timer life, rekey, keepalive, dpd;
	uint64_t created_us, established_us, expires_us, heard_us; /* heard: last authentic message */
	bool forgotten;                                            /* the peer says that it does not know it */
	struct link quicks;
	uint32_t nquicks, nactive, next_quick; /* nactive: without those that only answer repetitions */
	uint32_t *message_ids;                 /* used by quick modes, owned */
	size_t nmessage_ids, message_ids_size;
	uint32_t children;           /* made under it */
	struct frag_set *fragments;  /* of a message that comes in pieces; owned */
	uint32_t dpd_seq, dpd_first; /* our last number, and the first of the question that is open */
	uint32_t dpd_peer_seq;
	bool dpd_peer_known;
	uint8_t dpd_tries; /* questions since the peer was heard; 0: none is open */
	bool told_garbled; /* that the peer's key differs was said once */
};
#define SA_TIMERS 6

struct quick {
	struct ike_sa *sa;
	struct link link;
	uint32_t number; /* in the SA, from 1 */
	uint32_t message_id;
	struct quick_state *st; /* NULL once done: only repetitions are answered */
	uint16_t pending;
	bool dh_held;
	struct tx tx;
	struct timer life;
	bool put[PARTS][2];         /* [inbound]: our SA stands in the data path */
	uint32_t conn_id[PARTS][2]; /* [inbound]: of `show crypto ipsec sa` */
};
#define QUICK_TIMERS 2

enum flow_stage { FLOW_IDLE, FLOW_IKE, FLOW_QUICK };
struct flow {
	struct ike *k;
	struct link link;
	struct dp_policy_id id;
	enum flow_stage stage;
	struct addr local, peer; /* of the attempt; `peer` of the last success when idle */
	bool peer_good;
	struct addr dead; /* peer that was found dead, not to be the first one tried before */
	uint64_t dead_until_us;
	uint32_t tried_set; /* peers of the entry that this round has tried, a bit each */
	uint8_t fresh;      /* this round has already made a new phase 1 for a silent one */
	uint64_t quick_sa;  /* stage FLOW_QUICK: serial of the IKE SA, number of the quick mode */
	uint32_t quick_number;
	bool wanted; /* traffic asked, and it failed: try again when the configuration changes */
	uint64_t wanted_until_us;
	bool acquire; /* datapathd waits for an answer */
	struct link children;
	unsigned failures;  /* in a row */
	struct timer again; /* wants another try then: rekey that failed */
	/* Level per-host: the pair of hosts that is being negotiated; else the whole line. */
	bool narrowed;
	struct dp_selectors narrow;
};
#define FLOW_TIMERS 1

/* One IPsec SA of a pair, found by its SPI. */
struct child_sa {
	struct child *child;
	struct link by_spi;
	struct dp_sa_key key; /* protocol 0: the pair has none of this kind */
	bool there;           /* in the data path; else only its SPI is known */
	uint32_t conn_id;
};

struct child {
	struct flow *flow;
	struct link of_flow, all;
	struct child_sa sas[PARTS][2]; /* [inbound] */
	struct addr local, remote;
	uint16_t remote_port;
	bool udp_encap, initiator, renewing;
	bool worn; /* its volume is nearly used */
	enum alg_group group;
	uint32_t ike_conn_id;
	uint64_t created_us, renew_us, end_us;
	struct dp_selectors sel;
	struct timer life, rekey;
	struct session *session;
};
#define CHILD_TIMERS 2

struct session { /* peer on an interface: `show crypto session`, SESSION_STATUS */
	struct link link;
	char interface[CFG_NAME];
	struct addr local, remote;
	uint16_t remote_port;
	uint64_t since_us;
	unsigned children;
};

/* Counters: show's names and the code's come from one list. */
#define IKE_STATS(X)                                                                                                               \
	X(RECEIVED, "messages received")                                                                                           \
	X(SENT, "messages sent")                                                                                                   \
	X(REPEATED, "messages repeated by timer")                                                                                  \
	X(REPEATED_IN, "repeated messages received")                                                                               \
	X(BAD_HEADER, "bad header")                                                                                                \
	X(BAD_VERSION, "version not supported")                                                                                    \
	X(NO_SA, "no SA")                                                                                                          \
	X(WRONG_PEER, "from another address than the SA's")                                                                        \
	X(MALFORMED, "malformed payloads")                                                                                         \
	X(BAD_EXCHANGE, "exchange not supported or not expected")                                                                  \
	X(BAD_SET, "set of payloads not expected")                                                                                 \
	X(BAD_CERT, "certificate refused")                                                                                         \
	X(BAD_HASH, "hash did not verify")                                                                                         \
	X(BAD_MESSAGE_ID, "message id zero or used before")                                                                        \
	X(NOT_DECRYPTED, "could not be decrypted")                                                                                 \
	X(REFUSED, "messages refused")                                                                                             \
	X(IGNORED, "messages ignored")                                                                                             \
	X(HALF_OPEN_LIMIT, "half-open limit reached")                                                                              \
	X(NO_KEY, "no pre-shared key")                                                                                             \
	X(PHASE1_OK, "phase 1 established")                                                                                        \
	X(PHASE1_FAILED, "phase 1 failed")                                                                                         \
	X(PHASE2_OK, "phase 2 established")                                                                                        \
	X(PHASE2_FAILED, "phase 2 failed")                                                                                         \
	X(NOTIFIES_IN, "notifications received")                                                                                   \
	X(DELETES_IN, "delete payloads received")                                                                                  \
	X(DEAD_PEERS, "dead peers")                                                                                                \
	X(DPD_OLD, "R-U-THERE or its answer with an old number")                                                                   \
	X(FRAGMENTS_IN, "fragments received")                                                                                      \
	X(FRAGMENTS_DROPPED, "fragments dropped")                                                                                  \
	X(FRAGMENTED, "messages sent in fragments")                                                                                \
	X(LATE_ANSWERS, "answers of workers for an SA that is gone")                                                               \
	X(NOMEM, "out of memory")
enum ike_stat {
#define X(name, text) STAT_##name,
	IKE_STATS(X)
#undef X
		STAT_COUNT
};

#define TABLE_SIZE 4096

struct ike {
	struct ike_host host;
	const struct cfg *cfg; /* borrowed; NULL before the first */
	struct timers timers;
	struct link sas, cookies[TABLE_SIZE], serials[TABLE_SIZE], peers[TABLE_SIZE];
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
	struct link dynamics; /* dynamic.c */
	uint32_t next_dynamic;
	uint64_t next_manual;
	struct link flows, children, spis[TABLE_SIZE], sessions;
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
	bool closing; /* ike_free: nothing is said any more */
};

/* env */
uint64_t now_us(const struct ike *k);
uint64_t wall_us(const struct ike *k);
void random_bytes(struct ike *k, void *out, size_t n);
uint64_t random_u64(struct ike *k);
uint64_t random_below(struct ike *k, uint64_t n); /* 0..n-1; 0 for n = 0 */

/* table.c */
struct ike_sa *sa_new(struct ike *k, bool initiator, uint8_t exchange, const struct ike_path *path, uint64_t cookie_i);
/* Takes it out of everything, wipes and frees; keeps a row for show. Ends its quick modes. Sends nothing. */
void sa_free(struct ike_sa *sa);
struct ike_sa *sa_by_cookies(struct ike *k, uint64_t cookie_i, uint64_t cookie_r);
/* A responder's SA whose initiator does not know our cookie yet. */
struct ike_sa *sa_by_initiator(struct ike *k, uint64_t cookie_i, struct addr remote);
struct ike_sa *sa_by_serial(struct ike *k, uint64_t serial);
/* The established SA between two addresses that lasts longest; NULL: none. `local` unset: any. */
struct ike_sa *sa_established(struct ike *k, struct addr local, struct addr remote);
/* One of ours in negotiation; NULL: none. */
struct ike_sa *sa_starting(struct ike *k, struct addr local, struct addr remote);
bool sa_other_with_peer(const struct ike_sa *sa); /* any other SA with the same peer, in any state */
unsigned sa_half_open_of(struct ike *k, struct addr remote);
struct ike_sa *sa_oldest_unproved(struct ike *k); /* responder, has not yet returned our cookie */
void sa_moved(struct ike_sa *sa);                 /* its cookie_r or peer changed: finds it again */
void sa_settled(struct ike_sa *sa);               /* phase 1 is through: half-open no more, handshake wiped */

/* runner.c: outcomes are final; `sa` may be gone afterwards when false is returned. */
void exchange_start(struct ike *k, struct ike_sa *sa, struct quick *q);
void run_ready(struct ike *k, struct ike_sa *sa, struct quick *q);
/* `in` is k->in; `digest` of the datagram. */
struct arrival {
	const struct ike_path *path;
	uint8_t digest[32];
	bool encrypted;
	uint8_t iv[CIPHER_BLOCK_MAX]; /* of the chain after this message */
};
void run_message(struct ike *k, struct ike_sa *sa, struct quick *q, const struct arrival *a);
uint32_t step_message_id(const struct step *st);
struct rule_query rule_query_of(const struct sa_state *s, const struct quick_state *q, uint8_t exchange, enum rule_on on);

/* asks.c: what the host is asked for, and its answers. */
uint64_t ask_serial(const struct ike_sa *sa, const struct quick *q, enum ask ask);
void ask_all(struct ike *k, struct ike_sa *sa, struct quick *q, uint16_t asks);
void ask_drop(struct ike *k, const struct ike_sa *sa, const struct quick *q);

/* receive.c */
void receive(struct ike *k, const struct ike_path *path, struct span packet);
bool token_take(struct ike *k, uint64_t *at, uint64_t *tokens, uint64_t per_second);

/* send.c */
/* Closes the message in `b`; encrypts it with the SA's key if `iv` is not NULL, and moves `iv` on. ERR_RANGE: too long. */
enum err message_seal(struct build *b, const struct sa_state *s, uint8_t *iv, struct span *packet) MUST_CHECK;
enum err message_open(struct ike *k, const struct sa_state *s, uint8_t *iv, struct span packet, struct span *plain) MUST_CHECK;
/* IV of a phase 2 exchange: hash(last block of phase 1 | message id), RFC 2409 appendix B. */
enum err message_iv(const struct sa_state *s, uint32_t message_id, uint8_t iv[CIPHER_BLOCK_MAX]) MUST_CHECK;
void packet_send(struct ike *k, const struct ike_path *path, struct span packet);
/* Keeps `packet` (already copied, taken over) as the last one and sends it; with `repeat` starts its timer. */
void tx_send(struct ike *k, struct tx *tx, const struct ike_path *path, uint8_t *packet, size_t len, bool repeat);
/* What is long goes out in fragments now, if both ends can. */
void tx_repeat(struct ike *k, struct tx *tx, const struct sa_state *s);
void tx_stop(struct ike *k, struct tx *tx);
void tx_free(struct ike *k, struct tx *tx);
uint64_t tx_wait_us(unsigned tries);
uint32_t message_id_new(struct ike_sa *sa);
bool message_id_used(const struct ike_sa *sa, uint32_t id);
void message_id_use(struct ike_sa *sa, uint32_t id); /* quick.c */

/* derive.c, RFC 2409 5 and appendix B */
enum err keys_phase1(struct sa_state *s, const struct handshake *h) MUST_CHECK; /* SKEYID_d, _a, _e, key, first IV */
enum err keys_hash_auth(const struct sa_state *s, const struct handshake *h, bool of_initiator, struct secret *out) MUST_CHECK;
/* prf(SKEYID_a, M-ID | parts): HASH(1), HASH(2) and informational; HASH(3) has a zero byte in front. */
enum err keys_hash_phase2(
	const struct sa_state *s, uint32_t message_id, const struct span *parts, size_t n, struct secret *out) MUST_CHECK;
enum err keys_hash_3(const struct sa_state *s, const struct quick_state *q, struct secret *out) MUST_CHECK;
enum err keys_child(const struct sa_state *s, struct quick_state *q) MUST_CHECK; /* keymat_in, keymat_out */
size_t keymat_len(const struct protection *p, enum part part);
/* prf over what stands behind the HASH payload, which must come first (quick_mode.c). */
enum err message_hash(
	const struct sa_state *s, uint32_t id, const struct message *m, struct span before, struct secret *out) MUST_CHECK;

/* offer.c: phase 1 proposals */
enum err offer_phase1(const struct step *st, enum alg_group only, struct writer *w); /* GROUP_NONE: all groups */
bool policy_usable(const struct ike *k, const struct sa_state *s, const struct cfg_isakmp_policy *p);
bool choose_phase1(struct step *st, struct span proposals, struct ike_terms *terms, struct writer *echo);
bool accept_phase1(struct step *st, struct span proposals, struct ike_terms *terms);

/* natt.c */
bool natt_permitted(const struct ike *k);
void natt_vendor(const struct ike *k, struct sa_state *s, struct span id);
void natt_put(struct step *st, struct build *b);
void natt_check(struct step *st);
void natt_float(struct sa_state *s);
/* The peer is found elsewhere now: the SAs of both phases go with it. */
void natt_move(struct ike *k, struct addr local, struct addr from, struct addr to, uint16_t port);
bool natt_used(const struct sa_state *s);
uint16_t natt_encaps(const struct sa_state *s, bool transport);                  /* mode attribute */
bool natt_encaps_read(const struct sa_state *s, uint64_t mode, bool *transport); /* false: it does not fit what NAT asks for */
/* NAT-OA: what we think that both ends are; what the peer thinks; and selectors that are the latter become the former. */
void natt_originals_put(struct step *st, struct build *b);
void natt_originals_take(struct step *st);
void natt_originals_replace(struct step *st);
void keepalive_set(struct ike_sa *sa);

/* main_mode.c, aggressive.c, quick_mode.c, info.c: handlers of the rows */
enum err mm_offer(struct step *st), mm_choose(struct step *st), mm_chosen(struct step *st), mm_send_ke(struct step *st),
	mm_take_ke(struct step *st), mm_answer_ke(struct step *st), mm_send_id(struct step *st), mm_answer_id(struct step *st),
	mm_finish(struct step *st);
enum err mm_sig_begin(struct step *st), mm_sig_send(struct step *st), mm_sig_answer_ke(struct step *st),
	mm_sig_take(struct step *st), mm_sig_finish(struct step *st);
enum err ag_begin(struct step *st), ag_offer(struct step *st), ag_choose(struct step *st), ag_answer(struct step *st),
	ag_take(struct step *st), ag_finish(struct step *st), ag_confirm(struct step *st);
enum err ag_sig_begin(struct step *st), ag_sig_answer(struct step *st), ag_sig_take(struct step *st), ag_sig_prove(struct step *st),
	ag_sig_finish(struct step *st), ag_sig_confirm(struct step *st), ag_sig_done(struct step *st);
enum err qm_begin(struct step *st), qm_offer(struct step *st), qm_answer(struct step *st), qm_accept(struct step *st),
	qm_keys(struct step *st), qm_send_2(struct step *st), qm_send_3(struct step *st), qm_finish(struct step *st);
enum err info_protected(struct step *st), info_plain(struct step *st);
/* Messages that begin with a HASH over what stands behind it (quick_mode.c): quick mode's, and transactions'. */
struct span hashed_begin(struct step *st);
enum err hashed_end(struct step *st, struct span hash, struct span before) MUST_CHECK;
enum err message_hash_check(struct step *st, struct span before) MUST_CHECK;

/* Remote access. rules_client.c */
const struct rule *rules_client(size_t *n);
/* xauth.c, mode_config.c: handlers of the rows */
enum err xauth_ask(struct step *st), xauth_take(struct step *st), xauth_grant(struct step *st), xauth_refuse(struct step *st),
	xauth_confirmed(struct step *st), xauth_ended(struct step *st);
enum err config_push(struct step *st), config_pushed(struct step *st), config_answer(struct step *st);
/* client.c. What the configuration wants of the peer that has just proved its key: sets the stage. Refuses what cannot be. */
enum err client_decide(struct step *st) MUST_CHECK;
/* May a proposal say XAUTHInitPreShared, seen from what is known now? */
bool client_wanted(const struct ike *k, const struct sa_state *s); /* does the configuration speak of clients at all? */
bool client_xauth_wanted(const struct ike *k, const struct sa_state *s);
/* Does somebody look up groups: a map at the SA's local address, or a profile? `s` NULL: any map. */
bool client_groups_used(const struct ike *k, const struct sa_state *s);
bool client_settled(const struct sa_state *s); /* nothing is asked of a client any more */
bool client_begins(const struct sa_state *s);
void client_state_set(struct sa_state *s);                            /* CONF_XAUTH, CONF_ADDR, QM_IDLE by the stage */
bool client_takes(const struct ike_sa *sa, uint32_t message_id);      /* can a transaction of that id be? */
enum err client_transaction(struct step *st) MUST_CHECK;              /* a new one of ours: message id and IV */
bool client_same(const struct sa_state *a, const struct sa_state *b); /* one user come again */
const struct cfg_client_group *client_group_of(const struct ike *k, const struct sa_state *s); /* NULL: none */
enum err client_limits(struct step *st) MUST_CHECK;                                            /* max-users, max-logins */
/* May quick mode be about this traffic? A client has its address and no other's. */
enum err client_selectors(struct step *st, const struct dp_selectors *sel) MUST_CHECK;
void client_say(const struct step *st, const char *what, const char *why);
/* Is the pair one of that user's, by its address? `user` empty: any pair is. */
bool client_child_meant(struct ike *k, const char *user, const struct child *c);
void client_row(struct ikem_sa *row, const struct sa_state *s);
/* lease.c. An address of the client's pool, `wanted` if it can be; 0 with a reason: none. */
uint32_t lease_choose(struct ike *k, const struct sa_state *s, uint32_t wanted, char *why, size_t size);
bool pool_has(const struct ike *k, uint32_t low, uint32_t high); /* does any pool overlap? */

/* outcome.c. Committed: what follows from a state that was reached. */
void phase1_done(struct ike_sa *sa);
void phase2_done(struct quick *q);
/* Ends it with a failure that is told. `notify` 0: the peer is not told. `sa`, `q` are gone afterwards. */
void phase1_fail(struct ike_sa *sa, uint16_t notify, const char *why);
void quick_fail(struct quick *q, uint16_t notify, const char *why, bool silent_peer);

/* quick.c: the object */
struct quick *quick_new(struct ike_sa *sa, bool initiator, uint32_t message_id);
/* Gives it its number: ours at once, the peer's when its first message was authentic. */
void quick_number(struct quick *q);
struct quick *quick_find(struct ike_sa *sa, uint32_t message_id);
struct quick *quick_by_number(struct ike_sa *sa, uint32_t number);
void quick_free(struct quick *q); /* takes back what it had put into the data path unless done */
void quick_settled(struct quick *q);
void quick_put_forget(struct quick *q); /* its SAs are gone from the data path, or belong to the pair */
void quick_sa(const struct quick *q, enum part part, bool inbound, struct dpm_sa *out); /* caller wipes */

/* protection.c: what a transform-set says, and its two parts */
bool part_used(const struct protection *p, enum part part);
uint8_t part_protocol(enum part part); /* enum isakmp_protocol */
uint8_t part_ip(enum part part);       /* 50, 51 */
enum part part_of(uint8_t protocol);   /* of enum isakmp_protocol; PARTS: neither */
struct protection protection_of(const struct cfg_transform_set *s);
/* Why it cannot be negotiated under `s`, or NULL. */
const char *protection_fault(const struct ike *k, const struct sa_state *s, const struct protection *p);
void protection_print(char *out, size_t size, const struct protection *p);
bool selectors_are_ends(const struct dp_selectors *s, const struct ike_path *path);

/* quick_offer.c, quick_choose.c */
enum err offer_phase2(struct step *st, struct writer *w);
bool choose_phase2(struct step *st, const struct cfg_map_entry *entry, struct span proposals);
bool accept_phase2(struct step *st, struct span proposals);
enum err echo_phase2(struct step *st, struct writer *w);

/* quick_id.c */
void selector_to_id(struct id_body *out, const struct dp_selector *s, uint8_t protocol);
bool selector_from_id(struct dp_selector *s, uint8_t *protocol, const struct payload_id *id);
bool selectors_within(const struct dp_selectors *inner, const struct dp_selectors *outer);
void selectors_print(char *out, size_t size, const struct dp_selectors *s);

/* policy.c */
bool ace_selectors(const struct cfg_ace *ace, struct dp_selectors *out); /* as it goes into ID payloads; false: cannot */
struct policy {
	const struct cfg_interface *interface;
	const struct cfg_map_entry *entry;
	const struct cfg_ace *ace;
	struct dp_selectors sel;
	/* Under a dynamic map: the map's entry, and the peer; `entry` is the dynamic map's, and `ace` NULL. Else NULL. */
	const struct cfg_map_entry *place;
	struct addr peer;
};
/* Is the peer one of the policy's? */
bool policy_takes_peer(const struct policy *p, struct addr peer);
/* `set isakmp-profile`: as responder the entry serves only peers whose phase 1 was matched to it. */
bool policy_takes_profile(const struct cfg_map_entry *e, const char *profile);
/* The line of the entry's list that permits the traffic; NULL: none. */
const struct cfg_ace *policy_line(const struct ike *k, const struct cfg_map_entry *e, const struct dp_selectors *sel);
bool policy_find(const struct ike *k, const struct dp_policy_id *id, struct policy *out);
/* The responder's choice, in sequence order over all interfaces with that local address. */
bool policy_match(
	const struct ike *k, const struct sa_state *s, const struct dp_selectors *sel, struct policy *out, char *why, size_t size);
void policy_id_of(struct dp_policy_id *id, const struct policy *p);
bool policy_id_equal(const struct dp_policy_id *a, const struct dp_policy_id *b);
/* Has the interface a map that is in force: is neither it shut down, nor the interface whose address the map uses? */
bool policy_interface_up(const struct ike *k, const struct cfg_interface *i);
/* The local end: the address of the map's `local-address`, else of the interface, else by the kernel's route. */
struct addr ike_policy_local(const struct ike *k, const struct cfg_interface *i, struct addr remote);
bool policy_has_peer(const struct cfg_map_entry *e, struct addr peer);
/* The first complete entry for the peer on an interface with that address; NULL: none. */
const struct cfg_map_entry *peer_entry(const struct ike *k, struct addr local, struct addr peer);
bool peer_configured(const struct ike *k, struct addr local, struct addr peer);
void policy_lifetimes(const struct ike *k, const struct cfg_map_entry *e, uint32_t *s, uint32_t *kb);
uint32_t policy_idle(const struct ike *k, const struct cfg_map_entry *e); /* 0: never */
unsigned group_strength(enum alg_group g);
bool crypto_on(const struct ike *k);

/* dynamic.c: policies that negotiations under a dynamic map make */
bool dynamic_policy(const struct ike *k, const struct dp_policy_id *id, const struct cfg_map_entry *place, struct policy *out);
bool dynamic_match(const struct ike *k, const struct cfg_map_entry *place, struct addr remote, const char *profile,
	const struct dp_selectors *sel, struct policy *out);
void dynamic_id(struct ike *k, const struct policy *p, struct dp_policy_id *id);
void dynamic_put(struct ike *k, const struct quick *q); /* before its first SA */
/* Takes it away unless a flow, or a quick mode other than `but`, has it. */
void dynamic_unused(struct ike *k, const struct dp_policy_id *id, const struct quick *but);
void dynamic_adopt(struct ike *k, const struct dpm_dynamic *d);
void dynamics_adopted(struct ike *k); /* the SAs are known, too: what has none goes */
void dynamics_forget(struct ike *k);
struct ike_sa *dynamic_sa(struct ike *k, struct addr local, const struct policy *p);

/* flow.c */
struct flow *flow_get(struct ike *k, const struct dp_policy_id *id, bool make);
void flow_start(struct flow *f);
void flow_acquire(struct ike *k, const struct dpm_acquire *a);
bool flow_connect(struct flow *f); /* begins without traffic; false: it has SAs */
void flow_ike_up(struct ike_sa *sa);
void flow_ike_failed(struct ike *k, struct addr local, struct addr peer);
void flow_quick_failed(struct flow *f, struct ike_sa *sa, bool silent);
/* It has a new pair; `q` is the quick mode that made it. */
void flow_up(struct flow *f, const struct quick *q);
void flow_failed(struct flow *f);
void flow_left(struct ike *k, const struct quick *q); /* ends without a pair, and somebody may have waited for it */
void flow_orphans(struct ike *k, struct addr local, struct addr peer); /* wait for phase 1, and there is none */
void flow_renew(struct flow *f, struct addr peer);
/* For an entry of level per-host: what is negotiated next is for these hosts only. */
void flow_narrow(struct flow *f, struct addr local, struct addr remote);
void flow_free(struct flow *f); /* its children are gone already */
void flow_maybe_free(struct flow *f);
void flows_retry(struct ike *k); /* the configuration changed */
enum err quick_begin(struct ike_sa *sa, struct flow *f) MUST_CHECK;

/* child.c, rekey.c */
struct child *child_new(struct flow *f);
void child_free(struct child *c, bool take_back); /* take_back: out of the data path too */
void child_index(struct child *c);
/* `remote` counts for outbound ones, whose SPIs are the peer's. */
struct child *child_by_spi(struct ike *k, uint8_t ip_protocol, bool inbound, uint32_t spi, struct addr remote);
struct child_sa *child_main(struct child *c, bool inbound); /* that of ESP, or of AH alone */
bool child_whole(const struct child *c);                    /* everything of both directions is there */
void child_up(struct child *c);                             /* session and its log line, timers */
struct child *child_newer(const struct child *c);           /* another one of the flow that will do in its place */
void child_adopt(struct ike *k, const struct dpm_sa_info *info);
void child_expired(struct ike *k, const struct dpm_expire *e);
bool child_with_peer(struct ike *k, struct addr local, struct addr remote);
void child_tell(struct child *c); /* the peer, that our inbound SAs are gone */
/* Tells and frees. */
void child_delete(struct child *c, const char *why);
/* Its peer's pairs, taken back without a word; of a client only its own. */
void children_of_sa_delete(struct ike_sa *sa, uint64_t older_than_us);
void rekey_child_schedule(struct child *c);
void rekey_sa_schedule(struct ike_sa *sa);
void child_timers_init(struct child *c);
void child_wear(struct child *c); /* its volume is nearly used */
void sa_delete(struct ike_sa *sa, bool tell, const char *why);
/* Begins phase 1; `patient`: no other peer waits to be tried. A failure comes through flow_ike_failed, maybe at once. */
void phase1_begin(struct ike *k, struct addr local, struct addr peer, bool patient);
void sa_timers_init(struct ike_sa *sa);

/* info.c */
/* A notification or deletion that was found good: acts on it. `sa` may be gone afterwards. */
void info_done(struct ike_sa *sa, const struct message *m, bool protected);

void info_send_delete_sa(struct ike_sa *sa);
void info_send_notify(struct ike_sa *sa, uint16_t type, uint8_t protocol, struct span spi, struct span data);
/* To a message that belongs to no SA, or cannot be protected: bounded in rate and never longer than what came. */
void info_send_plain(struct ike *k, const struct ike_path *path, uint64_t cookie_i, uint64_t cookie_r, uint16_t type, size_t bound);
void recover_unknown(struct ike *k, struct addr local, struct addr remote);
void info_delete_spi(struct ike *k, struct addr local, struct addr remote, uint8_t protocol, uint32_t spi);

/* manual.c: SAs that are keyed by hand. Serials of their questions end in SERIAL_MANUAL. */
#define SERIAL_MANUAL 0x80
void manuals_configure(struct ike *k); /* as the snapshot has them */
void manuals_reset(struct ike *k);     /* the data path has lost them */
void manuals_free(struct ike *k);      /* leaves them in the data path */
unsigned manuals_clear(struct ike *k, const struct ikem_clear *c);
/* Was it one of theirs? Then it was seen to. */
bool manual_put_done(struct ike *k, uint64_t serial, enum err e);
bool manual_expired(struct ike *k, const struct dpm_expire *e);
bool manual_adopt(struct ike *k, const struct dpm_sa_info *i);

/* fragment.c */
#define PAYLOAD_FRAGMENT 132                                       /* on the wire; never a payload of a whole message */
bool fragments_can(const struct ike *k, const struct sa_state *s); /* both ends */
/* A message whose next payload is 132. The whole message when this was its last missing piece, else empty; in k->joined. */
struct span fragment_take(struct ike_sa *sa, struct span packet);
/* False: it is short enough to go whole. */
bool fragments_send(struct ike *k, const struct ike_path *path, struct span packet);
void fragments_free(struct ike_sa *sa);

/* admission.c: is one more IKE SA allowed? Counts, and says why not. */
bool admission_in(struct ike *k, const struct ike_path *path);
bool admission_out(struct ike *k, struct addr local, struct addr remote);

/* dpd.c */
void dpd_set(struct ike_sa *sa); /* phase 1 is through, or the configuration has changed */
void dpd_fire(void *ctx, void *owner);
void dpd_asked(struct ike_sa *sa, const struct payload_notify *n);
void dpd_answered(struct ike_sa *sa, const struct payload_notify *n);

/* change.c */
void change_apply(struct ike *k, unsigned tables);

/* say.c */
void count(struct ike *k, enum ike_stat s);
void say_failure(struct ike *k, struct addr remote, uint32_t conn_id, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* "ISAKMP:(1001): ..." when debugging. */
void trace(const struct ike *k, uint32_t conn_id, const char *fmt, ...) PRINTF_LIKE(3, 4);
void trace_error(const struct ike *k, uint32_t conn_id, const char *fmt, ...) PRINTF_LIKE(3, 4);
void trace_message(const struct ike *k, uint32_t conn_id, const struct message *m);
void trace_packet(const struct ike *k, const char *what, const struct ike_path *path, struct span packet);
void say_session(struct ike *k, const struct session *s, bool up);
bool say_allowed(struct ike *k); /* for lines that any stranger can cause */
void terms_print(char *out, size_t size, const struct ike_terms *t);

#endif
