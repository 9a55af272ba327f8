/* The way of each trustpoint to its certificate: see scep.h for the picture. */
#include "ikemgr/scep/job.h"

#include "configdb/cert.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_US (60 * UINT64_C(1000000))

static void caps_ask(struct job *j);
static void message_sign(struct job *j);

/* ---- Ends ---- */

static void job_over(struct job *j, enum ike_scep_state state)
{
	j->step = STEP_OVER;
	j->state = state;
	j->serial = 0;
	job_request_forget(j);
}

static void fail(struct job *j, const char *why)
{
	snprintf(j->why, sizeof(j->why), "%s", why);
	log_msg("PKI", LOG_SEV_INFO, "CERTFAIL", "Certificate enrollment failed for trustpoint %s: %s", j->name, j->why);
	job_over(j, IKE_SCEP_FAILED);
}

static void rejected(struct job *j, const struct scep_answer *a)
{
	snprintf(j->why, sizeof(j->why), "%s%s%.160s", scep_fail_text(a->fail_info), a->fail_text[0] ? ": " : "", a->fail_text);
	log_msg("PKI", LOG_SEV_INFO, "CERTREJECT",
		"Certificate enrollment request was rejected by Certificate Authority (trustpoint %s): %s", j->name, j->why);
	job_over(j, IKE_SCEP_REJECTED);
}

/* Waits for the next try, if there is one. */
static void wait_or_fail(struct job *j, const char *why)
{
	const struct cfg_trustpoint *t = job_trustpoint(j);

	snprintf(j->why, sizeof(j->why), "%s", why);
	if (!t || j->tries >= t->retry_count) {
		char text[SCEP_FAILURE_TEXT];

		snprintf(text, sizeof(text), "%.180s; given up after %u tries", j->why, j->tries + 1);
		fail(j, text);
		return;
	}
	j->step = STEP_WAIT;
	j->serial = 0;
	j->due_us = job_now(j) + t->retry_period_m * MINUTE_US;
}

static void unreachable(struct job *j, const char *what, enum err e)
{
	char why[SCEP_FAILURE_TEXT];

	snprintf(why, sizeof(why), "%s: %s", what, scep_fetch_text(e));
	log_msg("PKI", LOG_SEV_ERROR, "SOCKETSEND", "Failed to send out message to CA server of trustpoint %s: %s", j->name, why);
	wait_or_fail(j, why);
}

/* ---- Asking ---- */

static bool fetch(struct job *j, enum fetch_how how, const char *operation, const char *message, struct span body)
{
	const struct cfg_trustpoint *t = job_trustpoint(j);
	const struct scep_host *h = &j->scep->host;
	char url[FETCH_URL];
	enum err e = t && scep_url(url, t->url, j->plain, operation, message) ? ERR_OK : ERR_RANGE;

	j->serial = ++j->scep->last_serial;
	if (e == ERR_OK)
		e = h->fetch(h->ctx, j->serial, how, url, body);
	if (e != ERR_OK)
		unreachable(j, operation, e);
	return e == ERR_OK;
}

static void caps_ask(struct job *j)
{
	j->step = STEP_CAPS;
	(void)fetch(j, FETCH_PLAIN, "GetCACaps", j->name, span_of(NULL, 0));
}

/* Where the question is not known the URL's own path is tried; where it is not known there either, the CA is one of the draft's
 * time. */
static void caps_read(struct job *j, enum err e, struct span bytes)
{
	const struct cfg_trustpoint *t = job_trustpoint(j);
	char url[FETCH_URL];

	if (e == ERR_INVALID && !j->plain && t && scep_url(url, t->url, true, "GetCACaps", j->name)) {
		j->plain = true;
		caps_ask(j);
		return;
	}
	if (e == ERR_INVALID)
		j->plain = false;
	if (e != ERR_OK && e != ERR_INVALID) {
		unreachable(j, "GetCACaps", e);
		return;
	}
	j->caps = e == ERR_OK ? scep_caps_read(bytes) : (struct scep_caps){ 0 };
	message_sign(j);
}

/* The certificate that stands for us: the present one where the CA renews (RFC 8894 2.3), else one we made ourselves. */
static void signer_choose(struct job *j, const struct cfg_trustpoint *t)
{
	const struct cfg_cert *own = j->caps.renewal ? job_present(j, t) : NULL;

	j->ask.type = j->pending ? SCEP_CERT_POLL : own ? SCEP_RENEWAL_REQ : SCEP_PKCS_REQ;
	if (j->pending)
		return; /* who asked polls */
	X509_free(j->ask.signer);
	j->ask.signer = own ? cert_of_der(span_of(own->der, own->len)) : NULL;
	j->signer_key_id = own ? own->key_id : j->key_id;
	if (!own && X509_up_ref(j->self_signed) == 1)
		j->ask.signer = j->self_signed;
}

