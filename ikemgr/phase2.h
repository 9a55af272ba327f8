/* What a quick mode agrees on: transform sets, proposals, identities. */
#ifndef POSTERN_IKEMGR_PHASE2_H
#define POSTERN_IKEMGR_PHASE2_H

#include "ikemgr/quick.h"
#include "ikemgr/rule.h"

struct ike;

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

#endif
