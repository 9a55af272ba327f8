/* CBC against FIPS 81, SP 800-67 and SP 800-38A, and the chain of the IV (RFC 2409, appendix B). */
#include "hex.h"
#include "ikemgr/crypto/cipher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct cbc_vector {
	enum alg_cipher cipher;
	const char *key, *iv, *plain, *encrypted;
} vectors[] = {
	/* FIPS 81, table C1: "Now is the time for all " */
	{ CIPHER_DES, "0123456789abcdef", "1234567890abcdef", "4e6f77206973207468652074696d6520666f7220616c6c20",
		"e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6" },
	/* Three equal keys are DES */
	{ CIPHER_3DES, "0123456789abcdef0123456789abcdef0123456789abcdef", "1234567890abcdef",
		"4e6f77206973207468652074696d6520666f7220616c6c20", "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6" },
	/* SP 800-67, B.1, first block: "The quic" misspelt as there */
	{ CIPHER_3DES, "0123456789abcdef23456789abcdef01456789abcdef0123", "0000000000000000", "5468652071756663",
		"a826fd8ce53b855f" },
	/* SP 800-38A, F.2.1, F.2.3, F.2.5 */
	{ CIPHER_AES128, "2b7e151628aed2a6abf7158809cf4f3c", "000102030405060708090a0b0c0d0e0f",
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
		"7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2" },
	{ CIPHER_AES192, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "000102030405060708090a0b0c0d0e0f",
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
		"4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a" },
	{ CIPHER_AES256, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "000102030405060708090a0b0c0d0e0f",
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
		"f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d" },
};

static void cbc_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct cbc_vector *v = &vectors[i];
		struct span data = unhex(v->plain), iv = unhex(v->iv);
		size_t block = cipher_block(v->cipher);
		assert_int_equal(iv.len, block);
		assert_int_equal(cipher_key_len(v->cipher), strlen(v->key) / 2);
		assert_int_equal(cipher_encrypt(v->cipher, unhex(v->key), iv.data, data), ERR_OK);
		assert_hex(data, v->encrypted);
		assert_hex(iv, v->encrypted + strlen(v->encrypted) - 2 * block);
		iv = unhex(v->iv);
		assert_int_equal(cipher_decrypt(v->cipher, unhex(v->key), iv.data, data), ERR_OK);
		assert_hex(data, v->plain);
		assert_hex(iv, v->encrypted + strlen(v->encrypted) - 2 * block);
	}
}

/* Two messages under one chained IV are one long message. */
static void chain(void **state)
{
	const struct cbc_vector *v = &vectors[3];
	struct span data = unhex(v->plain), iv = unhex(v->iv), key = unhex(v->key);

	(void)state;
	assert_int_equal(cipher_encrypt(v->cipher, key, iv.data, span_of(data.data, 16)), ERR_OK);
	assert_int_equal(cipher_encrypt(v->cipher, key, iv.data, span_of(data.data + 16, 16)), ERR_OK);
	assert_hex(data, v->encrypted);
}

static void refusals(void **state)
{
	uint8_t data[32] = { 1 }, iv[16] = { 2 }, key[32] = { 3 };

	(void)state;
	assert_int_equal(cipher_encrypt(CIPHER_AES128, span_of(key, 16), iv, span_of(data, 0)), ERR_INVALID);
	assert_int_equal(cipher_encrypt(CIPHER_AES128, span_of(key, 16), iv, span_of(data, 31)), ERR_INVALID);
	assert_int_equal(cipher_decrypt(CIPHER_AES128, span_of(key, 15), iv, span_of(data, 32)), ERR_INVALID);
	assert_int_equal(cipher_decrypt(CIPHER_AES128, span_of(key, 32), iv, span_of(data, 32)), ERR_INVALID);
	assert_int_equal(cipher_encrypt(CIPHER_AES128_GCM, span_of(key, 16), iv, span_of(data, 32)), ERR_UNSUPPORTED);
	assert_int_equal(cipher_encrypt(CIPHER_NULL, span_of(key, 0), iv, span_of(data, 32)), ERR_UNSUPPORTED);
	assert_int_equal(cipher_encrypt(CIPHER_COUNT, span_of(key, 0), iv, span_of(data, 32)), ERR_UNSUPPORTED);
	assert_int_equal(data[0] + iv[0], 3); /* untouched */
	assert_int_equal(cipher_block(CIPHER_AES256_GCM), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cbc_vectors),
		cmocka_unit_test(chain),
		cmocka_unit_test(refusals),
	};

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
