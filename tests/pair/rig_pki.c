#include "rig_pki.h"

#include "configdb/keypairs.h"

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

struct authority *authority_new(const char *name)
{
	struct authority *a = must(calloc(1, sizeof(*a)));

	a->key = must(keypair_make(KEYPAIR_EC, 256));
	a->cert = cert_make(name, a->key, 1, 0);
	X509_set_issuer_name(a->cert, X509_get_subject_name(a->cert));
	extension(a->cert, a->cert, NID_basic_constraints, "critical,CA:TRUE");
	extension(a->cert, a->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	X509_sign(a->cert, a->key, EVP_sha256());
	return a;
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
	X509_sign(x, a->key, w->md != NULL ? w->md : EVP_sha256());
	return x;
}

size_t authority_crl(struct authority *a, X509 *const *revoked, size_t n, uint8_t *out, size_t size)
{
	X509_CRL *crl = must(X509_CRL_new());
	ASN1_TIME *t = ASN1_TIME_set(NULL, 1);
	int len;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(a->cert));
	X509_CRL_set1_lastUpdate(crl, t);
	ASN1_TIME_set(t, 900000000);
	X509_CRL_set1_nextUpdate(crl, t);
	for (size_t i = 0; i < n; i++) {
		X509_REVOKED *r = must(X509_REVOKED_new());

		X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked[i]));
		ASN1_TIME_set(t, 2);
		X509_REVOKED_set_revocationDate(r, t);
		X509_CRL_add0_revoked(crl, r);
	}
	X509_CRL_sort(crl);
	X509_CRL_sign(crl, a->key, EVP_sha256());
	len = i2d_X509_CRL(crl, NULL);
	if (len <= 0 || (size_t)len > size)
		abort();
	len = i2d_X509_CRL(crl, &out);
	X509_CRL_free(crl);
	ASN1_TIME_free(t);
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
