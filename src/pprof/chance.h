/*
 * chance.h - are two counts of samples the same but for chance?
 *
 * Numbers in, numbers out.  The derivations are in docs/math/diff.md.
 */
#ifndef EP_PPROF_CHANCE_H
#define EP_PPROF_CHANCE_H

#include <stddef.h>

/* Half width of a 95 % interval, in standard deviations. */
#define EP_CHANCE_95 1.959964

/*
 * ep_chance_same - how likely two counts are at least as far apart as these, if both
 * are Poisson with means in the ratio (1 - share_b) : share_b.
 *
 * Exact given their sum (a binomial test of both sides, the smaller side doubled);
 * counts need not be whole.
 *
 * in       n_a, n_b  not negative
 *          share_b   in (0, 1)
 * returns  in (0, 1]; 1 when both are 0
 * threads  any
 */
double ep_chance_same(double n_a, double n_b, double share_b);

/*
 * ep_chance_threshold - which of many tests are discoveries.
 *
 * Benjamini and Hochberg: of those at or below the answer, at most `rate` are expected
 * to be chance.
 *
 * inout    p  sorted on return
 * returns  a bound for p; -1 when none is below
 */
double ep_chance_threshold(double *p, size_t n, double rate);

/* The regularized incomplete beta function I_x(a, b); a, b > 0, x in [0, 1]. */
double ep_chance_beta(double x, double a, double b);

#endif
