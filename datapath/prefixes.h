/* A range of IPv4 addresses as the fewest prefixes that make it up. */
#ifndef POSTERN_DATAPATH_PREFIXES_H
#define POSTERN_DATAPATH_PREFIXES_H

#include <stddef.h>
#include <stdint.h>

#define PREFIXES_MAX 62 /* of 0.0.0.1-255.255.255.254, which needs the most */

struct prefix {
	uint32_t addr, mask;
};

/* Returns how many; `from` is not above `to`. */
size_t prefixes_of(struct prefix out[PREFIXES_MAX], uint32_t from, uint32_t to);

#endif
