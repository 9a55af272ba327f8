/* See x509.h. */
#include "ikemgr/x509.h"

#include "configdb/cert.h"
#include "configdb/keypairs.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CHAIN_DEPTH  6
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

/* ---- The chain ---- */

static bool trusted_name(const struct x509_trust *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->names[i], name) == 0)
			return true;
	return t->n == 0;
}

static size_t anchors_add(const struct x509_trust *t, X509_STORE *store)
{
	size_t added = 0;

	for (size_t i = 0; i < t->cfg->ntrustpoints; i++) {
		const struct cfg_trustpoint *p = &t->cfg->trustpoints[i];

		for (size_t k = 0; trusted_name(t, p->name) && k < p->ncerts; k++) {
			X509 *x = p->certs[k].ca ? cert_of_der(span_of(p->certs[k].der, p->certs[k].len)) : NULL;

			added += x != NULL && X509_STORE_add_cert(store, x) == 1;
			X509_free(x);
		}
	}
	return added;
}

static const struct cfg_trustpoint *trustpoint_of(const struct x509_trust *t, X509 *anchor)
{
	for (size_t i = 0; i < t->cfg->ntrustpoints; i++) {
		const struct cfg_trustpoint *p = &t->cfg->trustpoints[i];

		for (size_t k = 0; trusted_name(t, p->name) && k < p->ncerts; k++) {
			X509 *x = p->certs[k].ca ? cert_of_der(span_of(p->certs[k].der, p->certs[k].len)) : NULL;
			bool same = x != NULL && X509_cmp(x, anchor) == 0;

			X509_free(x);
			if (same)
				return p;
		}
	}
	return NULL;
}

/* What the engineer reads, and what the peer is told. */
static uint16_t chain_fault(X509_STORE_CTX *ctx, char why[X509_WHY])
{
	int error = X509_STORE_CTX_get_error(ctx);
	X509 *at = X509_STORE_CTX_get_current_cert(ctx);
	char name[CERT_NAME] = "", when[80];

	if (at != NULL)
		cert_name_print(name, X509_get_subject_name(at));
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		cert_time_print(when, sizeof(when), X509_get0_notAfter(at));
		snprintf(why, X509_WHY, "certificate %.120s has expired (%s)", name, when);
		return NOTIFY_INVALID_CERTIFICATE;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		cert_time_print(when, sizeof(when), X509_get0_notBefore(at));
		snprintf(why, X509_WHY, "certificate %.120s is not valid before %s", name, when);
		return NOTIFY_INVALID_CERTIFICATE;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* a CA of the same name */
		snprintf(why, X509_WHY, "no authenticated trustpoint has issued certificate %.160s", name);
		return NOTIFY_INVALID_CERT_AUTHORITY;
	default:
		snprintf(why, X509_WHY, "certificate %.120s: %s", name, X509_verify_cert_error_string(error));
		return NOTIFY_INVALID_CERTIFICATE;
	}
}

/* RFC 4945 5.1.3.2: a key usage that is there must permit signatures. */
static bool leaf_good(struct x509_leaf *l, char why[X509_WHY])
{
	uint32_t usage = X509_get_key_usage(l->cert);
	char detail[X509_WHY], name[CERT_NAME];

	l->notify = NOTIFY_INVALID_CERTIFICATE;
	cert_name_print(name, X509_get_subject_name(l->cert));
	if (!x509_key_good(X509_get0_pubkey(l->cert), detail)) {
		snprintf(why, X509_WHY, "certificate %.100s: %.120s", name, detail);
		return false;
	}
	if (usage != UINT32_MAX && !(usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))) {
		snprintf(why, X509_WHY, "the key usage of certificate %.120s does not permit signatures", name);
		return false;
	}
	return true;
}

static void params_set(X509_STORE_CTX *ctx, const struct x509_trust *t)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_time(p, (time_t)(t->wall_us / 1000000));
	X509_VERIFY_PARAM_set_depth(p, CHAIN_DEPTH);
	X509_VERIFY_PARAM_set_auth_level(p, 1);
	X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
}

static bool chain_build(
	const struct x509_trust *t, X509_STORE *store, STACK_OF(X509) * others, struct x509_leaf *l, char why[X509_WHY])
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) * chain;
	bool ok = false;

	if (ctx == NULL || X509_STORE_CTX_init(ctx, store, l->cert, others) != 1) {
		X509_STORE_CTX_free(ctx);
		snprintf(why, X509_WHY, "out of memory");
		return false;
	}
	params_set(ctx, t);
	if (X509_verify_cert(ctx) != 1) {
		l->notify = chain_fault(ctx, why);
	} else {
		chain = X509_STORE_CTX_get0_chain(ctx);
		l->trustpoint = trustpoint_of(t, sk_X509_value(chain, sk_X509_num(chain) - 1));
		l->issuer = sk_X509_num(chain) > 1 ? sk_X509_value(chain, 1) : l->cert;
		X509_up_ref(l->issuer);
		ok = l->trustpoint != NULL && leaf_good(l, why);
	}
	X509_STORE_CTX_free(ctx);
	return ok;
}

bool x509_verify(const struct x509_trust *t, const struct span *certs, size_t n, struct x509_leaf *out, char why[X509_WHY])
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *others = sk_X509_new_null();
	bool ok = false;

	*out = (struct x509_leaf){ .notify = NOTIFY_INVALID_CERTIFICATE };
	snprintf(why, X509_WHY, "the certificate is malformed");
	if (n > 0 && store != NULL && others != NULL)
		out->cert = cert_of_der(certs[0]);
	for (size_t i = 1; out->cert != NULL && i < n && i < X509_CERTS_MAX; i++) {
		X509 *x = cert_of_der(certs[i]);

		if (x != NULL && sk_X509_push(others, x) <= 0)
			X509_free(x);
	}
	if (out->cert != NULL && anchors_add(t, store) == 0) {
		out->notify = NOTIFY_INVALID_CERT_AUTHORITY;
		snprintf(why, X509_WHY, "no trustpoint is authenticated");
	} else if (out->cert != NULL) {
		ok = chain_build(t, store, others, out, why);
	}
	sk_X509_pop_free(others, X509_free);
	X509_STORE_free(store);
	ERR_clear_error();
	return ok;
}

void x509_leaf_free(struct x509_leaf *l)
{
	X509_free(l->cert);
	X509_free(l->issuer);
	*l = (struct x509_leaf){ 0 };
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
