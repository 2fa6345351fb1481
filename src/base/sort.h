/*
 * sort.h - sorting in place, without memory.
 *
 * libc's qsort() takes memory from the heap, which inside libeverprof is the
 * host's and may be the very thing that is being watched.
 */
#ifndef EP_BASE_SORT_H
#define EP_BASE_SORT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * ep_sort - put n elements of `size` bytes in rising order; a heap sort.
 *
 * in       size    at most EP_SORT_MAX_SIZE
 *          before  true when a comes before b; a strict order.  arg is passed on
 * threads  any thread; no allocation, no lock
 * cost     about 2 n log2 n comparisons, whatever the order was.  Not stable:
 *          make `before` total where equal elements differ
 */
#define EP_SORT_MAX_SIZE 256
void ep_sort(void *elements, size_t n, size_t size,
	     bool (*before)(const void *a, const void *b, void *arg), void *arg);

#endif
