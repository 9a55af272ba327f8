/* Certificates, their names and signatures: known failures 15 and 28 to 31. */
#include "configdb/cert.h"
#include "configdb/keypairs.h"
#include "ikemgr/ocsp.h"
#include "ikemgr/proc/keys.h"
#include "ikemgr/x509.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t hash[32] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

/* The private operation on a block of our own making. */
static struct span raw_sign(EVP_PKEY *key, const uint8_t *block, size_t n, uint8_t *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t len = 512;

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, out, &len, block, n), 1);
	EVP_PKEY_CTX_free(ctx);
	return span_of(out, len);
}

/* 00 01 FF … FF 00 hash, with `pad` bytes of FF and `tail` bytes behind the hash. */
static void block_make(uint8_t *b, size_t n, size_t pad, size_t tail)
{
	memset(b, 0x5a, n);
	b[0] = 0;
	b[1] = 1;
	memset(b + 2, 0xff, pad);
	b[2 + pad] = 0;
	memcpy(b + 3 + pad, hash, sizeof(hash));
	assert_true(3 + pad + sizeof(hash) + tail == n);
}

static EVP_PKEY *rsa_of(unsigned bits, unsigned exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	BN_set_word(e, exponent);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* 28. PKCS #1: trailing bytes, missing padding, short hash, e = 3, tiny modulus. */
static void pkcs1_exactly(void **state)
{
	static const uint8_t info[] = { 0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20 };
	EVP_PKEY *key = rsa_of(1024, 3);
	struct span h = span_of(hash, sizeof(hash)), s;
	uint8_t block[128], sig[512];

	(void)state;
	block_make(block, 128, 128 - 3 - 32, 0);
	s = raw_sign(key, block, 128, sig);
	assert_true(x509_proof_good(key, AUTH_RSA_SIG, h, s));
	/* A shorter one than the modulus, a longer one, another hash, part of the hash. */
	assert_false(x509_proof_good(key, AUTH_RSA_SIG, h, span_of(s.data, s.len - 1)));
	assert_false(x509_proof_good(key, AUTH_RSA_SIG, span_of(hash, 31), s));
	assert_false(x509_proof_good(key, AUTH_RSA_SIG, span_of(hash, 0), s));
	for (size_t tail = 1; tail < 80; tail += 13) {
		block_make(block, 128, 128 - 3 - 32 - tail, tail);
		s = raw_sign(key, block, 128, sig);
		assert_false(x509_proof_good(key, AUTH_RSA_SIG, h, s));
	}
	/* Block type 0 and 2; no zero behind the padding. */
	for (uint8_t type = 0; type < 3; type += 2) {
		block_make(block, 128, 128 - 3 - 32, 0);
		block[1] = type;
		s = raw_sign(key, block, 128, sig);
		assert_false(x509_proof_good(key, AUTH_RSA_SIG, h, s));
	}
	block_make(block, 128, 128 - 3 - 32, 0);
	block[128 - 33] = 0xff;
	s = raw_sign(key, block, 128, sig);
	assert_false(x509_proof_good(key, AUTH_RSA_SIG, h, s));
	/* With a hash's OID in front, as other protocols have it: not IKEv1's form. */
	block_make(block, 128, 128 - 3 - 32, 0);
	memcpy(block + 128 - 32 - sizeof(info), info, sizeof(info));
	block[128 - 32 - sizeof(info) - 1] = 0;
	s = raw_sign(key, block, 128, sig);
	assert_false(x509_proof_good(key, AUTH_RSA_SIG, h, s));
	EVP_PKEY_free(key);
}

static void tiny_modulus(void **state)
{
	char why[X509_WHY];
	EVP_PKEY *key = rsa_of(512, 65537);

	(void)state;
	assert_false(x509_key_good(key, why));
	assert_non_null(strstr(why, "512 bits"));
	EVP_PKEY_free(key);
}

static EVP_PKEY *public_rsa(const char *e_hex)
{
	EVP_PKEY *real = rsa_of(1024, 65537), *key = NULL;
	BIGNUM *n = NULL, *e = NULL;
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *p;

	assert_int_equal(EVP_PKEY_get_bn_param(real, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	BN_hex2bn(&e, e_hex);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e);
	p = OSSL_PARAM_BLD_to_param(b);
	if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, p) != 1)
		key = NULL;
	OSSL_PARAM_free(p);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(real);
	BN_free(n);
	BN_free(e);
	ERR_clear_error();
	return key;
}

