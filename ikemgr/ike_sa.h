/* An IKE SA: phase 1 and what lies below it. Found by cookies, serial, peer (table.c); renewed and ended by rekey.c. */
#ifndef POSTERN_IKEMGR_IKE_SA_H
#define POSTERN_IKEMGR_IKE_SA_H

#include "ikemgr/link.h"
#include "ikemgr/send.h"

#define HALF_OPEN_MAX      1000  /* IKE SAs in negotiation, all peers */
#define HALF_OPEN_PEER_MAX 20    /* of one address, as responder */
#define HALF_OPEN_S        60    /* life of one that does not get on */
#define MESSAGE_IDS_MAX    20000 /* quick modes in the life of an IKE SA */

struct handshake;
struct frag_set;

struct ike_sa {
	struct ike *k;
	struct link by_cookie, by_serial, by_peer, all;
	struct link negotiating; /* while it has a handshake; the oldest comes first */
	uint64_t serial;         /* never used again */
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

/* table.c. Of the buckets of everything that is found by peer, or by policy. */
size_t bucket_of_peer(const struct ike *k, struct addr a);
size_t bucket_of_policy(const struct ike *k, const struct dp_policy_id *id);
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

/* rekey.c */
void rekey_sa_schedule(struct ike_sa *sa);
void sa_delete(struct ike_sa *sa, bool tell, const char *why);
/* Begins phase 1; `patient`: no other peer waits to be tried. A failure comes through flow_ike_failed, maybe at once. */
void phase1_begin(struct ike *k, struct addr local, struct addr peer, bool patient);
void sa_timers_init(struct ike_sa *sa);

/* quick.c: message ids are used once in the life of an SA */
uint32_t message_id_new(struct ike_sa *sa);
bool message_id_used(const struct ike_sa *sa, uint32_t id);
void message_id_use(struct ike_sa *sa, uint32_t id);

#endif
