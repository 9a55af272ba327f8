/* What main mode and aggressive mode have in common: pieces of messages, taken and put. Used by the handlers of both. */
#ifndef POSTERN_IKEMGR_PHASE1_H
#define POSTERN_IKEMGR_PHASE1_H

#include "ikemgr/core.h"

/* A pre-shared key for the peer, if there is one; without it a certificate of ours will do. */
enum err method_find(struct step *st) MUST_CHECK;

/* SA payloads. The initiator's body is kept: it is hashed. */
void sa_body_keep(struct handshake *h, struct span body);
enum err sa_check(struct step *st, const struct payload *sa) MUST_CHECK;
/* Appends our offer and keeps it; `only`: with this group alone (aggressive mode), GROUP_NONE: all policies. */
enum err sa_offer(struct step *st, struct build *b, enum alg_group only) MUST_CHECK;
/* Chooses from the peer's offer into the terms, and makes our cookie; `echo` gets the chosen proposal. */
enum err sa_choose(struct step *st, struct writer *echo) MUST_CHECK;
enum err sa_chosen(struct step *st) MUST_CHECK; /* takes the responder's choice and cookie */

void vendors_put(struct step *st, struct build *b);
void vendors_take(struct step *st);
/* What we say of ourselves was said by the peer before: the answer is never longer than the question. */
void vendors_answer(struct step *st, struct build *b);
void vendors_repeat(struct step *st, struct build *b); /* the same from what was taken, when the message has gone */

void nonce_make(struct step *st, struct nonce *n);
void ke_put(struct step *st, struct build *b, const struct nonce *nonce);
/* RFC 2409 5: nonces of 8 to 256 bytes; the length of a public value is its group's. */
enum err ke_take(struct step *st, struct nonce *nonce) MUST_CHECK;

void id_put(struct build *b, const struct id_body *id);
/* Takes the peer's identity as it claims it: form, and whether the profile permits it. Proves nothing. */
enum err id_take(struct step *st, struct id_body *keep) MUST_CHECK;
void identity_keep(struct step *st); /* as text, for show and log */
/* HASH_I or HASH_R: ours behind the identity in our half of the handshake; and the peer's, checked. */
enum err hash_put(struct step *st, struct build *b) MUST_CHECK;
enum err hash_check(struct step *st, struct span hash) MUST_CHECK;

/* Aggressive mode: SA, KE, Nr, IDir of the second message, to which the method adds; and what of it every method takes so. */
struct build *ag_reply(struct step *st);
enum err ag_answer_take(struct step *st) MUST_CHECK;

void notify_put(struct step *st, uint16_t type, struct span data);
void notifies_take(struct step *st);
void lifetime_take(struct ike_terms *t, const struct payload_notify *n); /* RESPONDER-LIFETIME of phase 1 */
size_t lifetime_encode(uint8_t out[16], uint32_t seconds);               /* its data */
/* Nothing else stands between us and the peer: whatever it still has of us is from before our start (RFC 2407 4.6.3.3). */
bool first_contact(struct step *st);

#endif
