/* See prefixes.h. */
#include "datapath/prefixes.h"

/* The longest run of addresses that begins at `from`, is aligned to its own size and ends at `to` or before: as a wildcard. */
static uint32_t run_at(uint32_t from, uint32_t to)
{
	uint32_t wild = 0;

	for (uint32_t next = 1; (from & next) == 0 && (from | next) <= to; next = next << 1 | 1) {
		wild = next;
		if (next == UINT32_MAX)
			break;
	}
	return wild;
}

size_t prefixes_of(struct prefix out[PREFIXES_MAX], uint32_t from, uint32_t to)
{
	size_t n = 0;

	for (;;) {
		uint32_t wild = run_at(from, to);

		out[n++] = (struct prefix){ from, ~wild };
		if ((from | wild) == to || n == PREFIXES_MAX)
			return n;
		from = (from | wild) + 1;
	}
}
