#include "inproc/duty.h"

#include "../test.h"

#include <errno.h>

#define S 1000000000ull

TEST(duty_takes_a_time_in_a_time)
{
	struct ep_duty d = {0};
	assert_int_equal(ep_duty_parse("10s/60s", &d), 0);
	assert_int_equal(d.on_ns, 10 * S);
	assert_int_equal(d.every_ns, 60 * S);
	assert_int_equal(ep_duty_parse("1500ms/2m", &d), 0);
	assert_int_equal(d.on_ns, 3 * S / 2);
	assert_int_equal(d.every_ns, 120 * S);
}

TEST(duty_refuses_what_makes_no_sense)
{
	static const char *const bad[] = {"",	     "10s",	  "10/60",     "10s/60",   "s/60s",
					  "60s/60s", "60s/10s",	  "999ms/60s", "10s/60s ", "10s/25h",
					  "-1s/60s", "10s//60s", "10 s/60s",  "9999999999s/60s"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ep_duty d = {1, 2, 3};
		assert_int_equal(ep_duty_parse(bad[i], &d), -EINVAL);
		assert_int_equal(d.on_ns, 1);
	}
}

TEST(duty_is_on_for_its_part_of_each_cycle_whenever_it_began)
{
	for (uint64_t dice = 0; dice < 60 * S; dice += 7 * S / 3) {
		struct ep_duty d = {10 * S, 60 * S, 0};
		uint64_t now = 5 * S, on = 0, end = now + 600 * S;
		ep_duty_start(&d, now, dice);
		while (now < end) {
			uint64_t left = ep_duty_left_ns(&d, now);
			assert_true(left > 0 && left <= 50 * S);
			left = left < end - now ? left : end - now;
			if (ep_duty_is_on(&d, now))
				on += left;
			/* It lasts until then, and not longer. */
			assert_int_equal(ep_duty_is_on(&d, now + left - 1), ep_duty_is_on(&d, now));
			if (now + left < end)
				assert_int_not_equal(ep_duty_is_on(&d, now + left), ep_duty_is_on(&d, now));
			now += left;
		}
		assert_int_equal(on, 100 * S);
	}
}

TEST(duty_without_one_is_always)
{
	struct ep_duty d = {0};
	ep_duty_start(&d, 17, 5);
	assert_true(ep_duty_is_on(&d, 99));
	assert_true(ep_duty_left_ns(&d, 99) == UINT64_MAX);
}
