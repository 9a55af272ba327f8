/* prf, its expansions, and plain hashes, against RFC 2202, RFC 4231, FIPS 180 and the formulas of RFC 2409. */
#include "hex.h"
#include "ikemgr/crypto/prf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static const struct hmac_vector {
	enum alg_hash hash;
	const char *key_hex, *data, *mac;
} vectors[] = {
	/* RFC 2202, 2 and 3: case 2 */
	{ HASH_MD5, "4a656665", "what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738" },
	{ HASH_SHA1, "4a656665", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	/* RFC 4231, 4.3 */
	{ HASH_SHA256, "4a656665", "what do ya want for nothing?",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ HASH_SHA384, "4a656665", "what do ya want for nothing?",
		"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649" },
	{ HASH_SHA512, "4a656665", "what do ya want for nothing?",
		"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b63"
		"6e"
		"070a38bce737" },
	/* RFC 4231, 4.2 */
	{ HASH_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
		"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ HASH_SHA384, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
		"afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6" },
	/* HMAC of nothing under an empty key */
	{ HASH_SHA256, "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
};

static void hmac_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct hmac_vector *v = &vectors[i];
		struct secret mac;
		assert_int_equal(prf_hmac(v->hash, unhex(v->key_hex), SPANS(text(v->data)), &mac), ERR_OK);
		assert_hex(secret_span(&mac), v->mac);
	}
}

/* RFC 4231, 4.7: a key longer than the block. */
static void hmac_long_key(void **state)
{
	uint8_t key[131];
	struct secret mac;

	(void)state;
	memset(key, 0xaa, sizeof(key));
	assert_int_equal(prf_hmac(HASH_SHA256, span_of(key, sizeof(key)),
				 SPANS(text("Test Using Larger Than Block-Size Key - Hash Key First")), &mac),
		ERR_OK);
	assert_hex(secret_span(&mac), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* prf(key, a | b | c) is the same as over one piece. */
static void hmac_pieces(void **state)
{
	struct secret mac;

	(void)state;
	assert_int_equal(prf_hmac(HASH_MD5, text("Jefe"),
				 SPANS(text("what do "), text(""), (struct span){ 0 }, text("ya want for nothing?")), &mac),
		ERR_OK);
	assert_hex(secret_span(&mac), "750c783e6ab0b503eaa86e310a5db738");
}

static void hashes(void **state)
{
	struct secret d;

	(void)state;
	assert_int_equal(prf_hash(HASH_MD5, SPANS(text("a"), text("bc")), &d), ERR_OK);
	assert_hex(secret_span(&d), "900150983cd24fb0d6963f7d28e17f72");
	assert_int_equal(prf_hash(HASH_SHA1, SPANS(text("abc")), &d), ERR_OK);
	assert_hex(secret_span(&d), "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(prf_hash(HASH_SHA256, SPANS(text("abc")), &d), ERR_OK);
	assert_hex(secret_span(&d), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void expansions(void **state)
{
	struct span key = unhex("000102030405060708090a0b0c0d0e0f10111213");
	struct secret out;

	(void)state;
	assert_int_equal(prf_keymat(HASH_SHA1, key, SPANS(text("seed-of-"), text("the-test")), 72, &out), ERR_OK);
	assert_hex(secret_span(&out), "68155bf64ca269d9cedb1933fed2096472e3e1c6d97db8ee8a43c31a179b62f08d08b437968dea6d5c051caefadb"
				      "fe7bf4a24ce99a6c294647cd8a112b81e5c733689b6d763e652c");
}

/* RFC 2409 appendix B: DES takes the first bytes of SKEYID_e itself, AES-256 under MD5 needs K1 | K2. */
static void phase1_key(void **state)
{
	struct span skeyid_e = unhex("000102030405060708090a0b0c0d0e0f");
	struct secret out;

	(void)state;
	assert_int_equal(prf_phase1_key(HASH_MD5, skeyid_e, 8, &out), ERR_OK);
	assert_hex(secret_span(&out), "0001020304050607");
	assert_int_equal(prf_phase1_key(HASH_MD5, skeyid_e, 16, &out), ERR_OK);
	assert_hex(secret_span(&out), "000102030405060708090a0b0c0d0e0f");
	assert_int_equal(prf_phase1_key(HASH_MD5, skeyid_e, 32, &out), ERR_OK);
	assert_hex(secret_span(&out), "5d76401b50b90caee409473960c04a9614b5f3b70b892097525b06f252c61fbe");
}

static void limits(void **state)
{
	struct secret out = { .len = 1, .bytes = { 7 } };

	(void)state;
	assert_int_equal(prf_keymat(HASH_SHA1, text("k"), SPANS(text("s")), SECRET_MAX + 1, &out), ERR_RANGE);
	assert_int_equal(prf_hmac(HASH_COUNT, text("k"), SPANS(text("s")), &out), ERR_UNSUPPORTED);
	assert_int_equal(out.len, 1); /* untouched */
	assert_int_equal(prf_keymat(HASH_MD5, text("k"), SPANS(text("s")), SECRET_MAX, &out), ERR_OK);
	assert_int_equal(out.len, SECRET_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(hmac_long_key),
		cmocka_unit_test(hmac_pieces),
		cmocka_unit_test(hashes),
		cmocka_unit_test(expansions),
		cmocka_unit_test(phase1_key),
		cmocka_unit_test(limits),
	};

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
