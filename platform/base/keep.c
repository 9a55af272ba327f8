/* Locked pages of their own, left out of core dumps. */
#include "platform/base/keep.h"

#include "platform/base/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

struct keep {
	size_t bytes; /* of the mapping, this header included */
	size_t size, count, next, n;
	_Alignas(16) uint8_t records[];
};

struct keep *keep_new(size_t size, size_t count)
{
	size_t bytes = sizeof(struct keep) + size * count;
	struct keep *k = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (k == MAP_FAILED)
		return NULL;
	if (mlock(k, bytes) != 0 || madvise(k, bytes, MADV_DONTDUMP) != 0) {
		munmap(k, bytes);
		return NULL;
	}
	*k = (struct keep){ .bytes = bytes, .size = size, .count = count };
	return k;
}

void keep_put(struct keep *k, const void *record)
{
	memcpy(k->records + k->next * k->size, record, k->size);
	k->next = (k->next + 1) % k->count;
	k->n += k->n < k->count;
}

void keep_each(const struct keep *k, bool (*each)(void *ctx, const void *record), void *ctx)
{
	for (size_t i = 0; i < k->n; i++)
		if (!each(ctx, k->records + (k->next + k->count - k->n + i) % k->count * k->size))
			return;
}

void keep_free(struct keep *k)
{
	size_t bytes = k ? k->bytes : 0;

	if (!k)
		return;
	wipe(k, bytes);
	munmap(k, bytes);
}
