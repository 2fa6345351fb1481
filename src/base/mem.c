/*
 * mem.c - the heap by way of libc.  See mem.h.
 *
 * A large block asks for huge pages: it is written once from end to end, and a fault
 * for each 4 KB of it was a quarter of the CPU time of decoding a large profile.  The
 * kernel may say no, or not know them; nothing depends on it.
 */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	HUGE_PAGE = 2 << 20,
	LARGE = 4 * HUGE_PAGE, /* so that rounding up costs at most a quarter */
};

/* The huge pages that lie wholly inside of a block; those beside are others' too. */
static void *on_huge_pages(void *p, size_t n_bytes)
{
	if (n_bytes < LARGE || !p)
		return p;
	uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
	uintptr_t end = ((uintptr_t)p + n_bytes) & ~(uintptr_t)(HUGE_PAGE - 1);
	(void)madvise((void *)from, end - from, MADV_HUGEPAGE); /* a wish */
	return p;
}

void *ep_alloc(size_t n_bytes)
{
	return on_huge_pages(malloc(n_bytes ? n_bytes : 1), n_bytes);
}

/* Not here: a cleared table may stay mostly empty. */
void *ep_zalloc(size_t n_bytes)
{
	return calloc(1, n_bytes ? n_bytes : 1);
}

void *ep_realloc(void *p, size_t n_bytes)
{
	return on_huge_pages(realloc(p, n_bytes ? n_bytes : 1), n_bytes);
}

void ep_free(void *p)
{
	free(p);
}
