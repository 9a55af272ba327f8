/* See revocation.h: which certificate is asked for, by which method, and what that said. */
#include "ikemgr/revocation.h"

#include "configdb/cert.h"
#include "ikemgr/core.h"
#include "ikemgr/crl.h"
#include "ikemgr/ocsp.h"
#include "platform/base/log.h"

#include <stdio.h>
#include <string.h>

/* What is being asked: the last certificate that is still to be checked, by one method. */
struct question {
	const struct cfg_trustpoint *trustpoint;
	enum cfg_revocation method;
	X509 *cert, *issuer;
	char serial[CERT_SERIAL];
	struct span nonce;
	char url[CRL_URL];
	char why[OCSP_WHY]; /* nothing was learned */
};

static bool question_open(struct question *q, const struct ike *k, const struct handshake *h)
{
	const struct cert_chain *c = &h->chain;
	size_t at = h->unchecked - 1u;

	*q = (struct question){ 0 };
	if (h->unchecked == 0 || h->unchecked >= c->n)
		return false;
	q->trustpoint = cfg_trustpoint(k->cfg, c->link[at].trustpoint);
	q->cert = cert_of_der(chain_cert(c, at));
	q->issuer = cert_of_der(chain_cert(c, at + 1));
	if (q->trustpoint == NULL || q->cert == NULL || q->issuer == NULL || h->method >= q->trustpoint->nrevocation)
		return false;
	q->method = q->trustpoint->revocation[h->method];
	cert_serial(q->serial, q->cert);
	if (!q->trustpoint->no_nonce)
		q->nonce = span_of(h->nonce, sizeof(h->nonce));
	return true;
}

static void question_close(struct question *q)
{
	X509_free(q->cert);
	X509_free(q->issuer);
}

/* ---- The log ---- */

static void failed_say(struct ike *k, const struct question *q)
{
	if (!say_allowed(k))
		return;
	if (q->method == REVOCATION_CRL)
		log_msg("PKI", LOG_SEV_ERROR, "CRL_FETCH_FAIL",
			"CRL fetch for trustpoint %s failed. Reason : %s (certificate SN: %s%s%s)", q->trustpoint->name, q->why,
			q->serial, q->url[0] ? ", " : "", q->url);
	else
		log_msg("PKI", LOG_SEV_ERROR, "OCSP_FAIL",
			"OCSP check for trustpoint %s failed. Reason : %s (certificate SN: %s%s%s)", q->trustpoint->name, q->why,
			q->serial, q->url[0] ? ", " : "", q->url);
}

/* `none` after methods by which nothing was learned: let in, but not in silence. */
static void unchecked_say(struct ike *k, const struct question *q, const struct handshake *h)
{
	if (h->method > 0 && say_allowed(k))
		log_msg("PKI", LOG_SEV_WARNING, "REVOCATION_NOT_CHECKED",
			"The certificate (SN: %s) is accepted without a revocation check: trustpoint %s permits it (none)",
			q->serial, q->trustpoint->name);
}

static void revoked_say(const struct question *q)
{
	log_msg("PKI", LOG_SEV_ERROR, "CERTIFICATE_REVOKED",
		"Certificate chain validation has failed.  The certificate (SN: %s) is revoked", q->serial);
}

void revocation_text(const struct handshake *h, char *out, size_t size)
{
	X509 *x = h->unchecked > 0 ? cert_of_der(chain_cert(&h->chain, h->unchecked - 1u)) : NULL;
	char name[CERT_NAME] = "?";

	if (x != NULL)
		cert_name_print(name, X509_get_subject_name(x));
	if (h->revocation == REVOKED_YES)
		snprintf(out, size, "certificate %.150s has been revoked", name);
	else
		snprintf(out, size,
			"nothing could be learned of the revocation of certificate %.110s (revocation-check demands it)", name);
	X509_free(x);
}

/* ---- Asking ---- */

static enum revoked ask_crl(struct ike *k, struct question *q, uint64_t serial, bool *asked)
{
	enum revoked r;

	if (!crl_url(q->url, q->cert, q->why))
		return REVOKED_UNKNOWN;
	r = crl_says(k, q->url, q->cert, q->issuer);
	if (r == REVOKED_UNKNOWN && k->host.fetch != NULL) {
		k->host.fetch(k->host.ctx, serial, q->url, (struct span){ 0 });
		*asked = true;
	}
	return r;
}

