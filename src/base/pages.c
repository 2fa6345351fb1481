/* pages.c - see pages.h. */
#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGE ((uintptr_t)4096)
#define LARGE_PAGE ((uintptr_t)2 << 20)

void ep_pages_expect(void *p, size_t n_bytes)
{
	/* The pages at both ends too: a block whose header stands in a page of another kind
	 * is two mappings to the kernel, which then cannot move it when it grows. */
	uintptr_t from = (uintptr_t)p & ~(PAGE - 1);
	uintptr_t to = ((uintptr_t)p + n_bytes + PAGE - 1) & ~(PAGE - 1);
	/* Below a few of them the rounding would cost more memory than it saves time. */
	if (to > from && to - from >= 4 * LARGE_PAGE)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void ep_pages_release(void *from, void *to)
{
	uintptr_t a = ((uintptr_t)from + PAGE - 1) & ~(PAGE - 1);
	uintptr_t b = (uintptr_t)to & ~(PAGE - 1);
	if (b > a)
		(void)madvise((void *)a, b - a, MADV_DONTNEED);
}