static void message_sign(struct job *j)
{
	const struct cfg_trustpoint *t = job_trustpoint(j);
	const struct scep_host *h = &j->scep->host;
	struct ike_sign_request q = { 0 };
	struct scep_ca ca = { 0 };
	uint8_t *poll = NULL;
	struct span content = span_of(j->request, j->request_len);

	scep_message_free(j->message);
	j->message = NULL;
	if (!t || !job_ca(t, &ca)) {
		fail(j, "the trustpoint has no CA certificate any more");
		return;
	}
	signer_choose(j, t);
	if (j->pending) {
		content.len = scep_poll_content(&poll, ca.ca, j->csr);
		content.data = poll;
	}
	j->ask.aes = j->caps.aes;
	j->ask.sha256 = j->caps.sha256;
	h->env->random(h->env->ctx, j->ask.nonce, sizeof(j->ask.nonce));
	j->ask.recipient = ca.encrypt ? ca.encrypt : ca.ca;
	if (content.len && j->ask.signer)
		j->message = scep_message_build(&j->ask, content, q.hash, &q.hash_len);
	j->ask.recipient = NULL;
	OPENSSL_free(poll);
	scep_ca_free(&ca);
	q.key_id = j->signer_key_id;
	j->step = STEP_SIGN;
	j->serial = ++j->scep->last_serial;
	if (!j->message)
		fail(j, "the request cannot be encrypted for the CA: its certificate, or its RA's, must have an RSA key");
	else if (h->sign(h->ctx, j->serial, &q) != ERR_OK)
		fail(j, "the private key cannot be used");
}

static void message_send(struct job *j, enum err e, struct span signature)
{
	uint8_t *der = NULL;
	size_t len = e == ERR_OK ? scep_message_finish(j->message, signature, &der) : 0;

	scep_message_free(j->message);
	j->message = NULL;
	if (len == 0 || len > FETCH_BODY_MAX) {
		fail(j, len ? "the request is too long" : "the private key cannot be used");
	} else {
		j->step = STEP_SEND;
		(void)fetch(j, j->caps.post ? FETCH_SCEP_POST : FETCH_SCEP_GET, "PKIOperation", NULL, span_of(der, len));
	}
	OPENSSL_free(der);
}

/* ---- Answers ---- */

static void pending(struct job *j)
{
	if (!j->pending)
		log_msg("PKI", LOG_SEV_INFO, "CERTPENDING",
			"Certificate request of trustpoint %s waits for the CA's administrator: transaction %s", j->name,
			j->ask.transaction);
	j->pending = true;
	j->state = IKE_SCEP_PENDING;
	job_secret_forget(j);
	wait_or_fail(j, "the CA has not granted it yet");
	if (j->step == STEP_WAIT)
		j->why[0] = '\0';
}

static void answer_take(struct job *j, struct scep_answer *a)
{
	const struct scep_host *h = &j->scep->host;

	if (a->status == SCEP_FAILURE) {
		rejected(j, a);
	} else if (a->status == SCEP_PENDING) {
		pending(j);
	} else {
		j->answer = *a;
		*a = (struct scep_answer){ 0 };
		j->step = STEP_UNWRAP;
		j->serial = ++j->scep->last_serial;
		if (h->unwrap(h->ctx, j->serial, j->signer_key_id, j->answer.wrapped) != ERR_OK)
			fail(j, "the private key cannot be used");
	}
}

static void answer_read(struct job *j, enum err e, struct span bytes)
{
	const struct cfg_trustpoint *t = job_trustpoint(j);
	char why[SCEP_FAILURE_TEXT] = "", text[SCEP_FAILURE_TEXT];
	struct scep_answer a = { 0 };
	struct scep_ca ca = { 0 };

	if (e != ERR_OK) {
		unreachable(j, "PKIOperation", e);
		return;
	}
	if (!t || !job_ca(t, &ca)) {
		fail(j, "the trustpoint has no CA certificate any more");
		return;
	}
	e = scep_answer_read(bytes, &j->ask, &ca, &a, why);
	scep_ca_free(&ca);
	if (e == ERR_OK) {
		answer_take(j, &a);
	} else {
		/* Anybody on the way could have sent it: no reason to give up. */
		snprintf(text, sizeof(text), "the CA's answer was not accepted: %.200s", why);
		log_msg("PKI", LOG_SEV_ERROR, "INVALIDANSWER", "Trustpoint %s: %s", j->name, text);
		wait_or_fail(j, text);
	}
	scep_answer_free(&a);
}

