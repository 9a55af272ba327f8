/* AH: its header, and the mutable fields of IPv4. */
#include "datapath/engine/ah.h"

#include "datapath/engine/inner.h"

#include <string.h>

uint8_t ah_len(uint8_t icv)
{
	return (uint8_t)((AH_FIXED + icv + 3) & ~3);
}

bool ah_len_valid(uint8_t icv, uint32_t len)
{
	return len == ah_len(icv) || len == (((uint32_t)AH_FIXED + icv + 7) & ~7u);
}

void ah_frame(uint8_t *ah, uint8_t icv, uint8_t next, uint32_t spi, uint32_t seq)
{
	memset(ah, 0, ah_len(icv));
	ah[0] = next;
	ah[1] = (uint8_t)(ah_len(icv) / 4 - 2);
	put32(ah + 4, spi);
	put32(ah + 8, seq);
}

/* Options that nobody changes (appendix A1). All others, known or not, count as zeros, whole. */
static bool immutable(uint8_t option)
{
	static const uint8_t kept[] = {
		0x82, /* security */
		0x85, /* extended security */
		0x86, /* commercial security */
		0x94, /* router alert */
		0x95, /* sender directed multi-destination delivery */
	};

	return memchr(kept, option, sizeof(kept)) != NULL;
}

static bool mute_options(uint8_t *at, uint32_t len)
{
	while (len > 0 && at[0] != 0) {
		uint32_t n = 1;

		if (at[0] != 1) { /* no operation */
			n = len > 1 ? at[1] : 0;
			if (n < 2 || n > len)
				return false;
			if (!immutable(at[0]))
				memset(at, 0, n);
		}
		at += n;
		len -= n;
	}
	return true;
}

bool ah_mute(uint8_t *header, uint32_t len)
{
	header[1] = 0;               /* DSCP and ECN */
	header[6] = header[7] = 0;   /* flags and fragment offset */
	header[8] = 0;               /* time to live */
	header[10] = header[11] = 0; /* checksum */
	return mute_options(header + 20, len - 20);
}
