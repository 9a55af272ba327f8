/* The one list of algorithms: the tables, the probe of OpenSSL, and the ways to find a row.
 *
 * Numbers are IANA's: registry "Internet Key Exchange (IKE) Attributes" for phase 1, "ISAKMP identifiers" for phase 2
 * (RFC 2407, 4.4.4 and 4.5), "IKEv2 parameters". A row that the library at hand cannot run is marked as dropped by
 * alg_init() and is not found from then on.
 */
#include "alg.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define AES_LONG(bits) "AES - Advanced Encryption Standard (" #bits " bit keys)."

/* clang-format off */
#define AES_CBC(bits, words, show) { \
	.id = CIPHER_AES##bits, .name = "AES-CBC-" #bits, .ios_isakmp = "aes" words, .ios_esp = "esp-aes" words, .ios_show = show, \
	.ios_show_isakmp = "aes", .ikev1_enc = 7, .ikev1_esp = 12, .ikev2_encr = 12, .xfrm = "cbc(aes)", \
	.openssl = "AES-" #bits "-CBC", .key_len = bits / 8, .key_bits_attr = bits, .iv_len = 16, .block_len = 16, \
	.rfc = "RFC 3602", .ios_long = AES_LONG(bits) }

/* Salt: the last four bytes of the keying material; the IV on the wire is eight. */
#define AES_AEAD(bits, words, upper, lower, esp, ikev2, xfrm_name, is_gmac, doc) { \
	.id = CIPHER_AES##bits##_##upper, .name = "AES-" #upper "-" #bits, .ios_esp = "esp-" lower words, .ios_show = "esp-" lower words, \
	.ikev1_esp = esp, .ikev2_encr = ikev2, .xfrm = xfrm_name, .openssl = "AES-" #bits "-GCM", .key_len = bits / 8, \
	.key_bits_attr = bits, .salt_len = 4, .iv_len = 8, .block_len = 4, .icv_len = 16, .aead = true, .gmac = is_gmac, .rfc = doc }
#define AES_GCM(bits, words) AES_AEAD(bits, words, GCM, "gcm", 20, 20, "rfc4106(gcm(aes))", false, "RFC 4106")
#define AES_GMAC(bits, words) AES_AEAD(bits, words, GMAC, "gmac", 23, 21, "rfc4543(gcm(aes))", true, "RFC 4543")

/* The nonce is the last four bytes of the keying material: RFC 3686, 5.1. */
#define AES_CTR(bits, words) { \
	.id = CIPHER_AES##bits##_CTR, .name = "AES-CTR-" #bits, .ios_esp = "esp-aes-ctr" words, .ios_show = "esp-aes-ctr" words, \
	.ikev1_esp = 13, .ikev2_encr = 13, .xfrm = "rfc3686(ctr(aes))", .openssl = "AES-" #bits "-CTR", .key_len = bits / 8, \
	.key_bits_attr = bits, .salt_len = 4, .iv_len = 8, .block_len = 4, .rfc = "RFC 3686" }

#define CAMELLIA(bits, words) { \
	.id = CIPHER_CAMELLIA##bits, .name = "CAMELLIA-CBC-" #bits, .ios_esp = "esp-camellia" words, .ios_show = "esp-camellia" words, \
	.ikev1_esp = 22, .ikev2_encr = 23, .xfrm = "cbc(camellia)", .openssl = "CAMELLIA-" #bits "-CBC", .key_len = bits / 8, \
	.key_bits_attr = bits, .iv_len = 16, .block_len = 16, .rfc = "RFC 4312" }

