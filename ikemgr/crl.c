/* See crl.h. At most CRLS_MAX lists; the host bounds size and time of a fetch, so what is kept is bounded, too. */
#include "ikemgr/crl.h"

#include "configdb/cert.h"
#include "ikemgr/core.h"
#include "ikemgr/ocsp.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define CRLS_MAX    32
#define REQUESTS    8
#define NO_UPDATE_S 3600 /* how long a list without nextUpdate is kept */

struct crl {
	char url[CRL_URL];
	X509_CRL *crl;
	size_t bytes;
	uint64_t fetched_us; /* wall clock */
};

/* A list that the console has asked for. */
struct request {
	uint64_t serial; /* 0: none. Below any IKE SA's, see asks.c */
	char trustpoint[CFG_NAME], url[CRL_URL];
};

struct crls {
	struct crl list[CRLS_MAX];
	size_t n, next; /* next: whose place is taken when all are full */
	struct request requests[REQUESTS];
	uint32_t requested; /* in all */
};

time_t wall_s(const struct ike *k)
{
	return (time_t)(wall_us(k) / 1000000);
}

static bool crl_fresh(const struct ike *k, const struct crl *c)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(c->crl);
	time_t now = wall_s(k);

	return next == NULL ? wall_us(k) - c->fetched_us < NO_UPDATE_S * SECOND : X509_cmp_time(next, &now) > 0;
}

static struct crl *crl_find(const struct ike *k, const char *url)
{
	for (size_t i = 0; k->crls != NULL && i < k->crls->n; i++)
		if (strcmp(k->crls->list[i].url, url) == 0)
			return &k->crls->list[i];
	return NULL;
}

static bool crls_there(struct ike *k)
{
	if (k->crls == NULL)
		k->crls = mem_zalloc(sizeof(*k->crls));
	return k->crls != NULL;
}

static struct crl *crl_place(struct ike *k, const char *url)
{
	struct crl *c = crl_find(k, url);

	if (!crls_there(k) || c != NULL)
		return c;
	if (k->crls->n < CRLS_MAX)
		return &k->crls->list[k->crls->n++];
	k->crls->next = (k->crls->next + 1) % CRLS_MAX;
	return &k->crls->list[k->crls->next];
}

void crls_free(struct ike *k)
{
	for (size_t i = 0; k->crls != NULL && i < k->crls->n; i++)
		X509_CRL_free(k->crls->list[i].crl);
	mem_free(k->crls);
	k->crls = NULL;
}

/* ---- Is it one that we can use? ---- */

/* What we do not know and must not ignore (RFC 5280 5.2). */
static const char *extensions_fault(const X509_CRL *crl)
{
	if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
		return "it is a delta CRL, which is not supported";
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		X509_EXTENSION *e = X509_CRL_get_ext(crl, i);

		if (X509_EXTENSION_get_critical(e) && OBJ_obj2nid(X509_EXTENSION_get_object(e)) != NID_issuing_distribution_point)
			return "it has a critical extension that is not known";
	}
	return NULL;
}

static const char *scope_fault(const X509_CRL *crl)
{
	int critical = 0;
	ISSUING_DIST_POINT *p = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
	const char *fault = NULL;

	if (p == NULL)
		return critical == -1 ? NULL : "its issuing distribution point is malformed";
	if (p->indirectCRL > 0)
		fault = "it is an indirect CRL, which is not supported";
	else if (p->onlysomereasons != NULL)
		fault = "it is for some reasons of revocation only, which is not supported";
	else if (p->onlyattr > 0)
		fault = "it is for attribute certificates";
	ISSUING_DIST_POINT_free(p);
	return fault;
}

static bool old_digest(const X509_CRL *crl)
{
	int digest = NID_undef;

	OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, NULL);
	return digest_old(digest);
}

/* Of this issuer, by its key, and of today. NULL: it is. */
static const char *crl_fault(const struct ike *k, X509_CRL *crl, X509 *issuer)
{
	time_t now = wall_s(k);
	uint32_t usage = X509_get_key_usage(issuer);
	const char *fault;

	if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) != 0)
		return "it is another CA's";
	if (usage != UINT32_MAX && !(usage & KU_CRL_SIGN))
		return "the CA's key usage does not permit CRLs";
	if (old_digest(crl))
		return "its signature is one with MD5 or SHA-1";
	if (X509_CRL_verify(crl, X509_get0_pubkey(issuer)) != 1)
		return "its signature is wrong";
	if (X509_cmp_time(X509_CRL_get0_lastUpdate(crl), &now) >= 0)
		return "it is not valid yet";
	if (X509_CRL_get0_nextUpdate(crl) != NULL && X509_cmp_time(X509_CRL_get0_nextUpdate(crl), &now) <= 0)
		return "its next update is over";
	fault = extensions_fault(crl);
	return fault != NULL ? fault : scope_fault(crl);
}

