/* Requests to a CA: PKCSReq, RenewalReq, CertPoll (RFC 8894 3.3). */
#include "ikemgr/scep/message.h"

#include "platform/base/mem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

struct scep_message {
	PKCS7 *p;
	PKCS7_SIGNER_INFO *signer; /* p's */
};

/* ---- The envelope ---- */

static ASN1_OCTET_STRING *envelope(const struct scep_ask *ask, struct span content)
{
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
	ASN1_OCTET_STRING *out = ASN1_OCTET_STRING_new();
	PKCS7 *p = NULL;
	uint8_t *der = NULL;
	int len = 0;

	if (to && in && out && EVP_PKEY_is_a(X509_get0_pubkey(ask->recipient), "RSA") && sk_X509_push(to, ask->recipient) > 0)
		p = PKCS7_encrypt(to, in, ask->aes ? EVP_aes_128_cbc() : EVP_des_ede3_cbc(), PKCS7_BINARY);
	if (p)
		len = i2d_PKCS7(p, &der);
	if (len <= 0 || !ASN1_OCTET_STRING_set(out, der, len)) {
		ASN1_OCTET_STRING_free(out);
		out = NULL;
	}
	OPENSSL_free(der);
	PKCS7_free(p);
	sk_X509_free(to);
	BIO_free(in);
	return out;
}

/* ---- Signed attributes ---- */

static bool attribute(PKCS7_SIGNER_INFO *si, enum scep_attribute a, int type, const void *data, int len)
{
	ASN1_STRING *s = ASN1_STRING_type_new(type);
	int nid = scep_nid(a);

	if (s && nid && ASN1_STRING_set(s, data, len) && PKCS7_add_signed_attribute(si, nid, type, s) == 1)
		return true;
	ASN1_STRING_free(s);
	return false;
}

static bool attributes(PKCS7_SIGNER_INFO *si, const struct scep_ask *ask, const EVP_MD *md, const ASN1_OCTET_STRING *content)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char type[12];

	snprintf(type, sizeof(type), "%d", (int)ask->type);
	return EVP_Digest(content->data, (size_t)content->length, digest, &len, md, NULL) == 1 &&
	       PKCS7_add_attrib_content_type(si, NULL) == 1 && PKCS7_add1_attrib_digest(si, digest, (int)len) == 1 &&
	       attribute(si, SCEP_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING, type, (int)strlen(type)) &&
	       attribute(si, SCEP_TRANS_ID, V_ASN1_PRINTABLESTRING, ask->transaction, (int)strlen(ask->transaction)) &&
	       attribute(si, SCEP_SENDER_NONCE, V_ASN1_OCTET_STRING, ask->nonce, SCEP_NONCE);
}

/* DigestInfo (RFC 8017 9.2) of the attributes: what an RSA signature is made over. */
static bool to_be_signed(PKCS7_SIGNER_INFO *si, const EVP_MD *md, uint8_t hash[SCEP_HASH_MAX], uint8_t *len)
{
	X509_SIG *info = X509_SIG_new();
	X509_ALGOR *algor = NULL;
	ASN1_OCTET_STRING *value = NULL;
	uint8_t digest[EVP_MAX_MD_SIZE], *der = NULL, *at = hash;
	unsigned n = 0;
	int size = ASN1_item_i2d((ASN1_VALUE *)si->auth_attr, &der, ASN1_ITEM_rptr(PKCS7_ATTR_SIGN));
	bool ok = info && size > 0 && EVP_Digest(der, (size_t)size, digest, &n, md, NULL) == 1;

	if (ok)
		X509_SIG_getm(info, &algor, &value);
	ok = ok && X509_ALGOR_set0(algor, OBJ_nid2obj(EVP_MD_get_type(md)), V_ASN1_NULL, NULL) == 1 &&
	     ASN1_OCTET_STRING_set(value, digest, (int)n) == 1 && i2d_X509_SIG(info, NULL) <= SCEP_HASH_MAX;
	if (ok)
		*len = (uint8_t)i2d_X509_SIG(info, &at);
	X509_SIG_free(info);
	OPENSSL_free(der);
	return ok;
}

