/* Password hashes as IOS writes them.
 *
 *   5   $1$salt$...     md5-crypt; four characters of salt
 *   8   $8$salt$hash    PBKDF2-HMAC-SHA256, 20,000 rounds
 *   9   $9$salt$hash    scrypt, N 16384, r 1, p 1
 *
 * The salt of 8 and 9 is fourteen characters, used as they are printed; the hash is 32 bytes, 43 characters (c64.h).
 */
#include "secrets.h"

#include "c64.h"
#include "platform/base/env.h"
#include "platform/base/mem.h"

#include <crypt.h>
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define SALT_LEN      14
#define HASH_BYTES    32
#define HASH_LEN      43
#define PBKDF2_ROUNDS 20000
#define SCRYPT_N      16384

static const char c64_set[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void new_salt(char *out, size_t len)
{
	uint8_t random[SALT_LEN];

	env_system.random(env_system.ctx, random, len);
	for (size_t i = 0; i < len; i++)
		out[i] = c64_set[random[i] & 63];
	out[len] = '\0';
}

/* The hash part of type 8 or 9. */
static enum err derive(int type, struct span password, const char salt[SALT_LEN], char out[HASH_LEN + 1])
{
	uint8_t key[HASH_BYTES];
	const unsigned char *s = (const unsigned char *)salt;
	const char *p = password.len ? (const char *)password.data : "";
	int ok;

	if (type == 8)
		ok = PKCS5_PBKDF2_HMAC(p, (int)password.len, s, SALT_LEN, PBKDF2_ROUNDS, EVP_sha256(), sizeof(key), key);
	else
		ok = EVP_PBE_scrypt(p, password.len, s, SALT_LEN, SCRYPT_N, 1, 1, 64 << 20, key, sizeof(key));
	if (ok == 1)
		c64_print(out, span_of(key, sizeof(key)));
	wipe(key, sizeof(key));
	return ok == 1 ? ERR_OK : ERR_CRYPTO;
}

/* md5-crypt of `password` with the salt that `setting` begins with. */
static enum err md5_crypt(struct span password, const char *setting, char out[128])
{
	struct crypt_data *data;
	char text[SECRET_MAX + 1];
	const char *hash;
	enum err e = ERR_CRYPTO;

	if (password.len > SECRET_MAX || (password.len && memchr(password.data, 0, password.len)))
		return ERR_RANGE;
	data = mem_zalloc(sizeof(*data));
	if (!data)
		return ERR_NOMEM;
	if (password.len)
		memcpy(text, password.data, password.len);
	text[password.len] = '\0';
	hash = crypt_r(text, setting, data);
	if (hash && hash[0] == '$' && strlen(hash) < 128) {
		strcpy(out, hash);
		e = ERR_OK;
	}
	wipe(text, sizeof(text));
	mem_free_secret(data, sizeof(*data));
	return e;
}

enum err password_hash(int type, struct span password, char out[128])
{
	char salt[SALT_LEN + 1], hash[HASH_LEN + 1], setting[16];
	enum err e;

	if (password.len > SECRET_MAX)
		return ERR_RANGE;
	switch (type) {
	case 5:
		new_salt(salt, 4);
		snprintf(setting, sizeof(setting), "$1$%.4s$", salt);
		return md5_crypt(password, setting, out);
	case 8:
	case 9:
		new_salt(salt, SALT_LEN);
		e = derive(type, password, salt, hash);
		if (e == ERR_OK)
			snprintf(out, 128, "$%d$%s$%s", type, salt, hash);
		return e;
	default:
		return ERR_UNSUPPORTED;
	}
}

static bool all_c64(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!s[i] || !strchr(c64_set, s[i]))
			return false;
	return true;
}

bool password_hash_valid(int type, const char *hash)
{
	const char *salt_end;

	switch (type) {
	case 5:
		if (strncmp(hash, "$1$", 3) != 0)
			return false;
		salt_end = strchr(hash + 3, '$');
		return salt_end && salt_end > hash + 3 && salt_end - (hash + 3) <= 8 &&
		       all_c64(hash + 3, (size_t)(salt_end - (hash + 3))) && strlen(salt_end + 1) == 22 &&
		       all_c64(salt_end + 1, 22);
	case 8:
	case 9:
		return hash[0] == '$' && hash[1] == '0' + type && hash[2] == '$' && strlen(hash) == 3 + SALT_LEN + 1 + HASH_LEN &&
		       all_c64(hash + 3, SALT_LEN) && hash[3 + SALT_LEN] == '$' && all_c64(hash + 3 + SALT_LEN + 1, HASH_LEN);
	default:
		return false;
	}
}

bool password_verify(const char *hash, struct span password)
{
	char again[128] = "";
	const char *want = hash;

	if (password.len > SECRET_MAX)
		return false;
	if (password_hash_valid(5, hash)) {
		if (md5_crypt(password, hash, again) != ERR_OK)
			return false;
	} else if (password_hash_valid(8, hash) || password_hash_valid(9, hash)) {
		if (derive(hash[1] - '0', password, hash + 3, again) != ERR_OK)
			return false;
		want = hash + 3 + SALT_LEN + 1;
	} else {
		return false;
	}
	return span_equal_ct(span_of(want, strlen(want)), span_of(again, strlen(again)));
}

enum err password_type7(const char *text, struct secret *out)
{
	static const char key[] = "dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87";
	size_t len = strlen(text);
	struct secret plain = { 0 };
	unsigned start;
	int n;

	if (len < 4 || len % 2 || !isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]))
		return ERR_INVALID;
	start = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	if (start > 15)
		return ERR_INVALID;
	n = hex_parse(plain.bytes, sizeof(plain.bytes), text + 2);
	if (n <= 0)
		return ERR_INVALID;
	plain.len = (uint16_t)n;
	for (int i = 0; i < n; i++)
		plain.bytes[i] ^= (uint8_t)key[(start + (unsigned)i) % (sizeof(key) - 1)];
	*out = plain;
	secret_wipe(&plain);
	return ERR_OK;
}
