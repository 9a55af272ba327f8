/* What a peer may send as its public value (RFC 6989, 2): the length on the wire first, then the mathematics. */
#include "ikemgr/crypto/dh.h"
#include "ikemgr/crypto/groups.h"

/* 2 <= y <= p - 2; in the subgroup of order q where that is not simply the half of all (RFC 6989, 2.2 and 2.3). */
static enum err check_modp(const struct group_alg *alg, struct span value)
{
	struct modp m;
	enum err e = ERR_CRYPTO;

	if (!modp_params(&m, alg))
		return ERR_CRYPTO;
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *y = BN_bin2bn(value.data, (int)value.len, NULL), *top = BN_dup(m.p), *r = BN_new();
	if (!ctx || !y || !top || !r || BN_sub_word(top, 1) != 1)
		goto out;
	e = ERR_RANGE;
	if (BN_is_zero(y) || BN_is_one(y) || BN_cmp(y, top) >= 0)
		goto out;
	if (m.q) {
		if (BN_mod_exp(r, y, m.q, m.p, ctx) != 1)
			e = ERR_CRYPTO;
		if (e == ERR_CRYPTO || !BN_is_one(r))
			goto out;
	}
	e = ERR_OK;
out:
	BN_free(y);
	BN_free(top);
	BN_free(r);
	BN_CTX_free(ctx);
	modp_free(&m);
	return e;
}

/* x and y below p, and y^2 = x^3 + ax + b (RFC 6989, 2.3); set_affine checks the equation, not the range. */
static enum err check_ecp(const struct group_alg *alg, struct span value)
{
	size_t half = value.len / 2;
	EC_GROUP *curve = ecp_curve(alg);
	EC_POINT *point = curve ? EC_POINT_new(curve) : NULL;
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_new(), *x = BN_bin2bn(value.data, (int)half, NULL), *y = BN_bin2bn(value.data + half, (int)half, NULL);
	enum err e = ERR_CRYPTO;

	if (!point || !ctx || !p || !x || !y || EC_GROUP_get_curve(curve, p, NULL, NULL, ctx) != 1)
		goto out;
	e = ERR_RANGE;
	if (BN_cmp(x, p) >= 0 || BN_cmp(y, p) >= 0)
		goto out;
	if (EC_POINT_set_affine_coordinates(curve, point, x, y, ctx) != 1 || EC_POINT_is_on_curve(curve, point, ctx) != 1)
		goto out;
	e = ERR_OK;
out:
	BN_free(p);
	BN_free(x);
	BN_free(y);
	BN_CTX_free(ctx);
	EC_POINT_free(point);
	EC_GROUP_free(curve);
	return e;
}

/* Any u will do (RFC 8031, 2.2); those that lead to zero, of which 0 is one, are found when the secret is made. */
static enum err check_xdh(struct span value)
{
	uint8_t any = 0;

	for (size_t i = 0; i < value.len; i++)
		any |= value.data[i];
	return any == 0 ? ERR_RANGE : ERR_OK;
}

enum err dh_check(enum alg_group group, struct span value)
{
	const struct group_alg *alg = group_find(group);

	if (!alg)
		return ERR_UNSUPPORTED;
	if (value.len != alg->public_len || value.len > DH_MAX)
		return ERR_INVALID;
	if (alg->kind == GROUP_XDH)
		return check_xdh(value);
	return alg->kind == GROUP_ECP ? check_ecp(alg, value) : check_modp(alg, value);
}