/* Does its scope have certificates of this kind (RFC 5280 6.3.3 b)? */
static bool covers(const X509_CRL *crl, X509 *cert)
{
	ISSUING_DIST_POINT *p = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
	bool ca = X509_check_ca(cert) == 1;
	bool yes = p == NULL || (ca ? p->onlyuser <= 0 : p->onlyCA <= 0);

	ISSUING_DIST_POINT_free(p);
	return yes;
}

/* Whoever sits on the way cannot bring back a list of the time before a revocation. */
static bool older(const struct ike *k, const char *url, const X509_CRL *crl)
{
	const struct crl *c = crl_find(k, url);
	int days = 0, seconds = 0;

	return c != NULL && X509_NAME_cmp(X509_CRL_get_issuer(c->crl), X509_CRL_get_issuer(crl)) == 0 &&
	       ASN1_TIME_diff(&days, &seconds, X509_CRL_get0_lastUpdate(c->crl), X509_CRL_get0_lastUpdate(crl)) == 1 &&
	       (days < 0 || seconds < 0);
}

bool crl_keep(struct ike *k, const char *url, struct span bytes, X509 *issuer, char why[CRL_WHY])
{
	const uint8_t *at = bytes.data;
	X509_CRL *crl = bytes.len == 0 ? NULL : d2i_X509_CRL(NULL, &at, (long)bytes.len);
	const char *fault = crl == NULL ? "it is no CRL (DER)" : crl_fault(k, crl, issuer);
	struct crl *c;

	if (fault == NULL && older(k, url, crl))
		fault = "it is older than the one that is kept";
	c = fault == NULL ? crl_place(k, url) : NULL;
	ERR_clear_error();
	if (c == NULL) {
		snprintf(why, CRL_WHY, "%s", fault != NULL ? fault : "out of memory");
		X509_CRL_free(crl);
		return false;
	}
	X509_CRL_free(c->crl);
	*c = (struct crl){ .crl = crl, .bytes = bytes.len, .fetched_us = wall_us(k) };
	snprintf(c->url, sizeof(c->url), "%s", url);
	return true;
}

enum revoked crl_says(const struct ike *k, const char *url, X509 *cert, X509 *issuer)
{
	struct crl *c = crl_find(k, url);
	X509_REVOKED *row = NULL;
	bool good = c != NULL && crl_fresh(k, c) && crl_fault(k, c->crl, issuer) == NULL && covers(c->crl, cert);

	ERR_clear_error();
	/* The same URL may have served another CA once: its CRL says nothing here. */
	if (!good)
		return REVOKED_UNKNOWN;
	return X509_CRL_get0_by_cert(c->crl, &row, cert) == 0 ? REVOKED_NOT : REVOKED_YES;
}

/* ---- Where it is ---- */

static bool point_url(char url[CRL_URL], const DIST_POINT *p)
{
	if (p->distpoint == NULL || p->distpoint->type != 0)
		return false;
	for (int n = 0; n < sk_GENERAL_NAME_num(p->distpoint->name.fullname); n++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(p->distpoint->name.fullname, n);

		if (g->type == GEN_URI && url_take(url, CRL_URL, g->d.uniformResourceIdentifier))
			return true;
	}
	return false;
}

