/* Phase 1 proposals (offer.c). */
#ifndef POSTERN_IKEMGR_OFFER_H
#define POSTERN_IKEMGR_OFFER_H

#include "ikemgr/rule.h"

enum err offer_phase1(const struct step *st, enum alg_group only, struct writer *w); /* GROUP_NONE: all groups */
bool policy_usable(const struct ike *k, const struct sa_state *s, const struct cfg_isakmp_policy *p);
bool choose_phase1(struct step *st, struct span proposals, struct ike_terms *terms, struct writer *echo);
bool accept_phase1(struct step *st, struct span proposals, struct ike_terms *terms);

#endif
