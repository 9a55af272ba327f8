/* Key material of bounded size: lives on the stack or inside its owner, is wiped when it ends. */
#ifndef POSTERN_BASE_SECRET_H
#define POSTERN_BASE_SECRET_H

#include "bytes.h"
#include "err.h"

#define SECRET_MAX 256

struct secret {
	uint16_t len;
	uint8_t bytes[SECRET_MAX];
};

enum err secret_set(struct secret *s, struct span from) MUST_CHECK; /* ERR_RANGE if longer than SECRET_MAX */
void secret_wipe(struct secret *s);
static inline struct span secret_span(const struct secret *s)
{
	return span_of(s->bytes, s->len);
}
/* OPENSSL_cleanse */
void wipe(void *p, size_t n);

#endif
