/* How what lies in keys.db is sealed, and the key under which that is done.
 *
 * SIV needs no nonce and is deterministic, which type 6 wants: the same value under the same key prints the same text, and its
 * synthetic IV authenticates the text when it is read again.
 *
 * machine.key stands beside keys.db and holds nothing but random bytes. It is made once and never changes, so that every change
 * of keys is one transaction in one file.
 */
#include "configdb/machine_key.h"
#include "configdb/secrets_impl.h"
#include "platform/base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err seal(const uint8_t key[SEAL_KEY_LEN], struct span value, uint8_t *text)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = cipher && ctx && EVP_EncryptInit_ex2(ctx, cipher, key, NULL, NULL) == 1 &&
		  EVP_EncryptUpdate(ctx, text + SEAL_EXTRA, &n, value.data, (int)value.len) == 1 && n == (int)value.len &&
		  EVP_EncryptFinal_ex(ctx, text + SEAL_EXTRA + n, &n) == 1 &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_EXTRA, text) == 1;

	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return ok ? ERR_OK : ERR_CRYPTO;
}

/* Leaves nothing behind on failure. */
enum err unseal(const uint8_t key[SEAL_KEY_LEN], struct span text, uint8_t *value)
{
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
	size_t len = text.len - SEAL_EXTRA;
	int n = 0;
	enum err e = ERR_CRYPTO;

	if (text.len <= SEAL_EXTRA)
		return ERR_INVALID;
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
	ctx = EVP_CIPHER_CTX_new();
	if (cipher && ctx && EVP_DecryptInit_ex2(ctx, cipher, key, NULL, NULL) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_EXTRA, (void *)text.data) == 1)
		e = EVP_DecryptUpdate(ctx, value, &n, text.data + SEAL_EXTRA, (int)len) == 1 && n == (int)len ? ERR_OK : ERR_AUTH;
	if (e != ERR_OK)
		wipe(value, len);
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return e;
}

bool machine_key_path(char *out, size_t size, const char *beside)
{
	const char *slash = strrchr(beside, '/');
	int n = snprintf(out, size, "%.*smachine.key", slash ? (int)(slash - beside) + 1 : 0, beside);

	return n > 0 && (size_t)n < size;
}

enum err machine_key_read(const char *path, uint8_t key[MACHINE_KEY_LEN])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	enum err e = ERR_INVALID;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYS;
	if (fstat(fd, &st) == 0 && st.st_size == MACHINE_KEY_LEN && read(fd, key, MACHINE_KEY_LEN) == MACHINE_KEY_LEN)
		e = ERR_OK;
	close(fd);
	return e;
}

static bool file_write(const char *path, const uint8_t key[MACHINE_KEY_LEN])
{
	int fd;
	bool ok;

	unlink(path); /* of one who was killed here */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	ok = write(fd, key, MACHINE_KEY_LEN) == MACHINE_KEY_LEN && fsync(fd) == 0;
	close(fd);
	return ok;
}

static bool folder_sync(const char *file)
{
	char folder[300] = ".";
	const char *slash = strrchr(file, '/');
	int fd;
	bool ok;

	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", slash == file ? 1 : (int)(slash - file), file);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

enum err machine_key_make(const char *path)
{
	uint8_t key[MACHINE_KEY_LEN];
	char draft[320];
	enum err e = machine_key_read(path, key);

	if (e == ERR_NOT_FOUND) {
		env_system.random(env_system.ctx, key, sizeof(key));
		snprintf(draft, sizeof(draft), "%s.new", path);
		e = file_write(draft, key) && rename(draft, path) == 0 && folder_sync(path) ? ERR_OK : ERR_SYS;
	}
	wipe(key, sizeof(key));
	return e;
}
