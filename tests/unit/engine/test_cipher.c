/* ESP's transforms: published vectors, and OpenSSL and libipsec-mb against each other. */
#include "datapath/engine/cipher.h"

#include <openssl/rand.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct vector {
	const char *name;
	enum alg_cipher cipher;
	enum alg_hash auth;
	const char *key, *auth_key;
	bool esn;
	uint32_t seq_high;
	const char *esp;            /* header and IV */
	const char *plain, *sealed; /* after the IV; sealed with the ICV */
};

#define B8(x)  x x x x x x x x
#define B16(x) B8(x) B8(x)

static const struct vector vectors[] = {
	{ "GCM, ESP with extended sequence number (draft-mcgrew-gcm-test-01, 1)", CIPHER_AES128_GCM, HASH_NONE,
		"4c80cdefbb5d10da906ac73c3613a6342e443b68", "", true, 0x87654321, "00004321000000004956ed7e3b244cfe",
		"45000048699a000080114db7c0a80102c0a801010a9bf15638d3010000010000"
		"00000000045f736970045f756470037369700963796265726369747902646b0000210001"
		"01020201",
		"fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34"
		"cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce61bc17d7"
		"68fd9732459018148f6cbe722fd04796562dfdb4" },
	{ "AES-CBC, ESP packet (RFC 3602, 4, case 5)", CIPHER_AES128, HASH_NONE, "90d382b410eeba7ad938c46cec1a82bf", "", false, 0,
		"0000432100000001e96e8c08ab465763fd098d45dd3ff893",
		"08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
		"3031323334353637"
		"0102030405060708090a0b0c0d0e0e01",
		"f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c"
		"538ab50c551b874aa269add047ad2d5913ac19b7cfbad4a6" },
	{ "DES-CBC (FIPS 81)", CIPHER_DES, HASH_NONE, "0123456789abcdef", "", false, 0, "00001000000000011234567890abcdef",
		"4e6f77206973207468652074696d6520666f7220616c6c20", "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6" },
	{ "3DES-CBC, three equal keys", CIPHER_3DES, HASH_NONE, "0123456789abcdef0123456789abcdef0123456789abcdef", "", false, 0,
		"00001000000000011234567890abcdef", "4e6f77206973207468652074696d6520666f7220616c6c20",
		"e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6" },
	/* Counter mode is never alone: the ICV behind these is not compared. */
	{ "AES-CTR (RFC 3686, 6, vector 1)", CIPHER_AES128_CTR, HASH_MD5, "ae6852f8121067cc4bf7a5765577f39e00000030", B16("0b"),
		false, 0, "00001000000000010000000000000000", "53696e676c6520626c6f636b206d7367",
		"e4095d4fb7a7b3792d6175a3261311b8" },
	{ "AES-CTR (RFC 3686, 6, vector 2)", CIPHER_AES128_CTR, HASH_MD5, "7e24067817fae0d743d6ce1f32539163006cb6db", B16("0b"),
		false, 0, "0000100000000001c0543b59da48d90b", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28" },
	{ "AES-CTR, 256 bits (RFC 3686, 6, vector 7)", CIPHER_AES256_CTR, HASH_MD5,
		"776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c10400000060", B16("0b"), false, 0,
		"0000100000000001db5672c97aa8f0b2", "53696e676c6520626c6f636b206d7367", "145ad01dbf824ec7560863dc71e3e0c0" },
	{ "ChaCha20-Poly1305 (RFC 7634, A)", CIPHER_CHACHA20_POLY1305, HASH_NONE,
		"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3", "", false, 0,
		"01020304000000051011121314151617",
		"45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f101112131415161718191a1b1c"
		"1d1e1f"
		"202122232425262728292a2b2c2d2e2f303132333435363701020204",
		"24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9be"
		"fe2facc638e8f3"
		"cbec163fac469b502773f6fb94e664da9165b82829f641e076aaa8266b7fb0f7b11b369907e1ad43" },
	{ "Camellia-CBC, one block without IV (RFC 3713, A)", CIPHER_CAMELLIA128, HASH_NONE, "0123456789abcdeffedcba9876543210", "",
		false, 0, "000010000000000100000000000000000000000000000000", "0123456789abcdeffedcba9876543210",
		"67673138549669730857065648eabe43" },
	{ "Camellia-CBC, 256 bits (RFC 3713, A)", CIPHER_CAMELLIA256, HASH_NONE,
		"0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff", "", false, 0,
		"000010000000000100000000000000000000000000000000", "0123456789abcdeffedcba9876543210",
		"9acc237dff16d76c20ef7c919e3a7509" },
	{ "AES-XCBC-MAC-96 (RFC 3566, 4.6, case 3)", CIPHER_NULL, HASH_AES_XCBC, "", "000102030405060708090a0b0c0d0e0f", false, 0,
		"0001020304050607", "08090a0b0c0d0e0f", "08090a0b0c0d0e0fd2a246fa349b68a79998a439" },
	{ "AES-XCBC-MAC-96 (RFC 3566, 4.6, case 4)", CIPHER_NULL, HASH_AES_XCBC, "", "000102030405060708090a0b0c0d0e0f", false, 0,
		"0001020304050607", "08090a0b0c0d0e0f10111213", "08090a0b0c0d0e0f1011121347f51b4564966215b8985c63" },
	{ "AES-XCBC-MAC-96 (RFC 3566, 4.6, case 6)", CIPHER_NULL, HASH_AES_XCBC, "", "000102030405060708090a0b0c0d0e0f", false, 0,
		"0001020304050607", "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021",
		"08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021becbb3bccdb518a30677d548" },
	{ "AES-CMAC-96 (RFC 4494, 4, case 2)", CIPHER_NULL, HASH_AES_CMAC, "", "2b7e151628aed2a6abf7158809cf4f3c", false, 0,
		"6bc1bee22e409f96", "e93d7e117393172a", "e93d7e117393172a070a16b46b4d4144f79bdd9d" },
	{ "AES-CMAC-96 (RFC 4494, 4, case 3)", CIPHER_NULL, HASH_AES_CMAC, "", "2b7e151628aed2a6abf7158809cf4f3c", false, 0,
		"6bc1bee22e409f96", "e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
		"e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411dfa66747de9ae63030ca3261" },
	/* "Hi There" is as long as the ESP header: the vectors need no more. */
	{ "HMAC-MD5-96 (RFC 2202, 2, case 1)", CIPHER_NULL, HASH_MD5, "", B16("0b"), false, 0, "4869205468657265", "",
		"9294727a3638bb1c13f48ef8" },
	{ "HMAC-SHA1-96 (RFC 2202, 3, case 1)", CIPHER_NULL, HASH_SHA1, "", B16("0b") "0b0b0b0b", false, 0, "4869205468657265", "",
		"b617318655057264e28bc0b6" },
	{ "HMAC-SHA-256-128 (RFC 4868, 2.7.2.1)", CIPHER_NULL, HASH_SHA256, "", B16("0b") B16("0b"), false, 0, "4869205468657265",
		"", "198a607eb44bfbc69903a0f1cf2bbdc5" },
	{ "HMAC-SHA-384-192 (RFC 4868, 2.7.2.2)", CIPHER_NULL, HASH_SHA384, "", B16("0b") B16("0b") B16("0b"), false, 0,
		"4869205468657265", "", "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973" },
	{ "HMAC-SHA-512-256 (RFC 4868, 2.7.2.3)", CIPHER_NULL, HASH_SHA512, "", B16("0b") B16("0b") B16("0b") B16("0b"), false, 0,
		"4869205468657265", "", "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8" },
};

static struct cipher_key *key_of(const struct vector *v, bool seal)
{
	uint8_t key[64], auth[64];
	int n = hex_parse(key, sizeof(key), v->key), a = hex_parse(auth, sizeof(auth), v->auth_key);
	struct cipher_key *k;

	assert_true(n >= 0 && a >= 0);
	assert_int_equal(
		cipher_key_new(&k, v->cipher, v->auth, span_of(key, (size_t)n), span_of(auth, (size_t)a), v->esn, seal), ERR_OK);
	return k;
}

static void check_vector(const struct vector *v, bool mb)
{
	uint8_t esp[256], want[256], plain[256];
	int head = hex_parse(esp, sizeof(esp), v->esp), body = hex_parse(esp + head, sizeof(esp) - (size_t)head, v->plain);
	int sealed = hex_parse(want, sizeof(want), v->sealed);
	struct cipher_batch *b = cipher_batch_new(mb);
	struct cipher_job j = { .key = key_of(v, true), .esp = esp, .len = (uint32_t)(head + body), .seq_high = v->seq_high };

	memcpy(plain, esp + head, (size_t)body);
	cipher_seal(b, &j, 1);
	assert_true(j.ok);
	assert_memory_equal(esp + head, want, (size_t)sealed);
	cipher_key_free(j.key);
	j.key = key_of(v, false);
	cipher_open(b, &j, 1);
	assert_true(j.ok);
	assert_memory_equal(esp + head, plain, (size_t)body);
	cipher_key_free(j.key);
	cipher_batch_free(b);
}

static void published_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		for (int mb = 0; mb < 2; mb++)
			check_vector(&vectors[i], mb);
}

