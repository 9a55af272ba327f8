/* Messages of transaction exchanges: HDR*, HASH, ATTR. Used by the handlers of xauth.c and mode_config.c. */
#ifndef POSTERN_IKEMGR_TRANSACTION_H
#define POSTERN_IKEMGR_TRANSACTION_H

#include "ikemgr/core.h"

#define CONFIG_MAX 2048 /* attributes of one message */

/* Checks the message's HASH and that it is of that kind. */
enum err transaction_take(struct step *st, enum isakmp_config type, const struct payload_config **out) MUST_CHECK;
/* Begins an exchange of ours: a new message id, its IV, a new identifier. */
enum err transaction_begin(struct step *st) MUST_CHECK;
/* The reply of the step: HASH and those attributes. */
enum err transaction_put(struct step *st, enum isakmp_config type, const struct writer *attributes) MUST_CHECK;
/* Has the list an attribute of that type? */
bool attribute_find(struct span attributes, uint16_t type, struct attribute *out);

#endif
