/*
 * pack.h - taking elements out of a table whose runs samples share.
 *
 * The elements that stay are marked; then a run's new start is the number of those
 * before it, so runs stay shared and a sample costs nothing but that.
 */
#ifndef EP_PROFILE_PACK_H
#define EP_PROFILE_PACK_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct ep_pack {
	uint64_t *bits;	  /* the elements that stay */
	uint32_t *before; /* of each 64, how many stay before them */
	uint32_t n;
};

/* For n elements, none of which stays yet; the scratch arena takes the bits. */
static inline bool ep_pack_init(struct ep_pack *k, uint32_t n, struct ep_arena *scratch)
{
	size_t n_words = (size_t)n / 64 + 1;
	k->n = n;
	k->bits = ep_arena_array(scratch, uint64_t, n_words);
	k->before = ep_arena_array(scratch, uint32_t, n_words);
	return k->bits && k->before;
}

static inline void ep_pack_keep(struct ep_pack *k, uint32_t i)
{
	k->bits[i / 64] |= (uint64_t)1 << i % 64;
}

/* After the last ep_pack_keep(). */
static inline void ep_pack_count(struct ep_pack *k)
{
	uint32_t before = 0;
	for (size_t i = 0; i <= k->n / 64; i++) {
		k->before[i] = before;
		before += (uint32_t)__builtin_popcountll(k->bits[i]);
	}
}

/* How many stay before element i; i may be n. */
static inline uint32_t ep_pack_before(const struct ep_pack *k, uint32_t i)
{
	uint64_t below = k->bits[i / 64] & (((uint64_t)1 << i % 64) - 1);
	return k->before[i / 64] + (uint32_t)__builtin_popcountll(below);
}

/* Move a run to where it stands among those that stay. */
static inline void ep_pack_move(const struct ep_pack *k, uint32_t *first, uint32_t *n)
{
	uint32_t end = ep_pack_before(k, *first + *n);
	*first = ep_pack_before(k, *first);
	*n = end - *first;
}

#endif
