/* See revocation.h. A CRL is kept by its URL: at most CRLS_MAX, each of at most CRL_BYTES_MAX, so `show crypto pki crls` has a
 * bounded size; the host bounds size and time of a fetch.
 */
#include "ikemgr/revocation.h"

#include "configdb/cert.h"
#include "ikemgr/core.h"
#include "ikemgr/ocsp.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CRLS_MAX 32
#define CRL_URL  256

struct crl {
	char url[CRL_URL];
	X509_CRL *crl;
	size_t bytes;
	uint64_t fetched_us; /* wall clock */
};

struct crls {
	struct crl list[CRLS_MAX];
	size_t n, next; /* next: whose place is taken when all are full */
};

const char *revocation_text(enum revoked r)
{
	return r == REVOKED_YES ? "the certificate has been revoked"
				: "nothing could be learned of the certificate's revocation (revocation-check demands it)";
}

/* ---- The store ---- */

static time_t wall_s(const struct ike *k)
{
	return (time_t)(wall_us(k) / 1000000);
}

static bool crl_fresh(const struct ike *k, const struct crl *c)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(c->crl);
	time_t now = wall_s(k);

	return next == NULL ? wall_us(k) - c->fetched_us < 3600 * SECOND : X509_cmp_time(next, &now) > 0;
}

static struct crl *crl_find(const struct ike *k, const char *url)
{
	for (size_t i = 0; k->crls != NULL && i < k->crls->n; i++)
		if (strcmp(k->crls->list[i].url, url) == 0)
			return &k->crls->list[i];
	return NULL;
}

static struct crl *crl_place(struct ike *k, const char *url)
{
	struct crl *c = crl_find(k, url);

	if (k->crls == NULL)
		k->crls = mem_zalloc(sizeof(*k->crls));
	if (k->crls == NULL || c != NULL)
		return c;
	if (k->crls->n < CRLS_MAX)
		return &k->crls->list[k->crls->n++];
	k->crls->next = (k->crls->next + 1) % CRLS_MAX;
	return &k->crls->list[k->crls->next];
}

void revocation_free(struct ike *k)
{
	for (size_t i = 0; k->crls != NULL && i < k->crls->n; i++)
		X509_CRL_free(k->crls->list[i].crl);
	mem_free(k->crls);
	k->crls = NULL;
}

/* Of this issuer, by its key, and of today. */
static bool crl_good(const struct ike *k, X509_CRL *crl, X509 *issuer)
{
	time_t now = wall_s(k);

	return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) == 0 &&
	       X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1 && X509_cmp_time(X509_CRL_get0_lastUpdate(crl), &now) < 0 &&
	       (X509_CRL_get0_nextUpdate(crl) == NULL || X509_cmp_time(X509_CRL_get0_nextUpdate(crl), &now) > 0);
}

static bool crl_keep(struct ike *k, const char *url, struct span bytes, X509 *issuer)
{
	const uint8_t *at = bytes.data;
	X509_CRL *crl = bytes.len == 0 ? NULL : d2i_X509_CRL(NULL, &at, (long)bytes.len);
	struct crl *c = crl != NULL && crl_good(k, crl, issuer) ? crl_place(k, url) : NULL;

	ERR_clear_error();
	if (c == NULL) {
		X509_CRL_free(crl);
		return false;
	}
	X509_CRL_free(c->crl);
	*c = (struct crl){ .crl = crl, .bytes = bytes.len, .fetched_us = wall_us(k) };
	snprintf(c->url, sizeof(c->url), "%s", url);
	return true;
}

static enum revoked crl_says(const struct ike *k, const char *url, X509 *cert, X509 *issuer)
{
	struct crl *c = crl_find(k, url);
	X509_REVOKED *row = NULL;

	/* The same URL may have served another CA once: its CRL says nothing here. */
	if (c == NULL || !crl_fresh(k, c) || !crl_good(k, c->crl, issuer))
		return REVOKED_UNKNOWN;
	return X509_CRL_get0_by_cert(c->crl, &row, cert) == 1 ? REVOKED_YES : REVOKED_NOT;
}

/* The first HTTP URL of the certificate's distribution points. */
static bool crl_url(char url[CRL_URL], X509 *cert)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	bool found = false;

	for (int i = 0; !found && i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *p = sk_DIST_POINT_value(points, i);

		for (int n = 0;
			!found && p->distpoint && p->distpoint->type == 0 && n < sk_GENERAL_NAME_num(p->distpoint->name.fullname);
			n++) {
			const GENERAL_NAME *g = sk_GENERAL_NAME_value(p->distpoint->name.fullname, n);

			found = g->type == GEN_URI && url_take(url, CRL_URL, g->d.uniformResourceIdentifier);
		}
	}
	CRL_DIST_POINTS_free(points);
	return found;
}

bool url_take(char *url, size_t size, const ASN1_STRING *s)
{
	const char *text = (const char *)ASN1_STRING_get0_data(s);
	int len = ASN1_STRING_length(s);

	if (len <= 7 || (size_t)len >= size || memcmp(text, "http://", 7) != 0)
		return false;
	for (int i = 0; i < len; i++)
		if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
			return false;
	snprintf(url, size, "%.*s", len, text);
	return true;
}

/* ---- Asking ---- */

struct certs {
	X509 *cert, *issuer;
};

