/* The engine's inside: one control thread (the daemon's loop) and two workers.
 *
 *            TAP --> out worker: classify, hold, segment, seal --> wire
 *   wire --> in worker: find SA, check, open, check, join --> TAP
 *
 * The control thread owns all tables and changes them by swapping pointers (rcu.h). Workers own what they count, their
 * buffers, sequence numbers (out), windows (in) and what is held (out); they lock nothing, and allocate only to hold a packet.
 */
#ifndef POSTERN_ENGINE_ENGINE_H
#define POSTERN_ENGINE_ENGINE_H

#include "datapath/backend.h"
#include "datapath/engine/cipher.h"
#include "datapath/engine/count.h"
#include "datapath/engine/hop.h"
#include "datapath/engine/netlink.h"
#include "datapath/engine/note.h"
#include "datapath/engine/policy.h"
#include "datapath/engine/rcu.h"
#include "datapath/engine/ring.h"
#include "datapath/engine/sa.h"
#include "datapath/engine/sockets.h"
#include "datapath/engine/tap.h"

#include <pthread.h>

struct out;
struct in;

struct drop_report {
	uint64_t told_us, count;
};

struct worker {
	struct rcu_reader rcu;
	struct backend *engine;
	pthread_t thread;
	bool running;
	bool stop;             /* atomic */
	struct note_ring up;   /* to the control thread */
	struct note_ring down; /* from it; its descriptor wakes the worker */
	struct loop_fd *watch;
	struct cipher_batch *cipher;
	uint64_t now_us; /* of the batch */
	uint64_t drops[DP_DROP_COUNT];
	uint64_t packets; /* sealed or opened */
	struct {
		uint64_t packets, us; /* as they were after the last batch that had any */
		bool dense;
	} busy;
	struct drop_report reports[DP_DROP_COUNT];
	uint64_t rate_us; /* of notes that anyone on the wire can cause */
};

struct reservation {
	uint32_t spi;
	uint64_t until_us;
};
#define RESERVATIONS 1024

struct backend { /* backend.h's: this is the engine */
	struct backend_args args;
	struct rcu rcu;
	struct tap tap;
	struct sockets sockets;
	struct hops hops;
	struct sa_table sas;
	struct policy_table policies;
	struct policy_set *set; /* RCU; never NULL */
	struct ring_set *rings; /* RCU; never NULL */
	struct worker out_worker, in_worker;
	struct out *out;
	struct in *in;
	struct loop_timer *tick;
	struct loop_fd *icmp;
	struct reservation reserved[RESERVATIONS];
	uint64_t drops_base[DP_DROP_COUNT];
	bool seen; /* atomic: somebody captures packets */
	char detail[200];
};

uint64_t engine_now(void); /* CLOCK_MONOTONIC, microseconds */

/* worker.c */
enum err worker_open(struct worker *w, struct backend *b, bool mb) MUST_CHECK;
enum err worker_start(struct worker *w, void *(*run)(void *), void *arg) MUST_CHECK;
void worker_stop(struct worker *w);
void worker_close(struct worker *w);
/* Offline, with nothing left to read. True: packets come in close succession, so the CPU was given to others for a moment, and the
 * worker looks again before it sleeps. */
bool worker_lingers(struct worker *w);
/* Counts a drop everywhere it is shown, and reports it upwards at most once a second. `c`: counters of the SA and of the
 * policy that this worker writes; NULL: none. */
struct drop_about {
	const struct sa *sa;  /* NULL: none */
	struct count *policy; /* NULL: none */
	uint32_t local, remote, spi, seq;
	uint8_t protocol;
};
void worker_drop(struct worker *w, enum dp_drop reason, uint64_t n, const struct drop_about *about);
/* Volume limits: tells soft and hard once each; false: over the hard one. */
bool worker_volume(struct worker *w, struct sa *sa, uint64_t bytes);
/* False: the ring of notes is full; try again with the next packet. */
bool worker_expire(struct worker *w, const struct sa *sa, enum dp_expire why);

/* out.c, in.c */
enum err out_open(struct out **o, struct backend *b) MUST_CHECK;
void out_close(struct out *o);
void *out_run(void *arg); /* struct out */
enum err in_open(struct in **i, struct backend *b) MUST_CHECK;
void in_close(struct in *i);
void *in_run(void *arg); /* struct in */

#endif
