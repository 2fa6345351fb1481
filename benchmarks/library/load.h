/*
 * load.h - what the workloads of ./bench library share: clocks, options, estimates.
 *
 * Each workload prints lines "RESULT key=value ...", which library.py reads.
 */
#ifndef EP_BENCH_LOAD_H
#define EP_BENCH_LOAD_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline uint64_t now_of(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static inline long option(int argc, char **argv, const char *key, long fallback)
{
	size_t n = strlen(key);
	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], key, n) && argv[i][n] == '=')
			return atol(argv[i] + n + 1);
	return fallback;
}

static inline const char *word(int argc, char **argv, const char *key, const char *fallback)
{
	size_t n = strlen(key);
	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], key, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return fallback;
}

static inline uint64_t random_of(uint64_t *s)
{
	uint64_t x = *s;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *s = x;
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Median, and the mean of the middle 80 % with its standard error.  Sorts v. */
struct estimate {
	double median, mean, error;
};

static inline struct estimate estimate_of(double *v, size_t n)
{
	struct estimate e = {0};
	size_t lo = n / 10, hi = n - n / 10;
	double square = 0;
	if (!n)
		return e;
	qsort(v, n, sizeof(*v), by_double);
	for (size_t i = lo; i < hi; i++)
		e.mean += v[i] / (double)(hi - lo);
	for (size_t i = lo; i < hi; i++)
		square += (v[i] - e.mean) * (v[i] - e.mean);
	e.median = v[n / 2];
	e.error = sqrt(square) / (double)(hi - lo);
	return e;
}

#endif
