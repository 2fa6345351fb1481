/*
 * ring.h - records of whole words from one writer to one reader, lock-free.
 *
 * The writer may be a signal handler: it never waits.  A record lies in one
 * piece; what is left before the end of the ring is skipped.  The first 4 bytes
 * of a record are its length in words (n_words); nothing else is known of it.
 *
 * Reader and writer each own one index; an index only grows and is taken modulo
 * the size.
 */
#ifndef EP_SAFE_RING_H
#define EP_SAFE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct ep_ring {
	_Atomic uint32_t head; /* words ever written; the writer's */
	_Atomic uint32_t tail; /* words ever read; the reader's */
	uint32_t n_words;      /* a power of two */
	uint64_t *words;       /* borrowed */
};

#define EP_RING_SKIP 0x80000000u /* in n_words: nothing here, go to the start */

static inline void ep_ring_init(struct ep_ring *r, uint64_t *words, uint32_t n_words)
{
	atomic_store_explicit(&r->head, 0, memory_order_relaxed);
	atomic_store_explicit(&r->tail, 0, memory_order_relaxed);
	r->words = words;
	r->n_words = n_words;
}

/*
 * ep_ring_reserve - room for a record of up to `want` words.
 *
 * out      NULL when the ring is full
 * threads  the writer; signal-safe.  Commit or forget before the next reserve.
 */
static inline __attribute__((always_inline)) void *ep_ring_reserve(struct ep_ring *r, uint32_t want)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	uint32_t used = head - tail, at = head & (r->n_words - 1);
	uint32_t to_end = r->n_words - at;
	uint32_t skip = to_end < want ? to_end : 0;
	if (used + skip + want > r->n_words)
		return NULL;
	if (skip) {
		*(uint32_t *)&r->words[at] = skip | EP_RING_SKIP;
		atomic_store_explicit(&r->head, head + skip, memory_order_release);
		at = 0;
	}
	return &r->words[at];
}

/* Make the reserved record visible, with its true length. */
static inline __attribute__((always_inline)) void ep_ring_commit(struct ep_ring *r, uint32_t n_words)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	*(uint32_t *)&r->words[head & (r->n_words - 1)] = n_words;
	atomic_store_explicit(&r->head, head + n_words, memory_order_release);
}

/* The oldest record, or NULL.  It stays until ep_ring_drop().  The reader. */
static inline const void *ep_ring_peek(struct ep_ring *r)
{
	for (;;) {
		uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
		if (tail == atomic_load_explicit(&r->head, memory_order_acquire))
			return NULL;
		const void *at = &r->words[tail & (r->n_words - 1)];
		uint32_t n = *(const uint32_t *)at;
		if (!(n & EP_RING_SKIP))
			return at;
		atomic_store_explicit(&r->tail, tail + (n & ~EP_RING_SKIP),
				      memory_order_release);
	}
}

static inline void ep_ring_drop(struct ep_ring *r)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint32_t n = *(const uint32_t *)&r->words[tail & (r->n_words - 1)];
	atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}

/* Words in use; any thread, a moment's truth. */
static inline uint32_t ep_ring_used(struct ep_ring *r)
{
	return atomic_load_explicit(&r->head, memory_order_relaxed) -
	       atomic_load_explicit(&r->tail, memory_order_relaxed);
}

#endif
