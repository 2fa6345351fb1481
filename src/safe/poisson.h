/*
 * poisson.h - the arithmetic of sampling by bytes, without libm.
 *
 * Sample points lie on the line of all allocated bytes as a Poisson process with one
 * point every `mean` bytes.  An allocation of n bytes is sampled when at least one
 * point falls into it: with probability p = 1 - exp(-n / mean).  Counting each sample
 * 1 / p times makes the sums unbiased, whatever the sizes are (docs/math/heap.md).
 *
 * Header-only, signal-safe, calls nothing: libm may be lazily bound, and does more
 * than we need.
 */
#ifndef EP_SAFE_POISSON_H
#define EP_SAFE_POISSON_H

#include <stdint.h>

#define EP_POISSON_LN2 0.693147180559945309417

/* xorshift64*: plenty for sampling, one multiplication.  The state must not be 0. */
static inline uint64_t ep_poisson_random(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}

/* ln(x) of a normal x > 0, to about 1e-14: the exponent, and the series of atanh. */
static inline double ep_poisson_log(double x)
{
	union {
		double d;
		uint64_t u;
	} v = {.d = x};
	int e = (int)(v.u >> 52) - 1023;
	v.u = (v.u & 0xfffffffffffffull) | 0x3ff0000000000000ull; /* [1, 2) */
	if (v.d > 1.41421356237309505) {
		v.d /= 2;
		e++;
	}
	/* 2 (s + s^3 / 3 + s^5 / 5 + ...), every other term apart: half as much waiting. */
	double s = (v.d - 1) / (v.d + 1), q = s * s, p = q * q;
	double even = 1 + p * (1. / 5 + p * (1. / 9 + p * (1. / 13 + p * (1. / 17))));
	double odd = 1. / 3 + p * (1. / 7 + p * (1. / 11 + p * (1. / 15)));
	return e * EP_POISSON_LN2 + 2 * s * (even + q * odd);
}

/* 1 - exp(-x) for x >= 0, with a small relative error for small x too. */
static inline double ep_poisson_hit(double x)
{
	if (x > 40) /* 1 - 4e-18 */
		return 1;
	int halvings = (int)(x / EP_POISSON_LN2 + 0.5);
	double r = halvings * EP_POISSON_LN2 - x, q = r * r; /* |r| <= ln(2) / 2 */
	/* exp(r) - 1 = r + r^2 / 2! + r^3 / 3! + ... */
	double odd = 1 + q * (1. / 6 +
			      q * (1. / 120 +
				   q * (1. / 5040 +
					q * (1. / 362880 +
					     q * (1. / 39916800 + q * (1. / 6227020800))))));
	double even = 1. / 2 +
		      q * (1. / 24 +
			   q * (1. / 720 +
				q * (1. / 40320 + q * (1. / 3628800 + q * (1. / 479001600)))));
	double sum = r * odd + q * even;
	if (!halvings)
		return -sum;
	return 1 - (1 + sum) / (double)(1ull << halvings);
}

/* Whole bytes before the one that holds the next sample point: the gap is exponential with
 * this mean, so an allocation of n bytes holds it with 1 - exp(-n / mean). */
static inline int64_t ep_poisson_draw(uint64_t *state, uint64_t mean)
{
	/* In (0, 1]: 53 bits, so at most 37 means away. */
	double u = (double)((ep_poisson_random(state) >> 11) + 1) * 0x1p-53;
	return (int64_t)(-ep_poisson_log(u) * (double)mean);
}

#endif
