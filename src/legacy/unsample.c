/*
 * unsample.c - see unsample.h.
 *
 * Small objects cancel most of 1 - exp(-x), so the last bit of exp() shows in the sums.
 * Go has an exp() of its own on x86-64: Shibata's method (ISC'10): argument reduced by
 * ln 2 and by 16, eight terms of the series for exp(r) - 1, and four doublings by
 * (1 + y)^2 - 1 = y (y + 2), with fused multiplications.  This is the same sequence of
 * roundings.
 */
#include "legacy/unsample.h"

#include <math.h>
#include <string.h>

static const double ln2_high = 0.69314718055966295651160180568695068359375;
static const double ln2_low = 0.28235290563031577122588448175013436025525412068e-12;
static const double most = 7.09782712893384e+02;

/* 1/2! … 1/8!, from the last. */
static const double terms[] = {2.4801587301587301587e-5,
			       1.9841269841269841270e-4,
			       1.3888888888888888889e-3,
			       8.3333333333333333333e-3,
			       4.1666666666666666667e-2,
			       1.6666666666666666667e-1,
			       0.5,
			       1.0};

static double power_of_two(int e)
{
	uint64_t bits = (uint64_t)(e + 0x3ff) << 52;
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static double scale(double v, int e)
{
	if (e >= 0x400)
		return INFINITY;
	if (e > -0x3ff)
		return v * power_of_two(e);
	/* Below the smallest normal number, in two steps. */
	return e + 0x3ff < -52 ? 0 : v * power_of_two(e + 0x3fe) * power_of_two(-0x3fe);
}

static double go_exp(double x)
{
	if (isnan(x))
		return x;
	if (x > most)
		return INFINITY;
	if (x < -1e4)
		return 0;
	double e = rint(x * 1.4426950408889634073599246810018920);
	double r = fma(-e, ln2_high, x);
	r = fma(-e, ln2_low, r) * 0.0625;
	double y = terms[0];
	for (int i = 1; i < (int)(sizeof(terms) / sizeof(*terms)); i++)
		y = fma(y, r, terms[i]);
	y *= r;
	for (int i = 0; i < 3; i++)
		y *= y + 2;
	return scale(fma(y, y + 2, 1), (int)e);
}

int64_t ep_unsample_cut(double v)
{
	return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

void ep_unsample(int64_t *n_objects, int64_t *n_bytes, int64_t rate)
{
	if (!*n_objects || !*n_bytes) {
		*n_objects = *n_bytes = 0;
		return;
	}
	if (rate <= 1)
		return;
	double objects = (double)*n_objects, bytes = (double)*n_bytes;
	double chance = 1 - go_exp(-(bytes / objects) / (double)rate);
	*n_objects = ep_unsample_cut(objects * (1 / chance));
	*n_bytes = ep_unsample_cut(bytes * (1 / chance));
}