static void certificate_take(struct job *j, enum err e, struct span content_key)
{
	const struct cfg_trustpoint *t = job_trustpoint(j);
	const struct scep_host *h = &j->scep->host;
	char why[SCEP_FAILURE_TEXT] = "it cannot be decrypted", text[SCEP_FAILURE_TEXT];
	struct scep_ca ca = { 0 };
	X509 *x = NULL;

	if (e == ERR_OK && t && job_ca(t, &ca))
		x = scep_answer_certificate(&j->answer, content_key, X509_REQ_get0_pubkey(j->csr), ca.ca, why);
	scep_answer_free(&j->answer);
	scep_ca_free(&ca);
	snprintf(text, sizeof(text), "the CA's answer was not accepted: %.200s", why);
	j->step = STEP_INSTALL;
	j->serial = ++j->scep->last_serial;
	if (!x)
		fail(j, text);
	else if (h->install(h->ctx, j->serial, j->name, x) != ERR_OK)
		fail(j, "configd is not answering");
	X509_free(x);
}

static void installed(struct job *j, enum err e)
{
	if (e != ERR_OK) {
		char text[SCEP_FAILURE_TEXT];

		snprintf(text, sizeof(text), "the certificate could not be stored: %s", err_text(e));
		fail(j, text);
		return;
	}
	j->why[0] = '\0';
	job_over(j, IKE_SCEP_GRANTED);
	log_msg("PKI", LOG_SEV_INFO, "CERTRET", "Certificate received from Certificate Authority (trustpoint %s)", j->name);
}

/* ---- The door ---- */

enum err scep_enroll(struct scep *s, const struct ikem_scep_enroll *request)
{
	const struct cfg_trustpoint *t = s->cfg ? cfg_trustpoint(s->cfg, request->trustpoint) : NULL;
	struct job *j = job_of(s, request->trustpoint);
	struct scep_ca ca = { 0 };
	enum err e;

	if (!t || !t->url[0])
		return ERR_NOT_FOUND;
	if (!job_ca(t, &ca))
		return ERR_INCOMPLETE;
	scep_ca_free(&ca);
	if (j && j->step != STEP_OVER)
		return ERR_BUSY;
	job_drop(j);
	e = job_new(s, request, &j);
	if (e != ERR_OK)
		return e;
	log_msg("PKI", LOG_SEV_INFO, "CSR_FINGERPRINT", "CSR Fingerprint MD5 : %s, SHA1: %s", j->md5, j->sha1);
	caps_ask(j);
	return ERR_OK;
}

void scep_done_fetch(struct scep *s, uint64_t serial, enum err e, struct span bytes)
{
	struct job *j = job_by_serial(s, serial);

	if (!j)
		scep_done_ca(s, serial, e, bytes);
	else if (j->step == STEP_CAPS)
		caps_read(j, e, bytes);
	else if (j->step == STEP_SEND)
		answer_read(j, e, bytes);
}

void scep_done_sign(struct scep *s, uint64_t serial, enum err e, struct span signature)
{
	struct job *j = job_by_serial(s, serial);

	if (j && j->step == STEP_SIGN)
		message_send(j, e, signature);
}

void scep_done_unwrap(struct scep *s, uint64_t serial, enum err e, struct span content_key)
{
	struct job *j = job_by_serial(s, serial);

	if (j && j->step == STEP_UNWRAP)
		certificate_take(j, e, content_key);
}

void scep_done_install(struct scep *s, uint64_t serial, enum err e)
{
	struct job *j = job_by_serial(s, serial);

	if (j && j->step == STEP_INSTALL)
		installed(j, e);
}

uint64_t scep_tick(struct scep *s)
{
	uint64_t next = UINT64_MAX;

	for (struct job *j = s->jobs; j; j = j->next) {
		if (j->step == STEP_WAIT && j->due_us <= job_now(j)) {
			j->tries++;
			caps_ask(j);
		}
		if (j->step == STEP_WAIT && j->due_us < next)
			next = j->due_us;
	}
	return next;
}
