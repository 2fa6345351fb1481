/* odds.c - see odds.h. */
#include "proof/odds.h"

#include <math.h>

#define NORMAL_TAIL 4.4172 /* P(|z| > this) = 1e-5 */

static double log_pmf(double n, double k, double p)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) +
	       (n - k) * log1p(-p);
}

/* P(X <= k - 1) or P(X >= k + 1) is summed outwards until it no longer matters. */
static double tail(double n, double k, double p, int step)
{
	double sum = 0;
	for (double i = k; i >= 0 && i <= n; i += step) {
		double term = exp(log_pmf(n, i, p));
		sum += term;
		if (term < sum * 1e-12)
			break;
	}
	return sum;
}

/* From the mean outwards, the last k before a tail of at most half the odds. */
static double edge(double n, double p, int step)
{
	double k = step > 0 ? ceil(n * p) : floor(n * p);
	double stride = ceil(sqrt(n * p * (1 - p)) / 64);
	while (k >= 0 && k <= n && tail(n, k, p, step) > EP_ODDS / 2)
		k += step * stride;
	return k - step;
}

double ep_odds_share(uint64_t n_samples, double p)
{
	double n = (double)n_samples;
	if (!n_samples)
		return 1;
	if (p <= 0 || p >= 1)
		return 0;
	double above = edge(n, p, 1) / n - p, below = p - edge(n, p, -1) / n;
	return fmin(fmax(above, below), 1);
}

double ep_odds_sum(double standard_error)
{
	return NORMAL_TAIL * standard_error;
}
