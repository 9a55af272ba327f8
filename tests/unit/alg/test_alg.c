/* The list of algorithms against IANA's numbers, and against the library. */
#include "configdb/alg.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
	(void)state;
	alg_init();
	return 0;
}

static void phase1_numbers(void **state)
{
	static const struct {
		uint16_t enc;
		unsigned bits;
		enum alg_cipher id;
	} known[] = { { 1, 0, CIPHER_DES }, { 5, 0, CIPHER_3DES }, { 7, 0, CIPHER_AES128 }, { 7, 128, CIPHER_AES128 },
		{ 7, 192, CIPHER_AES192 }, { 7, 256, CIPHER_AES256 } };
	static const enum alg_hash hashes[] = {
		[1] = HASH_MD5, [2] = HASH_SHA1, [4] = HASH_SHA256, [5] = HASH_SHA384, [6] = HASH_SHA512
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(cipher_by_ikev1(known[i].enc, known[i].bits)->id, known[i].id);
	assert_null(cipher_by_ikev1(0, 0));
	assert_null(cipher_by_ikev1(1, 64)); /* a fixed-size cipher with a key length */
	assert_null(cipher_by_ikev1(7, 160));
	assert_null(cipher_by_ikev1(3, 0));
	for (uint16_t i = 0; i < 300; i++) {
		const struct hash_alg *h = hash_by_ikev1(i);

		if (i < 7 && hashes[i])
			assert_int_equal(h->id, hashes[i]);
		else
			assert_null(h);
	}
}

static void phase2_numbers(void **state)
{
	static const struct {
		uint8_t transform;
		unsigned bits;
		enum alg_cipher id;
	} known[] = { { 2, 0, CIPHER_DES }, { 3, 0, CIPHER_3DES }, { 11, 0, CIPHER_NULL }, { 12, 0, CIPHER_AES128 },
		{ 12, 256, CIPHER_AES256 }, { 20, 128, CIPHER_AES128_GCM }, { 20, 192, CIPHER_AES192_GCM },
		{ 20, 256, CIPHER_AES256_GCM }, { 23, 128, CIPHER_AES128_GMAC }, { 23, 256, CIPHER_AES256_GMAC },
		{ 13, 128, CIPHER_AES128_CTR }, { 13, 256, CIPHER_AES256_CTR }, { 22, 128, CIPHER_CAMELLIA128 },
		{ 22, 192, CIPHER_CAMELLIA192 } };
	static const enum alg_hash auths[] = {
		[1] = HASH_MD5, [2] = HASH_SHA1, [5] = HASH_SHA256, [6] = HASH_SHA384, [7] = HASH_SHA512, [9] = HASH_AES_XCBC
	};
	/* RFC 2407, 4.4.3 */
	static const enum alg_hash ahs[] = {
		[2] = HASH_MD5, [3] = HASH_SHA1, [5] = HASH_SHA256, [6] = HASH_SHA384, [7] = HASH_SHA512, [9] = HASH_AES_XCBC
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(cipher_by_ikev1_esp(known[i].transform, known[i].bits)->id, known[i].id);
	assert_null(cipher_by_ikev1_esp(20, 0)); /* RFC 4106: the length must be said */
	assert_null(cipher_by_ikev1_esp(0, 0));
	assert_null(cipher_by_ikev1_esp(18, 128));
	for (uint16_t i = 0; i < 300; i++) {
		const struct hash_alg *h = hash_by_ikev1_auth(i), *ah = hash_by_ikev1_ah((uint8_t)i);

		if (i < 10 && auths[i])
			assert_int_equal(h->id, auths[i]);
		else
			assert_null(h);
		if (i < 10 && ahs[i])
			assert_int_equal(ah->id, ahs[i]);
		else if (i < 256)
			assert_null(ah);
	}
}

static void sizes(void **state)
{
	static const uint16_t icv[] = { [HASH_MD5] = 12,
		[HASH_SHA1] = 12,
		[HASH_SHA256] = 16,
		[HASH_SHA384] = 24,
		[HASH_SHA512] = 32,
		[HASH_AES_XCBC] = 12,
		[HASH_AES_CMAC] = 12 };
	const struct cipher_alg *c;
	const struct hash_alg *h;

	(void)state;
	for (size_t i = 0; (h = hash_at(i)); i++) {
		EVP_MD *md = EVP_MD_fetch(NULL, h->openssl, NULL);

		assert_int_equal(h->icv_len, icv[h->id]);
		assert_int_equal(!md, !h->ikev1_hash);
		assert_int_equal(h->digest_len, md ? EVP_MD_get_size(md) : 16);
		assert_int_equal(h->key_len, h->digest_len);
		assert_true(strncmp(h->ios_esp, "esp-", 4) == 0 && strncmp(h->ios_ah, "ah-", 3) == 0);
		assert_string_equal(h->ios_esp + 4, h->ios_ah + 3);
		EVP_MD_free(md);
	}
	for (size_t i = 0; (c = cipher_at(i)); i++) {
		EVP_CIPHER *e = EVP_CIPHER_fetch(NULL, c->openssl, NULL);

		assert_non_null(e);
		assert_int_equal(c->key_len, EVP_CIPHER_get_key_length(e));
		assert_true(c->block_len >= 4);
		if (c->aead) {
			assert_int_equal(c->salt_len + c->iv_len, EVP_CIPHER_get_iv_length(e));
			assert_int_equal(c->icv_len, 16);
			assert_null(c->ios_isakmp);
		} else {
			/* Counter mode: nonce, IV and counter are one block. */
			assert_int_equal(c->salt_len ? c->salt_len + c->iv_len + 4 : c->iv_len, EVP_CIPHER_get_iv_length(e));
			assert_int_equal(c->icv_len, 0);
		}
		assert_true(c->key_bits_attr == 0 || c->key_bits_attr == c->key_len * 8);
		assert_int_equal(!c->ios_isakmp, !c->ikev1_enc);
		assert_int_equal(!c->ios_isakmp, !c->ios_long);
		EVP_CIPHER_free(e);
	}
}

static void every_number_is_there_and_found_by_itself(void **state)
{
	static const unsigned ids[] = { 1, 2, 5, 14, 15, 16, 18, 19, 20, 21, 24, 28, 29, 30, 31, 32 };
	size_t n = 0;

	(void)state;
	for (int i = 1; i < CIPHER_COUNT; i++)
		assert_int_equal(cipher_find((enum alg_cipher)i)->id, i);
	for (int i = 1; i < HASH_COUNT; i++)
		assert_int_equal(hash_find((enum alg_hash)i)->id, i);
	for (unsigned i = 0; i < 70000; i++) {
		const struct group_alg *g = group_find(i);

		assert_int_equal(g != NULL, n < 16 && ids[n] == i);
		if (g) {
			assert_ptr_equal(group_at(n), g);
			assert_int_equal(g->public_len, g->kind == GROUP_ECP   ? 2 * g->shared_len
							: g->kind == GROUP_XDH ? (g->bits + 7) / 8
									       : g->bits / 8);
			assert_int_equal(g->ikev1, g->kind != GROUP_XDH);
			n++;
		}
	}
	assert_int_equal(n, 16);
	assert_null(group_at(16));
	assert_null(cipher_find(CIPHER_NONE));
	assert_null(hash_find(HASH_NONE));
}

/* What the library lacks is not found. "fips" and such a library cannot be had here; asking for properties that no
 * implementation has does the same. */
static void what_the_library_lacks_is_dropped(void **state)
{
	(void)state;
	assert_int_equal(EVP_set_default_properties(NULL, "provider=none"), 1);
	alg_init();
	assert_null(cipher_at(0));
	assert_null(hash_at(0));
	assert_null(group_at(0));
	assert_null(cipher_by_ikev1(7, 256));
	assert_null(cipher_by_ikev1_esp(12, 256));
	assert_null(hash_by_ikev1(2));
	assert_null(group_find(14));

	/* Without the legacy provider: everything but DES. */
	assert_int_equal(EVP_set_default_properties(NULL, "provider=default"), 1);
	alg_init();
	assert_null(cipher_find(CIPHER_DES));
	assert_null(cipher_by_ikev1(1, 0));
	assert_non_null(cipher_find(CIPHER_3DES));
	assert_non_null(group_find(19));

	assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
	alg_init();
	assert_non_null(cipher_find(CIPHER_DES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phase1_numbers),
		cmocka_unit_test(phase2_numbers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(every_number_is_there_and_found_by_itself),
		cmocka_unit_test(what_the_library_lacks_is_dropped),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
