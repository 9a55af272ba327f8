/* Enrollment over SCEP (RFC 8894): which trustpoint is where on its way to a certificate. Deterministic; what it needs done the
 * host does and answers later, by serial number.
 *
 *   authenticate   GetCACert --> the certificates, to who asked
 *
 *   enroll         GetCACaps --> sign --> PKCSReq --.
 *                                 ^                 |--> FAILURE: over
 *                      CertPoll --'     wait <------|--> PENDING, or nobody there
 *                                                   '--> SUCCESS --> unwrap --> install
 *
 * One enrollment a trustpoint. What was asked for lives as long as this process, as on IOS until the next reload: who asks again
 * with the same words asks for the same transaction.
 */
#ifndef POSTERN_IKEMGR_SCEP_SCEP_H
#define POSTERN_IKEMGR_SCEP_SCEP_H

#include "configdb/cfg.h"
#include "ikemgr/ike.h"
#include "ikemgr/ike_api.h"
#include "ikemgr/proc/fetch.h"
#include "ikemgr/scep/message.h"

/* The host's side. Those with a serial are answered later by scep_done_…; an error at once means: no answer will come. */
struct scep_host {
	void *ctx;
	const struct env *env;
	enum err (*fetch)(void *ctx, uint64_t serial, enum fetch_how how, const char *url, struct span body);
	enum err (*sign)(void *ctx, uint64_t serial, const struct ike_sign_request *request);
	enum err (*unwrap)(void *ctx, uint64_t serial, uint64_t key_id, struct span wrapped);
	/* Into the configuration: configd looks once more whether it is ours and the CA's. */
	enum err (*install)(void *ctx, uint64_t serial, const char *trustpoint, X509 *x);
	/* The end of scep_authenticate. `why`: what went wrong, then `ca` is NULL. */
	void (*authenticated)(void *ctx, uint64_t asker, const char *why, const struct scep_ca *ca);
};

struct scep;
struct scep *scep_new(const struct scep_host *host); /* NULL: out of memory */
void scep_free(struct scep *s);
/* The snapshot, borrowed until the next call. Enrollments of trustpoints that are gone end. */
void scep_config(struct scep *s, const struct cfg *now);

/* ERR_NOT_FOUND: no such trustpoint, or no URL; ERR_LIMIT: too many at once. */
enum err scep_authenticate(struct scep *s, const char *trustpoint, uint64_t asker) MUST_CHECK;
/* Who asked is gone. */
void scep_forget(struct scep *s, uint64_t asker);
/* Begins; an enrollment of the same trustpoint that is over is forgotten. ERR_NOT_FOUND: as above; ERR_INCOMPLETE: no CA
 * certificate yet; ERR_BUSY: it is under way; ERR_INVALID: malformed; ERR_UNSUPPORTED: not an RSA key. */
enum err scep_enroll(struct scep *s, const struct ikem_scep_enroll *request) MUST_CHECK;
/* Calls off what is under way. ERR_NOT_FOUND: nothing is. */
enum err scep_cancel(struct scep *s, const char *trustpoint) MUST_CHECK;
void scep_each(struct scep *s, void (*each)(void *ctx, const struct ikem_scep *row), void *ctx);

void scep_done_fetch(struct scep *s, uint64_t serial, enum err e, struct span bytes);
void scep_done_sign(struct scep *s, uint64_t serial, enum err e, struct span signature);
void scep_done_unwrap(struct scep *s, uint64_t serial, enum err e, struct span content_key);
void scep_done_install(struct scep *s, uint64_t serial, enum err e);
/* Runs what is due. When the next thing is, monotonic; UINT64_MAX: nothing. */
uint64_t scep_tick(struct scep *s);

/* url.c: "BASE?operation=OP" with IOS's path: /cgi-bin/pkiclient.exe where the URL has none, else /pkiclient.exe behind it; or, for
 * servers that know no such path, `plain`: the URL's own. `message` (NULL: none) is escaped. False: too long, or a URL without a
 * path that should be plain. */
bool scep_url(char out[FETCH_URL], const char *url, bool plain, const char *operation, const char *message);

#endif
