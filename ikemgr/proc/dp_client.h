/* The connection to datapathd: kept up, re-made when it breaks; requests with serial numbers, events.
 *
 *   connect --> ATTACH --> answer with the sockets --> attached() --> SA dump: sa()… --> listed()
 *      ^                                                                                    |
 *      +------------------- 200 ms ---------------- detached(), open requests fail  <-------+
 *
 * Callbacks come from the loop, never from inside a call.
 */
#ifndef POSTERN_IKEMGR_PROC_DP_CLIENT_H
#define POSTERN_IKEMGR_PROC_DP_CLIENT_H

#include "datapath/dp_api.h"
#include "platform/base/loop.h"

struct dp_client;

struct dp_handlers {
	/* The descriptors, UDP 500 and 4500, are taken over. `restarted`: it is another datapathd than the last time (false the
	 * first time). */
	void (*attached)(void *ctx, const struct dpm_attached *a, int ike_fd, int natt_fd, bool restarted);
	void (*detached)(void *ctx);
	/* After attached: the SAs that it has. */
	void (*sa)(void *ctx, const struct dpm_sa_info *sa);
	void (*listed)(void *ctx);
	/* Before them: its policies of dynamic maps. */
	void (*dynamic)(void *ctx, const struct dpm_dynamic *d);
	/* Answers. ERR_CLOSED: the connection broke before. */
	void (*spi)(void *ctx, uint64_t serial, enum err e, uint32_t spi);
	void (*sa_put)(void *ctx, uint64_t serial, enum err e);
	void (*activity)(void *ctx, uint64_t serial, uint64_t in_idle_s, uint64_t out_idle_s);
	/* Events. */
	void (*acquire)(void *ctx, const struct dpm_acquire *a);
	void (*expire)(void *ctx, const struct dpm_expire *e);
	void (*mapping)(void *ctx, const struct dpm_mapping *m);
	void (*invalid_spi)(void *ctx, const struct dpm_invalid_spi *i);
	void (*passed_ike)(void *ctx, const struct dpm_packet *p, struct span bytes);
};

struct dp_client *dp_client_new(struct loop *l, const char *run_dir, const struct dp_handlers *h, void *ctx);
void dp_client_free(struct dp_client *c);

void dp_spi_alloc(struct dp_client *c, uint64_t serial, const struct dpm_spi *want);
void dp_sa_put(struct dp_client *c, uint64_t serial, const struct dpm_sa *sa);
/* Without an answer of interest. Lost while there is no datapathd: it has no SAs then either. */
void dp_sa_del(struct dp_client *c, const struct dp_sa_key *key);
void dp_sa_move(struct dp_client *c, const struct dpm_sa_move *move);
void dp_policy_state(struct dp_client *c, const struct dpm_policy_state *state);
/* Seconds since the last packet in and out between two addresses, UINT64_MAX: none. Answered by activity(), unless the connection
 * breaks or too many are open: who asks asks again at its next turn. */
void dp_activity(struct dp_client *c, uint64_t serial, struct addr local, struct addr remote);
void dp_dynamic_put(struct dp_client *c, const struct dpm_dynamic *d);
void dp_dynamic_del(struct dp_client *c, const struct dp_policy_id *id);
void dp_pass_packet(struct dp_client *c, const struct dpm_packet *head, struct span bytes);

#endif
