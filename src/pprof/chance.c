/*
 * chance.c - see chance.h.
 *
 * Source: Abramowitz and Stegun 26.5 (incomplete beta, its continued fraction and the
 * binomial tail); Przyborowski and Wilenski 1940 (two Poisson means); Benjamini and
 * Hochberg 1995.
 */
#include "pprof/chance.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_STEPS = 500 };

/* The continued fraction of 26.5.8 by Lentz's method; converges fast for x < mean. */
static double fraction(double x, double a, double b)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1);
	d = 1 / (fabs(d) < tiny ? tiny : d);
	double f = d;
	for (int m = 1; m <= MAX_STEPS; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd =
			-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step = 1;
		for (int k = 0; k < 2; k++) {
			double t = k ? odd : even;
			d = 1 + t * d;
			c = 1 + t / c;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = fabs(c) < tiny ? tiny : c;
			step = c * d;
			f *= step;
		}
		if (fabs(step - 1) < 1e-12)
			break;
	}
	return f;
}

double ep_chance_beta(double x, double a, double b)
{
	if (x <= 0 || x >= 1)
		return x >= 1;
	int sign; /* of gamma: positive here, and lgamma() itself is not thread-safe */
	double log_front = lgamma_r(a + b, &sign) - lgamma_r(a, &sign) -
			   lgamma_r(b, &sign) + a * log(x) + b * log1p(-x);
	if (x < (a + 1) / (a + b + 2))
		return exp(log_front) * fraction(x, a, b) / a;
	return 1 - exp(log_front) * fraction(1 - x, b, a) / b;
}

double ep_chance_same(double n_a, double n_b, double share_b)
{
	if (n_a + n_b <= 0)
		return 1;
	/* P(B >= n_b) and P(B <= n_b) of n_a + n_b, as incomplete beta functions. */
	double above = n_b > 0 ? ep_chance_beta(share_b, n_b, n_a + 1) : 1;
	double below = n_a > 0 ? ep_chance_beta(1 - share_b, n_a, n_b + 1) : 1;
	double p = 2 * (above < below ? above : below);
	return p > 1 ? 1 : p;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double ep_chance_threshold(double *p, size_t n, double rate)
{
	qsort(p, n, sizeof(*p), by_size);
	for (size_t k = n; k > 0; k--)
		if (p[k - 1] <= rate * (double)k / (double)n)
			return p[k - 1];
	return -1;
}
