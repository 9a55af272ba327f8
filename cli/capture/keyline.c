/* Wireshark's names of algorithms. */
#include "cli/capture/keyline.h"

#include "configdb/alg.h"
#include "platform/base/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const ciphers[CIPHER_COUNT] = {
	[CIPHER_NULL] = "NULL",
	[CIPHER_DES] = "DES-CBC [RFC2405]",
	[CIPHER_3DES] = "TripleDES-CBC [RFC2451]",
	[CIPHER_AES128] = "AES-CBC [RFC3602]",
	[CIPHER_AES192] = "AES-CBC [RFC3602]",
	[CIPHER_AES256] = "AES-CBC [RFC3602]",
	[CIPHER_AES128_CTR] = "AES-CTR [RFC3686]",
	[CIPHER_AES192_CTR] = "AES-CTR [RFC3686]",
	[CIPHER_AES256_CTR] = "AES-CTR [RFC3686]",
	[CIPHER_AES128_GCM] = "AES-GCM with 16 octet ICV [RFC4106]",
	[CIPHER_AES192_GCM] = "AES-GCM with 16 octet ICV [RFC4106]",
	[CIPHER_AES256_GCM] = "AES-GCM with 16 octet ICV [RFC4106]",
};

/* `any`: not checked, only its length is known. With extended sequence numbers the upper half is under the ICV (RFC 4303, 2.2.1),
 * which Wireshark 4.0 does not put there. */
static const struct {
	const char *checked, *any;
} hashes[HASH_COUNT] = {
	[HASH_NONE] = { "NULL", "NULL" },
	[HASH_MD5] = { "HMAC-MD5-96 [RFC2403]", "ANY 96 bit authentication [no checking]" },
	[HASH_SHA1] = { "HMAC-SHA-1-96 [RFC2404]", "ANY 96 bit authentication [no checking]" },
	[HASH_SHA256] = { "HMAC-SHA-256-128 [RFC4868]", "ANY 128 bit authentication [no checking]" },
	[HASH_SHA384] = { "HMAC-SHA-384-192 [RFC4868]", "ANY 192 bit authentication [no checking]" },
	[HASH_SHA512] = { "HMAC-SHA-512-256 [RFC4868]", "ANY 256 bit authentication [no checking]" },
	[HASH_AES_XCBC] = { NULL, "ANY 96 bit authentication [no checking]" },
	[HASH_AES_CMAC] = { NULL, "ANY 96 bit authentication [no checking]" },
};

static void hex(char *out, size_t size, struct span key)
{
	out[0] = '\0';
	if (key.len == 0)
		return;
	memcpy(out, "0x", 3);
	hex_print(out + 2, size - 2, key);
}

void keyline_ike(char out[KEYLINE], const struct ikem_key *k)
{
	char key[2 * sizeof(k->key) + 3];

	hex_print(key, sizeof(key), span_of(k->key, k->len <= sizeof(k->key) ? k->len : 0));
	snprintf(out, KEYLINE, "uat:ikev1_decryption_table:%016" PRIx64 ",%s\n", k->cookie_i, key);
	wipe(key, sizeof(key));
}

void keyline_esp(char out[KEYLINE], const struct dpm_key *k)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT], cipher_key[2 * DP_KEY_MAX + 3], auth_key[2 * DP_KEY_MAX + 3];
	const char *cipher = k->cipher < CIPHER_COUNT ? ciphers[k->cipher] : NULL, *auth = NULL;

	addr_print(src, k->src);
	addr_print(dst, k->dst);
	if (k->auth < HASH_COUNT)
		auth = k->esn || !hashes[k->auth].checked ? hashes[k->auth].any : hashes[k->auth].checked;
	if (!cipher || !auth) {
		snprintf(out, KEYLINE, "uat:esp_sa:# %s -> %s, SPI 0x%08" PRIx32 ": Wireshark has no decoder for its algorithms\n",
			src, dst, k->spi);
		return;
	}
	hex(cipher_key, sizeof(cipher_key), span_of(k->cipher_key, k->cipher_key_len));
	hex(auth_key, sizeof(auth_key), span_of(k->auth_key, k->auth_key_len));
	snprintf(out, KEYLINE, "uat:esp_sa:\"IPv4\",\"%s\",\"%s\",\"0x%08" PRIx32 "\",\"%s\",\"%s\",\"%s\",\"%s\"\n", src, dst,
		k->spi, cipher, cipher_key, auth, auth_key);
	wipe(cipher_key, sizeof(cipher_key));
	wipe(auth_key, sizeof(auth_key));
}