/* 29. Odd keys: exponents 0, 1, even and huge; keys of PSS; a curve given by its numbers: an error, no abort. */
static void odd_keys(void **state)
{
	static const char *const exponents[] = { "00", "01", "10000", "0100000000000000000000000000000001" };
	uint8_t sig[128] = { 1 };
	char why[X509_WHY];
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(exponents) / sizeof(exponents[0]); i++) {
		key = public_rsa(exponents[i]);
		assert_false(x509_key_good(key, why));
		assert_false(x509_proof_good(key, AUTH_RSA_SIG, span_of(hash, 32), span_of(sig, sizeof(sig))));
		EVP_PKEY_free(key);
	}
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	key = NULL;
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 1024), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	assert_false(x509_key_good(key, why));
	assert_false(x509_key_fits(key, AUTH_RSA_SIG));
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	key = NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, "secp256k1"), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	assert_false(x509_key_good(key, why));
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
}

/* A curve given by its numbers, read from a key's DER. */
static void explicit_curve(void **state)
{
	EVP_PKEY *key = keypair_make(KEYPAIR_EC, 256), *again = NULL;
	uint8_t *der = NULL;
	const uint8_t *at;
	char why[X509_WHY];
	int len;

	(void)state;
	assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT), 1);
	len = i2d_PUBKEY(key, &der);
	assert_true(len > 150);
	at = der;
	again = d2i_PUBKEY(NULL, &at, len);
	assert_false(x509_key_good(again, why));
	OPENSSL_free(der);
	EVP_PKEY_free(again);
	EVP_PKEY_free(key);
}

/* ---- Whole certificates ---- */

static X509 *cert_unsigned(const char *subject, const char *alt, EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = cert_name_parse(subject), *root = cert_name_parse("CN=Root,O=Acme");
	X509_EXTENSION *e =
		X509V3_EXT_conf_nid(NULL, NULL, alt ? NID_subject_alt_name : NID_basic_constraints, alt ? alt : "critical,CA:TRUE");

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, root);
	ASN1_TIME_set(X509_getm_notBefore(x), 1);
	ASN1_TIME_set(X509_getm_notAfter(x), 2000000000);
	X509_set_pubkey(x, key);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
	X509_NAME_free(name);
	X509_NAME_free(root);
	return x;
}

static size_t der_of(X509 *x, uint8_t *out, size_t size)
{
	int len = i2d_X509(x, NULL);

	assert_true(len > 0 && (size_t)len <= size);
	return (size_t)i2d_X509(x, &out);
}

/* The parameters of both algorithm fields; what was signed is as it was. */
static void parameters_set(X509 *x, const uint8_t *der, size_t len)
{
	const X509_ALGOR *outer;
	const ASN1_BIT_STRING *sig;

	X509_get0_signature(&sig, &outer, x);
	for (int i = 0; i < 2; i++) {
		X509_ALGOR *a = (X509_ALGOR *)(i == 0 ? outer : X509_get0_tbs_sigalg(x));
		ASN1_STRING *s = len ? ASN1_STRING_new() : NULL;

		if (s)
			ASN1_STRING_set(s, der, (int)len);
		X509_ALGOR_set0(a, OBJ_nid2obj(NID_rsassaPss), s ? V_ASN1_SEQUENCE : V_ASN1_UNDEF, s);
	}
	i2d_re_X509_tbs(x, NULL);
}

/* 29. A certificate signed with RSA-PSS whose parameters are absent, empty, cut off, or say a salt that cannot be: refused, no
 * abort. */
