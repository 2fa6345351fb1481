/* patternsort.c - see patternsort.h.  Ranges are [a, b). */
#include "report/patternsort.h"

#include "base/sort.h"

#include <stdint.h>
#include <string.h>

enum {
	SHORT = 12,	  /* insertion sort up to here */
	NINTHER = 50,	  /* the pivot is a median of medians from here on */
	SHIFT_STEPS = 5,  /* misplaced pairs that a nearly sorted range may have */
	ALL_SWAPPED = 12, /* order() calls of one pivot: every one swapped */
};

struct sort {
	char *v;
	size_t size;
	bool (*before)(const void *a, const void *b, void *arg);
	void *arg;
};

enum hint { UNKNOWN, RISING, FALLING };

static bool less(const struct sort *s, size_t i, size_t k)
{
	return s->before(s->v + i * s->size, s->v + k * s->size, s->arg);
}

static void swap(const struct sort *s, size_t i, size_t k)
{
	char t[EP_SORT_MAX_SIZE];
	memcpy(t, s->v + i * s->size, s->size);
	memmove(s->v + i * s->size, s->v + k * s->size, s->size);
	memcpy(s->v + k * s->size, t, s->size);
}

/* Move element i towards the start while it belongs before its neighbour. */
static void sink(const struct sort *s, size_t i, size_t floor)
{
	for (; i > floor && less(s, i, i - 1); i--)
		swap(s, i, i - 1);
}

static void insertion(const struct sort *s, size_t a, size_t b)
{
	for (size_t i = a + 1; i < b; i++)
		sink(s, i, a);
}

/* --- the pivot ------------------------------------------------------------------- */

static void order(const struct sort *s, size_t *i, size_t *k, int *swaps)
{
	if (!less(s, *k, *i))
		return;
	size_t t = *i;
	*i = *k;
	*k = t;
	(*swaps)++;
}

static size_t median(const struct sort *s, size_t i, size_t j, size_t k, int *swaps)
{
	order(s, &i, &j, swaps);
	order(s, &j, &k, swaps);
	order(s, &i, &j, swaps);
	return j;
}

static size_t choose_pivot(const struct sort *s, size_t a, size_t b, enum hint *ret)
{
	size_t n = b - a, quarter = n / 4;
	size_t i = a + quarter, j = a + quarter * 2, k = a + quarter * 3;
	int swaps = 0;
	if (n >= NINTHER) {
		i = median(s, i - 1, i, i + 1, &swaps);
		j = median(s, j - 1, j, j + 1, &swaps);
		k = median(s, k - 1, k, k + 1, &swaps);
	}
	if (n >= 8)
		j = median(s, i, j, k, &swaps);
	*ret = swaps == 0 ? RISING : swaps == ALL_SWAPPED ? FALLING : UNKNOWN;
	return j;
}

/* --- patterns --------------------------------------------------------------------- */

/* Sort a range that is nearly sorted; false: it was not. */
static bool finish_sorted(const struct sort *s, size_t a, size_t b)
{
	size_t i = a + 1;
	for (int step = 0; step < SHIFT_STEPS; step++) {
		while (i < b && !less(s, i, i - 1))
			i++;
		if (i == b)
			return true;
		if (b - a < NINTHER)
			return false;
		swap(s, i, i - 1);
		if (i - a >= 2)
			sink(s, i - 1, 0);
		for (size_t k = i + 1; b - i >= 2 && k < b && less(s, k, k - 1); k++)
			swap(s, k, k - 1);
	}
	return false;
}

static void reverse(const struct sort *s, size_t a, size_t b)
{
	for (; a + 1 < b; a++, b--)
		swap(s, a, b - 1);
}

/* Three elements around the middle change places with others, by chance that is the
 * same each time. */
static void shuffle_middle(const struct sort *s, size_t a, size_t b)
{
	size_t n = b - a, mask = 1;
	uint64_t chance = n;
	if (n < 8)
		return;
	while (mask <= n)
		mask <<= 1;
	for (size_t i = a + n / 4 * 2 - 1; i <= a + n / 4 * 2 + 1; i++) {
		chance ^= chance << 13;
		chance ^= chance >> 7;
		chance ^= chance << 17;
		size_t other = chance & (mask - 1);
		swap(s, i, a + (other >= n ? other - n : other));
	}
}

/* --- partitions ------------------------------------------------------------------- */

/* What is less than the pivot comes before it; where it ends up.  *ret_whole: nothing
 * had to move. */
static size_t partition(const struct sort *s, size_t a, size_t b, size_t pivot,
			bool *ret_whole)
{
	size_t i = a + 1, k = b - 1;
	swap(s, a, pivot);
	*ret_whole = true;
	for (;;) {
		while (i <= k && less(s, i, a))
			i++;
		while (i <= k && !less(s, k, a))
			k--;
		if (i > k)
			break;
		swap(s, i++, k--);
		*ret_whole = false;
	}
	swap(s, k, a);
	return k;
}

/* The pivot is the least: what equals it comes first; where the rest begins. */
static size_t partition_equal(const struct sort *s, size_t a, size_t b, size_t pivot)
{
	size_t i = a + 1, k = b - 1;
	swap(s, a, pivot);
	for (;;) {
		while (i <= k && !less(s, a, i))
			i++;
		while (i <= k && less(s, a, k))
			k--;
		if (i > k)
			return i;
		swap(s, i++, k--);
	}
}

static void sort_range(const struct sort *s, size_t a, size_t b, int limit)
{
	bool balanced = true, whole = true;
	while (b - a > SHORT) {
		enum hint hint;
		if (limit == 0) {
			ep_sort(s->v + a * s->size, b - a, s->size, s->before, s->arg);
			return;
		}
		if (!balanced) {
			shuffle_middle(s, a, b);
			limit--;
		}
		size_t pivot = choose_pivot(s, a, b, &hint);
		if (hint == FALLING) {
			reverse(s, a, b);
			pivot = b - 1 - (pivot - a);
			hint = RISING;
		}
		if (balanced && whole && hint == RISING && finish_sorted(s, a, b))
			return;
		if (a > 0 && !less(s, a - 1, pivot)) {
			a = partition_equal(s, a, b, pivot);
			continue;
		}
		size_t mid = partition(s, a, b, pivot, &whole);
		size_t left = mid - a, right = b - mid, n = b - a;
		balanced = (left < right ? left : right) >= n / 8;
		if (left < right) {
			sort_range(s, a, mid, limit);
			a = mid + 1;
		} else {
			sort_range(s, mid + 1, b, limit);
			b = mid;
		}
	}
	insertion(s, a, b);
}

void ep_patternsort(void *elements, size_t n, size_t size,
		    bool (*before)(const void *a, const void *b, void *arg), void *arg)
{
	struct sort s = {elements, size, before, arg};
	int limit = 0;
	for (size_t bits = n; bits; bits >>= 1)
		limit++;
	if (n > 1)
		sort_range(&s, 0, n, limit);
}
