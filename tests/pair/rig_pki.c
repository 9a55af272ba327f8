#include "rig_pki.h"

#include "configdb/keypairs.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static X509_NAME *name_of_text(const char *subject)
{
	X509_NAME *n = must(X509_NAME_new());

	/* "/O=Acme/CN=x" */
	for (const char *at = subject; *at == '/';) {
		char type[16], value[64];
		size_t eq = strcspn(at + 1, "="), len = strcspn(at + 2 + eq, "/");

		snprintf(type, sizeof(type), "%.*s", (int)eq, at + 1);
		snprintf(value, sizeof(value), "%.*s", (int)len, at + 2 + eq);
		X509_NAME_add_entry_by_txt(n, type, MBSTRING_UTF8, (unsigned char *)value, -1, -1, 0);
		at += 2 + eq + len;
	}
	return n;
}

static void extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	if (value == NULL)
		return;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = must(X509V3_EXT_conf_nid(NULL, &ctx, nid, value));
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

static X509 *cert_make(const char *subject, EVP_PKEY *key, long from_s, long to_s)
{
	static long serial = 100;
	X509 *x = must(X509_new());
	X509_NAME *n = name_of_text(subject);

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_set_subject_name(x, n);
	ASN1_TIME_set(X509_getm_notBefore(x), from_s);
	ASN1_TIME_set(X509_getm_notAfter(x), to_s ? to_s : 1000000000);
	X509_set_pubkey(x, key);
	X509_NAME_free(n);
	return x;
}

static struct authority *authority_make(struct authority *above, const char *name, const char *crl)
{
	struct authority *a = must(calloc(1, sizeof(*a)));
	X509 *issuer;
	char url[200];

	a->key = must(keypair_make(KEYPAIR_EC, 256));
	a->cert = cert_make(name, a->key, 1, 0);
	issuer = above != NULL ? above->cert : a->cert;
	X509_set_issuer_name(a->cert, X509_get_subject_name(issuer));
	extension(a->cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
	extension(a->cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	snprintf(url, sizeof(url), "URI:%s", crl != NULL ? crl : "");
	extension(a->cert, issuer, NID_crl_distribution_points, crl != NULL ? url : NULL);
	X509_sign(a->cert, above != NULL ? above->key : a->key, EVP_sha256());
	return a;
}

struct authority *authority_new(const char *name)
{
	return authority_make(NULL, name, NULL);
}

struct authority *authority_below(struct authority *a, const char *name, const char *crl)
{
	return authority_make(a, name, crl);
}

void authority_free(struct authority *a)
{
	X509_free(a->cert);
	EVP_PKEY_free(a->key);
	free(a);
}

X509 *authority_sign(struct authority *a, const struct cert_want *w, EVP_PKEY *key)
{
	char url[200];
	X509 *x = cert_make(w->subject, key, w->from_s ? w->from_s : 1, w->to_s);

	X509_set_issuer_name(x, X509_get_subject_name(a->cert));
	extension(x, a->cert, NID_subject_alt_name, w->alt);
	extension(x, a->cert, NID_key_usage, w->usage);
	snprintf(url, sizeof(url), "URI:%s", w->crl != NULL ? w->crl : "");
	extension(x, a->cert, NID_crl_distribution_points, w->crl != NULL ? url : NULL);
	snprintf(url, sizeof(url), "OCSP;URI:%s", w->ocsp != NULL ? w->ocsp : "");
	extension(x, a->cert, NID_info_access, w->ocsp != NULL ? url : NULL);
	extension(x, a->cert, NID_ext_key_usage, w->extended);
	X509_sign(x, a->key, w->md != NULL ? w->md : EVP_sha256());
	return x;
}

static void crl_extension(X509_CRL *crl, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, NULL, NULL, NULL, crl, 0);
	e = must(X509V3_EXT_conf_nid(NULL, &ctx, nid, value));
	X509_CRL_add_ext(crl, e, -1);
	X509_EXTENSION_free(e);
}

static void crl_delta(X509_CRL *crl)
{
	ASN1_INTEGER *base = must(ASN1_INTEGER_new());

	ASN1_INTEGER_set(base, 1);
	X509_CRL_add1_ext_i2d(crl, NID_delta_crl, base, 1, 0);
	ASN1_INTEGER_free(base);
}

size_t authority_crl_want(struct authority *a, const struct crl_want *w, uint8_t *out, size_t size)
{
	X509_CRL *crl = must(X509_CRL_new());
	ASN1_TIME *t = ASN1_TIME_set(NULL, w->last_s ? w->last_s : 1);
	int len;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(a->cert));
	X509_CRL_set1_lastUpdate(crl, t);
	ASN1_TIME_set(t, w->next_s ? w->next_s : 900000000);
	X509_CRL_set1_nextUpdate(crl, t);
	for (size_t i = 0; i < w->n; i++) {
		X509_REVOKED *r = must(X509_REVOKED_new());

		X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(w->revoked[i]));
		ASN1_TIME_set(t, 2);
		X509_REVOKED_set_revocationDate(r, t);
		X509_CRL_add0_revoked(crl, r);
	}
	if (w->point != NULL)
		crl_extension(crl, NID_issuing_distribution_point, w->point);
	if (w->delta)
		crl_delta(crl);
	X509_CRL_sort(crl);
	X509_CRL_sign(crl, a->key, w->md ? w->md : EVP_sha256());
	len = i2d_X509_CRL(crl, NULL);
	if (len <= 0 || (size_t)len > size)
		abort();
	len = i2d_X509_CRL(crl, &out);
	X509_CRL_free(crl);
	ASN1_TIME_free(t);
	return (size_t)len;
}

