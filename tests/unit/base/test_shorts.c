#include "base/shorts.h"

#include "../test.h"

static struct ep_slice part(const char *s, size_t n)
{
	return (struct ep_slice){s, n};
}

TEST(shorts_equal_strings_only_are_equal_and_hash_alike)
{
	static const char a[] = "the quick brown fox jumps";
	char copy[sizeof(a)], other[sizeof(a)];
	memcpy(copy, a, sizeof(a));
	for (size_t n = 0; n < sizeof(a); n++) {
		struct ep_slice x = part(a, n), y = part(copy, n);
		struct ep_shorts v = ep_shorts_of(x), w = ep_shorts_of(y);
		assert_true(ep_shorts_eq(x, v, y, w));
		assert_true(ep_shorts_hash(x, v) == ep_shorts_hash(y, w));
		for (size_t i = 0; i < n; i++) { /* one byte differs */
			memcpy(other, a, sizeof(a));
			other[i] ^= 1;
			struct ep_slice z = part(other, n);
			assert_false(ep_shorts_eq(x, v, z, ep_shorts_of(z)));
			assert_true(ep_shorts_hash(x, v) != ep_shorts_hash(z, ep_shorts_of(z)));
		}
		struct ep_slice longer = part(a, n + 1);
		assert_false(ep_shorts_eq(x, v, longer, ep_shorts_of(longer)));
	}
}

TEST(shorts_order_is_the_order_of_slices_where_it_decides)
{
	static const char *const s[] = {"",  "a",  "aa", "ab",	   "abcdefgh", "abcdefgi",
					"b", "\xc3\xa9", "z", "zebra"};
	for (size_t i = 0; i < sizeof(s) / sizeof(*s); i++)
		for (size_t k = 0; k < sizeof(s) / sizeof(*s); k++) {
			struct ep_slice a = ep_slice_of(s[i]), b = ep_slice_of(s[k]);
			uint64_t x = ep_shorts_order(ep_shorts_of(a)),
				 y = ep_shorts_order(ep_shorts_of(b));
			if (x != y)
				assert_int_equal(x < y, ep_slice_cmp(a, b) < 0);
		}
}