#define N 70

struct combination {
	enum alg_cipher cipher;
	enum alg_hash auth;
	bool esn;
};

static void keys_for(const struct combination *c, const uint8_t *material, struct cipher_key **seal, struct cipher_key **open)
{
	const struct cipher_alg *a = cipher_find(c->cipher);
	const struct hash_alg *h = hash_find(c->auth);
	struct span key = span_of(material, (size_t)a->key_len + a->salt_len), auth = span_of(material + 64, h ? h->key_len : 0);

	assert_int_equal(cipher_key_new(seal, c->cipher, c->auth, key, auth, c->esn, true), ERR_OK);
	assert_int_equal(cipher_key_new(open, c->cipher, c->auth, key, auth, c->esn, false), ERR_OK);
}

/* One working seals a batch, the other opens it; then every kind of damage is seen. */
static void check_batch(const struct combination *c, bool seal_mb, size_t n)
{
	static uint8_t room[N][256], clear[N][256];
	uint8_t material[128];
	struct cipher_batch *one = cipher_batch_new(seal_mb), *other = cipher_batch_new(!seal_mb);
	struct cipher_job jobs[N];
	struct cipher_key *seal, *open;
	const struct cipher_sizes *s;

	RAND_bytes(material, sizeof(material));
	keys_for(c, material, &seal, &open);
	s = cipher_key_sizes(seal);
	for (size_t i = 0; i < n; i++) {
		RAND_bytes(room[i], sizeof(room[i]));
		cipher_iv(one, seal, room[i] + 8, 1 + i);
		memcpy(clear[i], room[i], sizeof(clear[i]));
		jobs[i] = (struct cipher_job){
			.key = seal, .esp = room[i], .len = (uint32_t)(8u + s->iv + s->block * (1 + i % 8)), .seq_high = 7
		};
	}
	cipher_seal(one, jobs, n);
	for (size_t i = 0; i < n; i++) {
		assert_true(jobs[i].ok);
		jobs[i].key = open;
		if (i % 3 == 1 && s->icv)
			room[i][i % (jobs[i].len + s->icv)] ^= 0x40;
		if (i % 3 == 2 && c->esn && s->icv)
			jobs[i].seq_high = 8;
	}
	cipher_open(other, jobs, n);
	for (size_t i = 0; i < n; i++) {
		bool damaged = s->icv && (i % 3 == 1 || (i % 3 == 2 && c->esn));

		assert_int_equal(jobs[i].ok, !damaged);
		if (!damaged)
			assert_memory_equal(room[i] + 8 + s->iv, clear[i] + 8 + s->iv, jobs[i].len - 8 - s->iv);
	}
	cipher_key_free(seal);
	cipher_key_free(open);
	cipher_batch_free(one);
	cipher_batch_free(other);
}

