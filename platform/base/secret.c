/* Key material: copied in, wiped when done. */
#include "platform/base/secret.h"

#include <openssl/crypto.h>
#include <string.h>

void wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

enum err secret_set(struct secret *s, struct span from)
{
	if (from.len > SECRET_MAX)
		return ERR_RANGE;
	if (from.len > 0)
		memmove(s->bytes, from.data, from.len);
	wipe(s->bytes + from.len, SECRET_MAX - from.len);
	s->len = (uint16_t)from.len;
	return ERR_OK;
}

void secret_wipe(struct secret *s)
{
	wipe(s, sizeof(*s));
}
