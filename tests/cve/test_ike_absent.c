/* Algorithms that are in the list and not in the library (CVE-2016-3071, CVE-2018-10811): each row of the list in turn is taken out
 * of OpenSSL, by standing in front of its functions. The start drops the row; from then on a configuration that names it offers
 * nothing and takes nothing. With the library whole, the same configuration gives a tunnel.
 */
#include "ike_forge.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- OpenSSL without `absent` ---- */

static const char *absent;

static bool is_absent(const char *name)
{
	return absent != NULL && name != NULL && strcmp(absent, name) == 0;
}

static void *library(const char *function)
{
	void *f = dlsym(RTLD_NEXT, function);

	if (f == NULL)
		abort();
	return f;
}

EVP_CIPHER *EVP_CIPHER_fetch(OSSL_LIB_CTX *ctx, const char *name, const char *properties)
{
	EVP_CIPHER *(*real)(OSSL_LIB_CTX *, const char *, const char *) = library("EVP_CIPHER_fetch");

	return is_absent(name) ? NULL : real(ctx, name, properties);
}

EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *ctx, const char *name, const char *properties)
{
	EVP_MD *(*real)(OSSL_LIB_CTX *, const char *, const char *) = library("EVP_MD_fetch");

	return is_absent(name) ? NULL : real(ctx, name, properties);
}

EVP_PKEY_CTX *EVP_PKEY_CTX_new_from_name(OSSL_LIB_CTX *ctx, const char *name, const char *properties)
{
	EVP_PKEY_CTX *(*real)(OSSL_LIB_CTX *, const char *, const char *) = library("EVP_PKEY_CTX_new_from_name");

	return is_absent(name) ? NULL : real(ctx, name, properties);
}

int EVP_PKEY_CTX_set_params(EVP_PKEY_CTX *ctx, const OSSL_PARAM *params)
{
	int (*real)(EVP_PKEY_CTX *, const OSSL_PARAM *) = library("EVP_PKEY_CTX_set_params");
	const OSSL_PARAM *group = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);

	return group != NULL && is_absent(group->data) ? 0 : real(ctx, params);
}

static void without(const char *name)
{
	absent = name;
	alg_init();
}

/* ---- A and B, both told to use one algorithm ---- */

struct choice {
	enum alg_cipher cipher, esp;
	enum alg_hash hash, auth;
	enum alg_group group, pfs;
};

static const struct choice usual = {
	.cipher = CIPHER_AES256, .esp = CIPHER_AES256, .hash = HASH_SHA512, .auth = HASH_SHA512, .group = GROUP_2
};

static size_t sas_of(const struct choice *c)
{
	struct rig *r = rig_new(7, 2);
	size_t n;

	for (int i = 0; i < 2; i++) {
		struct cfg *cfg = r->n[i].cfg;

		cfg->policies[0].encryption = c->cipher;
		cfg->policies[0].hash = c->hash;
		cfg->policies[0].group = c->group;
		cfg->sets[0].cipher = c->esp;
		cfg->sets[0].auth = c->auth;
		rig_map(&r->n[i], 0)->pfs = c->pfs;
	}
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(3));
	n = r->n[0].nsas + r->n[1].nsas;
	rig_free(r);
	return n;
}

static void only_with(const char *name, const struct choice *c)
{
	assert_int_equal(sas_of(c), 0);
	without(NULL);
	assert_true(sas_of(c) > 0);
	without(name);
}

/* The lists are walked by enum: a dropped row is what is looked for. */
static void each_cipher(void **state)
{
	(void)state;
	for (int id = CIPHER_NONE + 1; id < CIPHER_COUNT; id++) {
		const struct cipher_alg *a = cipher_find((enum alg_cipher)id);
		struct choice c = usual;

		assert_non_null(a);
		without(a->openssl);
		assert_null(cipher_find(a->id));
		assert_null(cipher_by_ikev1_esp((uint8_t)a->ikev1_esp, a->key_bits_attr));
		if (a->ikev1_enc != 0)
			assert_null(cipher_by_ikev1(a->ikev1_enc, a->key_bits_attr));
		c.esp = a->id;
		c.auth = a->aead ? HASH_NONE : usual.auth;
		if (a->ikev1_esp != 0)
			only_with(a->openssl, &c);
		if (a->ikev1_enc != 0) {
			c = usual;
			c.cipher = a->id;
			only_with(a->openssl, &c);
		}
		without(NULL);
	}
}

static void each_hash(void **state)
{
	(void)state;
	for (int id = HASH_NONE + 1; id < HASH_COUNT; id++) {
		const struct hash_alg *a = hash_find((enum alg_hash)id);
		struct choice c = usual;

		assert_non_null(a);
		without(a->openssl);
		assert_null(hash_find(a->id));
		assert_null(hash_by_ikev1(a->ikev1_hash));
		assert_null(hash_by_ikev1_auth(a->ikev1_auth));
		assert_null(hash_by_ikev1_ah(a->ikev1_ah));
		c.hash = a->id;
		if (a->ikev1_hash != 0)
			only_with(a->openssl, &c);
		c = usual;
		c.auth = a->id;
		if (a->ikev1_auth != 0)
			only_with(a->openssl, &c);
		without(NULL);
	}
}

/* The small MODP groups have no name in OpenSSL: they go with Diffie-Hellman itself. */
static const char *needs(const struct group_alg *a)
{
	return a->kind == GROUP_MODP && a->bits < 1536 ? "DH" : a->openssl;
}

static void each_group(void **state)
{
	unsigned found = 0;

	(void)state;
	for (unsigned id = 1; id < 64; id++) {
		const struct group_alg *a = group_find(id);
		struct choice c = usual;

		if (a == NULL)
			continue;
		found++;
		without(needs(a));
		assert_null(group_find(id));
		if (!a->ikev1) {
			without(NULL);
			continue;
		}
		c.group = a->id;
		only_with(needs(a), &c);
		c = usual;
		c.group = a->kind == GROUP_ECP ? GROUP_2 : GROUP_19;
		c.pfs = a->id;
		only_with(needs(a), &c);
		without(NULL);
	}
	assert_true(found >= 10);
}

/* A library without the curves or without Diffie-Hellman at all: the other kind still works. */
static void each_kind(void **state)
{
	struct choice ecp = usual;

	(void)state;
	ecp.group = GROUP_20;
	without("DH");
	assert_int_equal(sas_of(&usual), 0);
	assert_true(sas_of(&ecp) > 0);
	without("EC");
	assert_int_equal(sas_of(&ecp), 0);
	assert_true(sas_of(&usual) > 0);
	without(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cipher),
		cmocka_unit_test(each_hash),
		cmocka_unit_test(each_group),
		cmocka_unit_test(each_kind),
	};

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
