#include "test.h"

#include "base/sort.h"

#include <string.h>

struct pair {
	int key;
	char name[9]; /* an odd size */
};

static bool by_key(const void *a, const void *b, void *arg)
{
	++*(int *)arg;
	return ((const struct pair *)a)->key < ((const struct pair *)b)->key;
}

TEST(sort_puts_any_number_of_elements_in_order)
{
	static struct pair v[1000];
	for (size_t n = 0; n <= 1000; n = n * 2 + 1) {
		for (size_t i = 0; i < n; i++)
			v[i] = (struct pair){.key = (int)((i * 7919) % 1009), .name = "x"};
		int asked = 0;
		ep_sort(v, n, sizeof(v[0]), by_key, &asked);
		for (size_t i = 1; i < n; i++)
			assert_true(v[i - 1].key <= v[i].key);
		assert_true(n < 2 || asked > 0);
	}
}

TEST(sort_moves_elements_whole)
{
	struct pair v[] = {{3, "three"}, {1, "one"}, {2, "two"}};
	int asked = 0;
	ep_sort(v, 3, sizeof(v[0]), by_key, &asked);
	assert_string_equal(v[0].name, "one");
	assert_string_equal(v[1].name, "two");
	assert_string_equal(v[2].name, "three");
}
