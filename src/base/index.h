/*
 * index.h - a hash index over somebody else's array.
 *
 * It maps a 64-bit hash to dense ids 0..n-1 and holds no keys: the caller
 * compares.  This is the one hash table of the project: interning strings,
 * frames, stacks and label sets are all "find the id of an equal element, or
 * add it".
 *
 *     for (uint32_t id = ep_index_first(&ix, h, &it); id != EP_INDEX_NONE;
 *          id = ep_index_next(&ix, &it))
 *             if (equal(elements[id], key))
 *                     return id;
 *     ep_index_add(&ix, h, n);         // elements[n++] = key
 */
#ifndef EP_BASE_INDEX_H
#define EP_BASE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define EP_INDEX_NONE UINT32_MAX

struct ep_index {
	uint64_t *slots; /* hash high 32 bits, id + 1 low 32 bits; 0 is empty */
	size_t n_slots;  /* power of two, or 0 */
	size_t n;
};

struct ep_index_iter {
	size_t at;
	uint32_t tag;
};

/* One thread at a time per index.  All zero is a valid empty index. */
void ep_index_fini(struct ep_index *ix);
/* Make room for n elements in all.  0 or -ENOMEM. */
int ep_index_reserve(struct ep_index *ix, size_t n);
/* 0 or -ENOMEM. */
int ep_index_add(struct ep_index *ix, uint64_t hash, uint32_t id);
void ep_index_clear(struct ep_index *ix);

/* The memory that a question about this hash will look at; ask some others meanwhile. */
void ep_index_prefetch(const struct ep_index *ix, uint64_t hash);

uint32_t ep_index_first(const struct ep_index *ix, uint64_t hash, struct ep_index_iter *it);
uint32_t ep_index_next(const struct ep_index *ix, struct ep_index_iter *it);

#endif
