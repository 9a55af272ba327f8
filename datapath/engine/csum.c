/* Sums in 32-bit words held in 64-bit lanes, so that no carry is lost and the compiler's vectors can do four at a time. */
#include "datapath/engine/csum.h"

#include <arpa/inet.h>
#include <immintrin.h>
#include <string.h>

static uint64_t sum_tail(uint64_t sum, const uint8_t *p, size_t len)
{
	for (; len >= 4; p += 4, len -= 4) {
		uint32_t w;

		memcpy(&w, p, 4);
		sum += w;
	}
	if (len > 0) {
		uint32_t w = 0;

		memcpy(&w, p, len);
		sum += w;
	}
	return sum;
}

__attribute__((target("avx2"))) static uint64_t sum_avx2(uint64_t sum, const uint8_t *p, size_t len)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i a = zero, b = zero;
	uint64_t lanes[4];

	for (; len >= 32; p += 32, len -= 32) {
		__m256i w = _mm256_loadu_si256((const __m256i *)(const void *)p);

		a = _mm256_add_epi64(a, _mm256_unpacklo_epi32(w, zero));
		b = _mm256_add_epi64(b, _mm256_unpackhi_epi32(w, zero));
	}
	_mm256_storeu_si256((__m256i *)(void *)lanes, _mm256_add_epi64(a, b));
	return sum_tail(sum + lanes[0] + lanes[1] + lanes[2] + lanes[3], p, len);
}

uint64_t csum_add(uint64_t sum, const void *data, size_t len)
{
	if (len >= 64 && __builtin_cpu_supports("avx2"))
		return sum_avx2(sum, data, len);
	return sum_tail(sum, data, len);
}

uint64_t csum_copy(uint64_t sum, void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	return csum_add(sum, to, len);
}

uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t csum_pseudo(uint32_t src, uint32_t dst, uint8_t protocol, uint16_t len)
{
	return (uint64_t)htonl(src) + htonl(dst) + htons(protocol) + htons(len);
}
