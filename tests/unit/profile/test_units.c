#include "test.h"

#include "profile/units.h"

static const char *label(int64_t value, const char *from, const char *to)
{
	static char buf[EP_UNITS_LABEL_MAX];
	return ep_units_label(buf, value, ep_slice_of(from), ep_slice_of(to));
}

static const char *percent(int64_t value, int64_t total)
{
	static char buf[EP_UNITS_LABEL_MAX];
	return ep_units_percent(buf, value, total);
}

TEST(units_choose_the_largest_that_is_not_below_one)
{
	assert_string_equal(label(1500, "nanoseconds", "auto"), "1.50us");
	assert_string_equal(label(90000000000, "ns", "minimum"), "90s");
	assert_string_equal(label(3600, "Seconds", "auto"), "1hrs");
	assert_string_equal(label(1536, "bytes", "auto"), "1.50kB");
	assert_string_equal(label(-1536, "bytes", "auto"), "-1.50kB");
	assert_string_equal(label(1, "kb", "B"), "1024B");
	assert_string_equal(label(5, "milliGCU", "auto"), "5m*GCU");
	assert_string_equal(label(INT64_MAX, "PB", "B"),
			    "10384593717069655257060992658440192B");
	/* No unit fits the smallest number, which has no positive one. */
	assert_string_equal(label(INT64_MIN, "ns", "auto"), "-9223372036.85s");
}

TEST(units_of_another_family_become_the_default)
{
	assert_string_equal(label(5000000, "ns", "MB"), "0.01s");
	assert_string_equal(label(1, "ns", "MB"), "0");
	assert_string_equal(label(-1, "ns", "MB"), "0");
	assert_string_equal(label(2048, "kb", ""), "2097152B");
}

TEST(units_nobody_knows_stay)
{
	assert_string_equal(label(7, "count", "minimum"), "7");
	assert_string_equal(label(7, "widgets", "ms"), "7ms");
	assert_string_equal(label(7, "", "widgets"), "7widgets");
	assert_string_equal(label(0, "", "widgets"), "0");
	assert_string_equal(label(7, "widgets", "count"), "7");
	/* The reference cuts the s off, and no longer knows it. */
	assert_string_equal(label(7, "μs", "auto"), "7");
	/* Two letters keep theirs. */
	assert_string_equal(label(7, "s", "ms"), "7000ms");
}

TEST(units_percentages_show_two_digits)
{
	assert_string_equal(percent(0, 0), "    0%");
	assert_string_equal(percent(1, 200), "  0.5%");
	assert_string_equal(percent(1, 3), "33.33%");
	assert_string_equal(percent(-1, 3), "33.33%");
	assert_string_equal(percent(99951, 100000), "  100%");
	assert_string_equal(percent(100050, 100000), "  100%");
	assert_string_equal(percent(1101, 1000), "110.10%");
	assert_string_equal(percent(1, 100000000), "1e-06%");
}

TEST(units_wholes_that_do_not_fit_are_the_smallest)
{
	assert_int_equal(ep_units_whole(-1.9), -1);
	assert_true(ep_units_whole(0x1p63) == INT64_MIN);
	assert_int_equal(ep_units_divided(7, 0.5), 3);
	assert_int_equal(ep_units_divided(7, -2), 7);
}
