/*
 * rowsort.h - sorting rows by two ids at once.
 */
#ifndef EP_STORE_ROWSORT_H
#define EP_STORE_ROWSORT_H

#include <stdint.h>

struct ep_rowkey {
	uint64_t at; /* one id << 32 | another */
	uint32_t row;
};

/*
 * ep_rowsort - by `at`, equal ones in the order they had.
 *
 * in       spare    room for n more
 * returns  keys or spare: where the result is
 * cost     a pass for each byte that is not the same everywhere
 */
struct ep_rowkey *ep_rowsort(struct ep_rowkey *keys, struct ep_rowkey *spare, uint32_t n);

#endif
