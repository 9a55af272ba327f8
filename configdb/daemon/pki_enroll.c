/* Requests for certificates (PKCS #10), self-signed certificates, and PKCS #12 (keys and certificates in one). */
#include "pki.h"

#include "configdb/cert.h"
#include "platform/base/addr.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define SELF_SIGNED_DAYS 3650

/* What a request says of us. */
struct subject {
	X509_NAME *name;
	char fqdn[CFG_NAME * 2];
	uint32_t ip;
};

static uint32_t ip_of_interface(const struct cfg *cfg, const char *name)
{
	const struct cfg_interface *i = cfg_interface(cfg, name);

	return i ? i->ip.addr : 0;
}

static bool name_add(X509_NAME *name, int nid, const char *text)
{
	return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
}

/* Without `subject-name` the name is the host's alone, as on IOS (unstructuredName). */
static enum err subject_of(const struct configd *d, const struct cfg_trustpoint *t, const struct cfgm_pki *q, struct subject *s)
{
	const char *fqdn = t->fqdn_none ? "" : t->fqdn[0] ? t->fqdn : configd_hostname(d);

	snprintf(s->fqdn, sizeof(s->fqdn), "%s", fqdn);
	s->ip = q->ip ? q->ip : t->ip_interface[0] ? ip_of_interface(d->now, t->ip_interface) : t->ip;
	s->name = t->subject[0] ? cert_name_parse(t->subject) : X509_NAME_new();
	if (!s->name)
		return ERR_INVALID;
	if (q->serial_number[0] && !name_add(s->name, NID_serialNumber, q->serial_number))
		return ERR_CRYPTO;
	if (t->subject[0])
		return ERR_OK;
	if (!fqdn[0])
		return ERR_INCOMPLETE;
	return name_add(s->name, NID_pkcs9_unstructuredName, fqdn) ? ERR_OK : ERR_CRYPTO;
}

static bool extension_add(STACK_OF(X509_EXTENSION) * *list, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509v3_add_ext(list, e, -1) != NULL;

	X509_EXTENSION_free(e);
	return ok;
}

static bool extensions_make(STACK_OF(X509_EXTENSION) * *list, const struct subject *s, const EVP_PKEY *key)
{
	char alt[CFG_NAME * 2 + 64] = "", ip[16];
	bool ok = extension_add(list, NID_key_usage,
		EVP_PKEY_is_a(key, "RSA") ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature");

	if (s->fqdn[0])
		snprintf(alt, sizeof(alt), "DNS:%s", s->fqdn);
	if (s->ip)
		snprintf(alt + strlen(alt), sizeof(alt) - strlen(alt), "%sIP:%s", alt[0] ? "," : "", ip4_print(ip, s->ip));
	return ok && (!alt[0] || extension_add(list, NID_subject_alt_name, alt));
}

/* `challenge`: a password for the CA (RFC 2985 5.4.1); empty: none. */
static bool challenge_add(X509_REQ *r, struct span challenge)
{
	return challenge.len == 0 || X509_REQ_add1_attr_by_NID(r, NID_pkcs9_challengePassword, MBSTRING_UTF8, challenge.data,
					     (int)challenge.len) == 1;
}

static enum err request_make(
	const struct cfg_trustpoint *t, const struct subject *s, EVP_PKEY *key, struct span challenge, BIO *out)
{
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	X509_REQ *r = X509_REQ_new();
	const EVP_MD *md = EVP_get_digestbyname(t->hash);
	bool ok = r && md && X509_REQ_set_version(r, 0) == 1 && X509_REQ_set_subject_name(r, s->name) == 1 &&
		  X509_REQ_set_pubkey(r, key) == 1 && extensions_make(&extensions, s, key) &&
		  X509_REQ_add_extensions(r, extensions) == 1 && challenge_add(r, challenge) && X509_REQ_sign(r, key, md) > 0 &&
		  PEM_write_bio_X509_REQ(out, r) == 1;

	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_REQ_free(r);
	return ok ? ERR_OK : ERR_CRYPTO;
}

static bool self_signed_fill(X509 *x, const struct subject *s, EVP_PKEY *key, const EVP_MD *md)
{
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	uint8_t serial[8];
	BIGNUM *n;
	bool ok = RAND_bytes(serial, sizeof(serial)) == 1;

	serial[0] &= 0x7f;
	serial[0] |= 0x40;
	n = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = ok && n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) && X509_set_version(x, 2) == 1 &&
	     X509_set_subject_name(x, s->name) == 1 && X509_set_issuer_name(x, s->name) == 1 && X509_set_pubkey(x, key) == 1 &&
	     X509_gmtime_adj(X509_getm_notBefore(x), 0) &&
	     X509_gmtime_adj(X509_getm_notAfter(x), 60l * 60 * 24 * SELF_SIGNED_DAYS) && extensions_make(&extensions, s, key);
	for (int i = 0; ok && i < sk_X509_EXTENSION_num(extensions); i++)
		ok = X509_add_ext(x, sk_X509_EXTENSION_value(extensions, i), -1) == 1;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	BN_free(n);
	return ok && X509_sign(x, key, md) > 0;
}

