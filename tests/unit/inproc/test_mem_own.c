#include "inproc/mem_own.h"

#include "../test.h"
#include "base/mem.h"

#include <stdint.h>
#include <string.h>

TEST(mem_own_blocks_are_aligned_apart_and_keep_their_content)
{
	enum { N = 400 };
	static char *p[N];
	static size_t size[N];
	uint64_t dice = 1;
	for (int round = 0; round < 20000; round++) {
		dice = dice * 6364136223846793005ull + 1;
		int i = (int)(dice >> 33) % N;
		for (size_t k = 0; p[i] && k < size[i]; k += 37)
			assert_int_equal(p[i][k], (char)i);
		size_t n = (dice >> 40) % (round % 50 ? 3000 : 200000);
		p[i] = ep_realloc(p[i], n);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		size[i] = n;
		memset(p[i], i, n);
	}
	for (int i = 0; i < N; i++)
		ep_free(p[i]);
}

TEST(mem_own_realloc_keeps_the_content_across_sizes)
{
	char *p = ep_alloc(10);
	strcpy(p, "content");
	for (size_t n = 20; n < 5000000; n *= 3) {
		p = ep_realloc(p, n);
		assert_string_equal(p, "content");
		p[n - 1] = 'x';
	}
	p = ep_realloc(p, 8);
	assert_string_equal(p, "content");
	ep_free(p);
}

TEST(mem_own_reuses_what_was_freed)
{
	void *a = ep_alloc(100);
	ep_free(a);
	void *b = ep_alloc(100);
	assert_ptr_equal(a, b);
	ep_free(b);
	assert_null(ep_alloc(SIZE_MAX - 4));
}