static bool certs_open(struct certs *c, const struct handshake *h)
{
	c->cert = cert_of_der(span_of(h->cert, h->cert_len));
	c->issuer = cert_of_der(span_of(h->issuer, h->issuer_len));
	return c->cert != NULL && c->issuer != NULL;
}

static void certs_close(struct certs *c)
{
	X509_free(c->cert);
	X509_free(c->issuer);
}

static enum revoked ask_crl(struct ike *k, const struct certs *c, uint64_t serial, bool *asked)
{
	char url[CRL_URL];
	enum revoked r;

	if (!crl_url(url, c->cert))
		return REVOKED_UNKNOWN;
	r = crl_says(k, url, c->cert, c->issuer);
	if (r == REVOKED_UNKNOWN && k->host.fetch != NULL) {
		k->host.fetch(k->host.ctx, serial, url, (struct span){ 0 });
		*asked = true;
	}
	return r;
}

static enum revoked ask_ocsp(struct ike *k, const struct certs *c, uint64_t serial, bool *asked)
{
	char url[CRL_URL];
	uint8_t *request = NULL;
	size_t len;

	if (k->host.fetch == NULL || !ocsp_url(url, sizeof(url), c->cert))
		return REVOKED_UNKNOWN;
	len = ocsp_request(&request, c->cert, c->issuer);
	if (len != 0) {
		k->host.fetch(k->host.ctx, serial, url, span_of(request, len));
		*asked = true;
	}
	OPENSSL_free(request);
	return REVOKED_UNKNOWN;
}

/* From the handshake's method on, until one has answered or has been asked. True: the result is there. */
static bool next_methods(struct ike *k, struct handshake *h, const struct certs *c, uint64_t serial)
{
	const struct cfg_trustpoint *t = cfg_trustpoint(k->cfg, h->trustpoint);
	bool asked = false;

	h->revocation = REVOKED_NO_ANSWER;
	for (; t != NULL && h->method < t->nrevocation; h->method++) {
		enum cfg_revocation m = t->revocation[h->method];
		enum revoked r = m == REVOCATION_NONE  ? REVOKED_NOT
				 : m == REVOCATION_CRL ? ask_crl(k, c, serial, &asked)
						       : ask_ocsp(k, c, serial, &asked);

		if (asked)
			return false;
		if (r != REVOKED_UNKNOWN) {
			h->revocation = (uint8_t)r;
			break;
		}
	}
	return true;
}

bool revocation_ask(struct ike *k, struct ike_sa *sa, uint64_t serial)
{
	struct certs c;
	bool done = true;

	sa->h->method = 0;
	sa->h->revocation = REVOKED_NO_ANSWER;
	if (certs_open(&c, sa->h))
		done = next_methods(k, sa->h, &c, serial);
	certs_close(&c);
	return done;
}

static enum revoked answer_read(struct ike *k, enum cfg_revocation m, const struct certs *c, struct span bytes)
{
	char url[CRL_URL];

	if (m == REVOCATION_OCSP)
		return ocsp_says(bytes, c->cert, c->issuer);
	if (!crl_url(url, c->cert) || !crl_keep(k, url, bytes, c->issuer))
		return REVOKED_UNKNOWN;
	return crl_says(k, url, c->cert, c->issuer);
}

static void fetch_failed_say(const struct ike *k, const struct handshake *h, enum err e)
{
	if (say_allowed((struct ike *)k))
		log_msg("PKI", LOG_SEV_ERROR, "REVOCATION_FETCH", "Revocation check of trustpoint %s: %s", h->trustpoint,
			e == ERR_OK ? "what was fetched is not a good answer" : err_text(e));
}

bool revocation_answer(struct ike *k, struct ike_sa *sa, uint64_t serial, enum err e, struct span bytes)
{
	struct handshake *h = sa->h;
	const struct cfg_trustpoint *t = cfg_trustpoint(k->cfg, h->trustpoint);
	enum revoked r = REVOKED_UNKNOWN;
	struct certs c;
	bool done = true;

	if (certs_open(&c, h) && t != NULL && h->method < t->nrevocation) {
		if (e == ERR_OK)
			r = answer_read(k, t->revocation[h->method], &c, bytes);
		h->revocation = (uint8_t)r;
		if (r == REVOKED_UNKNOWN) {
			fetch_failed_say(k, h, e);
			h->method++;
			done = next_methods(k, h, &c, serial);
		}
	} else {
		h->revocation = REVOKED_NO_ANSWER;
	}
	certs_close(&c);
	return done;
}

/* ---- The console ---- */

static void row_fill(struct ikem_crl *row, const struct crl *c)
{
	char name[CERT_NAME];

	*row = (struct ikem_crl){ .bytes = (uint32_t)c->bytes, .fetched_us = c->fetched_us };
	snprintf(row->issuer, sizeof(row->issuer), "%s", cert_name_print(name, X509_CRL_get_issuer(c->crl)));
	snprintf(row->url, sizeof(row->url), "%s", c->url);
	cert_time_print(row->last, sizeof(row->last), X509_CRL_get0_lastUpdate(c->crl));
	cert_time_print(row->next, sizeof(row->next), X509_CRL_get0_nextUpdate(c->crl));
}

void ike_each_crl(struct ike *k, void (*each)(void *ctx, const struct ikem_crl *c), void *ctx)
{
	struct ikem_crl row;

	for (size_t i = 0; k->crls != NULL && i < k->crls->n; i++) {
		row_fill(&row, &k->crls->list[i]);
		each(ctx, &row);
	}
}