static const struct cipher_alg ciphers[] = {
	{ .id = CIPHER_NULL, .name = "NULL", .ios_esp = "esp-null", .ios_show = "esp-null", .ikev1_esp = 11, .ikev2_encr = 11,
	  .xfrm = "ecb(cipher_null)", .openssl = "NULL", .block_len = 4, .weak = true, .rfc = "RFC 2410" },
	{ .id = CIPHER_DES, .name = "DES-CBC", .ios_isakmp = "des", .ios_esp = "esp-des", .ios_show = "esp-des", .ios_show_isakmp = "des",
	  .ikev1_enc = 1, .ikev1_esp = 2, .ikev2_encr = 2, .xfrm = "cbc(des)", .openssl = "DES-CBC", .key_len = 8, .iv_len = 8,
	  .block_len = 8, .weak = true, .legacy_provider = true, .rfc = "RFC 2405",
	  .ios_long = "DES - Data Encryption Standard (56 bit keys)." },
	{ .id = CIPHER_3DES, .name = "3DES-CBC", .ios_isakmp = "3des", .ios_esp = "esp-3des", .ios_show = "esp-3des",
	  .ios_show_isakmp = "3des", .ikev1_enc = 5, .ikev1_esp = 3, .ikev2_encr = 3, .xfrm = "cbc(des3_ede)", .openssl = "DES-EDE3-CBC",
	  .key_len = 24, .iv_len = 8, .block_len = 8, .weak = true, .rfc = "RFC 2451", .ios_long = "Three key triple DES" },
	AES_CBC(128, "", "esp-aes"),
	AES_CBC(192, " 192", "esp-192-aes"),
	AES_CBC(256, " 256", "esp-256-aes"),
	AES_GCM(128, ""), AES_GCM(192, " 192"), AES_GCM(256, " 256"),
	AES_GMAC(128, ""), AES_GMAC(192, " 192"), AES_GMAC(256, " 256"),
	AES_CTR(128, ""), AES_CTR(192, " 192"), AES_CTR(256, " 256"),
	/* IKEv1 has no number for it: it cannot be offered there. */
	{ .id = CIPHER_CHACHA20_POLY1305, .name = "CHACHA20-POLY1305", .ios_esp = "esp-chacha20-poly1305",
	  .ios_show = "esp-chacha20-poly1305", .ikev2_encr = 28, .xfrm = "rfc7539esp(chacha20,poly1305)", .openssl = "ChaCha20-Poly1305",
	  .key_len = 32, .salt_len = 4, .iv_len = 8, .block_len = 4, .icv_len = 16, .aead = true, .rfc = "RFC 7634" },
	CAMELLIA(128, ""), CAMELLIA(192, " 192"), CAMELLIA(256, " 256"),
};

/* Name in logs, IOS's words, phase 1 hash, phase 2 authentication, AH transform, IKEv2 integrity and PRF, digest and ICV bytes. */
#define HASH(i, n, isakmp, words, text, h1, auth1, ah1, integ, prf2, x, o, digest, icv, is_weak, doc) { \
	.id = i, .name = n, .ios_isakmp = isakmp, .ios_esp = "esp-" words, .ios_ah = "ah-" words, .ios_long = text, .ikev1_hash = h1, \
	.ikev1_auth = auth1, .ikev1_ah = ah1, .ikev2_integ = integ, .ikev2_prf = prf2, .xfrm = x, .openssl = o, .mac = "HMAC", \
	.digest_len = digest, .key_len = digest, .icv_len = icv, .weak = is_weak, .rfc = doc }
/* Integrity by AES-128 in CBC: no hash, and no PRF here. */
#define AES_MAC(i, n, words, auth1, ah1, integ, x, m, doc) { \
	.id = i, .name = n, .ios_esp = "esp-" words, .ios_ah = "ah-" words, .ikev1_auth = auth1, .ikev1_ah = ah1, .ikev2_integ = integ, \
	.xfrm = x, .openssl = "AES-128-CBC", .mac = m, .digest_len = 16, .key_len = 16, .icv_len = 12, .rfc = doc }

static const struct hash_alg hashes[] = {
	HASH(HASH_MD5, "HMAC-MD5", "md5", "md5-hmac", "Message Digest 5", 1, 1, 2, 1, 1, "hmac(md5)", "MD5", 16, 12, true, "RFC 2403"),
	HASH(HASH_SHA1, "HMAC-SHA1", "sha", "sha-hmac", "Secure Hash Standard", 2, 2, 3, 2, 2, "hmac(sha1)", "SHA1", 20, 12, true, "RFC 2404"),
	HASH(HASH_SHA256, "HMAC-SHA256", "sha256", "sha256-hmac", "Secure Hash Standard 2 (256 bit)", 4, 5, 5, 12, 5, "hmac(sha256)", "SHA256", 32, 16, false, "RFC 4868"),
	HASH(HASH_SHA384, "HMAC-SHA384", "sha384", "sha384-hmac", "Secure Hash Standard 2 (384 bit)", 5, 6, 6, 13, 6, "hmac(sha384)", "SHA384", 48, 24, false, "RFC 4868"),
	HASH(HASH_SHA512, "HMAC-SHA512", "sha512", "sha512-hmac", "Secure Hash Standard 2 (512 bit)", 6, 7, 7, 14, 7, "hmac(sha512)", "SHA512", 64, 32, false, "RFC 4868"),
	AES_MAC(HASH_AES_XCBC, "AES-XCBC", "aes-xcbc-mac", 9, 9, 5, "xcbc(aes)", NULL, "RFC 3566"),
	/* IKEv1 has no number for it. */
	AES_MAC(HASH_AES_CMAC, "AES-CMAC", "aes-cmac", 0, 0, 8, "cmac(aes)", "CMAC", "RFC 4494"),
};

