/* Memory. Sizes come from what was received, never from what a length field promises.
 *
 * In test builds (-DPOSTERN_FAULTS) mem_fail_at(n) makes the n-th allocation from now fail. */
#ifndef POSTERN_BASE_MEM_H
#define POSTERN_BASE_MEM_H

#include <stddef.h>

void *mem_zalloc(size_t n);                  /* NULL when there is none */
void *mem_calloc(size_t count, size_t size); /* checks the product */
void *mem_realloc_array(void *p, size_t count, size_t size);
void *mem_dup(const void *p, size_t n);
char *mem_strdup(const char *s);
void mem_free(void *p);
/* Wipes before freeing (OPENSSL_cleanse). For everything that held key material. */
void mem_free_secret(void *p, size_t n);

#ifdef POSTERN_FAULTS
void mem_fail_at(long n); /* 1 = the next one; 0 = never */
long mem_count(void);     /* allocations since the start */
#endif

#endif
