/* datapathd's control side: follows the configuration, keeps filter and backend in step with it, and serves the socket.
 *
 *   configd --snapshot--> plan ----> backend (policies)      ikemgrd <--acquire, expire, mapping--+
 *                    \--> filter --> nft                     ikemgrd --SPI, SA, state--> server --+--> backend
 *   kernel --links--> the same again                         console --dumps, clear, debug--> server
 *
 * SAs belong to the backend and outlive ikemgrd; what ikemgrd must be asked for (acquires) is kept here until it is answered.
 */
#ifndef POSTERN_DATAPATH_DAEMON_H
#define POSTERN_DATAPATH_DAEMON_H

#include "configdb/follow.h"
#include "datapath/backend.h"
#include "datapath/capture/capture.h"
#include "datapath/filter/live.h"
#include "datapath/filter/report.h"
#include "datapath/links.h"
#include "datapath/plan.h"
#include "datapath/routes.h"

#include <sys/types.h>

/* An SA that is wanted. At most one per policy. */
struct wanted {
	struct wanted *next;
	struct dpm_acquire acquire;
	uint64_t since_us; /* the backend asked last */
	uint64_t told_us;  /* when ikemgrd was told last; 0: not yet */
};

struct daemon {
	struct loop *loop;
	const struct env *env;
	const struct backend_ops *ops;
	struct backend *backend;
	const char *run_dir;
	uid_t ike_uid;
	const char *kernel; /* what the kernel could protect by itself, for show; may be NULL */

	struct cfg_follow *follow;
	const struct cfg *cfg; /* borrowed from the follower; NULL before the first snapshot */
	struct plan plan;
	struct dynamics dynamics;
	int kept_dynamics;     /* their file; -1: none */
	struct routes *routes; /* of reverse-route; NULL: none are made */
	struct loop_timer *routing;
	bool routed; /* what a predecessor left is gone */
	struct filter_live *filter;
	struct links *links;
	struct report *report;
	uint64_t applied_us;        /* when the snapshot in force was last taken over */
	bool behind;                /* a newer snapshot waits for its turn */
	struct loop_timer *refresh; /* again: a device came, the filter was refused, SAs to look through */

	int door; /* the bound socket until it serves, else -1 */
	struct msg_server *server;
	struct msg_conn *ike; /* ikemgrd's connection; NULL while it is away */
	struct wanted *wanted;
	bool debug_ipsec, no_filter;
	struct captures *captures;
	struct keep *kept; /* `debug crypto keys`; NULL: off */
};

struct daemon_args {
	struct loop *loop;
	const struct env *env;
	const struct backend_ops *ops;
	const char *run_dir; /* borrowed for the daemon's life */
	uid_t ike_uid;       /* of ikemgrd; our own and root may attach too */
	const char *kernel;  /* static */
	bool no_filter;      /* tests without a network namespace of their own */
};

/* Listens. Apart from daemon_start, since the folder of the sockets is another user's: this needs root's rights, if we have them.
 */
enum err daemon_open(struct daemon *d, const struct daemon_args *args) MUST_CHECK;
/* Closes the router if no filter is there, opens the backend and follows. ERR_SYS and the backend's errors; the reason is logged.
 * The caller frees with daemon_close, after either. */
enum err daemon_start(struct daemon *d) MUST_CHECK;
void daemon_close(struct daemon *d);

/* Takes over a snapshot: filter, policies, SAs that are no longer permitted. Called by the follower, and by tests. */
void daemon_configure(struct daemon *d, const struct cfg *now, unsigned tables);
/* Takes over now what configd has committed: an answer is never older than the line typed before the question. */
void daemon_catch_up(struct daemon *d);
/* The policies of dynamic maps have changed: taken over when it returns. False: refused, nothing is in force. */
bool daemon_dynamics_changed(struct daemon *d);
/* SAs or the way to a peer have changed: the routes of reverse-route are looked after soon. */
void daemon_routes_soon(struct daemon *d);
/* The same snapshot once more, `in_us` from now: devices or SAs have changed. */
void daemon_refresh_in(struct daemon *d, uint64_t in_us);

/* events.c: from the backend, and to ikemgrd */
void daemon_event(void *ctx, const struct backend_event *ev);
void wanted_tell_all(struct daemon *d);                            /* ikemgrd is here (again) */
void wanted_done(struct daemon *d, const struct dp_policy_id *id); /* answered */
void wanted_prune(struct daemon *d);                               /* those that the plan no longer has */
void wanted_free(struct daemon *d);
/* Sends an event, if ikemgrd is there. */
void ike_tell(struct daemon *d, uint32_t type, struct span body);

/* serve.c: messages */
extern const struct msg_handlers daemon_handlers;
/* dump.c: the console's questions. True if `m` was one. */
bool dump_message(struct daemon *d, struct msg_conn *c, struct msg *m);
/* capture/capture_keys.c: `debug crypto keys`. True if `m` was about it. */
bool keys_message(struct daemon *d, struct msg_conn *c, struct msg *m);
void keys_note(struct daemon *d, const struct dpm_sa *sa);
void keys_free(struct daemon *d);
/* Privilege 15 of the session that asks. */
bool dump_privileged(struct daemon *d, const struct msg_conn *c);

/* debug.c: `debug crypto ipsec` and log lines about drops */
void debug_acquire(const struct daemon *d, const struct dpm_acquire *a);
void debug_spi(const struct daemon *d, const struct dpm_spi *s);
void debug_sa_put(const struct daemon *d, const struct dpm_sa *sa);
void debug_sa_del(const struct daemon *d, const struct dp_sa_key *key);
void report_drop(const struct daemon *d, const struct backend_event *ev);

#endif
