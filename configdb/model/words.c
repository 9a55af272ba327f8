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

enum alg_cipher cipher_of_esp(const char *word)
{
	static const struct pair pairs[] = { { "esp-null", CIPHER_NULL }, { "esp-des", CIPHER_DES }, { "esp-3des", CIPHER_3DES },
		{ "esp-aes", CIPHER_AES128 }, { "esp-aes 128", CIPHER_AES128 }, { "esp-aes 192", CIPHER_AES192 },
		{ "esp-aes 256", CIPHER_AES256 }, { "esp-gcm", CIPHER_AES128_GCM }, { "esp-gcm 128", CIPHER_AES128_GCM },
		{ "esp-gcm 192", CIPHER_AES192_GCM }, { "esp-gcm 256", CIPHER_AES256_GCM }, { "esp-gmac", CIPHER_AES128_GMAC },
		{ "esp-gmac 128", CIPHER_AES128_GMAC }, { "esp-gmac 192", CIPHER_AES192_GMAC },
		{ "esp-gmac 256", CIPHER_AES256_GMAC } };
	return (enum alg_cipher)FIND(pairs, word);
}

enum alg_hash hash_of_esp(const char *word)
{
	static const struct pair pairs[] = { { "esp-md5-hmac", HASH_MD5 }, { "esp-sha-hmac", HASH_SHA1 },
		{ "esp-sha256-hmac", HASH_SHA256 }, { "esp-sha384-hmac", HASH_SHA384 }, { "esp-sha512-hmac", HASH_SHA512 } };
	return (enum alg_hash)FIND(pairs, word);
}
