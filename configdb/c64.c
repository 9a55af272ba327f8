#include "c64.h"

#include <string.h>

static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void c64_print(char *out, struct span s)
{
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < s.len; i++) {
		bits = bits << 8 | s.data[i];
		for (n += 8; n >= 6; n -= 6)
			*out++ = alphabet[bits >> (n - 6) & 63];
	}
	if (n)
		*out++ = alphabet[bits << (6 - n) & 63];
	*out = '\0';
}

int c64_parse(uint8_t *out, size_t size, const char *text)
{
	uint32_t bits = 0;
	unsigned n = 0;
	size_t len = 0;

	for (; *text; text++) {
		const char *at = strchr(alphabet, *text);

		if (!at)
			return -1;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		n += 6;
		if (n >= 8) {
			if (len == size)
				return -1;
			n -= 8;
			out[len++] = (uint8_t)(bits >> n);
		}
	}
	/* What is left over must be padding, and zero: one text for one value. */
	if (n >= 6 || (bits & ((1u << n) - 1)))
		return -1;
	return (int)len;
}
