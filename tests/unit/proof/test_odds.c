#include "test.h"

#include "proof/odds.h"

#include <math.h>

/* P(|X/n - p| > d) of a binomial, term by term from the first. */
static double chance_beyond(unsigned n, double p, double d)
{
	double sum = 0;
	for (unsigned k = 0; k <= n; k++) {
		double log_term = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) +
				  k * log(p) + (n - k) * log1p(-p);
		if (fabs((double)k / n - p) > d + 1e-12)
			sum += exp(log_term);
	}
	return sum;
}

static const double shares[] = {0.003, 0.1, 0.2, 0.5, 0.7, 0.97};
static const unsigned counts[] = {5, 30, 118, 1000, 5000};

TEST(a_share_passes_its_bound_once_in_100000_runs_at_most)
{
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++) {
			double d = ep_odds_share(counts[j], shares[i]);
			assert_true(chance_beyond(counts[j], shares[i], d) <= EP_ODDS);
		}
}

TEST(a_bound_is_not_much_wider_than_it_must_be)
{
	for (size_t i = 1; i < 5; i++) {
		double d = ep_odds_share(5000, shares[i]);
		double se = sqrt(shares[i] * (1 - shares[i]) / 5000);
		assert_true(d > 4.2 * se && d < 4.9 * se);
	}
}

TEST(the_bound_of_no_samples_is_everything_and_of_certainty_nothing)
{
	assert_true(ep_odds_share(0, 0.5) == 1);
	assert_true(ep_odds_share(100, 0) == 0);
	assert_true(ep_odds_share(100, 1) == 0);
	assert_true(ep_odds_share(1, 0.5) == 0.5);
}

TEST(a_sum_has_the_bound_of_a_normal_variable)
{
	assert_true(fabs(erfc(ep_odds_sum(1) / sqrt(2)) / EP_ODDS - 1) < 0.01);
	assert_true(ep_odds_sum(0) == 0);
}
