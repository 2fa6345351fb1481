/*
 * vec.h - a growing array whose elements never move.
 *
 * One writer appends (under its own lock); any number of readers look at
 * elements below ep_vec_n() without a lock.  Chunk k holds 64 << k elements.
 */
#ifndef EP_STORE_VEC_H
#define EP_STORE_VEC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { EP_VEC_BASE_BITS = 6, EP_VEC_CHUNKS = 25 };

struct ep_vec {
	void *chunks[EP_VEC_CHUNKS];
	_Atomic uint32_t n;
	uint32_t elem_bytes;
};

void ep_vec_init(struct ep_vec *v, uint32_t elem_bytes);
void ep_vec_fini(struct ep_vec *v);
/* Room for one more, cleared, not yet counted: fill it, then ep_vec_publish().
 * NULL when memory is short or the array is full (2^31 elements). */
void *ep_vec_next(struct ep_vec *v);
size_t ep_vec_bytes(const struct ep_vec *v);

static inline uint32_t ep_vec_n(const struct ep_vec *v)
{
	return atomic_load_explicit(&((struct ep_vec *)v)->n, memory_order_acquire);
}

/* The element given out by ep_vec_next() is complete; returns its index. */
static inline uint32_t ep_vec_publish(struct ep_vec *v)
{
	uint32_t n = atomic_load_explicit(&v->n, memory_order_relaxed);
	atomic_store_explicit(&v->n, n + 1, memory_order_release);
	return n;
}

static inline void *ep_vec_at(const struct ep_vec *v, uint32_t i, size_t elem_bytes)
{
	uint32_t j = i + (1u << EP_VEC_BASE_BITS);
	uint32_t top = 31u - (uint32_t)__builtin_clz(j);
	return (char *)v->chunks[top - EP_VEC_BASE_BITS] + (size_t)(j - (1u << top)) * elem_bytes;
}

#define ep_vec_get(v, type, i) ((type *)ep_vec_at((v), (i), sizeof(type)))

#endif