static bool ocsp_where(struct question *q)
{
	if (q->trustpoint->ocsp_url[0] != '\0')
		snprintf(q->url, sizeof(q->url), "%s", q->trustpoint->ocsp_url);
	else if (!ocsp_url(q->url, sizeof(q->url), q->cert))
		snprintf(q->why, sizeof(q->why), "neither the trustpoint nor the certificate names a responder");
	return q->url[0] != '\0';
}

static enum revoked ask_ocsp(struct ike *k, struct question *q, struct handshake *h, uint64_t serial, bool *asked)
{
	uint8_t *request = NULL;
	size_t len;

	if (!ocsp_where(q))
		return REVOKED_UNKNOWN;
	random_bytes(k, h->nonce, sizeof(h->nonce));
	len = ocsp_request(&request, &(struct ocsp_question){ q->cert, q->issuer, q->nonce });
	if (len != 0 && k->host.fetch != NULL) {
		k->host.fetch(k->host.ctx, serial, q->url, span_of(request, len));
		*asked = true;
	}
	OPENSSL_free(request);
	return REVOKED_UNKNOWN;
}

/* One method for one certificate. */
static enum revoked ask_one(struct ike *k, struct handshake *h, uint64_t serial, bool *asked)
{
	struct question q;
	enum revoked r = REVOKED_NO_ANSWER;

	if (question_open(&q, k, h)) {
		r = q.method == REVOCATION_NONE  ? REVOKED_NOT
		    : q.method == REVOCATION_CRL ? ask_crl(k, &q, serial, asked)
						 : ask_ocsp(k, &q, h, serial, asked);
		if (q.method == REVOCATION_NONE)
			unchecked_say(k, &q, h);
		else if (r == REVOKED_UNKNOWN && !*asked)
			failed_say(k, &q);
		else if (r == REVOKED_YES)
			revoked_say(&q);
	}
	question_close(&q);
	return r;
}

/* What one method has said of one certificate; false: nothing, or that it is good, and there is more to do. */
static bool settled(struct handshake *h, enum revoked r)
{
	if (r == REVOKED_UNKNOWN) {
		h->method++; /* the last one was it: then the next question cannot be opened */
		return false;
	}
	h->revocation = (uint8_t)r;
	if (r != REVOKED_NOT)
		return true;
	h->unchecked--;
	h->method = 0;
	return h->unchecked == 0;
}

/* From the question at hand on, until something has to be fetched. True: the result is there. */
static bool go_on(struct ike *k, struct handshake *h, uint64_t serial)
{
	bool asked = false;

	for (;;) {
		enum revoked r = ask_one(k, h, serial, &asked);

		if (asked)
			return false;
		if (settled(h, r))
			return true;
	}
}

bool revocation_ask(struct ike *k, struct ike_sa *sa, uint64_t serial)
{
	struct handshake *h = sa->h;

	h->method = 0;
	h->unchecked = h->chain.n > 0 ? (uint8_t)(h->chain.n - 1) : 0;
	/* A certificate that is a trust anchor itself has nobody above it to ask. */
	h->revocation = h->chain.n == 1 ? REVOKED_NOT : REVOKED_NO_ANSWER;
	return h->unchecked == 0 || go_on(k, h, serial);
}

/* ---- The answer ---- */

static enum revoked answer_read(struct ike *k, struct question *q, struct span bytes)
{
	if (q->method == REVOCATION_OCSP)
		return ocsp_says(bytes, &(struct ocsp_question){ q->cert, q->issuer, q->nonce }, wall_s(k), q->why);
	if (!crl_keep(k, q->url, bytes, q->issuer, q->why))
		return REVOKED_UNKNOWN;
	snprintf(q->why, sizeof(q->why), "the CRL is not for certificates of this kind");
	return crl_says(k, q->url, q->cert, q->issuer);
}

static enum revoked answer_of(struct ike *k, struct handshake *h, enum err e, struct span bytes)
{
	struct question q;
	enum revoked r = REVOKED_NO_ANSWER;

	if (question_open(&q, k, h)) {
		(void)(q.method == REVOCATION_OCSP ? ocsp_where(&q) : crl_url(q.url, q.cert, q.why));
		snprintf(q.why, sizeof(q.why), "%s", err_text(e));
		r = e == ERR_OK ? answer_read(k, &q, bytes) : REVOKED_UNKNOWN;
		if (r == REVOKED_UNKNOWN)
			failed_say(k, &q);
		else if (r == REVOKED_YES)
			revoked_say(&q);
	}
	question_close(&q);
	return r;
}

bool revocation_answer(struct ike *k, struct ike_sa *sa, uint64_t serial, enum err e, struct span bytes)
{
	return settled(sa->h, answer_of(k, sa->h, e, bytes)) || go_on(k, sa->h, serial);
}
