/* What comes from outside around certificates. The first byte says what the rest is: a certificate of the peer, its signature, an
 * HTTP response, an OCSP answer, a CRL; or text of the console: a name, hexadecimal digits, a URL. */
#include "configdb/cert.h"
#include "configdb/keypairs.h"
#include "ikemgr/core.h"
#include "ikemgr/crl.h"
#include "ikemgr/ocsp.h"
#include "ikemgr/proc/fetch.h"
#include "ikemgr/x509.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cfg cfg;
static struct cfg_trustpoint tp;
static struct cfg_cert anchor;
static X509 *ca;
static EVP_PKEY *key;

static void setup(void)
{
	X509_NAME *name;
	X509_EXTENSION *e;

	if (ca)
		return;
	key = keypair_make(KEYPAIR_EC, 256);
	ca = X509_new();
	name = cert_name_parse("CN=Root,O=Acme");
	e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	X509_set_version(ca, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(ca), 1);
	X509_set_subject_name(ca, name);
	X509_set_issuer_name(ca, name);
	ASN1_TIME_set(X509_getm_notBefore(ca), 1);
	ASN1_TIME_set(X509_getm_notAfter(ca), 4000000000);
	X509_set_pubkey(ca, key);
	X509_add_ext(ca, e, -1);
	X509_sign(ca, key, EVP_sha256());
	X509_EXTENSION_free(e);
	X509_NAME_free(name);
	anchor.ca = true;
	anchor.len = (uint16_t)i2d_X509(ca, &anchor.der);
	snprintf(tp.name, sizeof(tp.name), "CA");
	tp.certs = &anchor;
	tp.ncerts = 1;
	cfg.trustpoints = &tp;
	cfg.ntrustpoints = 1;
}

static void name_seen(void *ctx, const char *text)
{
	*(size_t *)ctx += strlen(text);
}

static void certificate(struct span s)
{
	struct x509_trust t = { .cfg = &cfg, .wall_us = 1800000000000000 };
	struct payload_id id = { .type = ID_DER_ASN1_DN, .data = s };
	struct x509_leaf leaf;
	char why[X509_WHY], serial[CERT_SERIAL], print[200];
	X509 *x = cert_of_der(s);
	size_t seen = 0;

	if (x509_verify(&t, (struct span[]){ s, s }, 2, &leaf, why))
		abort(); /* nobody has the CA's key */
	x509_leaf_free(&leaf);
	if (!x)
		return;
	(void)cert_serial(serial, x);
	cert_name_each(X509_get_subject_name(x), name_seen, &seen);
	cert_fingerprint(print, sizeof(print), x, "SHA1");
	cert_time_print(print, sizeof(print), X509_get0_notAfter(x));
	(void)x509_key_good(X509_get0_pubkey(x), why);
	for (id.type = 1; id.type < 12; id.type++)
		(void)x509_names(x, &id);
	(void)x509_proof_good(X509_get0_pubkey(x), AUTH_RSA_SIG, span_of("0123456789abcdef0123", 20), s);
	(void)ocsp_url(print, sizeof(print), x);
	X509_free(x);
}

static void text(const char *s)
{
	char host[FETCH_URL], port[8], path[FETCH_URL];
	uint8_t out[100];
	X509_NAME *n = cert_name_parse(s);

	(void)cert_hex_parse(out, sizeof(out), s);
	(void)http_url(s, host, port, path);
	X509_NAME_free(n);
}

static void ocsp(struct span s)
{
	static const uint8_t nonce[16] = { 1 };
	char why[OCSP_WHY];

	for (size_t n = 0; n <= sizeof(nonce); n += sizeof(nonce))
		if (ocsp_says(s, &(struct ocsp_question){ ca, ca, span_of(nonce, n) }, 1800000000, why) == REVOKED_NOT)
			abort();
}

static void list(struct span s)
{
	static struct ike k;
	char why[CRL_WHY], url[CRL_URL];
	X509 *x = cert_of_der(s);

	k.host.env = &env_system;
	if (crl_keep(&k, "http://192.0.2.1/ca.crl", s, ca, why))
		abort();
	if (x)
		(void)crl_url(url, x, why);
	X509_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s, body;
	char *copy;

	setup();
	if (size < 1)
		return 0;
	s = span_of(data + 1, size - 1);
	switch (data[0] % 6) {
	case 0:
		certificate(s);
		break;
	case 1:
		if (x509_proof_good(key, AUTH_ECDSA_256, span_of("0123456789abcdef0123456789abcdef", 32), s))
			abort();
		break;
	case 2:
		if (http_body(s, &body) && (body.data < s.data || body.data + body.len > s.data + s.len))
			abort();
		break;
	case 3:
		ocsp(s);
		break;
	case 4:
		list(s);
		break;
	default:
		copy = strndup((const char *)s.data, s.len);
		text(copy);
		free(copy);
	}
	return 0;
}
