/* The Internet checksum (RFC 1071). */
#ifndef POSTERN_ENGINE_CSUM_H
#define POSTERN_ENGINE_CSUM_H

#include <stddef.h>
#include <stdint.h>

/* One's complement sum of the bytes as 16-bit words in memory order, added to `sum`; not folded. Parts of one sum must begin
 * at even distances from its start. */
uint64_t csum_add(uint64_t sum, const void *data, size_t len);
/* As csum_add, and copies. */
uint64_t csum_copy(uint64_t sum, void *to, const void *from, size_t len);
/* Folded to 16 bits, not complemented. */
uint16_t csum_fold(uint64_t sum);
/* The checksum as it is written into a packet (memory order). */
static inline uint16_t csum_finish(uint64_t sum)
{
	return (uint16_t)~csum_fold(sum);
}
/* The sum of the pseudo header; addresses, protocol and length in host order. */
uint64_t csum_pseudo(uint32_t src, uint32_t dst, uint8_t protocol, uint16_t len);

#endif