/* ---- The message ---- */

/* `content` is taken over. */
static bool content_set(PKCS7 *p, ASN1_OCTET_STRING *content)
{
	if (PKCS7_set_type(p, NID_pkcs7_signed) != 1 || PKCS7_content_new(p, NID_pkcs7_data) != 1) {
		ASN1_OCTET_STRING_free(content);
		return false;
	}
	ASN1_OCTET_STRING_free(p->d.sign->contents->d.data);
	p->d.sign->contents->d.data = content;
	return true;
}

/* The signer's certificate has only the public half: PKCS7_SIGNER_INFO_set writes names and algorithms with it. */
static bool signer_add(struct scep_message *m, const struct scep_ask *ask, const EVP_MD *md)
{
	PKCS7_SIGNER_INFO *si = PKCS7_SIGNER_INFO_new();

	if (!si || PKCS7_SIGNER_INFO_set(si, ask->signer, X509_get0_pubkey(ask->signer), md) != 1 ||
		PKCS7_add_signer(m->p, si) != 1) {
		PKCS7_SIGNER_INFO_free(si);
		return false;
	}
	m->signer = si;
	return PKCS7_add_certificate(m->p, ask->signer) == 1;
}

struct scep_message *scep_message_build(const struct scep_ask *ask, struct span content, uint8_t hash[SCEP_HASH_MAX], uint8_t *len)
{
	const EVP_MD *md = ask->sha256 ? EVP_sha256() : EVP_sha1();
	struct scep_message *m = mem_zalloc(sizeof(*m));
	ASN1_OCTET_STRING *sealed = envelope(ask, content);
	bool ok = false;

	if (m && sealed)
		m->p = PKCS7_new();
	if (m && m->p) {
		ok = content_set(m->p, sealed);
		sealed = NULL;
	}
	ok = ok && EVP_PKEY_is_a(X509_get0_pubkey(ask->signer), "RSA") && signer_add(m, ask, md) &&
	     attributes(m->signer, ask, md, m->p->d.sign->contents->d.data) && to_be_signed(m->signer, md, hash, len);
	ASN1_OCTET_STRING_free(sealed);
	ERR_clear_error();
	if (ok)
		return m;
	scep_message_free(m);
	return NULL;
}

size_t scep_message_finish(struct scep_message *m, struct span signature, uint8_t **out)
{
	int len = 0;

	*out = NULL;
	if (ASN1_STRING_set(m->signer->enc_digest, signature.data, (int)signature.len) == 1)
		len = i2d_PKCS7(m->p, out);
	ERR_clear_error();
	return len > 0 ? (size_t)len : 0;
}

void scep_message_free(struct scep_message *m)
{
	if (!m)
		return;
	PKCS7_free(m->p);
	mem_free(m);
}

size_t scep_poll_content(uint8_t **out, const X509 *ca, const X509_REQ *request)
{
	const X509_NAME *issuer = X509_get_subject_name(ca), *subject = X509_REQ_get_subject_name(request);
	int a = i2d_X509_NAME(issuer, NULL), b = i2d_X509_NAME(subject, NULL), size;
	uint8_t *at;

	*out = NULL;
	if (a <= 0 || b <= 0)
		return 0;
	size = ASN1_object_size(1, a + b, V_ASN1_SEQUENCE);
	at = *out = OPENSSL_malloc((size_t)size);
	if (!at)
		return 0;
	ASN1_put_object(&at, 1, a + b, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	i2d_X509_NAME(issuer, &at);
	i2d_X509_NAME(subject, &at);
	return (size_t)size;
}

bool scep_transaction(char out[SCEP_TRANSACTION], struct span request)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(request.data, request.len, digest, &len, EVP_sha256(), NULL) != 1)
		return false;
	for (int i = 0; i < 20; i++)
		snprintf(out + 2 * i, 3, "%02X", digest[i]);
	return true;
}
