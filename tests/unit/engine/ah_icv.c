/* See ah_icv.h. */
#include "ah_icv.h"

#include "enginerig.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* HMAC-SHA256-128 by OpenSSL's own function over what the RFC says, put together here once more by hand. */
void ah_icv_check(const uint8_t *packet, uint32_t len, uint32_t high, bool esn)
{
	uint8_t copy[4096], key[32], mac[32];
	unsigned n;

	memcpy(copy, packet, len);
	copy[1] = copy[6] = copy[7] = copy[8] = copy[10] = copy[11] = 0;
	memset(copy + 32, 0, 16);
	put32(copy + len, high);
	memset(key, 0x33, 32);
	assert_non_null(HMAC(EVP_sha256(), key, 32, copy, len + (esn ? 4u : 0), mac, &n));
	assert_memory_equal(mac, packet + 32, 16);
}
