#include "test.h"

#include "pprof/chance.h"

#include <math.h>

static void near(double got, double expected)
{
	if (fabs(got - expected) > 1e-6 * fmax(1, fabs(expected)))
		fail_msg("%.9g instead of %.9g", got, expected);
}

TEST(chance_beta_is_that_of_the_tables)
{
	near(ep_chance_beta(0.5, 2, 3), 0.6875);
	near(ep_chance_beta(0.1, 1, 1), 0.1);
	near(ep_chance_beta(0.3, 10, 20), 0.364004081);
	near(ep_chance_beta(0, 2, 2), 0);
	near(ep_chance_beta(1, 2, 2), 1);
	/* The binomial tail it stands for: P(X >= 8 of 10, 1/2) = 56/1024. */
	near(ep_chance_beta(0.5, 8, 3), 56.0 / 1024);
}

TEST(chance_one_sample_against_none_is_never_a_change)
{
	near(ep_chance_same(0, 1, 0.5), 1);
	near(ep_chance_same(1, 0, 0.5), 1);
	near(ep_chance_same(0, 0, 0.5), 1);
	assert_true(ep_chance_same(0, 5, 0.5) > 0.05); /* 2/32 */
	assert_true(ep_chance_same(0, 6, 0.5) < 0.05); /* 2/64 */
}

TEST(chance_follows_the_exposure)
{
	/* Twice the samples in twice the time are no news; in the same time they are.
	 */
	near(ep_chance_same(100, 200, 2.0 / 3), 1);
	assert_true(ep_chance_same(100, 200, 0.5) < 1e-6);
}

TEST(chance_large_counts_go_over_into_the_normal_law)
{
	/* z = 600 / sqrt(200000 + 600) = 1.34 */
	double p = ep_chance_same(100000, 100600, 0.5);
	assert_true(fabs(p - erfc(600 / sqrt(200600.0) / sqrt(2))) < 0.002);
}

TEST(chance_threshold_bounds_the_false_discoveries)
{
	/* The example of the paper: fifteen tests, four of them discoveries at 5 %. */
	double p[] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
		      0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000};
	near(ep_chance_threshold(p, 15, 0.05), 0.0095);
	double none[] = {0.5, 0.9};
	assert_true(ep_chance_threshold(none, 2, 0.05) < 0);
}
