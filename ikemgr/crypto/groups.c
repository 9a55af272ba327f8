/* Where the numbers come from: OpenSSL has p of every MODP group but 24 as a function, and 24 as a named group. */
#include "ikemgr/crypto/groups.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

static const struct group_source {
	enum alg_group id;
	BIGNUM *(*prime)(BIGNUM *); /* MODP with g = 2 */
	const char *name;
	int curve;
} sources[] = {
	{ GROUP_1, BN_get_rfc2409_prime_768, NULL, 0 },
	{ GROUP_2, BN_get_rfc2409_prime_1024, NULL, 0 },
	{ GROUP_5, BN_get_rfc3526_prime_1536, "modp_1536", 0 },
	{ GROUP_14, BN_get_rfc3526_prime_2048, "modp_2048", 0 },
	{ GROUP_15, BN_get_rfc3526_prime_3072, "modp_3072", 0 },
	{ GROUP_16, BN_get_rfc3526_prime_4096, "modp_4096", 0 },
	{ GROUP_18, BN_get_rfc3526_prime_8192, "modp_8192", 0 },
	{ GROUP_24, NULL, "dh_2048_256", 0 },
	{ GROUP_19, NULL, "P-256", NID_X9_62_prime256v1 },
	{ GROUP_20, NULL, "P-384", NID_secp384r1 },
	{ GROUP_21, NULL, "P-521", NID_secp521r1 },
	{ GROUP_28, NULL, "brainpoolP256r1", NID_brainpoolP256r1 },
	{ GROUP_29, NULL, "brainpoolP384r1", NID_brainpoolP384r1 },
	{ GROUP_30, NULL, "brainpoolP512r1", NID_brainpoolP512r1 },
};

static const struct group_source *source(enum alg_group id)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (sources[i].id == id)
			return &sources[i];
	return NULL;
}

const char *modp_name(enum alg_group group)
{
	const struct group_source *s = source(group);

	return s && !s->curve ? s->name : NULL;
}

const char *ecp_name(enum alg_group group)
{
	const struct group_source *s = source(group);

	return s && s->curve ? s->name : NULL;
}

EC_GROUP *ecp_curve(const struct group_alg *alg)
{
	const struct group_source *s = source(alg->id);

	return s && s->curve ? EC_GROUP_new_by_curve_name(s->curve) : NULL;
}

/* RFC 5114's numbers, out of OpenSSL's named group. */
static bool named_params(struct modp *m, const char *name)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DHX", NULL);
	EVP_PKEY *params = NULL;
	OSSL_PARAM p[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)name, 0),
		OSSL_PARAM_construct_end(),
	};
	bool ok = ctx && EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &params, EVP_PKEY_KEY_PARAMETERS, p) == 1 &&
		  EVP_PKEY_get_bn_param(params, OSSL_PKEY_PARAM_FFC_P, &m->p) == 1 &&
		  EVP_PKEY_get_bn_param(params, OSSL_PKEY_PARAM_FFC_G, &m->g) == 1 &&
		  EVP_PKEY_get_bn_param(params, OSSL_PKEY_PARAM_FFC_Q, &m->q) == 1;

	EVP_PKEY_free(params);
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool modp_params(struct modp *m, const struct group_alg *alg)
{
	const struct group_source *s = source(alg->id);
	bool ok = false;

	*m = (struct modp){ 0 };
	if (!s || s->curve)
		return false;
	if (s->prime) {
		m->p = s->prime(NULL);
		m->g = BN_new();
		ok = m->p && m->g && BN_set_word(m->g, 2) == 1;
	} else {
		ok = named_params(m, s->name);
	}
	if (!ok)
		modp_free(m);
	return ok;
}

void modp_free(struct modp *m)
{
	BN_free(m->p);
	BN_free(m->g);
	BN_free(m->q);
	*m = (struct modp){ 0 };
}
