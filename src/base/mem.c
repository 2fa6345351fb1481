/* mem.c - the heap by way of libc.  See mem.h. */
#include "base/mem.h"

#include "base/pages.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *ep_alloc(size_t n_bytes)
{
	return malloc(n_bytes ? n_bytes : 1);
}

void *ep_zalloc(size_t n_bytes)
{
	return calloc(1, n_bytes ? n_bytes : 1);
}

void *ep_realloc(void *p, size_t n_bytes)
{
	return realloc(p, n_bytes ? n_bytes : 1);
}

void ep_free(void *p)
{
	free(p);
}

void ep_mem_expect(size_t n_bytes)
{
	enum { LARGEST_IN_HEAP = 32 << 20 }; /* malloc takes no higher threshold */
	size_t most = LARGEST_IN_HEAP - 4096;
	if (n_bytes > most)
		n_bytes = most;
	/* Refusals only leave things as they are. */
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, LARGEST_IN_HEAP);
	(void)mallopt(M_TRIM_THRESHOLD, 2 * LARGEST_IN_HEAP);
	void *block = malloc(n_bytes);
	if (block)
		ep_pages_expect(block, n_bytes);
	free(block);
}