static void both_workings_agree(void **state)
{
	(void)state;
	for (size_t i = 0; cipher_at(i); i++)
		for (int auth = HASH_NONE; auth < HASH_COUNT; auth++)
			for (int way = 0; way < 4; way++) {
				struct combination c = { cipher_at(i)->id, (enum alg_hash)auth, way & 1 };

				if ((cipher_at(i)->aead && auth) || (!auth && cipher_needs_auth(cipher_at(i))))
					continue;
				for (size_t n = 1; n <= N; n = n < 9 ? n + 1 : n + 61)
					check_batch(&c, way & 2, n);
			}
}

/* The ICV stands inside what it covers, whatever stood there before; with ESN the upper half is covered too. The judge is ESP
 * without encryption over the same bytes, which the vectors above have checked. */
static void ah_icv(void **state)
{
	(void)state;
	for (size_t i = 0; hash_at(i); i++)
		for (int esn = 0; esn < 2; esn++) {
			const struct hash_alg *h = hash_at(i);
			struct cipher_batch *b = cipher_batch_new(true);
			uint8_t packet[200], flat[204], auth[64];
			struct cipher_key *seal, *open, *esp;
			struct cipher_job j = { .esp = packet, .len = sizeof(packet), .seq_high = 9, .icv = packet + 32 };

			RAND_bytes(packet, sizeof(packet));
			RAND_bytes(auth, sizeof(auth));
			assert_int_equal(
				cipher_key_new(&seal, CIPHER_NONE, h->id, span_of(auth, 0), span_of(auth, h->key_len), esn, true),
				ERR_OK);
			assert_int_equal(
				cipher_key_new(&open, CIPHER_NONE, h->id, span_of(auth, 0), span_of(auth, h->key_len), esn, false),
				ERR_OK);
			assert_int_equal(
				cipher_key_new(&esp, CIPHER_NULL, h->id, span_of(auth, 0), span_of(auth, h->key_len), false, true),
				ERR_OK);
			j.key = seal;
			cipher_seal(b, &j, 1);
			assert_true(j.ok);
			/* The same bytes as an ESP packet without encryption, whose ICV stands behind. */
			uint8_t judge[204 + 64];
			memcpy(flat, packet, 200);
			memset(flat + 32, 0, h->icv_len);
			memcpy(flat + 200, "\0\0\0\11", 4);
			memcpy(judge, flat, 204);
			struct cipher_job e = { .key = esp, .esp = judge, .len = esn ? 204 : 200 };
			cipher_seal(b, &e, 1);
			assert_memory_equal(judge + e.len, packet + 32, h->icv_len);
			for (int bit = -1; bit < 200; bit++) {
				uint8_t copy[200];

				memcpy(copy, packet, 200);
				if (bit >= 0)
					copy[bit] ^= 1;
				j = (struct cipher_job){ .key = open, .esp = copy, .len = 200, .seq_high = 9, .icv = copy + 32 };
				cipher_open(b, &j, 1);
				assert_int_equal(j.ok, bit < 0);
			}
			cipher_key_free(seal);
			cipher_key_free(open);
			cipher_key_free(esp);
			cipher_batch_free(b);
		}
}

