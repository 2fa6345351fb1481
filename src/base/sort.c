/* sort.c - see sort.h. */
#include "base/sort.h"

#include <assert.h>
#include <string.h>

struct heap {
	char *at;
	size_t size;
	bool (*before)(const void *a, const void *b, void *arg);
	void *arg;
};

static char *element(const struct heap *h, size_t i)
{
	return h->at + i * h->size;
}

/* `moved` belongs at or below element i of the first n. */
static void sift_down(const struct heap *h, const void *moved, size_t i, size_t n)
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n &&
		    h->before(element(h, child), element(h, child + 1), h->arg))
			child++;
		if (!h->before(moved, element(h, child), h->arg))
			break;
		memcpy(element(h, i), element(h, child), h->size);
	}
	memcpy(element(h, i), moved, h->size);
}

void ep_sort(void *elements, size_t n, size_t size,
	     bool (*before)(const void *a, const void *b, void *arg), void *arg)
{
	struct heap h = {elements, size, before, arg};
	_Alignas(16) char moved[EP_SORT_MAX_SIZE];
	assert(size && size <= sizeof(moved));
	for (size_t i = n / 2; i-- > 0;) {
		memcpy(moved, element(&h, i), size);
		sift_down(&h, moved, i, n);
	}
	while (n > 1) {
		memcpy(moved, element(&h, --n), size);
		memcpy(element(&h, n), element(&h, 0), size);
		sift_down(&h, moved, 0, n);
	}
}