static enum err self_signed(struct client *c, const struct cfg_trustpoint *t, const struct subject *s, EVP_PKEY *key)
{
	X509 *x = X509_new();
	BIO *lines = BIO_new(BIO_s_mem());
	const EVP_MD *md = EVP_get_digestbyname(t->hash);
	enum err e = x && lines && md && self_signed_fill(x, s, key, md) ? ERR_OK : ERR_CRYPTO;

	if (e == ERR_OK) {
		pki_certificate_lines(lines, t->name, "self-signed", x);
		e = pki_apply(c, lines);
	}
	BIO_free(lines);
	X509_free(x);
	return e;
}

/* The request with the password: the trustpoint's, or what was typed; and a certificate for the message around it (RFC 8894 2.3). */
static enum err scep_request(struct configd *d, const struct cfg_trustpoint *t, const struct cfgm_pki *q, const struct subject *s,
	EVP_PKEY *key, BIO *out)
{
	const EVP_MD *md = EVP_get_digestbyname(t->hash);
	struct span typed = span_of(q->passphrase, strlen(q->passphrase));
	struct secret password = { 0 };
	X509 *x = X509_new();
	enum err e = EVP_PKEY_is_a(key, "RSA") ? ERR_OK : ERR_UNSUPPORTED;

	if (e == ERR_OK && t->password_id)
		e = secrets_get(d->secrets, t->password_id, &password);
	if (e == ERR_OK)
		e = request_make(t, s, key, t->password_id ? secret_span(&password) : typed, out);
	if (e == ERR_OK && (!x || !md || !self_signed_fill(x, s, key, md) || PEM_write_bio_X509(out, x) != 1))
		e = ERR_CRYPTO;
	secret_wipe(&password);
	X509_free(x);
	return e;
}

/* The pair that the trustpoint names; without a name the host's. */
static enum err pair_of(struct configd *d, const struct cfg_trustpoint *t, struct keypair *k)
{
	if (t->ec_label[0])
		return keypair_find(d->secrets, KEYPAIR_EC, t->ec_label, k);
	return keypair_find(d->secrets, KEYPAIR_RSA, t->rsa_label[0] ? t->rsa_label : configd_hostname(d), k);
}

void pki_enroll(struct client *c, struct msg *m)
{
	struct configd *d = c->d;
	struct cfgm_pki *q = pki_question(c, m);
	const struct cfg_trustpoint *t = q && d->now ? cfg_trustpoint(d->now, q->name) : NULL;
	BIO *out = BIO_new(BIO_s_secmem());
	EVP_PKEY *key = NULL;
	struct subject s = { 0 };
	struct keypair k;
	enum err e = !out ? ERR_NOMEM : t ? pair_of(d, t, &k) : ERR_INVALID;

	if (e == ERR_OK)
		e = keypair_private(d->secrets, k.id, &key);
	if (e == ERR_OK)
		e = subject_of(d, t, q, &s);
	if (e == ERR_OK)
		e = t->selfsigned ? self_signed(c, t, &s, key)
		    : t->url[0]   ? scep_request(d, t, q, &s, key, out)
				  : request_make(t, &s, key, (struct span){ 0 }, out);
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_NAME_free(s.name);
	if (q) {
		pki_answer_text(c, m, out, e);
		pki_done(q);
	}
	BIO_free(out);
}

/* ---- PKCS #12 ---- */

static PKCS12 *pkcs12_read(const char *base64)
{
	BIO *in = BIO_new_mem_buf(base64, -1), *b64 = BIO_new(BIO_f_base64());
	PKCS12 *p = NULL;

	if (in && b64) {
		BIO_push(b64, in);
		p = d2i_PKCS12_bio(b64, NULL);
	}
	BIO_free(b64);
	BIO_free(in);
	return p;
}

