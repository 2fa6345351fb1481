/*
 * heap.h - which allocations are sampled, and what becomes of them.
 *
 * A thread counts its allocated bytes down to its next sample point (safe/poisson.h);
 * all others cost one subtraction.  A sampled object is counted at its site with its
 * weight, and followed until it is freed.
 *
 * Signal-safe, allocates nothing.  docs/math/heap.md has the estimator.
 */
#ifndef EP_INPROC_SIG_HEAP_H
#define EP_INPROC_SIG_HEAP_H

#include "inproc/sig/live.h"
#include "inproc/sig/sites.h"

/* Of a site: what was allocated, and what of it was freed.  Objects are in 1/65536. */
enum ep_heap_value {
	EP_HEAP_ALLOC_OBJECTS,
	EP_HEAP_ALLOC_BYTES,
	EP_HEAP_FREE_OBJECTS,
	EP_HEAP_FREE_BYTES,
};
#define EP_HEAP_OBJECT_SHIFT 16

struct ep_heap {
	_Atomic bool on;
	uint64_t mean; /* bytes between sample points; set once, before `on` */
	_Atomic uint32_t now_s; /* a coarse clock, kept by the drain */
	struct ep_sites sites;
	struct ep_live live;
	_Atomic uint64_t n_samples, n_truncated, n_lost;
};
extern struct ep_heap ep_heap;

/* How many objects, in 1/65536, and bytes one sample of this size stands for. */
struct ep_heap_weight {
	int64_t objects, bytes;
};
struct ep_heap_weight ep_heap_weight(uint64_t size);

/* Bytes to this thread's next sample point.  Where an allocation would take it below 0,
 * the point lies in that one. */
extern __thread uint64_t ep_heap_left __attribute__((tls_model("initial-exec")));

/*
 * Before each allocation of `size` bytes: true when it may be one to sample, and
 * ep_heap_sample() is due after it.  All that an ordinary allocation costs.
 */
static inline __attribute__((always_inline)) bool ep_heap_passes(uint64_t size)
{
	uint64_t left = ep_heap_left -= size;
	return __builtin_expect(left >> 62, 0); /* below 0, or a size that is no size */
}

/* The allocation that passed: `size` bytes at p; NULL: it failed. */
void ep_heap_sample(const void *p, uint64_t size, const void *return_address);

/* p is about to be freed, and ep_live_maybe() said it may be a sampled one. */
void ep_heap_freed(const void *p);

/* A sampled object was taken from `live` because it moved, or goes: count it as freed.
 * kept: where it lives on after all (the move failed), else NULL. */
void ep_heap_moved(const struct ep_live_object *o, const void *kept);

#endif
