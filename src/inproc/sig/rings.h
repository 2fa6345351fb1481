/*
 * rings.h - where handlers leave their samples for the drain: a few rings that all
 * threads share, as many as handlers can run at once, so that a thread costs no ring.
 *
 * A handler claims one for the time of its sample: its own first, so that those of other
 * CPUs stay in their caches; if that is claimed or full, the next.  A claim carries the
 * claimer's slot: who was thrown out of his handler (by a longjmp of another handler) finds
 * it again with his next sample.
 *
 * Signal-safe.  Writers: any thread; reader: the drain alone.
 */
#ifndef EP_INPROC_SIG_RINGS_H
#define EP_INPROC_SIG_RINGS_H

#include "safe/ring.h"

#include <stdbool.h>

enum { EP_RINGS_MAX = 64 };

struct ep_rings_one {
	_Alignas(64) _Atomic uint32_t claimed; /* slot + 1; 0: free */
	bool is_there;			       /* all its pages; the drain's */
	struct ep_ring ring;
};

struct ep_rings {
	_Atomic uint32_t n; /* a power of two; 0 before there are any */
	struct ep_rings_one one[EP_RINGS_MAX];
};

extern struct ep_rings ep_rings;

/* What ep_rings_reserve() will read. */
static inline __attribute__((always_inline)) void ep_rings_ahead(uint32_t slot)
{
	uint32_t n = atomic_load_explicit(&ep_rings.n, memory_order_relaxed);
	__builtin_prefetch(&ep_rings.one[slot & (n - 1) & (EP_RINGS_MAX - 1)], 1);
}

static inline __attribute__((always_inline)) bool ep_rings_claim(struct ep_rings_one *r, uint32_t slot)
{
	uint32_t by = 0;
	return atomic_compare_exchange_strong_explicit(&r->claimed, &by, slot + 1,
						       memory_order_acquire,
						       memory_order_relaxed) ||
	       by == slot + 1;
}

static inline __attribute__((always_inline)) void ep_rings_release(struct ep_rings_one *r)
{
	atomic_store_explicit(&r->claimed, 0, memory_order_release);
}

/*
 * ep_rings_reserve - room for a record of up to `want` words.
 *
 * in       slot    of the thread
 * out      ret_r   to be given to ep_rings_commit() or ep_rings_release()
 * returns  NULL when all are full, or claimed
 */
static inline __attribute__((always_inline)) void *
ep_rings_reserve(uint32_t slot, uint32_t want, struct ep_rings_one **ret_r)
{
	uint32_t n = atomic_load_explicit(&ep_rings.n, memory_order_acquire);
	for (uint32_t i = 0; i < n; i++) {
		struct ep_rings_one *r = &ep_rings.one[(slot + i) & (n - 1)];
		if (!ep_rings_claim(r, slot))
			continue;
		void *room = ep_ring_reserve(&r->ring, want);
		if (room) {
			*ret_r = r;
			return room;
		}
		ep_rings_release(r);
	}
	return NULL;
}

static inline __attribute__((always_inline)) void ep_rings_commit(struct ep_rings_one *r, uint32_t n_words)
{
	ep_ring_commit(&r->ring, n_words);
	ep_rings_release(r);
}

#endif
