/* What is said: counters, failures, debug (say.c). */
#ifndef POSTERN_IKEMGR_SAY_H
#define POSTERN_IKEMGR_SAY_H

#include "ikemgr/state.h"

struct ike;
struct message;
struct session;

/* Counters: show's names and the code's come from one list. */
#define IKE_STATS(X)                                                                                                               \
	X(RECEIVED, "messages received")                                                                                           \
	X(SENT, "messages sent")                                                                                                   \
	X(REPEATED, "messages repeated by timer")                                                                                  \
	X(REPEATED_IN, "repeated messages received")                                                                               \
	X(BAD_HEADER, "bad header")                                                                                                \
	X(BAD_VERSION, "version not supported")                                                                                    \
	X(NO_SA, "no SA")                                                                                                          \
	X(WRONG_PEER, "from another address than the SA's")                                                                        \
	X(MALFORMED, "malformed payloads")                                                                                         \
	X(BAD_EXCHANGE, "exchange not supported or not expected")                                                                  \
	X(BAD_SET, "set of payloads not expected")                                                                                 \
	X(BAD_CERT, "certificate refused")                                                                                         \
	X(BAD_HASH, "hash did not verify")                                                                                         \
	X(BAD_MESSAGE_ID, "message id zero or used before")                                                                        \
	X(NOT_DECRYPTED, "could not be decrypted")                                                                                 \
	X(REFUSED, "messages refused")                                                                                             \
	X(IGNORED, "messages ignored")                                                                                             \
	X(HALF_OPEN_LIMIT, "half-open limit reached")                                                                              \
	X(NO_KEY, "no pre-shared key")                                                                                             \
	X(PHASE1_OK, "phase 1 established")                                                                                        \
	X(PHASE1_FAILED, "phase 1 failed")                                                                                         \
	X(PHASE2_OK, "phase 2 established")                                                                                        \
	X(PHASE2_FAILED, "phase 2 failed")                                                                                         \
	X(NOTIFIES_IN, "notifications received")                                                                                   \
	X(DELETES_IN, "delete payloads received")                                                                                  \
	X(DEAD_PEERS, "dead peers")                                                                                                \
	X(DPD_OLD, "R-U-THERE or its answer with an old number")                                                                   \
	X(FRAGMENTS_IN, "fragments received")                                                                                      \
	X(FRAGMENTS_DROPPED, "fragments dropped")                                                                                  \
	X(FRAGMENTED, "messages sent in fragments")                                                                                \
	X(LATE_ANSWERS, "answers of workers for an SA that is gone")                                                               \
	X(NOMEM, "out of memory")
enum ike_stat {
#define X(name, text) STAT_##name,
	IKE_STATS(X)
#undef X
		STAT_COUNT
};

void count(struct ike *k, enum ike_stat s);
void say_failure(struct ike *k, struct addr remote, uint32_t conn_id, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* "ISAKMP:(1001): ..." when debugging. */
void trace(const struct ike *k, uint32_t conn_id, const char *fmt, ...) PRINTF_LIKE(3, 4);
void trace_error(const struct ike *k, uint32_t conn_id, const char *fmt, ...) PRINTF_LIKE(3, 4);
void trace_message(const struct ike *k, uint32_t conn_id, const struct message *m);
void trace_packet(const struct ike *k, const char *what, const struct ike_path *path, struct span packet);
void say_session(struct ike *k, const struct session *s, bool up);
bool say_allowed(struct ike *k); /* for lines that any stranger can cause */
void terms_print(char *out, size_t size, const struct ike_terms *t);

#endif
