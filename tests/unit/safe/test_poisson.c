/* libm is the reference; the sums are the truth of the estimator. */
#include "safe/poisson.h"

#include "../test.h"

#include <math.h>
#include <stdbool.h>

static bool near(double got, double want, double relative)
{
	return fabs(got - want) <= relative * fabs(want) + 1e-300;
}

TEST(poisson_log_is_that_of_libm)
{
	for (double x = 1e-300; x < 1e300; x *= 1.37)
		assert_true(near(ep_poisson_log(x), log(x), 1e-13) || fabs(log(x)) < 1e-13);
	assert_true(ep_poisson_log(1) == 0);
}

TEST(poisson_hit_is_that_of_libm_also_for_one_byte)
{
	for (double x = 1e-12; x < 60; x *= 1.21)
		assert_true(near(ep_poisson_hit(x), -expm1(-x), 1e-13));
	assert_true(ep_poisson_hit(0) == 0);
}

TEST(poisson_draws_have_the_mean_and_the_spread_of_an_exponential)
{
	uint64_t dice = 42;
	double sum = 0, squares = 0;
	enum { N = 200000 };
	for (int i = 0; i < N; i++) {
		double d = (double)ep_poisson_draw(&dice, 1000);
		sum += d;
		squares += d * d;
	}
	double mean = sum / N, deviation = sqrt(squares / N - mean * mean);
	assert_true(near(mean, 1000, 0.01)); /* four standard errors */
	assert_true(near(deviation, 1000, 0.02));
}

TEST(poisson_weights_make_the_sum_of_sizes_unbiased)
{
	static const uint64_t sizes[] = {16, 100, 4096, 70000, 1 << 20};
	const uint64_t mean = 65536;
	uint64_t dice = 7;
	for (int s = 0; s < 5; s++) {
		uint64_t n = (64ull << 20) / sizes[s];
		double estimate = 0, runs = 20;
		for (int r = 0; r < runs; r++) {
			int64_t left = ep_poisson_draw(&dice, mean);
			for (uint64_t i = 0; i < n; i++) {
				if ((left -= (int64_t)sizes[s]) >= 0)
					continue;
				double p = ep_poisson_hit((double)sizes[s] / mean);
				estimate += (double)sizes[s] / p;
				left = ep_poisson_draw(&dice, mean);
			}
		}
		/* 20,000 samples expected of small ones: one standard error is 0.7 %. */
		assert_true(near(estimate / runs, (double)(n * sizes[s]), 0.03));
	}
}
