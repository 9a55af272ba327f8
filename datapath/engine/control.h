/* The control thread's files: engine.c (open, close, ticks), sa_ops.c, policy_ops.c, icmp.c, show.c. */
#ifndef POSTERN_ENGINE_CONTROL_H
#define POSTERN_ENGINE_CONTROL_H

#include "datapath/engine/engine.h"

enum err engine_spi_alloc(struct backend *b, const struct dpm_spi *req, uint32_t *spi);
enum err engine_sa_put(struct backend *b, const struct dpm_sa *conf);
enum err engine_sa_del(struct backend *b, const struct dp_sa_key *key);
enum err engine_sa_move(struct backend *b, const struct dpm_sa_move *move);
enum err engine_flush(struct backend *b, struct addr remote);
void sa_drop_all(struct backend *b);
void sa_tick(struct backend *b, uint64_t now_us); /* SAs over their time, reservations */

enum err engine_policy_replace(struct backend *b, const struct backend_policies *set);
enum err engine_policy_state(struct backend *b, const struct dpm_policy_state *state);

enum err engine_sa_dump(
	struct backend *b, const struct dpm_dump_filter *f, bool (*each)(void *ctx, const struct dpm_sa_info *i), void *ctx);
enum err engine_policy_dump(
	struct backend *b, const struct dpm_dump_filter *f, bool (*each)(void *ctx, const struct dpm_policy_info *i), void *ctx);
enum err engine_line_dump(struct backend *b, bool (*each)(void *ctx, const struct backend_line_count *c), void *ctx);
void engine_drops(struct backend *b, uint64_t out[DP_DROP_COUNT]);
void engine_info(struct backend *b, struct dpm_engine_info *out);
void engine_clear_counters(struct backend *b, struct addr remote);
void engine_clear_line_counts(struct backend *b, const char *acl);

/* Sends ICMP fragmentation needed about the clear packet whose head is in `note`. */
void icmp_send_too_big(struct backend *b, const struct note *note);
/* What is inside an ICMP error (from its own header on): the path MTU for one of our SAs, if it is about one. False: nothing
 * of ours, or nothing new. */
bool icmp_take_error(struct backend *b, struct span error);
void icmp_readable(void *ctx, int fd, int what); /* ctx: struct backend */

#endif
