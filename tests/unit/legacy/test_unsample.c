/* Scaling of sampled allocations; the numbers are the reference's, on x86-64. */
#include "test.h"

#include "legacy/unsample.h"

static void expect(int64_t n, int64_t bytes, int64_t rate, int64_t want_n,
		   int64_t want_bytes)
{
	ep_unsample(&n, &bytes, rate);
	assert_int_equal(n, want_n);
	assert_int_equal(bytes, want_bytes);
}

TEST(nothing_stays_nothing)
{
	expect(0, 5, 524288, 0, 0);
	expect(5, 0, 524288, 0, 0);
}

TEST(a_rate_of_one_or_less_changes_nothing)
{
	expect(3, 4096, 1, 3, 4096);
	expect(3, 4096, 0, 3, 4096);
}

TEST(small_objects_agree_to_the_last_bit)
{
	expect(1, 8, 524288, 65536, 524292);
	expect(100000, 800000, 524288, 6553650000, 52429200001);
	expect(7654321, 122469136, 524288, 250820617707, 4013129883322);
	expect(3, 99999999, 262144, 3, 99999999);
	expect(1, 1, 1099511627776, 1099511627776, 1099511627776);
	expect(12345678, 98765432, 1048576, 1618178748588, 12945431037288);
	expect(-4, -64, 524288, -131074, -2097184);
	expect(5, 4611686018427387904, 2, 5, 4611686018427387904);
}

TEST(what_does_not_fit_is_the_smallest_number)
{
	assert_int_equal(ep_unsample_cut(1e19), INT64_MIN);
	assert_int_equal(ep_unsample_cut(-1e19), INT64_MIN);
	assert_int_equal(ep_unsample_cut(0.0 / 0.0), INT64_MIN);
	assert_int_equal(ep_unsample_cut(-2.9), -2);
}
