#include "test.h"

#include "agent/extents.h"

#include <errno.h>

TEST(extents_pieces_given_back_join_again)
{
	struct ep_extents e;
	uint32_t a, b, c, all;
	assert_int_equal(ep_extents_init(&e, 1, 101), 0);
	assert_int_equal(ep_extents_take(&e, 30, &a), 0);
	assert_int_equal(ep_extents_take(&e, 30, &b), 0);
	assert_int_equal(ep_extents_take(&e, 40, &c), 0);
	assert_int_equal(e.n_free, 0);
	assert_int_equal(ep_extents_take(&e, 1, &all), -ENOSPC);
	ep_extents_put(&e, a, 30);
	ep_extents_put(&e, c, 40);
	assert_int_equal(ep_extents_take(&e, 41, &all), -ENOSPC); /* not together */
	ep_extents_put(&e, b, 30);
	assert_int_equal(e.n, 1);
	assert_int_equal(ep_extents_take(&e, 100, &all), 0);
	assert_int_equal(all, 1);
	ep_extents_fini(&e);
}

TEST(extents_many_pieces_never_overlap)
{
	struct ep_extents e;
	static uint8_t used[4096];
	struct ep_extent held[64] = {{0}};
	uint32_t seed = 1;
	assert_int_equal(ep_extents_init(&e, 0, 4096), 0);
	for (int turn = 0; turn < 20000; turn++) {
		seed = seed * 1664525 + 1013904223;
		struct ep_extent *h = &held[seed >> 8 & 63];
		bool take = !h->n;
		if (take && ep_extents_take(&e, 1 + (seed >> 16 & 127), &h->at) == 0)
			h->n = 1 + (seed >> 16 & 127);
		for (uint32_t i = 0; i < h->n; i++) {
			assert_int_equal(used[h->at + i], !take);
			used[h->at + i] = take;
		}
		if (take)
			continue;
		ep_extents_put(&e, h->at, h->n);
		h->n = 0;
	}
	uint32_t n_used = 0;
	for (int i = 0; i < 4096; i++)
		n_used += used[i];
	assert_int_equal(e.n_free, 4096 - n_used);
	ep_extents_fini(&e);
}
