/* Enrollments as objects: made of a console's request, found, shown, forgotten. */
#include "ikemgr/scep/job.h"

#include "configdb/cert.h"
#include "platform/base/mem.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

/* ---- Made and freed ---- */

static void fingerprint(char *out, size_t size, struct span bytes, const EVP_MD *md)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	size_t n = 0;

	if (EVP_Digest(bytes.data, bytes.len, digest, &len, md, NULL) != 1)
		len = 0;
	for (unsigned i = 0; i < len; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%02X", i && i % 4 == 0 ? " " : "", digest[i]);
}

static enum err request_read(struct job *j, const struct ikem_scep_enroll *r)
{
	const uint8_t *at = r->request;
	char name[CERT_NAME];

	if (r->request_len == 0 || r->request_len > sizeof(r->request) || r->signer_len == 0 || r->signer_len > sizeof(r->signer))
		return ERR_INVALID;
	j->csr = d2i_X509_REQ(NULL, &at, r->request_len);
	j->self_signed = cert_of_der(span_of(r->signer, r->signer_len));
	j->request = mem_dup(r->request, r->request_len);
	j->request_len = r->request_len;
	if (!j->csr || at != r->request + r->request_len || !j->self_signed || !j->request || !X509_REQ_get0_pubkey(j->csr) ||
		!X509_get0_pubkey(j->self_signed) ||
		EVP_PKEY_eq(X509_REQ_get0_pubkey(j->csr), X509_get0_pubkey(j->self_signed)) != 1)
		return ERR_INVALID;
	if (!EVP_PKEY_is_a(X509_REQ_get0_pubkey(j->csr), "RSA"))
		return ERR_UNSUPPORTED;
	fingerprint(j->md5, sizeof(j->md5), span_of(j->request, j->request_len), EVP_md5());
	fingerprint(j->sha1, sizeof(j->sha1), span_of(j->request, j->request_len), EVP_sha1());
	snprintf(j->subject, sizeof(j->subject), "%s", cert_name_print(name, X509_REQ_get_subject_name(j->csr)));
	return scep_transaction(j->ask.transaction, span_of(j->request, j->request_len)) ? ERR_OK : ERR_CRYPTO;
}

enum err job_new(struct scep *s, const struct ikem_scep_enroll *request, struct job **out)
{
	unsigned n = 0;
	struct job *j;
	enum err e;

	for (j = s->jobs; j; j = j->next)
		n++;
	if (n >= SCEP_JOBS)
		return ERR_LIMIT;
	j = mem_zalloc(sizeof(*j));
	if (!j)
		return ERR_NOMEM;
	j->scep = s;
	j->next = s->jobs;
	s->jobs = j;
	snprintf(j->name, sizeof(j->name), "%s", request->trustpoint);
	j->key_id = request->key_id;
	j->state = IKE_SCEP_REQUESTING;
	e = request_read(j, request);
	ERR_clear_error();
	if (e != ERR_OK)
		job_drop(j);
	else
		*out = j;
	return e;
}

/* OpenSSL's copy of the request holds the password too: what polls need is its name and key. */
void job_secret_forget(struct job *j)
{
	X509_REQ *bare = X509_REQ_new();

	mem_free_secret(j->request, j->request_len);
	j->request = NULL;
	j->request_len = 0;
	if (bare && X509_REQ_set_subject_name(bare, X509_REQ_get_subject_name(j->csr)) == 1 &&
		X509_REQ_set_pubkey(bare, X509_REQ_get0_pubkey(j->csr)) == 1) {
		X509_REQ_free(j->csr);
		j->csr = bare;
	} else {
		X509_REQ_free(bare);
	}
}

void job_request_forget(struct job *j)
{
	mem_free_secret(j->request, j->request_len);
	X509_REQ_free(j->csr);
	X509_free(j->self_signed);
	X509_free(j->ask.signer);
	scep_message_free(j->message);
	scep_answer_free(&j->answer);
	j->request = NULL;
	j->request_len = 0;
	j->csr = NULL;
	j->self_signed = j->ask.signer = NULL;
	j->message = NULL;
}

void job_drop(struct job *j)
{
	struct job **at;

	if (!j)
		return;
	for (at = &j->scep->jobs; *at != j;)
		at = &(*at)->next;
	*at = j->next;
	job_request_forget(j);
	mem_free(j);
}

/* ---- Found ---- */