/* OpenSSL names no MODP group below 1536 bits: for "modp_768" and "modp_1024" the prime is given as a parameter. */
#define MODP(n, size, is_weak, doc) { .id = GROUP_##n, .ios = "group" #n, .ios_bits = #size " bit", .openssl = "modp_" #size, \
	.bits = size, .public_len = size / 8, .shared_len = size / 8, .weak = is_weak, .ikev1 = true, .rfc = doc }
/* KE is x and y, the shared secret x alone: RFC 5903, 7. */
#define ECP(n, size, curve, text, doc) { .id = GROUP_##n, .ios = "group" #n, .ios_bits = #size " bit, " text, .openssl = curve, \
	.bits = size, .public_len = 2 * ((size + 7) / 8), .shared_len = (size + 7) / 8, .kind = GROUP_ECP, .ikev1 = true, .rfc = doc }
#define XDH(n, size, curve, length) { .id = GROUP_##n, .ios = "group" #n, .ios_bits = #size " bit, " curve, .openssl = curve, \
	.bits = size, .public_len = length, .shared_len = length, .kind = GROUP_XDH, .rfc = "RFC 8031" }

static const struct group_alg groups[] = {
	MODP(1, 768, true, "RFC 2409, 6.1"),
	MODP(2, 1024, true, "RFC 2409, 6.2"),
	MODP(5, 1536, true, "RFC 3526"),
	MODP(14, 2048, false, "RFC 3526"),
	MODP(15, 3072, false, "RFC 3526"),
	MODP(16, 4096, false, "RFC 3526"),
	MODP(18, 8192, false, "RFC 3526"),
	ECP(19, 256, "prime256v1", "ecp", "RFC 5903"),
	ECP(20, 384, "secp384r1", "ecp", "RFC 5903"),
	ECP(21, 521, "secp521r1", "ecp", "RFC 5903"),
	{ .id = GROUP_24, .ios = "group24", .ios_bits = "2048 bit, 256 bit subgroup", .openssl = "dh_2048_256", .bits = 2048,
	  .public_len = 256, .shared_len = 256, .weak = true, .ikev1 = true, .rfc = "RFC 5114, 2.3" },
	ECP(28, 256, "brainpoolP256r1", "brainpool", "RFC 6954"),
	ECP(29, 384, "brainpoolP384r1", "brainpool", "RFC 6954"),
	ECP(30, 512, "brainpoolP512r1", "brainpool", "RFC 6954"),
	XDH(31, 255, "X25519", 32),
	XDH(32, 448, "X448", 56),
};
/* clang-format on */

static bool cipher_dropped[COUNT(ciphers)], hash_dropped[COUNT(hashes)], group_dropped[COUNT(groups)];

static bool cipher_works(const struct cipher_alg *a)
{
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, a->openssl, NULL);
	bool ok = c && (a->id == CIPHER_NULL || EVP_CIPHER_get_key_length(c) == a->key_len);

	EVP_CIPHER_free(c);
	return ok;
}

static bool aes_mac_works(const struct hash_alg *a)
{
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, a->openssl, NULL);
	EVP_MAC *mac = a->mac ? EVP_MAC_fetch(NULL, a->mac, NULL) : NULL;
	bool ok = c && EVP_CIPHER_get_key_length(c) == a->key_len && (mac || !a->mac);

	EVP_MAC_free(mac);
	EVP_CIPHER_free(c);
	return ok;
}

static bool hash_works(const struct hash_alg *a)
{
	EVP_MD *md = EVP_MD_fetch(NULL, a->openssl, NULL);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	bool ok = md && mac && EVP_MD_get_size(md) == a->digest_len;

	EVP_MAC_free(mac);
	EVP_MD_free(md);
	return ok;
}

static bool group_works(const struct group_alg *a)
{
	const char *type = a->kind == GROUP_XDH ? a->openssl : a->kind == GROUP_ECP ? "EC" : "DH";
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *params = NULL;
	bool ok = false;

	if (!ctx)
		return false;
	if (a->kind == GROUP_XDH || (a->kind == GROUP_MODP && a->bits < 1536)) {
		ok = true;
	} else if (EVP_PKEY_paramgen_init(ctx) == 1) {
		OSSL_PARAM p[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)a->openssl, 0),
			OSSL_PARAM_construct_end() };

		ok = EVP_PKEY_CTX_set_params(ctx, p) == 1 && EVP_PKEY_paramgen(ctx, &params) == 1;
	}
	EVP_PKEY_free(params);
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

