/* mem.c - the heap by way of libc.  See mem.h. */
#include "base/mem.h"

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
