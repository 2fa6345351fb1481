/*
 * patternsort.h - a sort that leaves equal elements where the reference's leaves them.
 *
 * Not stable, yet the same for the same input: for lists that the reference sorts a
 * second time with ties, so that its order shows.  Everywhere else base/sort.h.
 *
 * Source: Orson Peters' pattern-defeating quicksort, with the thresholds of Go's sort.
 */
#ifndef EP_REPORT_PATTERNSORT_H
#define EP_REPORT_PATTERNSORT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * in       size    at most EP_SORT_MAX_SIZE
 *          before  a strict order, in which elements may be equal
 * threads  any thread; no allocation
 */
void ep_patternsort(void *elements, size_t n, size_t size,
		    bool (*before)(const void *a, const void *b, void *arg), void *arg);

#endif
