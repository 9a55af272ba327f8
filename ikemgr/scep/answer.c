/* A CA's answer, CertRep (RFC 8894 3.3.2). It comes from the network over plain HTTP: nothing of it is believed before its
 * signature was found to be that of the certificate which the engineer accepted, or of the RA which came with it. */
#include "ikemgr/scep/message.h"

#include "configdb/cert.h"
#include "platform/base/mem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTENT_MAX (256 * 1024)

static enum err wrong(char *why, const char *text)
{
	snprintf(why, SCEP_FAILURE_TEXT, "%s", text);
	return ERR_INVALID;
}

/* ---- The signature ---- */

/* MD5 is out (RFC 8894 3.1: SHA-1 at least). */
static bool digest_allowed(const PKCS7_SIGNER_INFO *si)
{
	const ASN1_OBJECT *id = NULL;
	int nid;

	X509_ALGOR_get0(&id, NULL, NULL, si->digest_alg);
	nid = OBJ_obj2nid(id);
	return nid == NID_sha1 || nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static PKCS7_SIGNER_INFO *only_signer(PKCS7 *p)
{
	STACK_OF(PKCS7_SIGNER_INFO) *list = PKCS7_type_is_signed(p) ? PKCS7_get_signer_info(p) : NULL;

	return list && sk_PKCS7_SIGNER_INFO_num(list) == 1 ? sk_PKCS7_SIGNER_INFO_value(list, 0) : NULL;
}

/* An answer without a certificate has no content: its signature is over nothing. */
static bool signed_by(PKCS7 *p, const struct scep_ca *ca, BIO *content)
{
	STACK_OF(X509) *known = sk_X509_new_null();
	BIO *nothing = BIO_new_mem_buf("", 0);
	bool ok = known && nothing && sk_X509_push(known, ca->ca) > 0 && (!ca->sign || sk_X509_push(known, ca->sign) > 0);

	/* Only among `known` is the signer looked for: certificates that the message brings along say nothing. */
	ok = ok && PKCS7_verify(p, known, NULL, PKCS7_get_detached(p) ? nothing : NULL, content,
			   PKCS7_NOINTERN | PKCS7_NOVERIFY | PKCS7_BINARY) == 1;
	sk_X509_free(known);
	BIO_free(nothing);
	return ok;
}

/* ---- Attributes ---- */

static const ASN1_STRING *attribute(const PKCS7_SIGNER_INFO *si, enum scep_attribute a, int type)
{
	int nid = scep_nid(a);
	const ASN1_TYPE *v = nid ? PKCS7_get_signed_attribute(si, nid) : NULL;

	return v && v->type == type ? v->value.asn1_string : NULL;
}

static bool is_text(const ASN1_STRING *s, const char *text)
{
	return s && (size_t)ASN1_STRING_length(s) == strlen(text) && memcmp(ASN1_STRING_get0_data(s), text, strlen(text)) == 0;
}

/* A number in a PrintableString of at most three digits; -1: it is none. */
static int number(const ASN1_STRING *s)
{
	int v = 0;

	if (!s || ASN1_STRING_length(s) < 1 || ASN1_STRING_length(s) > 3)
		return -1;
	for (int i = 0; i < ASN1_STRING_length(s); i++) {
		uint8_t digit = ASN1_STRING_get0_data(s)[i];

		if (digit < '0' || digit > '9')
			return -1;
		v = v * 10 + digit - '0';
	}
	return v;
}

static void printable(char *out, size_t size, const ASN1_STRING *s)
{
	size_t n = 0;

	for (int i = 0; s && i < ASN1_STRING_length(s) && n + 1 < size; i++) {
		uint8_t c = ASN1_STRING_get0_data(s)[i];

		out[n++] = c >= 0x20 && c < 0x7f ? (char)c : '.';
	}
	out[n] = '\0';
}

static enum err attributes_read(const PKCS7_SIGNER_INFO *si, const struct scep_ask *ask, struct scep_answer *out, char *why)
{
	const ASN1_STRING *nonce = attribute(si, SCEP_RECIPIENT_NONCE, V_ASN1_OCTET_STRING);
	int status = number(attribute(si, SCEP_PKI_STATUS, V_ASN1_PRINTABLESTRING));

	if (number(attribute(si, SCEP_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING)) != SCEP_CERT_REP)
		return wrong(why, "its message type is not CertRep");
	if (!is_text(attribute(si, SCEP_TRANS_ID, V_ASN1_PRINTABLESTRING), ask->transaction))
		return wrong(why, "it belongs to another transaction");
	if (!nonce || ASN1_STRING_length(nonce) != SCEP_NONCE || memcmp(ASN1_STRING_get0_data(nonce), ask->nonce, SCEP_NONCE) != 0)
		return wrong(why, "its recipientNonce is not the nonce that was sent");
	if (status != SCEP_SUCCESS && status != SCEP_FAILURE && status != SCEP_PENDING)
		return wrong(why, "its pkiStatus is unknown");
	out->status = (enum scep_status)status;
	out->fail_info = number(attribute(si, SCEP_FAIL_INFO, V_ASN1_PRINTABLESTRING));
	printable(out->fail_text, sizeof(out->fail_text), attribute(si, SCEP_FAIL_TEXT, V_ASN1_UTF8STRING));
	return ERR_OK;
}

/* ---- The envelope ---- */

static PKCS7_RECIP_INFO *recipient(const PKCS7 *p, const X509 *us)
{
	STACK_OF(PKCS7_RECIP_INFO) *list = p->d.enveloped->recipientinfo;

	for (int i = 0; i < sk_PKCS7_RECIP_INFO_num(list); i++) {
		PKCS7_RECIP_INFO *r = sk_PKCS7_RECIP_INFO_value(list, i);

		if (X509_NAME_cmp(r->issuer_and_serial->issuer, X509_get_issuer_name(us)) == 0 &&
			ASN1_INTEGER_cmp(r->issuer_and_serial->serial, X509_get0_serialNumber(us)) == 0)
			return r;
	}
	return sk_PKCS7_RECIP_INFO_num(list) == 1 ? sk_PKCS7_RECIP_INFO_value(list, 0) : NULL;
}

enum err scep_envelope_read(struct span bytes, const X509 *us, struct scep_answer *out, char *why)
{
	const uint8_t *at = bytes.data;
	PKCS7_RECIP_INFO *r;

	if (bytes.len == 0 || bytes.len > CONTENT_MAX)
		return wrong(why, "it has no certificate in it");
	out->envelope = d2i_PKCS7(NULL, &at, (long)bytes.len);
	if (!out->envelope || !PKCS7_type_is_enveloped(out->envelope) || !out->envelope->d.enveloped)
		return wrong(why, "what it carries is no EnvelopedData");
	r = recipient(out->envelope, us);
	if (!r || !r->enc_key || ASN1_STRING_length(r->enc_key) <= 0)
		return wrong(why, "it is not encrypted for this router");
	out->wrapped = span_of(ASN1_STRING_get0_data(r->enc_key), (size_t)ASN1_STRING_length(r->enc_key));
	return ERR_OK;
}

static enum err signed_read(PKCS7 *p, const struct scep_ask *ask, const struct scep_ca *ca, struct scep_answer *out, char *why)
{
	PKCS7_SIGNER_INFO *si = only_signer(p);
	BIO *content = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	enum err e = ERR_OK;
	long len;

	if (!si || !si->auth_attr || !digest_allowed(si))
		e = wrong(why, "it does not have one signer with attributes, by SHA-1 or better");
	else if (!content || !signed_by(p, ca, content))
		e = wrong(why, "it is not signed by the certification authority of the trustpoint, nor by its RA");
	if (e == ERR_OK)
		e = attributes_read(si, ask, out, why);
	if (e == ERR_OK && out->status == SCEP_SUCCESS) {
		len = BIO_get_mem_data(content, &bytes);
		e = scep_envelope_read(span_of(bytes, len > 0 ? (size_t)len : 0), ask->signer, out, why);
	}
	BIO_free(content);
	return e;
}

enum err scep_answer_read(
	struct span bytes, const struct scep_ask *ask, const struct scep_ca *ca, struct scep_answer *out, char *why)
{
	const uint8_t *at = bytes.data;
	PKCS7 *p = d2i_PKCS7(NULL, &at, (long)bytes.len);
	enum err e;

	*out = (struct scep_answer){ .fail_info = -1 };
	e = p ? signed_read(p, ask, ca, out, why) : wrong(why, "it is no PKCS #7 message");
	PKCS7_free(p);
	ERR_clear_error();
	if (e != ERR_OK)
		scep_answer_free(out);
	return e;
}

void scep_answer_free(struct scep_answer *a)
{
	PKCS7_free(a->envelope);
	*a = (struct scep_answer){ .fail_info = -1 };
}

/* ---- The certificate ---- */

/* DES too: old CAs, and some new ones, answer with it whatever we asked with, and a certificate is no secret. */
static const EVP_CIPHER *cipher_allowed(const X509_ALGOR *algor)
{
	const ASN1_OBJECT *id = NULL;
	int nid;

	X509_ALGOR_get0(&id, NULL, NULL, algor);
	nid = OBJ_obj2nid(id);
	return nid == NID_aes_128_cbc || nid == NID_aes_192_cbc || nid == NID_aes_256_cbc || nid == NID_des_ede3_cbc ||
			       nid == NID_des_cbc
		       ? EVP_get_cipherbynid(nid)
		       : NULL;
}

/* The content in clear, allocated with mem_zalloc; NULL: it cannot be decrypted. */
static uint8_t *decrypt(const PKCS7_ENC_CONTENT *c, struct span key, int *len)
{
	const EVP_CIPHER *cipher = cipher_allowed(c->algorithm);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t size = c->enc_data ? (size_t)ASN1_STRING_length(c->enc_data) : 0;
	uint8_t *plain = size && size <= CONTENT_MAX ? mem_zalloc(size + EVP_MAX_BLOCK_LENGTH) : NULL;
	int more = 0;
	bool ok = cipher && ctx && plain && key.len == (size_t)EVP_CIPHER_get_key_length(cipher) &&
		  EVP_DecryptInit_ex(ctx, cipher, NULL, NULL, NULL) == 1 &&
		  EVP_CIPHER_asn1_to_param(ctx, c->algorithm->parameter) > 0 &&
		  EVP_DecryptInit_ex(ctx, NULL, NULL, key.data, NULL) == 1 &&
		  EVP_DecryptUpdate(ctx, plain, len, ASN1_STRING_get0_data(c->enc_data), (int)size) == 1 &&
		  EVP_DecryptFinal_ex(ctx, plain + *len, &more) == 1;

	EVP_CIPHER_CTX_free(ctx);
	*len += more;
	if (ok)
		return plain;
	mem_free(plain);
	return NULL;
}

static X509 *ours(const STACK_OF(X509) * certs, const EVP_PKEY *key)
{
	for (int i = 0; i < sk_X509_num(certs) && i < SCEP_CERTS_MAX; i++) {
		X509 *x = sk_X509_value(certs, i);
		const EVP_PKEY *theirs = X509_get0_pubkey(x);

		if (theirs && EVP_PKEY_eq(theirs, key) == 1)
			return X509_up_ref(x) == 1 ? x : NULL;
	}
	return NULL;
}

X509 *scep_certificate_read(struct span plain, const EVP_PKEY *key, X509 *ca, char *why)
{
	const uint8_t *at = plain.data;
	PKCS7 *p = d2i_PKCS7(NULL, &at, (long)plain.len);
	X509 *x = p && PKCS7_type_is_signed(p) && p->d.sign ? ours(p->d.sign->cert, key) : NULL;

	PKCS7_free(p);
	if (!x) {
		(void)wrong(why, "no certificate in it has this router's key");
	} else if (X509_check_issued(ca, x) != X509_V_OK || X509_verify(x, X509_get0_pubkey(ca)) != 1) {
		(void)wrong(why, "the certificate in it was not issued by the trustpoint's CA");
	} else if (i2d_X509(x, NULL) > CERT_DER_MAX) {
		(void)wrong(why, "the certificate in it is too long");
	} else {
		return x;
	}
	X509_free(x);
	return NULL;
}

X509 *scep_answer_certificate(const struct scep_answer *a, struct span content_key, const EVP_PKEY *key, X509 *ca, char *why)
{
	const PKCS7_ENC_CONTENT *c = a->envelope ? a->envelope->d.enveloped->enc_data : NULL;
	int len = 0;
	uint8_t *plain = c ? decrypt(c, content_key, &len) : NULL;
	X509 *x = NULL;

	if (plain)
		x = scep_certificate_read(span_of(plain, (size_t)len), key, ca, why);
	else
		(void)wrong(why, "it cannot be decrypted");
	mem_free(plain);
	ERR_clear_error();
	return x;
}

const char *scep_fail_text(int fail_info)
{
	static const char *const texts[] = { "badAlg: unrecognized or unsupported algorithm",
		"badMessageCheck: integrity check failed",
		"badRequest: transaction not permitted or supported (the challenge password, or the subject)",
		"badTime: the router's clock and the CA's differ too much",
		"badCertId: no certificate matches what was asked for" };

	return fail_info >= 0 && (size_t)fail_info < sizeof(texts) / sizeof(texts[0]) ? texts[fail_info] : "no reason given";
}