static void pss_parameters(void **state)
{
	static const uint8_t salts[][12] = { { 0x30, 8, 0xa2, 6, 2, 4, 0x7f, 0xff, 0xff, 0xff },
		{ 0x30, 8, 0xa2, 6, 2, 4, 0x80, 0, 0, 0 }, { 0x30, 5, 0xa2, 3, 2, 1, 0xff }, { 0x30, 0 }, { 0x30, 8, 0xa2, 6, 2 },
		{ 0x30, 5, 0xa3, 3, 2, 1, 9 } };
	static const size_t lengths[] = { 10, 10, 7, 2, 5, 7 };
	uint8_t root_der[1200], leaf_der[1200];
	EVP_PKEY *key = rsa_of(2048, 65537);
	X509 *root = cert_unsigned("CN=Root,O=Acme", NULL, key);
	struct cfg_cert anchor = { .ca = true, .der = root_der };
	struct cfg_trustpoint tp = { .name = "CA", .certs = &anchor, .ncerts = 1 };
	struct cfg cfg = { .trustpoints = &tp, .ntrustpoints = 1 };
	const struct x509_trust trust = { .cfg = &cfg, .wall_us = 1000000000000 };
	struct x509_leaf leaf;
	char why[X509_WHY];
	size_t len;

	(void)state;
	assert_true(X509_sign(root, key, EVP_sha256()) > 0);
	anchor.len = (uint16_t)der_of(root, root_der, sizeof(root_der));
	for (size_t i = 0; i <= sizeof(salts) / sizeof(salts[0]) + 1; i++) {
		X509 *x = cert_unsigned("CN=R2,O=Acme", "IP:198.51.100.2", key);
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		EVP_PKEY_CTX *pctx = NULL;

		assert_int_equal(EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, key), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_true(X509_sign_ctx(x, ctx) > 0);
		/* The first is whole, so that the others are refused for what they are. */
		if (i == 1)
			parameters_set(x, NULL, 0);
		else if (i > 1)
			parameters_set(x, salts[i - 2], lengths[i - 2]);
		len = der_of(x, leaf_der, sizeof(leaf_der));
		assert_int_equal(x509_verify(&trust, (const struct span[]){ span_of(leaf_der, len) }, 1, &leaf, why), i == 0);
		x509_leaf_free(&leaf);
		EVP_MD_CTX_free(ctx);
		X509_free(x);
	}
	X509_free(root);
	EVP_PKEY_free(key);
}

static bool says_name(X509 *x, uint8_t type, const void *data, size_t len)
{
	const struct payload_id id = { .type = type, .data = span_of(data, len) };

	return x509_names(x, &id);
}

/* 15. Names that an ID payload says: distinguished names cut off at each byte, with each length turned into another, of indefinite
 * length, nested without end; names with NUL, '=', wildcards; addresses of 0 to 5 bytes. None is the certificate's. */
