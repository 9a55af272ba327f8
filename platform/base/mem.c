/* Memory: the only callers of malloc in the programs, so that a test can make any allocation fail. */
#include "platform/base/mem.h"

#include "platform/base/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef POSTERN_FAULTS
#include <stdatomic.h>

static atomic_long fail_at, counted;

void mem_fail_at(long n)
{
	atomic_store(&fail_at, n);
}

long mem_count(void)
{
	return atomic_load(&counted);
}

static int must_fail(void)
{
	atomic_fetch_add(&counted, 1);
	if (atomic_load(&fail_at) <= 0)
		return 0;
	return atomic_fetch_sub(&fail_at, 1) == 1;
}
#else
static inline int must_fail(void)
{
	return 0;
}
#endif

void *mem_calloc(size_t count, size_t size)
{
	size_t whole;

	if (must_fail() || __builtin_mul_overflow(count, size, &whole))
		return NULL;
	/* malloc(0) may return NULL, which callers read as "no memory". */
	return calloc(1, whole == 0 ? 1 : whole);
}

void *mem_zalloc(size_t n)
{
	return mem_calloc(1, n);
}

void *mem_realloc_array(void *p, size_t count, size_t size)
{
	size_t whole;

	if (must_fail() || __builtin_mul_overflow(count, size, &whole))
		return NULL;
	return realloc(p, whole == 0 ? 1 : whole);
}

void *mem_dup(const void *p, size_t n)
{
	void *copy;

	if (must_fail())
		return NULL;
	copy = malloc(n == 0 ? 1 : n);
	if (copy != NULL && n > 0)
		memcpy(copy, p, n);
	return copy;
}

char *mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s) + 1);
}

void mem_free(void *p)
{
	free(p);
}

void mem_free_secret(void *p, size_t n)
{
	if (p != NULL)
		wipe(p, n);
	free(p);
}
