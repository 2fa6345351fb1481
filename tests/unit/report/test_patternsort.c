/* Where equal elements end.  Expected orders: those of Go's sort.Sort(). */
#include "report/patternsort.h"
#include "test.h"

#define N 60

struct element {
	int key, number;
};

static bool before(const void *a, const void *b, void *arg __attribute__((unused)))
{
	return ((const struct element *)a)->key < ((const struct element *)b)->key;
}

static void sorts(struct element *v, const int *expected)
{
	ep_patternsort(v, N, sizeof(*v), before, NULL);
	for (int i = 0; i < N; i++)
		assert_int_equal(v[i].number, expected[i]);
}

TEST(patternsort_of_few_keys)
{
	struct element v[N];
	const int expected[N] = {
		15, 55, 50, 45, 40, 5, 35, 30, 0, 25, 10, 20, 29, 24, 14, 49, 59, 34, 39,
		19, 4, 54, 44, 9, 23, 38, 48, 43, 28, 8, 58, 53, 18, 33, 3, 13, 57, 37, 52,
		32, 7, 2, 42, 27, 22, 17, 12, 47, 6, 46, 41, 51, 36, 31, 26, 1, 56, 21, 11,
		16};
	for (int i = 0; i < N; i++)
		v[i] = (struct element){i * 7919 % 5, i};
	sorts(v, expected);
}

TEST(patternsort_of_nearly_sorted_keys)
{
	struct element v[N];
	const int expected[N] = {
		0, 1, 2, 17, 34, 51, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18,
		19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 37, 38,
		39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 52, 53, 54, 55, 56, 57, 58,
		59};
	for (int i = 0; i < N; i++)
		v[i] = (struct element){i % 17 ? i / 3 : 0, i};
	sorts(v, expected);
}

TEST(patternsort_of_falling_keys)
{
	struct element v[N];
	const int expected[N] = {
		59, 58, 57, 56, 55, 54, 53, 49, 52, 51, 50, 48, 45, 47, 46, 42, 44, 43, 41,
		40, 39, 38, 37, 33, 36, 35, 34, 30, 31, 29, 32, 26, 28, 27, 25, 24, 23, 22,
		21, 17, 20, 19, 18, 16, 15, 14, 13, 9, 12, 11, 10, 8, 7, 6, 5, 4, 3, 2, 1, 0};
	for (int i = 0; i < N; i++)
		v[i] = (struct element){(60 - i) / 4, i};
	sorts(v, expected);
}
