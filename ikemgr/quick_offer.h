/* A phase 2 transform as it is read, and the proposals of one number. For quick_offer.c and quick_choose.c. */
#ifndef POSTERN_IKEMGR_QUICK_OFFER_H
#define POSTERN_IKEMGR_QUICK_OFFER_H

#include "ikemgr/core.h"

#define ESN_64 1 /* RFC 4304 */

struct offer2 {
	uint8_t transform_id;
	uint64_t key_bits, auth, group, encaps;
	uint32_t lifetime_s, lifetime_kb;
	bool esn, odd;
};
struct offer2 offer_read(const struct payload_transform *t);
/* Does the transform stand for this part of it? */
bool offer_equals(const struct offer2 *o, const struct protection *p, enum part part);

/* Proposals of one number are wanted together (RFC 2408 4.2). Spans are borrowed from the message. */
struct bundle {
	uint8_t number;
	bool has[PARTS], ah_first;
	uint8_t ntransforms[PARTS];
	struct span transforms[PARTS];
	uint32_t spi[PARTS];
};
/* False: something stands under that number that cannot be had. */
bool bundle_read(struct span proposals, uint8_t number, struct bundle *b);
bool bundle_is(const struct bundle *b, const struct protection *p); /* ESP, AH or both, as it wants */

#endif
