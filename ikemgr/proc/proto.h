/* The proto process: the core of ike.h, and around it sockets, clock, threads and the other programs.
 *
 *              configd ------- follow ---.        .--- keys_client ---- keys process
 *   datapathd ---- dp_client -- events --- core ------ dh_pool ---- worker threads
 *        '-- UDP 500, 4500 ---- udp -----'        '--- api ------- console
 *
 * datapathd is looked for as soon as there is a configuration, and the core lives from the first attachment on: before that
 * nothing can be sent, and it is not known whether native ESP can be carried. Every entry into the core ends with proto_tick().
 */
#ifndef POSTERN_IKEMGR_PROC_PROTO_H
#define POSTERN_IKEMGR_PROC_PROTO_H

#include "configdb/follow.h"
#include "ikemgr/ike.h"
#include "ikemgr/proc/dh_pool.h"
#include "ikemgr/proc/dp_client.h"
#include "ikemgr/proc/export.h"
#include "ikemgr/proc/fetch.h"
#include "ikemgr/proc/keys.h"
#include "ikemgr/proc/options.h"
#include "ikemgr/proc/scep.h"
#include "ikemgr/proc/udp.h"
#include "ikemgr/proc/users.h"

struct proto {
	const struct options *options;
	struct loop *loop;
	struct ike *ike; /* NULL before the first attachment */
	bool native_esp;
	struct udp *udp; /* NULL while detached */
	struct dp_client *dp;
	struct dh_pool *pool;
	struct keys_client *keys;
	struct fetch_client *fetch; /* NULL: nothing can be fetched */
	struct users *users;
	struct scep_host_side *scep;
	struct cfg_follow *follow;
	struct msg_server *api;
	struct loop_timer *tick;
	struct key_export export;
	struct keep *kept; /* `debug crypto keys`; NULL: off */
	struct ikem_debug debug;
	struct udp_stats past; /* of sockets that are closed */
	uint64_t reattached, skeyid_failed;
};

/* Opens the console's door, which only the user that started us may do in the run directory. NULL with a log line when that
 * fails. */
struct proto *proto_open(const struct options *o);
/* Confined by now: runs until a signal, the end of the keys process (`keys_fd`, taken over; `fetch_fd` too, -1: nothing can be
 * fetched) or of the parent (`life`). Frees `p`. Returns the exit status. */
int proto_run(struct proto *p, int keys_fd, int fetch_fd, int life);

/* host.c: what the core asks for. */
void proto_host(struct proto *p, struct ike_host *host);
void proto_keys_answer(void *ctx, uint64_t serial, enum err e, struct span skeyid);
void proto_fetch_answer(void *ctx, uint64_t serial, enum err e, struct span bytes);
void proto_signature_answer(void *ctx, uint64_t serial, enum err e, struct span signature);
void proto_session_answer(void *ctx, uint64_t serial, enum err e, const struct ike_session_keys *keys);
void proto_unwrapped_answer(void *ctx, uint64_t serial, enum err e, struct span key);
void proto_user_answer(void *ctx, uint64_t serial, enum err e);
extern const struct dh_pool_handlers proto_dh_handlers;
/* events.c: what happens outside. */
extern const struct dp_handlers proto_dp_handlers;
void proto_configured(void *ctx, const struct cfg *now, unsigned tables);
/* Runs due timers of the core and sets the loop's. */
void proto_tick(struct proto *p);
/* api.c: the console's door. NULL with a log line when it cannot listen. */
struct msg_server *proto_api(struct proto *p);

#endif