void alg_init(void)
{
	/* Loading any provider by hand turns the implicit default one off, so both are named. They stay for good. */
	static OSSL_PROVIDER *kept[2];

	if (!kept[0])
		kept[0] = OSSL_PROVIDER_load(NULL, "default");
	if (!kept[1])
		kept[1] = OSSL_PROVIDER_try_load(NULL, "legacy", 1);
	for (size_t i = 0; i < COUNT(ciphers); i++)
		cipher_dropped[i] = !cipher_works(&ciphers[i]);
	for (size_t i = 0; i < COUNT(hashes); i++)
		hash_dropped[i] = !(hashes[i].ikev1_hash ? hash_works(&hashes[i]) : aes_mac_works(&hashes[i]));
	for (size_t i = 0; i < COUNT(groups); i++)
		group_dropped[i] = !group_works(&groups[i]);
}

const struct cipher_alg *cipher_at(size_t n)
{
	for (size_t i = 0; i < COUNT(ciphers); i++)
		if (!cipher_dropped[i] && n-- == 0)
			return &ciphers[i];
	return NULL;
}

const struct hash_alg *hash_at(size_t n)
{
	for (size_t i = 0; i < COUNT(hashes); i++)
		if (!hash_dropped[i] && n-- == 0)
			return &hashes[i];
	return NULL;
}

const struct group_alg *group_at(size_t n)
{
	for (size_t i = 0; i < COUNT(groups); i++)
		if (!group_dropped[i] && n-- == 0)
			return &groups[i];
	return NULL;
}

const struct cipher_alg *cipher_find(enum alg_cipher id)
{
	for (size_t i = 0; i < COUNT(ciphers); i++)
		if (!cipher_dropped[i] && ciphers[i].id == id)
			return &ciphers[i];
	return NULL;
}

/* An absent key length means 128 bits for AES-CBC (RFC 3602, 5.1) and nothing for the AEADs, which must say it
 * (RFC 4106, 8.3). Ciphers of one key size must not send it (RFC 2407, 4.5). */
static bool key_length_fits(const struct cipher_alg *a, unsigned key_bits)
{
	if (key_bits == 0 && a->id == CIPHER_AES128)
		return true;
	return a->key_bits_attr == key_bits;
}

const struct cipher_alg *cipher_by_ikev1(uint16_t enc, unsigned key_bits)
{
	for (size_t i = 0; enc && i < COUNT(ciphers); i++)
		if (!cipher_dropped[i] && ciphers[i].ikev1_enc == enc && key_length_fits(&ciphers[i], key_bits))
			return &ciphers[i];
	return NULL;
}

const struct cipher_alg *cipher_by_ikev1_esp(uint8_t transform, unsigned key_bits)
{
	for (size_t i = 0; transform && i < COUNT(ciphers); i++)
		if (!cipher_dropped[i] && ciphers[i].ikev1_esp == transform && key_length_fits(&ciphers[i], key_bits))
			return &ciphers[i];
	return NULL;
}

const struct hash_alg *hash_find(enum alg_hash id)
{
	for (size_t i = 0; i < COUNT(hashes); i++)
		if (!hash_dropped[i] && hashes[i].id == id)
			return &hashes[i];
	return NULL;
}

const struct hash_alg *hash_by_ikev1(uint16_t hash)
{
	for (size_t i = 0; hash && i < COUNT(hashes); i++)
		if (!hash_dropped[i] && hashes[i].ikev1_hash == hash)
			return &hashes[i];
	return NULL;
}

const struct hash_alg *hash_by_ikev1_auth(uint16_t auth)
{
	for (size_t i = 0; auth && i < COUNT(hashes); i++)
		if (!hash_dropped[i] && hashes[i].ikev1_auth == auth)
			return &hashes[i];
	return NULL;
}

const struct hash_alg *hash_by_ikev1_ah(uint8_t transform)
{
	for (size_t i = 0; transform && i < COUNT(hashes); i++)
		if (!hash_dropped[i] && hashes[i].ikev1_ah == transform)
			return &hashes[i];
	return NULL;
}

const struct group_alg *group_find(unsigned id)
{
	for (size_t i = 0; id && i < COUNT(groups); i++)
		if (!group_dropped[i] && groups[i].id == id)
			return &groups[i];
	return NULL;
}