bool crl_url(char url[CRL_URL], X509 *cert, char why[CRL_WHY])
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	bool found = false;

	snprintf(why, CRL_WHY, "%s",
		points == NULL ? "the certificate names no distribution point"
			       : "the certificate names no distribution point that is reached over http://");
	for (int i = 0; !found && i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *p = sk_DIST_POINT_value(points, i);

		if (p->CRLissuer != NULL)
			snprintf(why, CRL_WHY, "the certificate names an indirect CRL, which is not supported");
		else if (p->reasons == NULL)
			found = point_url(url, p);
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

/* ---- Asked for by hand ---- */

/* The CA of some trustpoint that has signed `x`; the caller frees. */
static X509 *issuer_of(const struct ike *k, X509 *x)
{
	for (size_t i = 0; i < k->cfg->ntrustpoints; i++)
		for (size_t n = 0; n < k->cfg->trustpoints[i].ncerts; n++) {
			const struct cfg_cert *c = &k->cfg->trustpoints[i].certs[n];
			X509 *ca = c->ca ? cert_of_der(span_of(c->der, c->len)) : NULL;

			if (ca != NULL && X509_check_issued(ca, x) == X509_V_OK && X509_verify(x, X509_get0_pubkey(ca)) == 1)
				return ca;
			X509_free(ca);
		}
	return NULL;
}

/* A certificate of the trustpoint: where its list is, and who signs that. */
static bool cert_list(const struct ike *k, const struct cfg_cert *c, char url[CRL_URL], X509 **issuer, char why[CRL_WHY])
{
	X509 *x = cert_of_der(span_of(c->der, c->len));
	bool found = x != NULL && crl_url(url, x, why);

	*issuer = found ? issuer_of(k, x) : NULL;
	if (found && *issuer == NULL)
		snprintf(why, CRL_WHY, "no trustpoint has the certificate of the CA whose CRL it is");
	X509_free(x);
	return *issuer != NULL;
}

static void request_one(struct ike *k, const char *trustpoint, const char *url)
{
	struct request *r = &k->crls->requests[k->crls->requested % REQUESTS];

	*r = (struct request){ .serial = ++k->crls->requested & 0xffff };
	r->serial = r->serial << 8 | 0xff;
	snprintf(r->trustpoint, sizeof(r->trustpoint), "%s", trustpoint);
	snprintf(r->url, sizeof(r->url), "%s", url);
	k->host.fetch(k->host.ctx, r->serial, r->url, (struct span){ 0 });
}

void ike_crl_request(struct ike *k, const char *trustpoint, struct ikem_crl_requested *out)
{
	const struct cfg_trustpoint *t = k->cfg == NULL ? NULL : cfg_trustpoint(k->cfg, trustpoint);
	char url[CRL_URL], last[CRL_URL] = "", why[CRL_WHY];
	X509 *issuer;

	*out = (struct ikem_crl_requested){ 0 };
	snprintf(out->why, sizeof(out->why), "%s", t == NULL ? "there is no such trustpoint" : "the trustpoint has no certificate");
	for (size_t i = 0; t != NULL && k->host.fetch != NULL && crls_there(k) && i < t->ncerts; i++) {
		if (!cert_list(k, &t->certs[i], url, &issuer, why)) {
			snprintf(out->why, sizeof(out->why), "%s", why);
			continue;
		}
		X509_free(issuer);
		if (strcmp(url, last) != 0) {
			request_one(k, trustpoint, url);
			out->lists++;
		}
		snprintf(last, sizeof(last), "%s", url);
	}
}

/* The configuration may be another one by now: the issuer is looked up again. */
static bool requested_keep(struct ike *k, const struct request *r, struct span bytes, char why[CRL_WHY])
{
	const struct cfg_trustpoint *t = k->cfg == NULL ? NULL : cfg_trustpoint(k->cfg, r->trustpoint);
	char url[CRL_URL];
	X509 *issuer;
	bool kept = false;

	snprintf(why, CRL_WHY, "the trustpoint's certificates have changed");
	for (size_t i = 0; t != NULL && !kept && i < t->ncerts; i++) {
		if (!cert_list(k, &t->certs[i], url, &issuer, why))
			continue;
		kept = strcmp(url, r->url) == 0 && crl_keep(k, url, bytes, issuer, why);
		X509_free(issuer);
	}
	return kept;
}

bool crl_requested(struct ike *k, uint64_t serial, enum err e, struct span bytes)
{
	struct request *r = NULL;
	char why[CRL_WHY];

	for (size_t i = 0; k->crls != NULL && i < REQUESTS; i++)
		if (serial != 0 && k->crls->requests[i].serial == serial)
			r = &k->crls->requests[i];
	if (r == NULL)
		return false;
	snprintf(why, sizeof(why), "%s", err_text(e));
	if (e != ERR_OK || !requested_keep(k, r, bytes, why))
		log_msg("PKI", LOG_SEV_ERROR, "CRL_FETCH_FAIL", "CRL fetch for trustpoint %s failed. Reason : %s (%s)",
			r->trustpoint, why, r->url);
	r->serial = 0;
	return true;
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
