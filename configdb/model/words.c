/* IOS's words of algorithms to their numbers. */
#include "configdb/model/stmt.h"

#include <string.h>

struct pair {
	const char *word;
	int id;
};

static int find(const struct pair *pairs, size_t n, const char *word)
{
	for (size_t i = 0; word && i < n; i++)
		if (!strcmp(pairs[i].word, word))
			return pairs[i].id;
	return 0;
}
#define FIND(pairs, word) find(pairs, sizeof pairs / sizeof *pairs, word)

enum alg_cipher cipher_of_isakmp(const char *word)
{
	static const struct pair pairs[] = { { "des", CIPHER_DES }, { "3des", CIPHER_3DES }, { "aes", CIPHER_AES128 },
		{ "aes 128", CIPHER_AES128 }, { "aes 192", CIPHER_AES192 }, { "aes 256", CIPHER_AES256 } };
	return (enum alg_cipher)FIND(pairs, word);
}

enum alg_hash hash_of_isakmp(const char *word)
{
	static const struct pair pairs[] = { { "md5", HASH_MD5 }, { "sha", HASH_SHA1 }, { "sha256", HASH_SHA256 },
		{ "sha384", HASH_SHA384 }, { "sha512", HASH_SHA512 } };
	return (enum alg_hash)FIND(pairs, word);
}

#define AES_SIZES(word, id)                                                                                                        \
	{ word, CIPHER_##id##128 }, { word " 128", CIPHER_##id##128 }, { word " 192", CIPHER_##id##192 },                          \
	{                                                                                                                          \
		word " 256", CIPHER_##id##256                                                                                      \
	}
#define AES_MODE_SIZES(word, mode)                                                                                                 \
	{ word, CIPHER_AES128_##mode }, { word " 128", CIPHER_AES128_##mode }, { word " 192", CIPHER_AES192_##mode },              \
	{                                                                                                                          \
		word " 256", CIPHER_AES256_##mode                                                                                  \
	}

/* Also of what the library at hand lacks: such a set is there, and cannot be used. */
enum alg_cipher cipher_of_esp(const char *word)
{
	static const struct pair pairs[] = { { "esp-null", CIPHER_NULL }, { "esp-des", CIPHER_DES }, { "esp-3des", CIPHER_3DES },
		AES_SIZES("esp-aes", AES), AES_MODE_SIZES("esp-gcm", GCM), AES_MODE_SIZES("esp-gmac", GMAC),
		AES_MODE_SIZES("esp-aes-ctr", CTR), { "esp-chacha20-poly1305", CIPHER_CHACHA20_POLY1305 },
		AES_SIZES("esp-camellia", CAMELLIA) };
	return (enum alg_cipher)FIND(pairs, word);
}

static const struct pair integrity[] = { { "md5-hmac", HASH_MD5 }, { "sha-hmac", HASH_SHA1 }, { "sha256-hmac", HASH_SHA256 },
	{ "sha384-hmac", HASH_SHA384 }, { "sha512-hmac", HASH_SHA512 }, { "aes-xcbc-mac", HASH_AES_XCBC },
	{ "aes-cmac", HASH_AES_CMAC } };

enum alg_hash hash_of_esp(const char *word)
{
	return word && !strncmp(word, "esp-", 4) ? (enum alg_hash)FIND(integrity, word + 4) : HASH_NONE;
}

enum alg_hash hash_of_ah(const char *word)
{
	return word && !strncmp(word, "ah-", 3) ? (enum alg_hash)FIND(integrity, word + 3) : HASH_NONE;
}
