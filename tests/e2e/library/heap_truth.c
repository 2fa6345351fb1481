/*
 * heap_truth.c - the same known heap many times over, each time on a thread of its own and
 * under a label of its own, so that one process gives many independent estimates.
 *
 * heap_truth RUNS KILOBYTES: of each site and run about so much is allocated, and half of
 * it stays.  Prints "SITE SIZE alloc_objects live_objects" for each size of one run.
 */
#include <everprof.h>

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static size_t budget;

/* Every second one stays: which, has nothing to do with which are sampled. */
static __attribute__((always_inline)) inline void *keep(void *p, int stays)
{
	static void *volatile list;
	if (!p)
		abort();
	*(void **)p = list;
	if (stays)
		list = p; /* found again by nobody, but not lost */
	else
		free(p);
	return list;
}

#define SITE(name, size, expression)                                                   \
	static __attribute__((noinline, noclone)) void name(int prints)                 \
	{                                                                              \
		const size_t n = size;                                                  \
		size_t count = budget / n & ~(size_t)1;                                 \
		for (size_t i = 0; i < count; i++)                                      \
			keep(expression, (int)(i & 1));                                 \
		if (prints)                                                             \
			printf(#name " %zu %zu %zu\n", n, count, count / 2);            \
	}

static void *by_memalign(size_t n)
{
	void *p;
	return posix_memalign(&p, 64, n) ? NULL : p;
}

static void *grown(size_t n)
{
	static char *volatile first;
	char *p = malloc(n - 1);
	if (!(first = p))
		return NULL;
	return realloc(p, n);
}

SITE(site_16, 16, malloc(n))
SITE(site_100, 100, calloc(4, n / 4))
SITE(site_1000, 1000, reallocarray(NULL, n / 10, 10))
SITE(site_2400, 2400, malloc(n)) /* stands for 1.4 objects at a mean of 2048 */
SITE(site_4096, 4096, by_memalign(n))
SITE(site_8000, 8000, malloc(n))
SITE(site_grown, 700, grown(n))

static void *one_run(void *arg)
{
	int run = (int)(intptr_t)arg, prints = run == 0;
	char name[16];
	snprintf(name, sizeof(name), "%d", run);
	EVERPROF_LABELS("run", name) {
		site_16(prints);
		site_100(prints);
		site_1000(prints);
		site_2400(prints);
		site_4096(prints);
		site_8000(prints);
		site_grown(prints);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int runs = argc > 2 ? atoi(argv[1]) : 1;
	budget = argc > 2 ? strtoul(argv[2], NULL, 10) << 10 : 1 << 20;
	if (everprof_start(NULL) < 0)
		return 2;
	for (int i = 0; i < runs; i++) {
		pthread_t t;
		if (pthread_create(&t, NULL, one_run, (void *)(intptr_t)i) || pthread_join(t, NULL))
			return 3;
	}
	return 0;
}
