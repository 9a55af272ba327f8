/* See x509.h. The chain is x509_chain.c. */
#include "ikemgr/x509.h"

#include "configdb/keypairs.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define RSA_BITS_MIN 1024

/* ---- Keys ---- */

static bool rsa_good(const EVP_PKEY *key, char why[X509_WHY])
{
	BIGNUM *e = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) && BN_cmp(e, BN_value_one()) > 0 &&
		  BN_num_bits(e) <= 64;
	int bits = EVP_PKEY_get_bits(key);

	BN_free(e);
	if (!ok)
		snprintf(why, X509_WHY, "its RSA key has an odd public exponent");
	else if (bits < RSA_BITS_MIN || bits > 4096)
		snprintf(why, X509_WHY, "its RSA key has %d bits, %d to 4096 are accepted", bits, RSA_BITS_MIN);
	else
		return true;
	return false;
}

bool x509_key_good(const EVP_PKEY *key, char why[X509_WHY])
{
	struct keypair k = { 0 };
	int explicit_curve = 0;

	snprintf(why, X509_WHY, "its public key is neither RSA nor on P-256, P-384 or P-521");
	if (key == NULL)
		return false;
	if (EVP_PKEY_is_a(key, "RSA"))
		return rsa_good(key, why);
	if (keypair_describe(key, &k) != ERR_OK)
		return false;
	if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_curve) == 1 && explicit_curve) {
		snprintf(why, X509_WHY, "its curve is not given by name");
		return false;
	}
	return true;
}

static const struct {
	uint16_t auth;
	int curve_bits; /* 0: RSA */
	size_t hash, half;
} methods[] = {
	{ AUTH_RSA_SIG, 0, 0, 0 },
	{ AUTH_ECDSA_256, 256, 32, 32 },
	{ AUTH_ECDSA_384, 384, 48, 48 },
	{ AUTH_ECDSA_521, 521, 64, 66 },
};

static int method_of(uint16_t auth)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].auth == auth)
			return (int)i;
	return -1;
}

bool x509_key_fits(const EVP_PKEY *key, uint16_t auth)
{
	int m = method_of(auth);

	if (key == NULL || m < 0)
		return false;
	if (methods[m].curve_bits == 0)
		return EVP_PKEY_is_a(key, "RSA");
	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == methods[m].curve_bits;
}

/* r | s as the library wants it. 0: malformed. */
static size_t ecdsa_der(uint8_t *out, size_t size, struct span raw)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw.data, (int)raw.len / 2, NULL), *s = BN_bin2bn(raw.data + raw.len / 2, (int)raw.len / 2, NULL);
	uint8_t *at = out;
	int len = 0;

	if (sig != NULL && r != NULL && s != NULL && !BN_is_zero(r) && !BN_is_zero(s) && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL;
		len = i2d_ECDSA_SIG(sig, NULL);
		len = len > 0 && (size_t)len <= size ? i2d_ECDSA_SIG(sig, &at) : 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len > 0 ? (size_t)len : 0;
}

/* Every result is compared with exactly 1: others mean wrong, or an error. */
static bool verified(const EVP_PKEY *key, bool rsa, struct span hash, struct span signature)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new((EVP_PKEY *)key, NULL);
	bool ok = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
		  (!rsa || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1) &&
		  EVP_PKEY_verify(ctx, signature.data, signature.len, hash.data, hash.len) == 1;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool x509_proof_good(const EVP_PKEY *key, uint16_t auth, struct span hash, struct span signature)
{
	uint8_t der[160];
	int m = method_of(auth);
	size_t len;

	if (m < 0 || !x509_key_fits(key, auth) || hash.len == 0)
		return false;
	if (methods[m].curve_bits == 0)
		return signature.len == (size_t)EVP_PKEY_get_size(key) && verified(key, true, hash, signature);
	if (hash.len != methods[m].hash || signature.len != 2 * methods[m].half)
		return false;
	len = ecdsa_der(der, sizeof(der), signature);
	return len != 0 && verified(key, false, hash, span_of(der, len));
}

/* ---- Names ---- */

static bool subject_is(X509 *x, struct span der)
{
	const uint8_t *at = der.data;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
	bool same = name != NULL && at == der.data + der.len && X509_NAME_cmp(name, X509_get_subject_name(x)) == 0;

	X509_NAME_free(name);
	ERR_clear_error();
	return same;
}

bool x509_names(X509 *x, const struct payload_id *id)
{
	const char *text = (const char *)id->data.data;

	if (id->data.len == 0)
		return false;
	switch (id->type) {
	case ID_IPV4_ADDR:
		return X509_check_ip(x, id->data.data, id->data.len, 0) == 1;
	case ID_FQDN:
		return X509_check_host(x, text, id->data.len, X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
			       NULL) == 1;
	case ID_USER_FQDN:
		return X509_check_email(x, text, id->data.len, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT) == 1;
	case ID_DER_ASN1_DN:
		return subject_is(x, id->data);
	default:
		return false;
	}
}
