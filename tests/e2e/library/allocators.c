/* allocators.c - each way to allocate, each freed; prints "WAY bytes" a line. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAY(name, n_bytes, expression)                                                 \
	static __attribute__((noinline, noclone)) void by_##name(void)                 \
	{                                                                              \
		void *p = expression;                                                  \
		if (!p)                                                                \
			abort();                                                       \
		memset(p, 1, 100);                                                     \
		free(p);                                                               \
		printf(#name " %d\n", n_bytes);                                        \
	}

static void *from_posix_memalign(void)
{
	void *p;
	return posix_memalign(&p, 4096, 5000) ? NULL : p;
}

static void *twice(void)
{
	void *p = realloc(NULL, 1000);
	return realloc(p, 3000);
}

/* In an executable at a fixed place its address is that of a stub there. */
static void *by_address(size_t n)
{
	void *(*volatile f)(size_t) = malloc;
	return f(n);
}

WAY(malloc, 1000, malloc(1000))
WAY(pointer, 900, by_address(900))
WAY(calloc, 1500, calloc(3, 500))
WAY(realloc, 4000, twice())
WAY(reallocarray, 1200, reallocarray(NULL, 3, 400))
WAY(aligned_alloc, 2048, aligned_alloc(1024, 2048))
WAY(memalign, 3000, memalign(256, 3000))
WAY(posix_memalign, 5000, from_posix_memalign())
WAY(valloc, 700, valloc(700))
WAY(pvalloc, 800, pvalloc(800))
WAY(strdup, 201, strdup("0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
			"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"))

static __attribute__((noinline, noclone)) void by_failing(void)
{
	/* None of these is an allocation; the object that can't grow lives on. */
	char *volatile p = malloc(10);
	volatile size_t huge = (size_t)-4096;
	if (malloc(huge) || calloc(huge, 2) || realloc(p, huge) || reallocarray(p, huge, 3))
		abort();
	free(p);
	printf("failing 10\n");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	by_malloc();
	by_pointer();
	by_calloc();
	by_realloc();
	by_reallocarray();
	by_aligned_alloc();
	by_memalign();
	by_posix_memalign();
	by_valloc();
	by_pvalloc();
	by_strdup();
	by_failing();
	return 0;
}
