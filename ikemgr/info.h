/* Informational exchanges: notify, delete (info.c), dead peers (dpd.c). */
#ifndef POSTERN_IKEMGR_INFO_H
#define POSTERN_IKEMGR_INFO_H

#include "ikemgr/state.h"

struct ike;
struct ike_sa;
struct message;
struct payload_notify;

/* info.c */
/* A notification or deletion that was found good: acts on it. `sa` may be gone afterwards. */
void info_done(struct ike_sa *sa, const struct message *m, bool protected);

void info_send_delete_sa(struct ike_sa *sa);
void info_send_notify(struct ike_sa *sa, uint16_t type, uint8_t protocol, struct span spi, struct span data);
/* To a message that belongs to no SA, or cannot be protected: bounded in rate and never longer than what came. */
void info_send_plain(struct ike *k, const struct ike_path *path, uint64_t cookie_i, uint64_t cookie_r, uint16_t type, size_t bound);
void recover_unknown(struct ike *k, struct addr local, struct addr remote);
void info_delete_spi(struct ike *k, struct addr local, struct addr remote, uint8_t protocol, uint32_t spi);

/* dpd.c */
void dpd_set(struct ike_sa *sa); /* phase 1 is through, or the configuration has changed */
void dpd_fire(void *ctx, void *owner);
void dpd_asked(struct ike_sa *sa, const struct payload_notify *n);
void dpd_answered(struct ike_sa *sa, const struct payload_notify *n);

#endif
