/* Identities of phase 1: what we say we are, who the peer may be, which profile and which pre-shared key that means. */
#ifndef POSTERN_IKEMGR_IDENTITY_H
#define POSTERN_IKEMGR_IDENTITY_H

#include "ikemgr/core.h"

/* Does the identity fall under a line of `match identity`? */
bool identity_matches(const struct cfg_id *m, const struct payload_id *id);
/* The profile that an SA uses; NULL: none, or it is gone. */
const struct cfg_isakmp_profile *sa_profile(const struct ike *k, const struct sa_state *s);
/* Before an initiator's first message: the profile of the crypto map's entry, else the first that matches the peer's address;
 * and whether aggressive mode is configured for it. */
void identity_begin(const struct ike *k, struct sa_state *s);

/* The pre-shared key for the peer into the state; refuses when there is none. `id` NULL: by address (RFC 2409 5.4: main mode
 * cannot know more). With the identity of an aggressive mode's first message: an unknown one gets the key that nobody has
 * (secret id 0), so that the answer tells nothing. */
enum err identity_key(struct step *st, const struct payload_id *id) MUST_CHECK;
enum err identity_key_maybe(struct step *st) MUST_CHECK; /* secret id 0 where there is none */
/* Why the key that a negotiation uses is not the configured one any more; NULL: it is. */
const char *identity_key_fault(const struct ike_sa *sa);

/* Our identity, as the profile, the peer's entry or the router has it. */
void identity_own(const struct step *st, struct id_body *out);
/* Finds the peer's profile by its claimed identity; refuses one that the profile of the crypto map does not name, and a key that
 * only other profiles may use. */
enum err identity_profile(struct step *st, const struct payload_id *id) MUST_CHECK;

/* Has the configuration something that only aggressive mode with pre-shared keys can serve? Then, and only then, a responder takes
 * part in that, for it shows a hash of the key. */
bool aggressive_psk_answered(const struct ike *k);
/* That, or signatures, which show nothing of a key. */
bool aggressive_answered(const struct ike *k);

#endif
