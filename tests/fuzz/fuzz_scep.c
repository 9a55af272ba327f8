/* What a CA answers over SCEP. The first byte says what the rest is: capabilities, certificates, an answer, the envelope in it, the
 * certificates in that. Whatever it is, nobody without the CA's key gets a certificate out of it. */
#include "configdb/alg.h"
#include "configdb/cert.h"
#include "configdb/keypairs.h"
#include "ikemgr/scep/scep.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *key;
static X509 *root;

static void setup(void)
{
	X509_NAME *name;
	X509_EXTENSION *e;

	if (root)
		return;
	alg_init();
	key = keypair_make(KEYPAIR_RSA, 1024);
	root = X509_new();
	name = cert_name_parse("CN=Root,O=Acme");
	e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	X509_set_version(root, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(root), 1);
	X509_set_subject_name(root, name);
	X509_set_issuer_name(root, name);
	ASN1_TIME_set(X509_getm_notBefore(root), 1);
	ASN1_TIME_set(X509_getm_notAfter(root), 4000000000);
	X509_set_pubkey(root, key);
	X509_add_ext(root, e, -1);
	X509_sign(root, key, EVP_sha256());
	X509_EXTENSION_free(e);
	X509_NAME_free(name);
}

static void answer(struct span s)
{
	struct scep_ask ask = { .type = SCEP_PKCS_REQ, .transaction = "1", .signer = root };
	struct scep_ca ca = { .ca = root };
	struct scep_answer a;
	char why[SCEP_FAILURE_TEXT];

	if (scep_answer_read(s, &ask, &ca, &a, why) == ERR_OK)
		abort();
}

static void envelope(struct span s)
{
	static const uint8_t content_key[32];
	struct scep_answer a = { .fail_info = -1 };
	char why[SCEP_FAILURE_TEXT];
	X509 *x;

	if (scep_envelope_read(s, root, &a, why) == ERR_OK)
		for (size_t n = 8; n <= sizeof(content_key); n += 8) {
			x = scep_answer_certificate(&a, span_of(content_key, n), key, root, why);
			if (x)
				abort();
		}
	scep_answer_free(&a);
}

static void certificates(struct span s)
{
	char why[SCEP_FAILURE_TEXT];
	X509 *x = scep_certificate_read(s, key, root, why);

	if (x)
		abort();
}

static void authority(struct span s)
{
	struct scep_ca ca;

	if (scep_ca_read(s, &ca) != ERR_OK)
		return;
	if (!ca.ca || !cert_is_ca(ca.ca))
		abort();
	scep_ca_free(&ca);
}

static void url(struct span s)
{
	char out[FETCH_URL], text[300];

	snprintf(text, sizeof(text), "%.*s", (int)(s.len < 299 ? s.len : 299), (const char *)s.data);
	(void)scep_url(out, "http://ca.example.com/scep/", false, "GetCACert", text);
	(void)scep_url(out, text, true, "GetCACaps", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(struct span s) = { answer, envelope, certificates, authority, url };
	struct span rest;

	setup();
	if (size < 1)
		return 0;
	rest = span_of(data + 1, size - 1);
	if (data[0] % 6 == 5)
		(void)scep_caps_read(rest);
	else
		kinds[data[0] % 6](rest);
	ERR_clear_error();
	return 0;
}
