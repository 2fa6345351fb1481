/*
 * heaptime.c - times each heap sample where it happens.
 *
 * The linker puts these in front of the library's own functions (--wrap).  Reading the clock
 * takes some of what is measured, so the median of two readings is taken off.
 */
#include "everprof.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 1 << 20 };

struct times {
	_Atomic uint32_t n;
	uint32_t ns[MOST];
};

static struct times samples, frees, clocks;

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void note(struct times *t, uint64_t ns)
{
	uint32_t at = atomic_fetch_add_explicit(&t->n, 1, memory_order_relaxed);
	if (at < MOST)
		t->ns[at] = (uint32_t)ns;
}

void __real_ep_heap_sample(const void *p, uint64_t size, const void *return_address);
void __wrap_ep_heap_sample(const void *p, uint64_t size, const void *return_address);
void __real_ep_heap_freed(const void *p);
void __wrap_ep_heap_freed(const void *p);

void __wrap_ep_heap_sample(const void *p, uint64_t size, const void *return_address)
{
	uint64_t before = now(), from = now();
	__real_ep_heap_sample(p, size, return_address);
	note(&samples, now() - from);
	note(&clocks, from - before);
}

void __wrap_ep_heap_freed(const void *p)
{
	uint64_t from = now();
	__real_ep_heap_freed(p);
	note(&frees, now() - from);
}

__attribute__((constructor)) static void start(void)
{
	(void)everprof_start(NULL);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static uint32_t at(struct times *t, uint32_t thousandths)
{
	uint32_t n = t->n < MOST ? t->n : MOST;
	qsort(t->ns, n, sizeof(t->ns[0]), compare);
	return n ? t->ns[(uint64_t)n * thousandths / 1000] : 0;
}

/* Of all but the longest hundredth, which the scheduler made. */
static double mean(struct times *t)
{
	uint32_t n = (t->n < MOST ? t->n : MOST) * 99ull / 100;
	double sum = 0;
	(void)at(t, 0); /* sorts them */
	for (uint32_t i = 0; i < n; i++)
		sum += t->ns[i];
	return n ? sum / n : 0;
}

void report_times(void);
void report_times(void)
{
	uint32_t clock = at(&clocks, 500);
	printf("RESULT sample_mean=%.0f free_mean=%.0f\n", mean(&samples) - clock, mean(&frees) - clock);
	printf("RESULT sample=%u sample90=%u sample99=%u free=%u clock=%u samples=%u\n",
	       at(&samples, 500) - clock, at(&samples, 900) - clock, at(&samples, 990) - clock,
	       at(&frees, 500) - clock, clock, (uint32_t)samples.n);
}
