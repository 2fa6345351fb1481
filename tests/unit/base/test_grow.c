#include "test.h"

#include "base/grow.h"
#include "base/path.h"

TEST(grow_makes_room_for_the_next_element_and_keeps_the_others)
{
	uint32_t *table = NULL, cap = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(ep_grow((void **)&table, &cap, i, sizeof(*table)), 0);
		assert_true(cap > i);
		table[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(table[i], i);
	ep_free(table);
}

TEST(grow_refuses_more_than_a_count_of_32_bits)
{
	uint32_t cap = 1u << 31;
	char c = 0;
	void *table = &c;
	assert_int_equal(ep_grow(&table, &cap, cap, 1), -E2BIG);
	assert_ptr_equal(table, &c);
	assert_int_equal(cap, 1u << 31);
}

TEST(path_name_is_what_follows_the_last_slash)
{
	assert_true(ep_slice_is(ep_path_name(ep_slice_of("/usr/bin/cat")), "cat"));
	assert_true(ep_slice_is(ep_path_name(ep_slice_of("cat")), "cat"));
	assert_true(ep_slice_is(ep_path_name(ep_slice_of("/usr/")), ""));
	assert_true(ep_slice_is(ep_path_name((struct ep_slice){0}), ""));
}
