#include "test.h"

#include "base/arena.h"

#include <errno.h>
#include <string.h>

TEST(arena_hands_out_aligned_memory_that_stays_valid)
{
	ep_auto(ep_arena) a = ep_arena_new(0);
	char *kept[1000];
	for (int i = 0; i < 1000; i++) {
		kept[i] = ep_arena_alloc(a, (size_t)i + 1);
		assert_non_null(kept[i]);
		assert_int_equal((uintptr_t)kept[i] % 16, 0);
		memset(kept[i], i & 0xff, (size_t)i + 1);
	}
	for (int i = 0; i < 1000; i++)
		for (int j = 0; j <= i; j++)
			assert_int_equal((unsigned char)kept[i][j], i & 0xff);
}

TEST(arena_survives_a_request_larger_than_its_chunks)
{
	ep_auto(ep_arena) a = ep_arena_new(0);
	char *small = ep_arena_alloc(a, 10);
	memcpy(small, "untouched", 10);
	char *large = ep_arena_alloc(a, 5 << 20);
	assert_non_null(large);
	memset(large, 1, 5 << 20);
	char *after = ep_arena_alloc(a, 10);
	memset(after, 2, 10);
	assert_string_equal(small, "untouched");
	assert_int_equal(large[0], 1);
}

TEST(arena_refuses_to_pass_its_bound)
{
	ep_auto(ep_arena) a = ep_arena_new(1000);
	assert_non_null(ep_arena_alloc(a, 900));
	assert_null(ep_arena_alloc(a, 101));
	assert_non_null(ep_arena_alloc(a, 100));
	assert_int_equal(ep_arena_used(a), 1000);
}

TEST(arena_refuses_a_product_that_overflows)
{
	ep_auto(ep_arena) a = ep_arena_new(0);
	assert_null(ep_arena_zalloc(a, SIZE_MAX / 2, 3));
}

TEST(arena_owns_what_it_adopts_and_counts_it)
{
	ep_auto(ep_arena) a = ep_arena_new(1000);
	char *p = ep_alloc(500); /* freed by the arena: the leak checker says so if not */
	assert_int_equal(ep_arena_adopt(a, p, 500), 0);
	assert_null(ep_arena_alloc(a, 500));
	char *q = ep_alloc(600);
	assert_int_equal(ep_arena_adopt(a, q, 600), -E2BIG);
	ep_free(q);
}

TEST(arena_gives_an_address_for_nothing)
{
	ep_auto(ep_arena) a = ep_arena_new(10);
	assert_non_null(ep_arena_alloc(a, 0));
}
