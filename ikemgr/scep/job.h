/* Enrollments under way, and what their files share. */
#ifndef POSTERN_IKEMGR_SCEP_JOB_H
#define POSTERN_IKEMGR_SCEP_JOB_H

#include "ikemgr/scep/scep.h"

#include "platform/base/env.h"

#define SCEP_JOBS 64 /* trustpoints */
#define SCEP_ASKS 8  /* authenticate, at once */

enum step { STEP_CAPS, STEP_SIGN, STEP_SEND, STEP_WAIT, STEP_UNWRAP, STEP_INSTALL, STEP_OVER };

struct job {
	struct job *next;
	struct scep *scep;
	char name[CFG_NAME]; /* of the trustpoint */
	enum step step;
	enum ike_scep_state state;
	uint64_t serial; /* of the question that is open; 0: none */

	uint8_t *request; /* with the challenge password: forgotten once the CA has it */
	size_t request_len;
	X509_REQ *csr; /* without it */
	X509 *self_signed;
	uint64_t key_id;
	char subject[512], md5[64], sha1[64];

	struct scep_caps caps;
	bool plain;             /* the URL's own path */
	struct scep_ask ask;    /* the last one; its signer is ours */
	uint64_t signer_key_id; /* of the signer */
	struct scep_message *message;
	struct scep_answer answer;

	bool pending;
	unsigned tries; /* after the first */
	uint64_t due_us;
	char why[SCEP_FAILURE_TEXT];
};

/* GetCACert under way. */
struct ca_ask {
	uint64_t serial, asker; /* asker 0: who asked is gone */
	bool plain;             /* the URL's own path was asked for */
	char name[CFG_NAME];
};

struct scep {
	struct scep_host host;
	const struct cfg *cfg;
	struct job *jobs;
	struct ca_ask asks[SCEP_ASKS]; /* serial 0: free */
	uint64_t last_serial;
};

enum err job_new(struct scep *s, const struct ikem_scep_enroll *request, struct job **out) MUST_CHECK;
void job_drop(struct job *j); /* NULL is fine */
/* The request's bytes, which hold the challenge password. */
void job_secret_forget(struct job *j);
/* All that a further message would need. */
void job_request_forget(struct job *j);
struct job *job_of(struct scep *s, const char *trustpoint);
struct job *job_by_serial(struct scep *s, uint64_t serial);
const struct cfg_trustpoint *job_trustpoint(const struct job *j);
uint64_t job_now(const struct job *j);
/* The router's certificate of the trustpoint, RSA and within its time. NULL: none. */
const struct cfg_cert *job_present(const struct job *j, const struct cfg_trustpoint *t);
/* The CA's certificates as the trustpoint has them; the caller frees. False: it is not authenticated. */
bool job_ca(const struct cfg_trustpoint *t, struct scep_ca *out);

/* authenticate.c */
void scep_done_ca(struct scep *s, uint64_t serial, enum err e, struct span bytes);
/* What went wrong with a fetch, for the engineer. */
const char *scep_fetch_text(enum err e);

#endif