static void refused_keys(void **state)
{
	uint8_t key[64] = { 0 };
	struct cipher_key *k;

	(void)state;
	assert_int_equal(cipher_key_new(&k, CIPHER_AES128, HASH_SHA1, span_of(key, 15), span_of(key, 20), false, true), ERR_RANGE);
	assert_int_equal(cipher_key_new(&k, CIPHER_AES128, HASH_SHA1, span_of(key, 16), span_of(key, 0), false, true), ERR_RANGE);
	assert_int_equal(
		cipher_key_new(&k, CIPHER_AES128_GCM, HASH_NONE, span_of(key, 16), span_of(key, 0), false, true), ERR_RANGE);
	assert_int_equal(
		cipher_key_new(&k, CIPHER_AES128_GCM, HASH_SHA1, span_of(key, 20), span_of(key, 20), false, true), ERR_UNSUPPORTED);
	assert_int_equal(
		cipher_key_new(&k, CIPHER_NULL, HASH_NONE, span_of(key, 0), span_of(key, 0), false, true), ERR_UNSUPPORTED);
	assert_int_equal(
		cipher_key_new(&k, CIPHER_COUNT, HASH_NONE, span_of(key, 0), span_of(key, 0), false, true), ERR_UNSUPPORTED);
	assert_int_equal(
		cipher_key_new(&k, CIPHER_NONE, HASH_NONE, span_of(key, 0), span_of(key, 0), false, true), ERR_UNSUPPORTED);
	assert_int_equal(cipher_key_new(&k, CIPHER_NONE, HASH_SHA1, span_of(key, 16), span_of(key, 20), false, true), ERR_RANGE);
	assert_int_equal(
		cipher_key_new(&k, CIPHER_AES128_CTR, HASH_NONE, span_of(key, 20), span_of(key, 0), false, true), ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(both_workings_agree),
		cmocka_unit_test(ah_icv),
		cmocka_unit_test(refused_keys),
	};

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
