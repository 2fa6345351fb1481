/*
 * grow.h - tables of elements of one size that double when they are full.
 */
#ifndef EP_BASE_GROW_H
#define EP_BASE_GROW_H

#include "base/mem.h"

#include <errno.h>
#include <stdint.h>

/*
 * ep_grow - room for element n, counted from 0.
 *
 * inout    table  owned by the caller (ep_free); it may move, and stays on failure
 *          cap    elements there is room for
 * in       size   of an element
 * errors   -ENOMEM; -E2BIG past 2^32 elements
 * threads  one at a time per table
 */
static inline int ep_grow(void **table, uint32_t *cap, uint32_t n, size_t size)
{
	enum { FIRST = 64 };
	size_t bytes;
	if (n < *cap)
		return 0;
	uint32_t more = *cap ? *cap * 2 : FIRST;
	if (more <= *cap || !ep_mul_size(more, size, &bytes))
		return -E2BIG;
	void *moved = ep_realloc(*table, bytes);
	if (!moved)
		return -ENOMEM;
	*table = moved;
	*cap = more;
	return 0;
}

#endif
