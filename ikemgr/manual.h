/* SAs that are keyed by hand (manual.c). Serials of their questions end in SERIAL_MANUAL. */
#ifndef POSTERN_IKEMGR_MANUAL_H
#define POSTERN_IKEMGR_MANUAL_H

#include "ikemgr/ike.h"

#define SERIAL_MANUAL 0x80
void manuals_configure(struct ike *k); /* as the snapshot has them */
void manuals_reset(struct ike *k);     /* the data path has lost them */
void manuals_free(struct ike *k);      /* leaves them in the data path */
unsigned manuals_clear(struct ike *k, const struct ikem_clear *c);
/* Was it one of theirs? Then it was seen to. */
bool manual_put_done(struct ike *k, uint64_t serial, enum err e);
bool manual_expired(struct ike *k, const struct dpm_expire *e);
bool manual_adopt(struct ike *k, const struct dpm_sa_info *i);

#endif