/* The trustpoint, if it is not there yet, and its certificates. */
static enum err pkcs12_store(struct client *c, const char *name, EVP_PKEY *key, X509 *x, STACK_OF(X509) * others)
{
	BIO *lines = BIO_new(BIO_s_mem());
	bool known = c->d->now && cfg_trustpoint(c->d->now, name);
	enum err e;

	if (!lines)
		return ERR_NOMEM;
	BIO_printf(lines, "crypto pki trustpoint %s\n%s%s %s\nexit\n", name, known ? "" : "enrollment pkcs12\n",
		EVP_PKEY_is_a(key, "RSA") ? "rsakeypair" : "eckeypair", name);
	for (int i = 0; i < sk_X509_num(others); i++)
		if (X509_check_issued(sk_X509_value(others, i), x) == X509_V_OK) {
			pki_certificate_lines(lines, name, "ca", sk_X509_value(others, i));
			break;
		}
	pki_certificate_lines(lines, name, "", x);
	e = pki_apply(c, lines);
	BIO_free(lines);
	return e;
}

void pki_pkcs12_import(struct client *c, struct msg *m)
{
	struct cfgm_pki *q = pki_question(c, m);
	STACK_OF(X509) *others = NULL;
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	PKCS12 *p;
	enum err e = ERR_INVALID;

	if (!q)
		return;
	p = pkcs12_read(q->text);
	if (p)
		e = PKCS12_parse(p, q->passphrase, &key, &x, &others) == 1 ? ERR_OK : ERR_AUTH;
	if (e == ERR_OK && (!key || !x))
		e = ERR_INCOMPLETE;
	if (e == ERR_OK)
		e = pki_key_add(c->d, q->name, q->exportable, key);
	if (e == ERR_OK)
		e = pkcs12_store(c, q->name, key, x, others);
	ERR_clear_error();
	PKCS12_free(p);
	EVP_PKEY_free(key);
	X509_free(x);
	sk_X509_pop_free(others, X509_free);
	pki_done(q);
	pki_answer(c, m, e);
}

static enum err pkcs12_write(struct configd *d, const struct cfg_trustpoint *t, const char *passphrase, BIO *out)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	EVP_PKEY *key = NULL;
	X509 *own = NULL;
	PKCS12 *p = NULL;
	enum err e = ERR_NOT_FOUND;

	for (size_t i = 0; i < t->ncerts; i++) {
		X509 *x = cert_of_der(span_of(t->certs[i].der, t->certs[i].len));

		if (x && t->certs[i].ca) {
			sk_X509_push(others, x);
		} else if (x && t->certs[i].key_id && !own) {
			own = x;
			e = keypair_private(d->secrets, t->certs[i].key_id, &key);
		} else {
			X509_free(x);
		}
	}
	if (e == ERR_OK)
		p = PKCS12_create(passphrase, t->name, key, own, others, 0, 0, 0, 0, 0);
	if (e == ERR_OK && (!p || i2d_PKCS12_bio(out, p) != 1 || BIO_flush(out) != 1))
		e = ERR_CRYPTO;
	PKCS12_free(p);
	EVP_PKEY_free(key);
	X509_free(own);
	sk_X509_pop_free(others, X509_free);
	return e;
}

/* Of an exportable key alone. */
static enum err exportable(struct configd *d, const struct cfg_trustpoint *t)
{
	struct keypair k;
	enum err e = pair_of(d, t, &k);

	return e != ERR_OK ? e : k.exportable ? ERR_OK : ERR_DENIED;
}

void pki_pkcs12_export(struct client *c, struct msg *m)
{
	struct configd *d = c->d;
	struct cfgm_pki *q = pki_question(c, m);
	const struct cfg_trustpoint *t = q && d->now ? cfg_trustpoint(d->now, q->name) : NULL;
	BIO *out = BIO_new(BIO_s_mem()), *b64 = BIO_new(BIO_f_base64());
	enum err e = !out || !b64 ? ERR_NOMEM : !t ? ERR_INVALID : exportable(d, t);

	if (!q)
		goto out;
	if (e == ERR_OK && strlen(q->passphrase) < 8)
		e = ERR_RANGE;
	if (e == ERR_OK) {
		BIO_push(b64, out);
		e = pkcs12_write(d, t, q->passphrase, b64);
		BIO_pop(b64);
	}
	ERR_clear_error();
	pki_answer_text(c, m, out, e);
	pki_done(q);
out:
	BIO_free(b64);
	BIO_free(out);
}
