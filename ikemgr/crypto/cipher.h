/* CBC encryption of ISAKMP messages: DES, 3DES, AES (RFC 2409 appendix B, RFC 3602).
 *
 * Works in place on whole blocks; padding is the message's own business. The IV is chained by the caller's buffer: after the
 * call it holds the last ciphertext block, which is the next message's IV (RFC 2409, appendix B).
 */
#ifndef POSTERN_IKEMGR_CRYPTO_CIPHER_H
#define POSTERN_IKEMGR_CRYPTO_CIPHER_H

#include "configdb/alg.h"
#include "platform/base/bytes.h"
#include "platform/base/err.h"

#define CIPHER_BLOCK_MAX 16

/* ERR_INVALID: wrong key length, no data or not whole blocks; ERR_UNSUPPORTED: not a CBC cipher, or the library lacks it. Then
 * neither data nor iv has changed. `iv` has block_len bytes (cipher_block). */
enum err cipher_encrypt(enum alg_cipher cipher, struct span key, uint8_t *iv, struct span data) MUST_CHECK;
enum err cipher_decrypt(enum alg_cipher cipher, struct span key, uint8_t *iv, struct span data) MUST_CHECK;
/* Bytes of a block and of the key; 0 if it is not a CBC cipher of phase 1. */
size_t cipher_block(enum alg_cipher cipher);
size_t cipher_key_len(enum alg_cipher cipher);

#endif
