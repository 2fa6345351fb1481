/*
 * torture.h - what the torture programs share: a clock, work, and an end.
 *
 * They are linked with the library, shared or static, or know nothing of it and run under
 * LD_PRELOAD: so it is started only where it is there.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include <everprof.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma weak everprof_start_sized

#define CHECK(what)                                                                    \
	do {                                                                           \
		if (!(what)) {                                                         \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);      \
			abort();                                                       \
		}                                                                      \
	} while (0)

static inline double clock_of(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline int before(double end)
{
	return clock_of(CLOCK_MONOTONIC) < end;
}

static inline double end_after(double seconds)
{
	return clock_of(CLOCK_MONOTONIC) + seconds;
}

__attribute__((noinline, unused)) static void burn(double cpu)
{
	double end = clock_of(CLOCK_THREAD_CPUTIME_ID) + cpu;
	while (clock_of(CLOCK_THREAD_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 2000; i++)
			;
}

/* A few objects of many sizes come and go. */
__attribute__((noinline, unused)) static void allocate(unsigned n)
{
	enum { KEPT = 16 };
	char *kept[KEPT] = {0};
	for (unsigned i = 0; i < n; i++) {
		size_t bytes = (size_t)1 << i % 15;
		char **p = &kept[i % KEPT];
		free(*p);
		*p = (char *)(i % 3 ? malloc(bytes) : calloc(1, bytes));
		CHECK(*p);
		memset(*p, (int)i, bytes);
		if (i % 5 == 0) {
			*p = (char *)realloc(*p, bytes * 3);
			CHECK(*p && (*p)[bytes - 1] == (char)i);
		}
	}
	for (int i = 0; i < KEPT; i++)
		free(kept[i]);
}

static inline void start_library(void)
{
	if (everprof_start_sized)
		CHECK(everprof_start(NULL) == 0);
}

#endif
