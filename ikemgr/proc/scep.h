/* SCEP's host in the proto process: its questions go to the fetch process, the keys process and configd, its answers to consoles.
 */
#ifndef POSTERN_IKEMGR_PROC_SCEP_H
#define POSTERN_IKEMGR_PROC_SCEP_H

#include "configdb/cfg.h"
#include "ikemgr/ike_api.h"
#include "ikemgr/proc/fetch.h"
#include "ikemgr/proc/keys.h"
#include "platform/base/loop.h"

struct scep_host_side;
/* The two clients are looked up at each use: they may come and go. NULL: out of memory. */
struct scep_host_side *scep_side_new(
	struct loop *l, const char *run_dir, struct keys_client *const *keys, struct fetch_client *const *fetch);
/* NULL is fine, here and below. */
void scep_side_free(struct scep_host_side *s);
void scep_side_config(struct scep_host_side *s, const struct cfg *now);

/* Answers of the other processes. False: the serial is not one of ours. */
bool scep_side_fetched(struct scep_host_side *s, uint64_t serial, enum err e, struct span bytes);
bool scep_side_signed(struct scep_host_side *s, uint64_t serial, enum err e, struct span signature);
void scep_side_unwrapped(struct scep_host_side *s, uint64_t serial, enum err e, struct span key);

/* The console's questions (ike_api.h); the first is answered later. */
void scep_side_authenticate(struct scep_host_side *s, struct msg_conn *c, const struct msg *m);
enum err scep_side_enroll(struct scep_host_side *s, const struct ikem_scep_enroll *request) MUST_CHECK;
enum err scep_side_cancel(struct scep_host_side *s, const struct ikem_scep_ca *what) MUST_CHECK;
void scep_side_each(struct scep_host_side *s, void (*each)(void *ctx, const struct ikem_scep *row), void *ctx);
/* That console is gone. */
void scep_side_closed(struct scep_host_side *s, struct msg_conn *c);

#endif