struct job *job_of(struct scep *s, const char *trustpoint)
{
	for (struct job *j = s->jobs; j; j = j->next)
		if (strcmp(j->name, trustpoint) == 0)
			return j;
	return NULL;
}

struct job *job_by_serial(struct scep *s, uint64_t serial)
{
	for (struct job *j = s->jobs; j; j = j->next)
		if (serial && j->serial == serial)
			return j;
	return NULL;
}

const struct cfg_trustpoint *job_trustpoint(const struct job *j)
{
	return j->scep->cfg ? cfg_trustpoint(j->scep->cfg, j->name) : NULL;
}

uint64_t job_now(const struct job *j)
{
	return j->scep->host.env->now_us(j->scep->host.env->ctx);
}

static bool in_time(const X509 *x, const struct env *env)
{
	time_t now = (time_t)(env->wall_us(env->ctx) / 1000000);

	return X509_cmp_time(X509_get0_notBefore(x), &now) < 0 && X509_cmp_time(X509_get0_notAfter(x), &now) > 0;
}

const struct cfg_cert *job_present(const struct job *j, const struct cfg_trustpoint *t)
{
	const struct cfg_cert *found = NULL;

	for (size_t i = 0; i < t->ncerts && !found; i++) {
		const struct cfg_cert *c = &t->certs[i];
		X509 *x = !c->ca && !c->self_signed && c->key_id ? cert_of_der(span_of(c->der, c->len)) : NULL;

		if (x && X509_get0_pubkey(x) && EVP_PKEY_is_a(X509_get0_pubkey(x), "RSA") && in_time(x, j->scep->host.env))
			found = c;
		X509_free(x);
	}
	return found;
}

bool job_ca(const struct cfg_trustpoint *t, struct scep_ca *out)
{
	*out = (struct scep_ca){ 0 };
	for (size_t i = 0; i < t->ncerts; i++) {
		const struct cfg_cert *c = &t->certs[i];
		X509 **at = c->ca ? &out->ca : c->ra == CERT_RA_SIGN ? &out->sign : c->ra == CERT_RA_ENCRYPT ? &out->encrypt : NULL;

		if (at && !*at)
			*at = cert_of_der(span_of(c->der, c->len));
	}
	if (out->ca && X509_get0_pubkey(out->ca))
		return true;
	scep_ca_free(out);
	return false;
}

/* ---- All of them ---- */

struct scep *scep_new(const struct scep_host *host)
{
	struct scep *s = mem_zalloc(sizeof(*s));

	if (s)
		s->host = *host;
	return s;
}

void scep_free(struct scep *s)
{
	if (!s)
		return;
	while (s->jobs)
		job_drop(s->jobs);
	mem_free(s);
}

void scep_config(struct scep *s, const struct cfg *now)
{
	struct job *next;

	s->cfg = now;
	for (struct job *j = s->jobs; j; j = next) {
		const struct cfg_trustpoint *t = job_trustpoint(j);

		next = j->next;
		if (!t || !t->url[0])
			job_drop(j);
	}
}

enum err scep_cancel(struct scep *s, const char *trustpoint)
{
	struct job *j = job_of(s, trustpoint);

	if (!j || j->step == STEP_OVER)
		return ERR_NOT_FOUND;
	job_drop(j);
	return ERR_OK;
}

void scep_each(struct scep *s, void (*each)(void *ctx, const struct ikem_scep *row), void *ctx)
{
	const struct env *env = s->host.env;

	for (struct job *j = s->jobs; j; j = j->next) {
		const struct cfg_trustpoint *t = job_trustpoint(j);
		struct ikem_scep row = { .state = (uint8_t)j->state, .tries = (uint8_t)j->tries };

		row.retry_count = t ? t->retry_count : 0;
		snprintf(row.trustpoint, sizeof(row.trustpoint), "%s", j->name);
		snprintf(row.subject, sizeof(row.subject), "%s", j->subject);
		snprintf(row.md5, sizeof(row.md5), "%s", j->md5);
		snprintf(row.sha1, sizeof(row.sha1), "%s", j->sha1);
		snprintf(row.transaction, sizeof(row.transaction), "%s", j->ask.transaction);
		snprintf(row.why, sizeof(row.why), "%s", j->why);
		if (j->step == STEP_WAIT)
			row.next_wall_us = env->wall_us(env->ctx) + (j->due_us > job_now(j) ? j->due_us - job_now(j) : 0);
		each(ctx, &row);
	}
}
