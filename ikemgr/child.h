/* A pair of IPsec SAs of a flow, and the sessions that they make (child.c, rekey.c). */
#ifndef POSTERN_IKEMGR_CHILD_H
#define POSTERN_IKEMGR_CHILD_H

#include "ikemgr/link.h"
#include "ikemgr/state.h"
#include "ikemgr/timer.h"

struct ike;
struct ike_sa;
struct flow;

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
	struct link of_flow, by_peer, all;
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
	struct link link, by_peer;
	char interface[CFG_NAME];
	struct addr local, remote;
	uint16_t remote_port;
	uint64_t since_us;
	unsigned children;
};

struct child *child_new(struct flow *f);
void child_free(struct child *c, bool take_back); /* take_back: out of the data path too */
void child_index(struct child *c);                /* by its SPIs and peer, again when they have changed */
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
void child_timers_init(struct child *c);
void child_wear(struct child *c); /* its volume is nearly used */

#endif
