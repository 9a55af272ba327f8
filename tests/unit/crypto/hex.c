#include "hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct span unhex(const char *text)
{
	static uint8_t buffers[8][1024];
	static unsigned next;
	uint8_t *out = buffers[next++ % 8];
	int n = hex_parse(out, sizeof(buffers[0]), text);

	assert_true(n >= 0);
	return span_of(out, (size_t)n);
}

void assert_hex(struct span got, const char *text)
{
	char out[2049];

	assert_string_equal(hex_print(out, sizeof(out), got), text);
}