size_t authority_crl(struct authority *a, X509 *const *revoked, size_t n, uint8_t *out, size_t size)
{
	return authority_crl_want(a, &(struct crl_want){ .revoked = revoked, .n = n }, out, size);
}

size_t authority_ocsp(struct authority *a, const struct ocsp_want *w, struct span request, uint8_t *out, size_t size)
{
	const uint8_t *at = request.data;
	OCSP_REQUEST *q = must(d2i_OCSP_REQUEST(NULL, &at, (long)request.len));
	OCSP_BASICRESP *basic = must(OCSP_BASICRESP_new());
	ASN1_TIME *from = ASN1_TIME_set(NULL, w->this_s), *to = w->next_s ? ASN1_TIME_set(NULL, w->next_s) : NULL;
	OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(q, 0));
	OCSP_RESPONSE *r;
	int len;

	must(OCSP_basic_add1_status(basic, id, w->status, 0, w->status == V_OCSP_CERTSTATUS_REVOKED ? from : NULL, from, to));
	if (!w->no_nonce)
		OCSP_copy_nonce(basic, q);
	if (OCSP_basic_sign(basic, w->cert ? w->cert : a->cert, w->key ? w->key : a->key, w->md ? w->md : EVP_sha256(), NULL,
		    w->cert ? 0 : OCSP_NOCERTS) != 1)
		abort();
	r = must(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic));
	len = i2d_OCSP_RESPONSE(r, NULL);
	if (len <= 0 || (size_t)len > size)
		abort();
	len = i2d_OCSP_RESPONSE(r, &out);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_REQUEST_free(q);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return (size_t)len;
}

static void cert_add(struct cfg_trustpoint *t, X509 *x, bool ca, uint64_t key_id)
{
	struct cfg_cert *c;
	uint8_t *at;

	t->certs = must(realloc(t->certs, (t->ncerts + 1) * sizeof(*t->certs)));
	c = &t->certs[t->ncerts++];
	*c = (struct cfg_cert){ .ca = ca, .key_id = key_id, .len = (uint16_t)i2d_X509(x, NULL) };
	c->der = at = must(malloc(c->len));
	i2d_X509(x, &at);
}

struct cfg_trustpoint *rig_trust(struct node *n, const char *name, struct authority *a)
{
	struct cfg *c = n->cfg;
	struct cfg_trustpoint *t;

	c->trustpoints = must(realloc(c->trustpoints, (c->ntrustpoints + 1) * sizeof(*c->trustpoints)));
	t = &c->trustpoints[c->ntrustpoints++];
	*t = (struct cfg_trustpoint){ .nrevocation = 1, .revocation = { REVOCATION_NONE } };
	snprintf(t->name, sizeof(t->name), "%s", name);
	cert_add(t, a->cert, true, 0);
	return t;
}

struct cfg_trustpoint *rig_enroll(struct node *n, struct authority *a, const struct cert_want *w)
{
	struct cfg_trustpoint *t = rig_trust(n, "CA", a);
	struct keypair k = { .label = "K" };
	EVP_PKEY *key = must(keypair_make(w->rsa_bits ? KEYPAIR_RSA : KEYPAIR_EC, w->rsa_bits ? (unsigned)w->rsa_bits : 256));
	X509 *x = authority_sign(a, w, key);

	if (n->secrets == NULL && secrets_open(&n->secrets, NULL, false) != ERR_OK)
		abort();
	if (keypair_put(n->secrets, &k, key) != ERR_OK)
		abort();
	cert_add(t, x, false, k.id);
	n->cfg->policies[0].hash = HASH_SHA256;
	n->cfg->policies[0].auth = w->rsa_bits ? AUTH_RSA_SIG : AUTH_ECDSA_256;
	n->cfg->nkeys = 0;
	X509_free(x);
	EVP_PKEY_free(key);
	rig_config(n);
	return t;
}
