/* The groups' parameters as OpenSSL takes them. Used by dh.c and dh_check.c alone. */
#ifndef POSTERN_IKEMGR_CRYPTO_GROUPS_H
#define POSTERN_IKEMGR_CRYPTO_GROUPS_H

#include "configdb/alg.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

/* p, g and, where the subgroup is smaller than (p-1)/2, q. */
struct modp {
	BIGNUM *p, *g, *q; /* q NULL: p is a safe prime */
};
/* False when the group is no MODP group or memory is out; then nothing is to be freed. */
bool modp_params(struct modp *m, const struct group_alg *alg);
void modp_free(struct modp *m);
/* The name under which OpenSSL knows the group, or NULL: only by its numbers. */
const char *modp_name(enum alg_group group);

/* The curve, caller frees; NULL if the group is none. */
EC_GROUP *ecp_curve(const struct group_alg *alg);
const char *ecp_name(enum alg_group group);

#endif
