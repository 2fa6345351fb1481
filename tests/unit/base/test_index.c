#include "test.h"

#include "base/hash.h"
#include "base/index.h"

static uint32_t find(const struct ep_index *ix, const uint64_t *keys, uint64_t key)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash64(&key, sizeof(key));
	for (uint32_t id = ep_index_first(ix, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(ix, &it))
		if (keys[id] == key)
			return id;
	return EP_INDEX_NONE;
}

TEST(index_finds_every_element_and_no_other)
{
	enum { N = 50000 };
	static uint64_t keys[N];
	struct ep_index ix = {0};
	for (uint32_t i = 0; i < N; i++) {
		keys[i] = (uint64_t)i * 7919;
		assert_int_equal(find(&ix, keys, keys[i]), EP_INDEX_NONE);
		assert_int_equal(ep_index_add(&ix, ep_hash64(&keys[i], 8), i), 0);
	}
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(find(&ix, keys, keys[i]), i);
	assert_int_equal(find(&ix, keys, 1), EP_INDEX_NONE);
	ep_index_fini(&ix);
}

TEST(index_tells_elements_of_one_hash_apart)
{
	struct ep_index ix = {0};
	for (uint32_t i = 0; i < 100; i++)
		ep_index_add(&ix, 42, i);
	struct ep_index_iter it;
	int n = 0;
	for (uint32_t id = ep_index_first(&ix, 42, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&ix, &it))
		n++;
	assert_int_equal(n, 100);
	ep_index_fini(&ix);
}

TEST(index_tells_keys_apart_that_differ_in_high_bits_only)
{
	enum { N = 20000 };
	struct ep_index ix = {0};
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(ep_index_add(&ix, ep_hash_mix(1, (uint64_t)i << 40), i), 0);
	uint64_t met = 0;
	for (uint32_t i = 0; i < N; i++) {
		struct ep_index_iter it;
		uint64_t h = ep_hash_mix(1, (uint64_t)i << 40);
		for (uint32_t id = ep_index_first(&ix, h, &it); id != EP_INDEX_NONE;
		     id = ep_index_next(&ix, &it))
			met++;
	}
	assert_in_range(met, N, N + N / 100);
	ep_index_fini(&ix);
}