static void odd_names(void **state)
{
	EVP_PKEY *key = keypair_make(KEYPAIR_EC, 256);
	X509 *x = cert_unsigned("CN=R2,O=Acme", "IP:198.51.100.2,DNS:*.example.com,DNS:r2.example.org,email:me@example.org", key);
	static const char *const odd[] = { "a.example.com", "r2.example.org\0.x", "r2.example.org.", "=", "CN=R2", "*.example.org",
		"", ".", "R2" };
	static const size_t odd_len[] = { 13, 17, 15, 1, 5, 13, 0, 1, 2 };
	uint8_t dn[200], edited[200], nested[512];
	uint8_t *at = dn;
	const size_t len = (size_t)i2d_X509_NAME(X509_get_subject_name(x), &at);

	(void)state;
	assert_true(says_name(x, ID_DER_ASN1_DN, dn, len));
	for (size_t n = 0; n < len; n++)
		assert_false(says_name(x, ID_DER_ASN1_DN, dn, n));
	for (size_t i = 0; i < len; i++)
		for (unsigned v = 0; v < 256; v++) {
			memcpy(edited, dn, len);
			edited[i] = (uint8_t)v;
			if (says_name(x, ID_DER_ASN1_DN, edited, len))
				/* The same name: as it was, in another case, or as another kind of string. */
				assert_true(v == dn[i] || (v ^ dn[i]) == 0x20 || (dn[i] == 0x0c || dn[i] == 0x13));
		}
	memcpy(edited, dn, len);
	edited[len] = 0; /* something behind it */
	assert_false(says_name(x, ID_DER_ASN1_DN, edited, len + 1));
	for (size_t i = 0; i < sizeof(nested); i += 2)
		memcpy(nested + i, "\x30\x80", 2);
	for (size_t n = 0; n <= sizeof(nested); n++)
		assert_false(says_name(x, ID_DER_ASN1_DN, nested, n));
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (unsigned type = 0; type < 12; type++)
			assert_false(says_name(x, (uint8_t)type, odd[i], odd_len[i]));
	assert_true(says_name(x, ID_FQDN, "r2.example.org", 14));
	assert_true(says_name(x, ID_USER_FQDN, "me@example.org", 14));
	for (size_t n = 0; n <= 5; n++)
		assert_int_equal(says_name(x, ID_IPV4_ADDR, "\xc6\x33\x64\x02\x00", n), n == 4);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* 30. ECDSA: empty, zero, out of range, of another length, of another method. */
static void ecdsa_odd(void **state)
{
	struct secrets *db;
	struct keypair k = { .label = "K" };
	struct ike_sign_request q = { .hash_len = 32 };
	EVP_PKEY *key = keypair_make(KEYPAIR_EC, 256);
	uint8_t sig[IKE_SIGNATURE_MAX], odd[128];
	struct span h = span_of(hash, 32);
	uint16_t len = 0;

	(void)state;
	assert_int_equal(secrets_open(&db, NULL, false), ERR_OK);
	assert_int_equal(keypair_put(db, &k, key), ERR_OK);
	q.key_id = k.id;
	memcpy(q.hash, hash, 32);
	assert_int_equal(keys_sign(db, &q, sig, &len), ERR_OK);
	assert_int_equal(len, 64);
	assert_true(x509_proof_good(key, AUTH_ECDSA_256, h, span_of(sig, len)));
	assert_false(x509_proof_good(key, AUTH_ECDSA_384, h, span_of(sig, len)));
	assert_false(x509_proof_good(key, AUTH_RSA_SIG, h, span_of(sig, len)));
	assert_false(x509_proof_good(key, AUTH_ECDSA_256, h, span_of(sig, 0)));
	assert_false(x509_proof_good(key, AUTH_ECDSA_256, h, span_of(sig, 63)));
	assert_false(x509_proof_good(key, AUTH_ECDSA_256, span_of(hash, 20), span_of(sig, len)));
	for (size_t from = 0; from <= 32; from += 32) {
		memcpy(odd, sig, 64);
		memset(odd + from, 0, 32);
		assert_false(x509_proof_good(key, AUTH_ECDSA_256, h, span_of(odd, 64)));
		memset(odd + from, 0xff, 32);
		assert_false(x509_proof_good(key, AUTH_ECDSA_256, h, span_of(odd, 64)));
	}
	for (size_t bit = 0; bit < 512; bit++) {
		memcpy(odd, sig, 64);
		odd[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(x509_proof_good(key, AUTH_ECDSA_256, h, span_of(odd, 64)));
	}
	/* Nothing but a hash is signed. */
	q.hash_len = 15;
	assert_int_equal(keys_sign(db, &q, sig, &len), ERR_INVALID);
	q.hash_len = 65;
	assert_int_equal(keys_sign(db, &q, sig, &len), ERR_INVALID);
	EVP_PKEY_free(key);
	secrets_close(db);
}

/* 31. What is no http:// URL is not fetched. That nothing is fetched for an untrusted chain: tests/pair/test_signature.c. */
static void urls(void **state)
{
	static const char *const bad[] = { "", "http://", "https://192.0.2.1/x", "file:///etc/passwd", "http://a b/", "http://a/\n",
		"ftp://a/" };
	ASN1_STRING *s = ASN1_STRING_new();
	char url[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ASN1_STRING_set(s, bad[i], (int)strlen(bad[i]));
		assert_false(url_take(url, sizeof(url), s));
	}
	ASN1_STRING_set(s, "http://192.0.2.1/a\0b", 20);
	assert_false(url_take(url, sizeof(url), s));
	ASN1_STRING_set(s, "http://192.0.2.1/ca.crl", -1);
	assert_true(url_take(url, sizeof(url), s));
	assert_string_equal(url, "http://192.0.2.1/ca.crl");
	assert_false(url_take(url, 20, s));
	ASN1_STRING_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pkcs1_exactly),
		cmocka_unit_test(tiny_modulus),
		cmocka_unit_test(odd_keys),
		cmocka_unit_test(explicit_curve),
		cmocka_unit_test(pss_parameters),
		cmocka_unit_test(odd_names),
		cmocka_unit_test(ecdsa_odd),
		cmocka_unit_test(urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
