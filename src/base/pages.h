/*
 * pages.h - advice to the kernel about large blocks of memory.
 *
 * Hints only: nothing here fails, and nothing depends on their being followed.
 */
#ifndef EP_BASE_PAGES_H
#define EP_BASE_PAGES_H

#include <stddef.h>

/* A block that will be filled as a whole soon: large pages cost fewer faults.  Any
 * size; small blocks are left alone. */
void ep_pages_expect(void *p, size_t n_bytes);

/* Give back the whole pages between two places of a block of the heap, which stays
 * allocated; what was in them is gone. */
void ep_pages_release(void *from, void *to);

#endif
