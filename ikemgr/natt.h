/* NAT traversal (natt.c; RFC 3947, 3948). */
#ifndef POSTERN_IKEMGR_NATT_H
#define POSTERN_IKEMGR_NATT_H

#include "ikemgr/rule.h"

#define KEEPALIVE_S 20 /* RFC 3948 4 */

struct build;

bool natt_permitted(const struct ike *k);
void natt_vendor(const struct ike *k, struct sa_state *s, struct span id);
void natt_old_say(const struct step *st); /* debug: the peer knows only drafts that we do not have */
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

#endif
