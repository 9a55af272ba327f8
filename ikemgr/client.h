/* Remote access: users, groups, addresses. */
#ifndef POSTERN_IKEMGR_CLIENT_H
#define POSTERN_IKEMGR_CLIENT_H

#include "ikemgr/rule.h"
#include "ikemgr/policy.h"

struct child;

/* rules_client.c */
const struct rule *rules_client(size_t *n);
/* xauth.c, mode_config.c: handlers of the rows */
enum err xauth_ask(struct step *st), xauth_take(struct step *st), xauth_grant(struct step *st), xauth_refuse(struct step *st),
	xauth_confirmed(struct step *st), xauth_ended(struct step *st);
enum err config_push(struct step *st), config_pushed(struct step *st), config_answer(struct step *st);
/* client.c. What the configuration wants of the peer that has just proved its key: sets the stage. Refuses what cannot be. */
enum err client_decide(struct step *st) MUST_CHECK;
bool client_wanted(const struct ike *k, const struct sa_state *s); /* does the configuration speak of clients at all? */
/* May a proposal say that method with XAUTH, seen from what is known now? */
bool client_xauth_wanted(const struct ike *k, const struct sa_state *s, uint16_t auth);
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

#endif
